"""The roofline by closed forms, and its sums over real networks."""

from dataclasses import replace
from math import inf

import pytest

from explorer.analysis import trace
from explorer.analysis.graph.operations import Op, Operand, Trace
from explorer.analysis.numbers import roofline
from explorer.analysis.numbers.roofline import Ceilings, Timed, Work

DEVICE = Ceilings(macs_per_second=100.0, bytes_per_second=20.0)


def test_slope_and_roof_meet_at_the_ridge():
    assert DEVICE.ridge == 5  # MACs a byte
    assert DEVICE.rate(1) == 20  # on the slope: 20 bytes a second, one MAC each
    assert DEVICE.rate(5) == 100
    assert DEVICE.rate(50) == 100


def test_the_least_time_is_the_longer_of_computing_and_moving():
    assert DEVICE.least_seconds(macs=200, moved_bytes=10) == 2
    assert DEVICE.least_seconds(macs=10, moved_bytes=60) == 3


def conv(macs: int = 7 * 7 * 64 * 9 * 32) -> Op:
    """3x3, 32 -> 64 channels, on a map of 7 by 7 pixels."""
    return Op(
        id="conv",
        kind="spatial",
        path=("features", "0"),
        inputs=("x",),
        output_shape=(1, 64, 7, 7),
        params=64 * 32 * 9,
        macs=macs,
        attributes={"op": "conv2d"},
        operands=(Operand("input", "x", (1, 32, 7, 7)), Operand("weight", "param:w", (64, 32, 3, 3))),
    )


MAP = (1, 64, 7, 7)


def op(name: str, kind: str, reads: dict[str, tuple[int, ...]], path: str = "", static: bool = False) -> Op:
    """An operation without MACs that makes a MAP."""
    operands = tuple(Operand("input", source, shape) for source, shape in reads.items())
    inputs = tuple(source for source in reads if not source.startswith("param:"))
    place = tuple(path.split(".")) if path else ()
    return Op(name, kind, place, inputs, MAP, attributes={"op": name}, operands=operands, static=static)


def chain(*ops: Op) -> Trace:
    """x -> ops; the first reads x."""
    x = Op("x", "input", (), (), (1, 32, 7, 7))
    return Trace("toy", (x, *ops), {"": "Toy"}, (1, 32, 7, 7))


def test_a_convolution_moves_input_output_and_weights_once():
    (work,) = roofline.works(chain(conv()))
    assert work.moved_bytes == 4 * (32 * 49 + 64 * 49 + 64 * 32 * 9)
    assert work.intensity == pytest.approx(conv().macs / work.moved_bytes)


def test_a_batch_multiplies_the_pictures_and_not_the_weights():
    (work,) = roofline.works(chain(conv()), batch_size=8, bytes_a_number=2)
    assert work.macs == 8 * conv().macs
    assert work.moved_bytes == 2 * (8 * (32 * 49 + 64 * 49) + 64 * 32 * 9)


def test_a_pointwise_layer_s_intensity_by_the_closed_form():
    """[N, C] x [C, K] in numbers of 4 bytes: N C K / 4 (N C + C K + N K); N the batch, as after pooling."""
    fully_connected = Op(
        "fc", "linear", ("fc",), ("x",), (1, 1000), 2048 * 1000, 2048 * 1000, {"op": "linear"},
        (Operand("input", "x", (1, 2048)), Operand("weight", "param:w", (1000, 2048))),
    )  # fmt: skip
    for n in (1, 64):
        (work,) = roofline.works(chain(fully_connected), n)
        moved = 4 * (n * 2048 + 2048 * 1000 + n * 1000)
        assert work.intensity == pytest.approx(n * 2048 * 1000 / moved)


def test_a_view_moves_nothing_and_the_same_tensor_is_read_once():
    square = replace(op("mul", "merge", {"conv": MAP}), operands=2 * (Operand("input", "conv", MAP),))
    works = {
        each.id: each for each in roofline.works(chain(conv(), op("view", "reshape", {"conv": MAP}), square))
    }
    assert works["view"].moved_bytes == 0
    assert works["view"].intensity == 0
    assert works["mul"].moved_bytes == 4 * 2 * 64 * 49


def test_a_table_that_no_picture_moves_is_read_once():
    table = op("sub", "other", {"param:a": MAP, "param:b": (64, 1, 1)}, static=True)
    added = op("add", "merge", {"conv": MAP, "sub": MAP})
    works = {each.id: each for each in roofline.works(chain(conv(), table, added), batch_size=4)}
    assert works["sub"].moved_bytes == 4 * (2 * 64 * 49 + 64)
    assert works["add"].moved_bytes == 4 * (4 * 64 * 49 + 64 * 49 + 4 * 64 * 49)


def test_a_module_s_time_goes_to_its_operations_by_what_they_need_at_least():
    both = chain(conv(), op("relu", "activation", {"conv": MAP}, "features.0"))
    works = roofline.works(both)
    least = [DEVICE.least_seconds(work.macs, work.moved_bytes) for work in works]
    found = roofline.timed(both, works, {"features.0": [6.0]}, DEVICE)
    assert [each.seconds for each in found] == pytest.approx([6 * part / sum(least) for part in least])
    assert found[0].rate == pytest.approx(works[0].macs / found[0].seconds)


def test_modules_without_a_time_are_left_out():
    works = roofline.works(chain(conv()))
    assert roofline.timed(chain(conv()), works, {"elsewhere": [1.0]}, DEVICE) == ()


def test_by_kind_adds_up_and_begins_with_the_longest():
    operations = [
        Timed(Work("a", "a", "pointwise", 90, 10), 1.0),
        Timed(Work("b", "b", "depthwise", 10, 20), 2.0),
        Timed(Work("c", "c", "norm", 0, 30), 3.0),
        Timed(Work("d", "d", "norm", 0, 30), 2.0),
    ]
    norm, depthwise, pointwise = roofline.by_kind(operations)
    assert (norm.kind, norm.operations, norm.time_share, norm.macs_share, norm.rate) == (
        "norm",
        2,
        0.625,
        0,
        0,
    )
    assert (depthwise.kind, depthwise.time_share, depthwise.macs_share) == ("depthwise", 0.25, 0.1)
    assert (pointwise.kind, pointwise.rate, pointwise.intensity) == ("pointwise", 90, 9)


def test_nothing_timed_has_no_shares():
    assert roofline.by_kind([]) == ()
    assert Timed(Work("a", "a", "linear", 5, 5), 0.0).rate == inf


@pytest.mark.parametrize("name", ["zoo:resnet20", "torchvision:efficientnet_b0"])
def test_all_macs_of_a_network_are_placed(name):
    traced = trace(name)
    works = roofline.works(traced, batch_size=2)
    assert sum(work.macs for work in works) == 2 * traced.macs
    weights = 4 * traced.params
    assert sum(work.moved_bytes for work in works) > weights
    assert all(work.moved_bytes > 0 for work in works if work.macs)
