"""Formulas with their numbers in: what they come to is what the trace counts, everywhere."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from explorer.analysis import receptive_fields, trace, trace_module
from explorer.analysis.numbers.formulas import evaluated, formula

NETWORKS = [
    "lenet5",
    "alexnet",
    "googlenet",
    "inception_v3",
    "resnet50",
    "resnext50",
    "densenet121",
    "squeezenet",  # poolings that round up
    "mobilenet_v3",
    "shufflenet_v1",
    "se_resnet50",
    "convnextv2_atto",
    "vit_b16",
    "swin_t",
    "timm:mixnet_s",  # several kernel sizes, padded by hand
    "timm:eca_nfnet_l0",  # standardised weights, 1-D convolutions
    "timm:maxvit_tiny_rw_224",  # attention in windows and grids
    "timm:lambda_resnet26t",  # 3-D convolutions and matrix products
    "timm:sequencer2d_s",  # recurrent layers
    "timm:hrnet_w18_small",
]


def written(name: str, identifier: str) -> dict[str, tuple[str, str, int]]:
    traced = trace(name)
    op = traced.by_id()[identifier]
    return {f.what: (f.symbols, f.numbers, f.value) for f in formula(op, receptive_fields(traced))}


def test_the_second_layer_of_a_bottleneck() -> None:
    assert written("resnet50", "conv2d_2") == {
        "parameters": ("k² · Cin · Cout", "3² · 64 · 64", 36_864),
        "MACs": ("k² · Cin · Cout · H · W", "3² · 64 · 64 · 56 · 56", 115_605_504),
        "output size": (
            "⌊(n + 2 · p − d · (k − 1) − 1) / s⌋ + 1",
            "⌊(56 + 2 · 1 − 1 · (3 − 1) − 1) / 1⌋ + 1",
            56,
        ),
        "receptive field": ("r + (k − 1) · d · jump", "11 + (3 − 1) · 1 · 4", 19),
    }


def test_a_depthwise_convolution_divides_by_its_groups() -> None:
    found = written("convnext_t", "conv2d_1")
    assert found["parameters"] == ("k² · Cin · Cout / groups + Cout", "7² · 96 · 96 / 96 + 96", 49 * 96 + 96)


def test_a_linear_layer_and_an_attention() -> None:
    found = written("vit_b16", "scaled_dot_product_attention")
    assert found == {
        "MACs": ("heads · queries · keys · (dim + dimv)", "12 · 197 · 197 · (64 + 64)", 12 * 197 * 197 * 128)
    }
    assert written("vgg16", "linear")["parameters"][1:] == ("25088 · 4096 + 4096", 102_764_544)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_cost_has_a_formula_that_comes_to_it(name: str) -> None:
    for op in trace(name).ops:
        found = {each.what: each.value for each in formula(op)}
        assert found.get("MACs", 0) == op.macs, op.id
        if "parameters" in found:
            assert found["parameters"] == op.params, op.id
        learned = [o for o in op.operands if o.is_parameter]
        layer = op.kind in ("spatial", "pointwise", "depthwise", "grouped", "norm")
        if op.params and learned and (layer or op.name == "linear"):
            assert "parameters" in found, op.id


@pytest.mark.parametrize("name", NETWORKS)
def test_every_size_and_field_that_is_written_is_right(name: str) -> None:
    traced = trace(name)
    fields = receptive_fields(traced)
    seen = 0
    for op in traced.ops:
        for each in formula(op, fields):
            what, _, axis = each.what.partition(", ")
            sides = {"height": (0,), "width": (1,), "depth": (), "": (0, 1)}[axis]
            if what == "output size":
                assert len(op.output_shape) != 4 or {op.output_shape[2 + n] for n in sides} == {each.value}
            if what == "receptive field":
                assert {fields[op.id].size[n] for n in sides} == {each.value}, op.id
                seen += 1
    convolutions = [
        op for op in traced.ops if op.name == "conv2d" and op.id in fields and fields[op.id].local
    ]
    assert seen >= len(convolutions)


@given(
    n=st.integers(8, 40),
    k=st.integers(1, 5),
    s=st.integers(1, 3),
    p=st.integers(0, 2),
    d=st.integers(1, 2),
    ceil=st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_output_sizes_are_those_of_torch(n: int, k: int, s: int, p: int, d: int, ceil: bool) -> None:
    """Square and not, rounded down and up, and back again."""
    pool = nn.MaxPool2d(k, stride=s, padding=min(p, k // 2), dilation=d, ceil_mode=ceil)
    model = nn.Sequential(
        nn.Conv2d(3, 4, (k, 1), stride=(s, 2), padding=(p, 0), dilation=d), nn.ConstantPad2d(8, 0.0)
    )
    model.extend([pool, nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2)])
    traced = trace_module(model.to("meta"), (1, 3, n, n + 3), "small")
    for op in traced.ops:
        found = {each.what: each.value for each in formula(op)}
        for axis, side in (("height", -2), ("width", -1)):
            value = found.get("output size", found.get(f"output size, {axis}"))
            assert value is None or value == op.output_shape[side]
        assert found.get("MACs", 0) == op.macs
        assert found.get("parameters", 0) == op.params


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv1d(4, 6, 5, stride=2, padding=2),
        nn.ConvTranspose1d(4, 6, 4, stride=2),
        nn.Conv1d(4, 4, 3, groups=4, bias=False),
        nn.Conv1d(4, 6, 3, padding="valid"),
        nn.GroupNorm(2, 4),
        nn.InstanceNorm1d(4, affine=True),
        nn.LayerNorm(20, bias=False),
        nn.PReLU(4),
        nn.Linear(20, 7, bias=False),
    ],
)
def test_single_layers(layer: nn.Module) -> None:
    traced = trace_module(nn.Sequential(layer).to("meta"), (1, 4, 20), "single")
    counted = sum(parameter.numel() for parameter in layer.parameters())
    found = [each for op in traced.ops for each in formula(op)]
    assert [each.value for each in found if each.what == "parameters"] == [counted]
    assert sum(each.value for each in found if each.what == "MACs") == traced.macs
    assert all(each.value == traced.ops[1].output_shape[-1] for each in found if each.what == "output size")


def test_a_layer_used_twice_writes_its_parameters_once() -> None:
    shared = nn.Conv2d(3, 3, 3, padding=1)
    traced = trace_module(nn.Sequential(shared, nn.ReLU(), shared).to("meta"), (1, 3, 8, 8), "twice")
    found = [each.what for op in traced.ops for each in formula(op)]
    assert found.count("parameters") == 1
    assert found.count("MACs") == 2


def test_axes_that_differ_are_written_apart() -> None:
    traced = trace_module(
        nn.Sequential(nn.Conv2d(3, 3, (1, 7), padding=(0, 3))).to("meta"), (1, 3, 9, 9), "flat"
    )
    convolution = traced.ops[1]
    found = {each.what: each for each in formula(convolution, receptive_fields(traced))}
    assert found["parameters"].symbols == "kh · kw · Cin · Cout + Cout"
    assert found["receptive field, height"].value == 1
    assert found["receptive field, width"].numbers == "1 + (7 − 1) · 1 · 1"


def test_numbers_are_worked_out_exactly() -> None:
    assert evaluated("3² · 64 · 64 / 64") == 576
    assert evaluated("⌊(7 − 1) / 4⌋ + 1") == 2
    assert evaluated("⌈7 / 2⌉") == 4
    assert evaluated("123456789 · 987654321") == 123456789 * 987654321


@pytest.mark.parametrize("text", ["7 / 2", "k · 3", "__import__('os')", "2.5 · 2", "exit(1)"])
def test_only_arithmetic_is_worked_out(text: str) -> None:
    with pytest.raises(ValueError, match=r"arithmetic|whole number"):
        evaluated(text)


def test_moving_elements_costs_nothing() -> None:
    reshape = next(op for op in trace("resnet50").ops if op.name == "flatten")
    assert formula(reshape) == ()
