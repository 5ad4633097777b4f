"""Choosing: every rejected candidate breaks what it is said to break, and dropping a wish never loses one."""

from dataclasses import replace

import pytest
import timm
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.analysis import memory, trace
from explorer.analysis.choosing import constraints, ranking
from explorer.analysis.choosing.candidates import Candidate
from explorer.analysis.choosing.constraints import (
    CONSTRAINTS,
    NON_COMMERCIAL,
    NOT_STATED,
    OWN_TERMS,
    PERMISSIVE,
    Reason,
    Wishes,
    asked,
    licence_kind,
    memory_bytes,
    reasons,
    without,
)
from explorer.analysis.choosing.ranking import choose, one_a_network, ranked
from explorer.analysis.numbers import counting
from explorer.catalogue.counts import CHANNELS, counts
from explorer.catalogue.network_names import TRAINING_DATA


def candidate(name: str = "timm:resnet50", **other) -> Candidate:
    """ResNet-50 as timm has it, unless something else is said; values are added to its own."""
    values = {"params": 25e6, "macs": 4e9, "weight_bytes": 100e6, "top1": 80.0, "throughput 3090": 2000.0}
    given = other.pop("values", {})
    return Candidate(
        **{
            "id": f"{name}@224", "name": name, "reference": name, "weights": name, "published_by": "timm",
            "architecture": None, "family": "residual", "year": 2015, "image_size": 224,
            "training_data": "ImageNet-1k", "licence": "apache-2.0", "protocol": "1 crop 224",
            "values": values | given,
        }
        | other
    )  # fmt: skip


def number(low: float, high: float):
    return st.none() | st.floats(low, high)


@st.composite
def made(draw, place: int) -> Candidate:
    values = {
        name: value
        for name, low, high in (
            ("params", 1e6, 1e8), ("macs", 1e8, 1e10), ("weight_bytes", 4e6, 4e8), ("top1", 60, 90),
            ("throughput 3090", 100, 5000), ("latency here", 1, 500),
        )
        if (value := draw(number(low, high))) is not None
    }  # fmt: skip
    reference = draw(
        st.sampled_from(["timm:resnet50", "timm:vit_base_patch16_224", "torchvision:vgg16", "timm:x"])
    )
    known = {"timm:resnet50": "resnet50", "torchvision:vgg16": "vgg16"}
    return Candidate(
        f"{place}", f"{place}", reference, "w", "timm", known.get(reference),
        draw(st.sampled_from(["residual", "transformer", None])), 2015,
        draw(st.sampled_from([224, 288, 384])), draw(st.sampled_from([*TRAINING_DATA, "unknown"])),
        draw(st.sampled_from(["mit", "cc-by-nc-4.0", "", "x"])), "", values,
    )  # fmt: skip


candidates = st.integers(0, 12).flatmap(lambda n: st.tuples(*(made(place) for place in range(n))))
wished = st.builds(
    Wishes,
    speed=st.sampled_from(["", "throughput 3090", "latency here"]),
    speed_limit=number(50, 3000),
    params=number(1e6, 1e8),
    macs=number(1e8, 1e10),
    weight_bytes=number(4e6, 4e8),
    image_size=st.sampled_from([None, 224, 300]),
    memory_bytes=number(1e8, 1e10),
    mode=st.sampled_from(["inference", "training"]),
    batch_size=st.sampled_from([1, 32]),
    strides=st.sampled_from([(), (8, 16, 32), (4, 8, 16, 32)]),
    built_by=st.sampled_from([(), ("timm",), ("timm", "torchvision")]),
    licences=st.sampled_from([frozenset(), frozenset({PERMISSIVE})]),
    training_data=st.sampled_from([frozenset(), frozenset({"ImageNet-1k"})]),
    families=st.sampled_from([frozenset(), frozenset({"residual"})]),
)


@settings(max_examples=40, deadline=None)
@given(candidates, wished)
def test_who_is_out_breaks_what_is_named_and_who_is_in_breaks_nothing(those, wishes):
    found = choose(those, wishes)
    assert {each.id for each in found.kept} | set(found.broken) == {each.id for each in those}
    assert not {each.id for each in found.kept} & set(found.broken)
    for each in those:
        judged = reasons(each, wishes)
        assert set(judged) == set(asked(wishes))
        failed = {name for name, reason in judged.items() if not reason.holds}
        assert failed == set(found.broken.get(each.id, ()))
        for name, reason in judged.items():
            assert reason.holds == _again(reason), name


def _again(reason: Reason) -> bool:
    """From the numbers a reader is shown."""
    if reason.value is None:
        return False
    if reason.better == "less":
        return reason.value <= reason.limit
    if reason.better == "more":
        return reason.value >= reason.limit
    if isinstance(reason.limit, str) and " or " not in reason.limit:  # all of these, or this one
        wanted = reason.limit.replace(" and ", ", ").split(", ")
        if wanted == [PERMISSIVE]:
            return licence_kind("" if reason.value == NOT_STATED else reason.value) == PERMISSIVE
        return set(wanted) <= set(reason.value.replace(" and ", ", ").split(", "))
    return reason.holds


@settings(max_examples=40, deadline=None)
@given(candidates, wished)
def test_dropping_a_wish_never_loses_a_candidate(those, wishes):
    kept = {each.id for each in choose(those, wishes).kept}
    for name in asked(wishes):
        looser = choose(those, without(wishes, name))
        assert name not in asked(without(wishes, name))
        assert kept <= {each.id for each in looser.kept}


@settings(max_examples=40, deadline=None)
@given(candidates, wished, st.floats(1, 3))
def test_loosening_a_limit_never_loses_a_candidate(those, wishes, factor):
    kept = {each.id for each in choose(those, wishes).kept}
    for name in ("params", "macs", "weight_bytes", "memory_bytes"):
        limit = getattr(wishes, name)
        if limit is not None:
            looser = choose(those, replace(wishes, **{name: factor * limit}))
            assert kept <= {each.id for each in looser.kept}


@settings(max_examples=40, deadline=None)
@given(candidates, wished)
def test_what_has_to_give_is_what_dropping_it_brings(those, wishes):
    found = choose(those, wishes)
    alone = {name: single for name, (_, single) in found.knocked_out().items() if single}
    gives = {give.constraint: give.gained for give in found.gives}
    assert gives.items() <= alone.items()
    for name in alone:
        better = not found.kept or _better(choose(those, without(wishes, name)).kept[0], found.kept[0])
        assert (name in gives) == better
    for give in found.gives:
        looser = choose(those, without(wishes, give.constraint))
        new = [each for each in looser.kept if each not in found.kept]
        assert (len(new), new[0]) == (give.gained, give.best)
    if found.gives:
        best = ranked([give.best for give in found.gives], "top1", "more")[0]
        assert found.gives[0].best == best
    assert (found.nearest is None) == (bool(found.kept) or not those)


def _better(new: Candidate, old: Candidate) -> bool:
    """By top-1; what is known is better than what nobody knows."""
    return new.values.get("top1", -1.0) > old.values.get("top1", -1.0)


@settings(max_examples=40, deadline=None)
@given(candidates)
def test_the_ranking_is_by_the_measure_and_the_missing_come_last(those):
    for measure, better, sign in (("top1", "more", -1), ("macs", "less", 1)):
        values = [each.values.get(measure) for each in ranked(those, measure, better)]
        known = [sign * value for value in values if value is not None]
        assert known == sorted(known)
        assert None not in values[: len(known)]


def test_nothing_asked_keeps_all():
    those = [candidate(), candidate("timm:other", values={"top1": 82.0})]
    assert asked(Wishes()) == ()
    assert asked(Wishes(speed="throughput 3090", batch_size=64, mode="training")) == ()  # no limit, no wish
    assert [each.name for each in choose(those, Wishes()).kept] == ["timm:other", "timm:resnet50"]


def test_the_one_wish_that_would_have_to_give():
    """A: too many parameters. B: too many and too slow. C: too slow only, and better than A."""
    a = candidate("timm:a", values={"params": 30e6, "top1": 81.0})
    b = candidate("timm:b", values={"params": 30e6, "throughput 3090": 10.0, "top1": 90.0})
    c = candidate("timm:c", values={"throughput 3090": 900.0, "top1": 84.0})
    passes = candidate("timm:d", values={"top1": 79.5})
    wishes = Wishes(speed="throughput 3090", speed_limit=1000, params=26e6)
    found = choose([a, b, c, passes], wishes)
    assert found.kept == (passes,)
    assert found.broken == {
        "timm:a@224": ("params",),
        "timm:b@224": ("speed", "params"),
        "timm:c@224": ("speed",),
    }
    assert found.knocked_out() == {"params": (2, 1), "speed": (2, 1)}
    assert [(give.constraint, give.best.name, give.gain) for give in found.gives] == [
        ("speed", "timm:c", 4.5),
        ("params", "timm:a", 1.5),
    ]
    assert reasons(c, wishes)["speed"] == Reason(900.0, 1000, False, "images/s", "more", "published")
    none = choose([a, b], wishes)
    assert (none.kept, none.nearest) == ((), a)
    assert [give.gain for give in none.gives] == [None]
    assert none.gives[0].nearest == a
    assert choose([b], wishes).gives == ()  # no single wish is enough


def test_accuracies_of_different_tests_are_ranked_but_not_subtracted():
    passes = candidate("timm:d", values={"top1": 79.5})
    larger = candidate("timm:a", values={"params": 30e6, "top1": 81.0}, protocol="1 crop 288")
    (give,) = choose([larger, passes], Wishes(params=26e6)).gives
    assert (give.best, give.gain, give.apart) == (larger, None, ("288 pixels against 224 pixels",))
    fast = candidate("timm:b", values={"params": 30e6, "throughput 3090": 2500.0}, protocol="1 crop 288")
    (give,) = choose([fast, passes], Wishes(params=26e6), "throughput 3090").gives
    assert (give.gain, give.apart) == (500.0, ())


def test_the_smallest_step_that_gains():
    """At most 10 M: 40 M is best, 12 M the nearest that is better than what passes, 11 M is worse."""
    sizes = {8e6: 78.0, 11e6: 77.0, 12e6: 79.0, 20e6: 81.0, 40e6: 83.0}
    those = [candidate(f"timm:{n}", values={"params": n, "top1": top1}) for n, top1 in sizes.items()]
    (give,) = choose(those, Wishes(params=10e6)).gives
    assert (give.gained, give.best.values["params"], give.nearest.values["params"]) == (4, 40e6, 12e6)
    assert choose(those, Wishes(params=10e6), "macs", "less").gives == ()  # all have the same MACs
    assert choose(those, Wishes(params=30e6), "params", "less").gives == ()  # larger is worse by this rank


def test_missing_is_missing():
    nobody_measured = candidate(values={})
    values = {name: value for name, value in nobody_measured.values.items() if name != "macs"}
    unknown = replace(nobody_measured, values=values)
    assert reasons(unknown, Wishes(macs=1e12))["macs"] == Reason(None, 1e12, False, "", "less")
    found = choose([unknown, nobody_measured], Wishes(macs=1))
    assert found.broken == {unknown.id: ("macs",)}
    assert found.unmeasured == {"macs": 1}


def test_licences_by_what_they_allow():
    kinds = {"apache-2.0": PERMISSIVE, "mit": PERMISSIVE, "cc-by-nc-4.0": NON_COMMERCIAL, "": NOT_STATED,
             "unknown": NOT_STATED, "not stated by torchvision": NOT_STATED, "fastvit-license": OWN_TERMS,
             "fair-noncommercial-research-license": NON_COMMERCIAL}  # fmt: skip
    assert {licence: licence_kind(licence) for licence in kinds} == kinds


def test_both_libraries_build_what_the_catalogue_equates():
    both = Wishes(built_by=("timm", "torchvision"))
    assert choose([candidate(architecture="resnet50")], both).kept
    assert choose([candidate("timm:resnetrs50", architecture="resnetrs50")], both).broken
    assert reasons(candidate("timm:resnetrs50"), both)["built_by"].value == "timm"


@pytest.mark.parametrize("mode", ["inference", "training"])
@pytest.mark.parametrize(("network", "size"), [("timm:resnet18", 224), ("timm:mobilenetv3_small_100", 224)])
def test_memory_is_what_the_trace_says(network: str, size: int, mode: str):
    traced = trace(network, size)
    wishes = Wishes(memory_bytes=1, mode=mode, batch_size=8, optimiser="Adam / AdamW")
    of = candidate(network, image_size=size, values={"params": traced.params})
    assert memory_bytes(of, wishes) == memory(traced, 8, "fp32", "Adam / AdamW", mode).total


@pytest.mark.parametrize(
    ("network", "maps"),
    [
        ("timm:resnet18", {2: 64, 4: 64, 8: 128, 16: 256, 32: 512}),
        ("timm:vit_tiny_patch16_224", {16: 192}),
        ("timm:densenet121", {2: 64, 4: 256, 8: 512, 16: 1024, 32: 1024}),
    ],
)
def test_maps_of_a_network(network: str, maps: dict[int, int]):
    """As their papers' tables have them; a vision transformer keeps one grid."""
    assert counting.pyramid(trace(network)) == maps


@pytest.mark.parametrize(
    "name", ["resnet50", "mobilenetv2_100", "efficientnet_b0", "convnext_tiny", "densenet121"]
)
def test_maps_are_those_that_timm_hands_out(name: str):
    with torch.device("meta"):
        info = timm.create_model(name, features_only=True).feature_info
    theirs = dict(zip(info.reduction(), info.channels(), strict=True))
    row = counts().of[f"timm:{name}", 224]
    assert {s: row[field] for s, field in CHANNELS.items()} == {s: theirs[s] for s in CHANNELS}


def test_strides_of_a_candidate():
    assert constraints.strides(candidate("timm:vit_base_patch16_224")) == (16,)
    assert constraints.strides(candidate("timm:no_such_network")) is None


def test_every_constraint_can_be_dropped():
    for name, each in CONSTRAINTS.items():
        assert each.fields, name
    full = Wishes("throughput 3090", 1, 1, 1, 1, 1, 1, "training", 1, "SGD", (4,), ("timm",), frozenset("a"),
                  frozenset("b"), frozenset("c"))  # fmt: skip
    assert set(asked(full)) == set(CONSTRAINTS)
    for name in CONSTRAINTS:
        full = without(full, name)
    assert asked(full) == ()


def test_one_entry_a_network_keeps_the_best_first():
    better, worse, other = candidate(id="2"), candidate(id="3"), candidate("timm:other")
    assert {
        name: [each.id for each in those] for name, those in one_a_network([better, other, worse]).items()
    } == {
        "timm:resnet50": ["2", "3"],
        "timm:other": ["timm:other@224"],
    }
    assert ranking.one_a_network([]) == {}


@pytest.mark.parametrize(
    ("mode", "passes", "basis"),
    [("inference", True, "counted as deployed"), ("training", False, "counted as trained")],
)
def test_limits_hold_for_the_form_that_the_memory_is_for(mode: str, passes: bool, basis: str) -> None:
    values = {"params": 5.3e6, "macs": 1.05e9, "weight_bytes": 21e6}
    other = {"deployed params": 2.1e6, "deployed macs": 0.28e9, "deployed weight_bytes": 8.4e6}
    two = candidate("timm:mobileone_s0", values=values | other)
    wishes = Wishes(mode=mode, params=3e6, macs=0.5e9, weight_bytes=10e6)
    judged = reasons(two, wishes)
    assert {name: each.holds for name, each in judged.items()} == dict.fromkeys(judged, passes)
    assert {each.basis for each in judged.values()} == {basis}
    one = reasons(candidate(values=values), replace(wishes, mode="inference"))
    assert not any(each.holds for each in one.values())
    assert {each.basis for each in one.values()} == {"counted"}


@pytest.mark.parametrize("mode", ["inference", "training"])
def test_the_memory_of_two_forms_is_that_of_their_traces(mode: str) -> None:
    traced = trace("timm:mobileone_s0", 224, as_deployed=mode == "inference")
    two = candidate("timm:mobileone_s0", values={"params": 5_293_272, "deployed params": 2_078_504})
    found = memory_bytes(two, Wishes(mode=mode, batch_size=4))
    assert found == memory(traced, 4, mode=mode).total


def test_ranking_by_a_count_as_deployed_takes_networks_of_one_form_as_they_are() -> None:
    two = candidate("timm:two", values={"params": 30e6, "deployed params": 2e6})
    one = candidate("timm:one", values={"params": 5e6})
    assert ranked([one, two], "deployed params", "less") == [two, one]
    assert ranked([one, two], "params", "less") == [one, two]
