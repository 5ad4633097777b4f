"""Numbers in sentences of the catalogue are numbers of its facts, or counted on the entry's own network: each
percentage, count and gain has a source.
"""

import csv
import re
from decimal import Decimal

import pytest

from explorer import catalogue
from explorer.catalogue import claims
from explorer.catalogue.facts import Fact
from explorer.catalogue.sources import DATA
from explorer.labs.claims.verdicts import last_digit

_NUMBERS = r"(\d+(?:\.\d+)?(?:(?:, | and | or )\d+(?:\.\d+)?)*)"
PERCENT = re.compile(_NUMBERS + r" %")
MILLIONS = re.compile(
    _NUMBERS + r" (?:M|million) (?:weights|parameters)|with " + _NUMBERS + r" million weights"
)
BILLIONS = re.compile(_NUMBERS + r" billion multiply-adds")
POINTS = re.compile(_NUMBERS + r" points?\b")
EVERY = tuple(catalogue.architectures().values())


def facts_of(entry: catalogue.Architecture) -> list[Fact]:
    return [fact for facts in entry.facts.values() for fact in facts]


ALL = [
    *(fact for entry in EVERY for fact in facts_of(entry)),
    *claims.facts().values(),
    *(each.top5_error for each in catalogue.timeline().ilsvrc),
]
PER_CENT = [value for fact in ALL if fact.unit == "%" for value in (fact.value, 100 - fact.value)]
PARAMS = [fact.value for fact in ALL if fact.unit == "M"]
MACS = [fact.value for fact in ALL if fact.unit == "G MACs"]


def prose_of(entry: catalogue.Architecture) -> list[str]:
    """Every sentence of an entry, notes of its facts too."""
    texts = [entry.ceiling, entry.idea, entry.used_for, entry.key]
    texts += [*entry.novelties, *entry.failure_cases, *entry.mistakes]
    # "The same table gives AlexNet ...": such a note speaks of its own fact's source.
    own = ("Printed as", "The same table", "The same authors")
    return texts + [fact.note for fact in facts_of(entry) if not fact.note.startswith(own)]


def counted() -> dict[str, list[dict[str, str]]]:
    """Rows of the shipped table of counts, by network."""
    found: dict[str, list[dict[str, str]]] = {}
    with (DATA / "counts.csv").open(encoding="utf-8") as table:
        for row in csv.DictReader(line for line in table if not line.startswith("#")):
            found.setdefault(row["network"], []).append(row)
    return found


COUNTED = counted()


def unsourced(texts: list[str], pattern: re.Pattern[str], known: list[float]) -> list[str]:
    """Sentences with a number that rounds from none of the known values."""
    found = []
    for text in texts:
        for match in pattern.finditer(text):
            for printed in re.findall(r"\d+(?:\.\d+)?", next(group for group in match.groups() if group)):
                half = 0.5 * last_digit(Decimal(printed)) + 1e-9
                if not any(abs(value - float(printed)) <= half for value in known):
                    found.append(f"{printed}: {text}")
    return found


@pytest.mark.parametrize("entry", EVERY, ids=lambda entry: entry.id)
def test_each_number_in_a_sentence_is_that_of_a_fact(entry):
    texts = prose_of(entry)
    own = [row for name in entry.builders for row in COUNTED.get(name, ())]
    assert unsourced(texts, PERCENT, PER_CENT) == []
    assert unsourced(texts, MILLIONS, PARAMS + [int(row["params"]) / 1e6 for row in own]) == []
    assert unsourced(texts, BILLIONS, MACS + [int(row["macs"]) / 1e9 for row in own]) == []


@pytest.mark.parametrize("entry", EVERY, ids=lambda entry: entry.id)
def test_each_gain_in_a_sentence_is_the_difference_of_two_facts(entry):
    """Of the entry and those it comes from, tested alike, or of the roadmap."""
    near = [fact for each in (entry, *map(catalogue.get, entry.came_from)) for fact in facts_of(each)]
    pairs = [
        (one, two)
        for facts in (near, list(claims.facts().values()))
        for one in facts
        for two in facts
        if one.unit == two.unit == "%"
        and (facts is not near or not one.evaluation.differences(two.evaluation))
    ]
    assert unsourced(prose_of(entry), POINTS, [one.value - two.value for one, two in pairs]) == []


def test_a_sentence_with_a_number_of_nobody_is_found():
    assert unsourced(["It makes 33.33 % and 84.3 %"], PERCENT, PER_CENT) == [
        "33.33: It makes 33.33 % and 84.3 %"
    ]
    assert unsourced(["for 2.3 points"], POINTS, [2.34]) == []
    assert unsourced(["for 2.4 points"], POINTS, [2.34]) == ["2.4: for 2.4 points"]
