"""Verdicts follow from what was printed and measured, and the checks measure what they say."""

import inspect
import math
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.analysis.graph.reading import trace_module
from explorer.catalogue.claims import ABOUT, Expected, claims
from explorer.labs.claims import arithmetic, behaviour, facts, networks
from explorer.labs.claims import checking as lab
from explorer.labs.claims.values import Measured, difference, ratio
from explorer.labs.claims.verdicts import VERDICTS, last_digit, match, scale, verdict

PRINTED = st.decimals(-10_000, 10_000, places=2)


def expected(*values: str, relation: str = "equals", about: bool = False) -> Expected:
    return Expected(tuple(map(Decimal, values)), "", relation, about)


@pytest.mark.parametrize(
    ("printed", "measured", "found"),
    [
        ("25.6", 25.557, "rounded"),
        ("25.6", 25.6, "exactly"),
        ("25.5", 25.557, "cut off"),
        ("25.4", 25.557, "no"),
        ("25", 25.56, "cut off"),
        ("102", 102.76, "cut off"),
        ("71.5", 71.592, "cut off"),
        ("1.7", 1.77, "cut off"),
        ("-1.7", -1.77, "cut off"),
        ("-1.8", -1.7, "no"),
        ("66.4", 66.348, "no"),  # neither: it was raised
        ("79.4", 79.5, "no"),  # another number of as many digits, though doubles put it 0.09999 away
        ("5", 5.624, "no"),  # one digit is rounded, not cut off
        ("6", 5.624, "rounded"),
        ("0", 0.25, "no"),  # none is none
        ("0.0", 0.04, "rounded"),
        ("0.0", 0.06, "no"),
        ("138", 138.357, "rounded"),
        ("0.10", 0.1056, "cut off"),
        ("0.11", 0.1056, "rounded"),
        ("70144", 70_144, "exactly"),
        ("70144", 70_145, "no"),
        ("6.0", 6.05, "rounded"),
        ("1.5e1", 15.4, "rounded"),
    ],
)
def test_the_last_digit_printed_says_how_exactly_a_number_is_meant(printed, measured, found):
    assert match(expected(printed), [measured]) == found


@settings(deadline=None)
@given(PRINTED)
def test_a_printed_value_holds_of_itself(value):
    assert verdict(Expected((value,), ""), [[float(value)]]) == "holds"


@settings(deadline=None)
@given(PRINTED, st.floats(-0.0049, 0.0049))
def test_whatever_rounds_to_it_bears_it_out(value, off):
    assert verdict(Expected((value,), ""), [[float(value) + off]]) in ("holds", "rounded")


@settings(deadline=None)
@given(PRINTED, st.floats(0.0101, 1e6), st.sampled_from([-1, 1]))
def test_whatever_is_off_by_more_than_its_last_digit_refutes_it(value, off, sign):
    for about in (False, True):
        assert verdict(Expected((value,), "", about=about), [[float(value) + sign * off]]) == "wrong"


@settings(deadline=None)
@given(st.decimals(1, 10_000, places=2), st.floats(0.0051, 0.0099))
def test_cutting_off_goes_towards_zero_alone(value, off):
    for sign in (-1, 1):
        printed = sign * value
        assert match(Expected((printed,), ""), [float(printed) + sign * off]) == "cut off"
        assert match(Expected((printed,), ""), [float(printed) - sign * off]) == "no"
        assert match(Expected((printed,), "", about=True), [float(printed) - sign * off]) == "about"


def test_no_claim_has_a_tolerance_or_a_verdict_of_its_own():
    """What is allowed follows from the printed digits and the quoted words."""
    for claim in claims().values():
        assert claim.expected.about == (ABOUT.search(claim.quote) is not None)
        assert set(vars(claim.expected)) == {"values", "unit", "relation", "about"}


@settings(deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=6))
def test_several_ways_that_disagree_make_it_depend(bears_out):
    found = verdict(expected("1.0"), [[1.0] if each else [2.0] for each in bears_out])
    if all(bears_out):
        assert found == "holds"
    else:
        assert found == ("depends on the protocol" if any(bears_out) else "wrong")


@pytest.mark.parametrize(
    ("relation", "measured", "found"),
    [
        ("above", 1.0, "wrong"),
        ("above", 1.1, "holds"),
        ("below", 1.0, "wrong"),
        ("below", 0.9, "holds"),
        ("at least", 1.0, "holds"),
        ("at most", 1.0, "holds"),
        ("at most", 1.1, "wrong"),
    ],
)
def test_bounds_hold_or_do_not(relation, measured, found):
    assert verdict(expected("1", relation=relation), [[measured]]) == found


def test_between_takes_both_ends_and_any_number_of_values():
    wanted = expected("8", "9", relation="between")
    assert [verdict(wanted, [values]) for values in ([8.0, 9.0], [8.69], [7.9, 8.5], [9.1])] == [
        "holds",
        "holds",
        "wrong",
        "wrong",
    ]


def test_the_worst_of_several_values_decides():
    assert verdict(expected("1.0", "2.0"), [[1.0, 2.04]]) == "rounded"
    assert verdict(expected("1.0", "2.0"), [[1.0, 1.94]]) == "wrong"


@pytest.mark.parametrize("measured", [[], [[1.0, 2.0]], [[math.nan]]])
def test_what_cannot_be_compared_is_an_error(measured):
    with pytest.raises(ValueError, match=r"measured|printed"):
        verdict(expected("1.0"), measured)


def test_units_carry_their_thousands():
    assert [scale(unit) for unit in ("M parameters", "G FLOPs", "k", "% of the MACs", "")] == [
        1e6,
        1e9,
        1e3,
        1,
        1,
    ]
    assert [last_digit(Decimal(text)) for text in ("0.10", "138", "1.5e1")] == pytest.approx([0.01, 1, 1])


def arguments_bind(check: str, arguments: dict) -> None:
    if check in lab.COMBINING:
        assert set(arguments) == {"of", "to"}
        for part in arguments.values():
            rest = {name: value for name, value in part.items() if name != "check"}
            arguments_bind(part["check"], rest)
    else:
        inspect.signature(lab.CHECKS[check]).bind(**arguments)


def test_every_check_exists_and_takes_its_arguments():
    for claim in claims().values():
        for way in claim.ways:
            arguments_bind(way.check, dict(way.arguments))


def test_no_check_stands_unused():
    used = {check for claim in claims().values() for check in lab.functions(claim)}
    assert {*lab.CHECKS.values()} - used - {lab.CHECKS[name] for name in lab.COMBINING} == set()


def test_a_check_that_fails_is_an_error_with_its_reason(monkeypatch):
    def broken(**_):
        raise RuntimeError("no such layer")

    claim = claims()["001-vgg-depth"]
    monkeypatch.setattr(lab, "CHECKS", {"total": broken})
    result = lab.check(claim)
    assert (result.verdict, result.error, result.findings) == ("error", "RuntimeError: no such layer", ())
    assert result.verdict not in VERDICTS


def test_a_check_that_does_not_exist_is_an_error(monkeypatch):
    monkeypatch.setattr(lab, "CHECKS", {})
    assert lab.check(claims()["001-vgg-depth"]).error == "KeyError: 'total'"


RIGHT = {
    # worked out by hand, or read in the paper named in the claim
    "000-convnext-formula": ("wrong", 49 * 96 + 8 * 96**2),
    "000-bottleneck-formula": ("holds", 17 * 96**2 // 16),
    "000-compound-factors": ("rounded", 1.2**6),
    "000-width-linear": ("wrong", 4),
    "000-two-norms": ("wrong", 3),
    "000-stem-shape": ("holds", 96),
    "000-adam-state": ("wrong", 2),
    "000-patchify-step": ("wrong", 0.1),
    "000-recipe-share": ("holds", 0.45),
    "000-phi-of-b7": ("wrong", math.log(3.1, 1.2)),
    "000-mbconv-gate": ("wrong", 0),
    "000-wide-depthwise": ("wrong", 96),
    "000-roadmap-inverted": ("wrong", 80.6),
    "000-roadmap-norms": ("wrong", 81.5),
    "000-roadmap-patchify": ("wrong", 79.5),
    "000-b4-saving": ("depends on the protocol", 100 * (1 - 19_341_616 / 28_589_128)),
    "000-no-running": ("holds", 0),
    "000-layer-scale": ("holds", 1e-6),
    "001-alexnet-conv1": ("depends on the protocol", 54),
    "001-alexnet-params": ("depends on the protocol", 62.378344),
    "001-28-percent": ("holds", 28),
    "001-inception-8x": ("rounded", 8),
    "001-dense-78": ("holds", 78),
    "001-compound-constraint": ("rounded", 1.2 * 1.1**2 * 1.15**2),
    "001-stage-ratio": ("wrong", 1),
    "001-skip-alone": ("depends on the protocol", 3.1),
    "001-table-googlenet": ("wrong", 71.0),
    "001-table-alexnet": ("depends on the protocol", 56.522),
    "001-table-vgg": ("depends on the protocol", 71.592),
    "001-b7-printed": ("wrong", 66.34796),
    "001-googlenet-params": ("wrong", 6_797.7 * 1_024 / 1e6),
    "001-alexnet-conv1-listed": ("wrong", 54),
    "001-relu-6x": ("wrong", 0),
    "001-phi-1-to-7": ("wrong", math.log(1.1, 1.2)),
    "001-convnext-28": ("rounded", 28.589128),
    "001-convnext-l": ("rounded", 197.767336),
    "001-fractions": ("wrong", 2.4),
    "001-train-mode-again": ("wrong", 0),
    "002-1x1-per-position": ("wrong", 0),
    "002-1x1-macs-per-position": ("holds", 16_384),
    "002-ten-by-five": ("wrong", 10),
    "002-inverted-step": ("wrong", 0.1),
    "002-patchify-step": ("wrong", 0.1),
    "002-phi-0-to-7": ("wrong", math.log(3.1, 1.2)),
    "001-separable": ("holds", 9 * 256 * 256 / (9 * 256 + 256 * 256)),
    "002-bn-output": ("depends on the protocol", 1 - 6 / math.sqrt(5.00001)),
    "002-bottleneck-total": ("wrong", (256 * 32 + 25 * 32 * 128) * 784 / 1e6),
    "002-resnext-block": ("holds", 70_144),
    "002-resnet-block": ("holds", 69_632),
    "002-vgg-layers": ("holds", 1_728),
    "002-vgg-flops": ("depends on the protocol", 15.470264),
    "002-paths": ("holds", 65_536),
    "002-label-smoothing": ("rounded", 0.91),
    "002-se-share": ("wrong", 100 * 32_768 / 25_557_032),
    "002-separable-formula": ("wrong", 1 / (1 / 256 + 1 / 9)),
    "002-dropout-masks": ("holds", 4096 * math.log10(2)),
    "002-mobilenet-v2": ("depends on the protocol", 3.4),
    "002-ln-batch": ("holds", 0),
    "003-stem": ("wrong", 4),
    "003-tv-input": ("wrong", 224),
    "003-rs-80": ("wrong", 78.8),
    "003-300-epochs": ("wrong", 0),
    "003-rs-epochs": ("wrong", 350),
    "003-rs-dropout": ("wrong", 0.25),
    "003-rs-weight-decay": ("wrong", 0.4),
    "003-rs-mixing": ("wrong", 0),
    "004-nine-numbers": ("wrong", 49),
    "004-no-attention": ("holds", 0),
    "004-classes": ("holds", 1000),
}


@pytest.mark.parametrize("name", RIGHT)
def test_verdicts_of_claims_whose_truth_is_known_by_hand(name):
    found, first = RIGHT[name]
    result = lab.check(claims()[name])
    assert (result.error, result.verdict) == ("", found)
    assert result.findings[0].values[0] == pytest.approx(first, rel=1e-6)


def test_a_gate_is_reached_where_it_is_multiplied_in_and_grn_is_what_timm_builds():
    """With gamma 1 and beta 0 the layer is x N(x) + x: the printed formula lacks the x. With 0 it is x."""
    assert behaviour.gate_reached(applied=True).values == (100.0,)
    assert all(behaviour.grn_differs(gamma, 0.0).values[0] > 10 for gamma in (0.0, 1.0))


def test_an_accuracy_says_that_it_is_cited_and_by_whom():
    result = lab.check(claims()["003-convnext-swin"])
    assert result.basis == "cited"
    assert "Liu et al. 2022, table 1 (1 crop 224, ImageNet-1k, 300 epochs)" in result.findings[0].measured.how
    assert lab.check(claims()["001-vgg-depth"]).basis == "computed"


def test_a_fact_that_is_not_the_only_one_is_refused():
    with pytest.raises(ValueError, match=r"^\d facts 'top1' of 'alexnet' hold the words '', not one"):
        facts.fact("alexnet")


def test_layers_written_out_count_as_the_trace_does():
    from torch import nn

    layers = ["conv 1x1 256-64", "conv 3x3 64-64 groups 4", "conv 1x1 64-256"]
    made = nn.Sequential(
        nn.Conv2d(256, 64, 1, bias=False),
        nn.Conv2d(64, 64, 3, padding=1, groups=4, bias=False),
        nn.Conv2d(64, 256, 1, bias=False),
    ).to("meta")
    traced = trace_module(made, (1, 256, 14, 14), "block")
    assert arithmetic.written_out(layers).values == (traced.params,)
    assert arithmetic.written_out(layers, "macs", 14).values == (traced.macs,)
    with pytest.raises(ValueError, match="'conv 3x5 1-1' is no layer"):
        arithmetic.written_out(["conv 3x5 1-1"])


def test_another_number_of_classes_changes_the_last_layer_only():
    """ResNet-18: 512 features, so 990 classes fewer are 990 * 513 parameters fewer."""
    whole, ten = networks.total(["torchvision:resnet18"], "params"), 990 * 513
    assert networks.with_classes(["torchvision:resnet18"], 10).values[0] == whole.values[0] - ten
    assert networks.with_classes(["torchvision:resnet18"], 0).values[0] == whole.values[0] - 1000 * 513


def test_ratios_go_value_by_value_and_a_citation_makes_all_of_it_cited():
    counted, cited = Measured((8.0, 6.0), "a"), Measured((2.0,), "b", "cited")
    assert ratio(counted, cited) == Measured((4.0, 3.0), "a, divided by b", "cited")
    assert difference(counted, counted).values == (0.0, 0.0)
    with pytest.raises(ValueError, match="zip"):
        difference(counted, Measured((1.0, 2.0, 3.0), "c"))


def test_a_weak_branch_often_shortens_a_gradient_and_a_dead_one_never():
    """|g + s J'g| < |g| where J'g points against g, which for a weak branch is every second time."""
    assert 25 < behaviour.skip_shortens(0.01, blocks=60).values[0] < 75
    assert behaviour.skip_shortens(0.0, blocks=20).values[0] == 0


def test_json_holds_what_the_command_promises():
    sheet = lab.check(claims()["002-bn-output"]).to_json()
    assert {"id", "source", "claim", "expected", "measured", "verdict"} <= set(sheet)
    assert sheet["verdict"] == "depends on the protocol"
    assert [way["protocol"] for way in sheet["measured"]] == [
        "exact to the end",
        "rounded to two digits in between",
    ]
