"""The verdicts that come with the app: for every claim, and what the code gives."""

from dataclasses import replace

import pytest

from explorer.catalogue.claims import claims
from explorer.labs.claims import kept, shipped
from explorer.labs.claims.checking import is_timed
from explorer.labs.claims.kept import SHIPPED, Kept

CHEAP_SECONDS = 0.05


@pytest.fixture(scope="module")
def table() -> dict[str, Kept]:
    return kept.read(SHIPPED)


def test_every_claim_is_in_the_table_as_it_is_asked_now(table):
    assert list(table) == list(claims()), "run python -m explorer.labs.claims.shipped"


def test_the_table_says_what_the_code_gives(table):
    """All claims, by `python -m explorer.labs.claims.shipped --check`; here those that take no time."""
    cheap = [each.result.claim for each in table.values() if each.result.seconds < CHEAP_SECONDS]
    assert len(cheap) > len(claims()) / 2
    assert shipped.disagreements(table, cheap) == []


def test_a_verdict_or_value_that_is_another_is_named(table):
    names = ("000-width-linear", "001-dense-78", "002-bn-output")
    wrong = {**table}
    del wrong[names[0]]
    result = table[names[1]].result
    finding = replace(result.findings[0], values=(result.findings[0].values[0] * 1.01,))
    wrong[names[1]] = replace(table[names[1]], result=replace(result, findings=(finding,)))
    wrong[names[2]] = replace(table[names[2]], result=replace(table[names[2]].result, verdict="wrong"))
    found = shipped.disagreements(wrong, [claims()[name] for name in names])
    assert [line.partition(":")[0] for line in found] == list(names)


def test_the_table_names_its_versions_and_no_folder(table):
    (made_with,) = {each.made_with for each in table.values()}
    assert [each.split()[0] for each in made_with] == ["torch", "torchvision", "timm", "code"]
    words = SHIPPED.read_text("utf-8").split()
    assert not [word for word in words if word.strip('"').startswith(("/", "~", "C:\\"))]


def test_what_a_clock_measures_is_known(table):
    assert [claim.id for claim in claims().values() if is_timed(claim)] == [
        "001-params-not-latency",
        "001-b4-slower",
    ]
