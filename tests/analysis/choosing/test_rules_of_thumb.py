"""Rules of thumb: what is said below them is worked out, against hand values."""

import pytest

from explorer.analysis.choosing.ranking import ranked
from explorer.analysis.choosing.rules_of_thumb import (
    RULES,
    Rule,
    Scene,
    _rank_correlation,
    ordered,
    spread,
    standing,
)
from explorer.catalogue.counts import counts
from tests.analysis.choosing.test_ranking import candidate


def scene(*those) -> Scene:
    kept = ranked(those, "top1", "more")
    return Scene(those, kept)


def test_where_a_network_stands():
    """Three networks by top-1; the middle one has the fewest MACs, so it and the best are the frontier."""
    those = (
        candidate("timm:good", values={"top1": 84.0, "macs": 8e9}),
        candidate("timm:vgg16", values={"top1": 80.0, "macs": 1e9}),
        candidate("timm:poor", values={"top1": 70.0, "macs": 2e9}),
    )
    rule = Rule("", "", standing, ("*:vgg*",))
    place, ahead = standing(rule, scene(*those))
    assert place == "timm:vgg16 at 224 px: 80 %, place 2 of the 3 networks that pass."
    assert ahead == "On the frontier of ImageNet top-1 and MACs: 1 of its 1 entries."
    nobody = Scene(those, [those[0]])
    assert list(standing(rule, nobody)) == ["None passes, of 1 published."]
    assert list(standing(Rule("", "", standing, ("*:x",)), nobody)) == ["None of them is published here."]


def test_how_far_recipes_lie_apart():
    those = [candidate(id=str(value), values={"top1": value}) for value in (76.1, 80.9, 79.0)]
    (told,) = spread(Rule("", "", spread, ("timm:resnet50",)), scene(*those))
    assert told.startswith(
        "timm:resnet50: 3 results published at 224 px from 76.1 to 80.9 % top-1, 4.8 points apart"
    )


def test_results_of_other_sizes_and_crops_are_not_subtracted():
    protocols = ("1 crop 224, timm", "1 crop 288, timm", "10 crops 224, paper", "")
    those = [candidate(id=each, values={"top1": 76.0}, protocol=each) for each in protocols]
    rule = Rule("", "", spread, ("timm:resnet50",))
    (told,) = spread(rule, scene(*those))
    assert told == "timm:resnet50: no two published results were tested alike, so none are subtracted."
    unstated = [candidate(id=str(value), values={"top1": value}, protocol="") for value in (76.0, 80.0)]
    assert spread(rule, scene(*unstated)) == [told]


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        ([1, 2, 3], [30, 20, 10], -1),
        ([1, 2, 3, 4], [1, 10, 100, 1000], 1),
        ([1, 2, 2, 3], [1, 3, 2, 4], 0.9487),
    ],
)
def test_rank_correlation(one, two, expected):
    """The last as scipy.stats.spearmanr has it, equal values sharing their ranks."""
    import numpy as np

    assert _rank_correlation(np.array(one), np.array(two)) == pytest.approx(expected, abs=1e-4)


def test_rules_that_are_meant_for_the_case_come_first():
    first, fits = ordered(5_000, dense=False)[0]
    assert fits
    assert "10,000 pictures" in first.says
    assert not any(fits for _, fits in ordered(None, dense=False))
    assert {rule.source for rule, fits in ordered(50_000, dense=False) if fits} == {"[001] Q6", "[000] 5.2"}
    assert all("[00" in rule.source for rule in RULES)


def test_every_rule_finds_its_networks():
    """Patterns and references that the shipped table knows, or a rule says nothing for ever."""
    from fnmatch import fnmatch

    known = {name for name, _ in counts().of}
    for rule in RULES:
        for pattern in rule.about:
            assert any(fnmatch(name, pattern.partition("@")[0]) for name in known), pattern
