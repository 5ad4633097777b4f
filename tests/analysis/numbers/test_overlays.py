"""Overlays against counts made by hand and against the totals of the trace."""

from functools import cache

import pytest

from explorer.analysis import receptive_fields, stats_of, trace
from explorer.analysis.numbers.overlays import (
    OVERLAYS,
    Overlay,
    by_call,
    colour_scale,
    formatted,
    measured,
    scaled,
)
from explorer.analysis.structure.hierarchy import Hierarchy, hierarchy


@cache
def boxes(name: str) -> Hierarchy:
    traced = trace(name)
    return hierarchy(traced, receptive_fields(traced))


def value(name: str, overlay: str, node: str) -> float | None:
    held = boxes(name)
    return OVERLAYS[overlay].value(held, held.by_id[node])


def test_lenet_by_hand() -> None:
    """5x5 convolution to 6 maps of 28x28, then what torch stores of it."""
    assert value("lenet5", "macs", "conv2d") == 5 * 5 * 1 * 6 * 28 * 28
    assert value("lenet5", "params", "conv2d") == 6 * 25 + 6
    assert value("lenet5", "activation memory", "conv2d") == 4 * 6 * 28 * 28
    assert value("lenet5", "receptive field", "conv2d") == 5
    assert value("lenet5", "depth", "conv2d") == 1


@pytest.mark.parametrize("name", ["torchvision:resnet50", "torchvision:googlenet", "torchvision:swin_t"])
def test_the_root_has_the_totals_of_the_stats_sheet(name: str) -> None:
    held, sheet = boxes(name), stats_of(trace(name))
    root = held.root
    assert OVERLAYS["macs"].value(held, root) == sheet.macs
    assert OVERLAYS["params"].value(held, root) == sheet.params
    assert OVERLAYS["depth"].value(held, root) == sheet.depth
    assert OVERLAYS["receptive field"].value(held, root) == max(sheet.receptive_field.size)


@pytest.mark.parametrize("overlay", ["macs", "params", "activation memory"])
def test_amounts_add_up_from_stages_to_the_network(overlay: str) -> None:
    held = boxes("torchvision:efficientnet_b0")
    parts = OVERLAYS[overlay].values(held, held.root.children)
    assert sum(parts.values()) == OVERLAYS[overlay].value(held, held.root)


def test_depth_and_field_grow_by_stage_in_resnet50() -> None:
    """3, 4, 6, 3 bottlenecks of three layers behind the stem's one."""
    stages = ["stem", "stage-1", "stage-2", "stage-3", "stage-4"]
    assert [value("torchvision:resnet50", "depth", stage) for stage in stages] == [1, 10, 22, 40, 49]
    assert [value("torchvision:resnet50", "receptive field", s) for s in stages] == [11, 35, 91, 267, 427]


def test_views_and_in_place_results_take_no_memory() -> None:
    held = boxes("torchvision:resnet50")
    ask = OVERLAYS["activation memory"].prepare(held)
    by_path = {node.path: node for node in held.root.walk() if node.leaf}
    assert ask(held.by_id["flatten"]) == 0
    assert ask(held.by_id["add_"]) == 0
    assert ask(by_path["fc"]) == 4 * 1000


def test_where_the_question_does_not_fit_there_is_no_value() -> None:
    assert value("torchvision:resnet50", "receptive field", "head") is None
    assert value("torchvision:resnet50", "macs", "x") is None
    held = boxes("torchvision:resnet50")
    assert "head" not in OVERLAYS["receptive field"].values(held, held.root.children)


@pytest.mark.parametrize(
    ("unit", "number", "text"),
    [
        ("MACs", 118013952.0, "118 M MACs"),
        ("MACs", 0.0, "0 MACs"),
        ("params", 999_600.0, "1.00 M params"),
        ("params", 128.0, "128 params"),
        ("B", 3211264.0, "3.06 MiB"),
        ("B", 512.0, "512 B"),
        ("px", 427.0, "427 px"),
        ("ms", 0.01234, "0.0123 ms"),
        ("", -1.5, "-1.50"),
    ],
)
def test_three_significant_digits_with_the_unit(unit: str, number: float, text: str) -> None:
    overlay = Overlay("", unit, "log", lambda _: lambda _: None)
    assert formatted(overlay, number).replace("\u00a0", " ") == text


def test_nothing_is_written_where_nothing_is_known() -> None:
    assert formatted(OVERLAYS["macs"], None) == ""


def test_a_wide_spread_is_logarithmic_a_narrow_one_starts_at_zero() -> None:
    wide = scaled({"a": 1.0, "b": 100.0, "c": 10_000.0, "none": None, "zero": 0.0})
    assert wide == pytest.approx({"a": 0, "b": 0.5, "c": 1, "zero": 0})
    assert scaled({"a": 25.0, "b": 100.0}) == {"a": 0.25, "b": 1.0}
    assert scaled({"a": 1.0, "b": 1000.0}, "linear") == {"a": 0.001, "b": 1.0}


def test_a_hundredfold_is_not_yet_wide() -> None:
    assert colour_scale([1, 100]).kind == "linear"
    assert colour_scale([1, 101]).kind == "log"


def test_signed_values_keep_their_order() -> None:
    assert scaled({"a": -1.0, "b": 0.0, "c": 3.0}) == {"a": 0.0, "b": 0.25, "c": 1.0}


def test_scales_survive_nothing_and_one_value() -> None:
    assert scaled({}) == {}
    assert scaled({"a": 0.0}) == {"a": 0.0}
    assert scaled({"a": 7.0}) == {"a": 1.0}
    assert scaled({"a": float("nan")}) == {}


def test_measured_amounts_add_up_and_properties_are_averaged() -> None:
    held = boxes("torchvision:resnet50")
    milliseconds = {"conv1": 4.0, "bn1": 2.0, "relu": 1.0, "maxpool": 3.0, "layer1.0.relu": 6.0}
    time = measured("Time", "ms", milliseconds, "sum")
    assert time.value(held, held.by_id["stem"]) == 10
    assert time.value(held, held.by_id["relu_1"]) == 2  # one ReLU serves three places of the block
    assert time.value(held, held.by_id["layer1.0"]) == pytest.approx(6)
    assert time.value(held, held.by_id["layer1.1"]) is None
    zeros = measured("Zeros", "%", {"conv1": 0.0, "relu": 50.0}, "mean")
    assert zeros.value(held, held.by_id["stem"]) == 25


def test_calls_of_one_module_go_to_their_own_places() -> None:
    held = boxes("torchvision:resnet50")
    calls = {"layer1.0.relu": [1.0, 2.0, 3.0], "conv1": [5.0]}
    found = by_call(held.trace, calls, "sum")
    assert found == {"conv2d": 5.0, "relu_1": 1.0, "relu_2": 2.0, "relu_3": 3.0}
    assert by_call(held.trace, {"layer1.0.relu": [4.0, 2.0]}, "sum") == {
        "relu_1": 2,
        "relu_2": 2,
        "relu_3": 2,
    }
    assert by_call(held.trace, {"layer1.0.relu": [4.0, 2.0]}, "mean") == {
        "relu_1": 3,
        "relu_2": 3,
        "relu_3": 3,
    }
