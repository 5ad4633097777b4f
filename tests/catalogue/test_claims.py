"""Claims as data: complete, honest quotations, checks that exist and take their arguments."""

import re
from collections import Counter
from decimal import Decimal

import pytest

from explorer import catalogue
from explorer.catalogue import claims
from explorer.catalogue.reading import CatalogueError
from tests.conftest import REPOSITORY, SHARED

GOOD = """
[000-net]
where = "part 1"
quote = "Net has 25.6M parameters"
says = "Net has 25.6 M parameters"
topic = "Parameters"
subject = "resnet50"
expected = ["25.6"]
unit = "M parameters"
ways = [{ check = "total", networks = ["torchvision:resnet50"], what = "params" }]
comment = "It has."
"""


def read(folder, text, name="000.toml"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return claims.read_claims(path, catalogue.sources(), catalogue.architectures())


def test_a_good_claim_is_read(tmp_path):
    claim = read(tmp_path, GOOD)["000-net"]
    assert claim.expected == claims.Expected((Decimal("25.6"),), "M parameters")
    assert claim.ways[0].check == "total"
    assert dict(claim.ways[0].arguments) == {"networks": ["torchvision:resnet50"], "what": "params"}
    assert claim.source == "Towards AI, part 1"
    assert claim.see == "architecture?arch=resnet50"  # unless another page is named


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('where = "part 1"\n', "", "where: is missing"),
        ('"Net has 25.6M parameters"', '"a b c d e f g h i j k"', "quote: has 11 words; 10 are the most"),
        ('topic = "Parameters"', 'topic = "Colour"', "topic: 'Colour' is not one of Parameters, "),
        ('subject = "resnet50"', 'subject = "resnet51"', "subject: 'resnet51' is not an entry"),
        ('["25.6"]', "[25.6]", r"expected\[0\]: expected a string, got 25.6"),
        ('["25.6"]', '["25,6"]', r"expected\[0\]: expected a number, got '25,6'"),
        ('["25.6"]', "[]", "expected: holds no value"),
        ('unit = "M parameters"', "tolerance = 1", "tolerance: is not a known field"),
        ('unit = "M parameters"', 'relation = "between"', "expected: between takes two values"),
        ('unit = "M parameters"', 'relation = "near"', "relation: 'near' is not one of equals, above"),
        ('check = "total", ', "", r"ways\[0\]\.check: is missing"),
        (
            'ways = [{ check = "total"',
            'ways = [{ check = "x" }, { check = "total"',
            r"ways\[0\]\.protocol: is",
        ),
        ('comment = "It has."', 'verdict = "holds"', "comment: is missing"),
        ('comment = "It has."', 'comment = "It has."\nverdict = "holds"', "verdict: is not a known field"),
    ],
)
def test_what_is_wrong_is_named_with_file_entry_and_field(tmp_path, old, new, problem):
    assert old in GOOD
    with pytest.raises(CatalogueError, match=rf"^000\.toml: 000-net: {problem}"):
        read(tmp_path, GOOD.replace(old, new))


def test_a_file_is_named_after_its_document(tmp_path):
    with pytest.raises(CatalogueError, match=r"^009\.toml: 000-net: the entry: '009' is not a document"):
        read(tmp_path, GOOD, "009.toml")


def test_there_are_enough_claims_of_every_document_and_topic():
    of = claims.claims().values()
    assert len(of) >= 60
    assert set(Counter(claim.document.id for claim in of)) == set(catalogue.sources().documents)
    assert set(Counter(claim.topic for claim in of)) == set(claims.TOPICS)


def test_an_id_begins_with_its_document():
    assert all(name.startswith(f"{claim.document.id}-") for name, claim in claims.claims().items())


def test_no_two_claims_say_the_same_of_one_document():
    said = Counter((claim.document.id, claim.says) for claim in claims.claims().values())
    assert said.most_common(1)[0][1] == 1


def test_every_page_to_see_is_there():
    addresses = {claim.see.partition("?")[0] for claim in claims.claims().values() if claim.see}
    assert [name for name in addresses if not (REPOSITORY / "pages" / f"{name}.py").exists()] == []


def test_quotations_stand_in_their_documents():
    if not (SHARED / "sources").exists():
        pytest.skip("needs ../shared/sources, which is not beside this clone")
    texts = {
        path.name[:3]: " ".join(path.read_text(encoding="utf-8").split())
        for path in (SHARED / "sources").glob("*.txt")
    }
    missing = [
        name
        for name, claim in claims.claims().items()
        if " ".join(claim.quote.split()) not in texts[claim.document.id]
    ]
    assert missing == []


def test_our_own_sentences_are_our_own():
    """No run of eleven words of the documents in what the claims say or defend."""
    if not (SHARED / "sources").exists():
        pytest.skip("needs ../shared/sources, which is not beside this clone")
    runs = set()
    for path in (SHARED / "sources").glob("*.txt"):
        words = re.findall(r"\w+", path.read_text(encoding="utf-8").lower())
        runs |= {tuple(words[at : at + 11]) for at in range(len(words) - 10)}
    for name, claim in claims.claims().items():
        for text in (claim.says, claim.comment):
            words = re.findall(r"\w+", text.lower())
            assert not runs & {tuple(words[at : at + 11]) for at in range(len(words) - 10)}, name


def test_facts_of_no_entry_are_cited_like_all_others():
    roadmap = claims.facts()["roadmap_recipe"]
    assert (roadmap.value, roadmap.unit, roadmap.source) == (78.8, "%", "Liu et al. 2022, figure 2")
