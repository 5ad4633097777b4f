"""Cost rules against closed forms and torch's own counter on the same module."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.ops import DeformConv2d

from explorer.analysis import Trace, stats_of, trace_module
from explorer.analysis.graph.costs import cost


class Functional(nn.Module):
    def __init__(self, function: object) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)  # type: ignore[operator]


def traced(model: nn.Module, *shape: int) -> Trace:
    return trace_module(model, shape, "small")


def attend(x: Tensor) -> Tensor:
    tokens = x.flatten(2).transpose(1, 2)
    return nn.functional.scaled_dot_product_attention(tokens, tokens, tokens)


@pytest.mark.parametrize(
    "model",
    [
        nn.Conv2d(6, 8, 3, stride=2, padding=1),
        nn.Conv2d(6, 12, 3, groups=3, dilation=2),
        nn.Conv2d(6, 6, 7, padding=3, groups=6),
        nn.ConvTranspose2d(6, 4, 3, stride=2),
        nn.Conv2d(6, 4, 3, padding="same"),
        nn.Sequential(nn.Flatten(), nn.Linear(6 * 64, 10)),
        nn.Linear(8, 5),
        Functional(lambda x: x @ x.transpose(2, 3)),
        Functional(lambda x: torch.einsum("nchw,nkhw->nck", x, x)),
        Functional(lambda x: torch.bmm(x[0], x[0])),
        Functional(lambda x: torch.baddbmm(x[0], x[0], x[0])),
        Functional(attend),
        Functional(lambda x: torch.einsum("...ij,...kj->...ik", x, x)),
        Functional(lambda x: torch.einsum("nchw,nkhw", x, x[:, :, :1, :1].expand_as(x))),
    ],
)
def test_macs_are_half_of_the_flops_torch_counts(model: nn.Module) -> None:
    x = torch.rand(1, 6, 8, 8)
    with FlopCounterMode(display=False) as counter:
        model(x)
    assert 2 * traced(model, *x.shape).macs == counter.get_total_flops() > 0


def test_an_attention_of_unlike_widths_counts_each_product_by_its_own() -> None:
    tokens, width, wide = 64, 6, 12

    def unlike(x: Tensor) -> Tensor:
        each = x.flatten(2).transpose(1, 2)
        return nn.functional.scaled_dot_product_attention(each, each, torch.cat([each, each], 2))

    found = traced(Functional(unlike), 1, width, 8, 8)
    assert found.macs == tokens * tokens * (width + wide)
    assert found.activations == tokens * tokens + tokens * wide


PIXELS = 8


def convolution(x: Tensor, weight: Tensor, *, transposed: bool) -> Tensor:
    return torch.convolution(x, weight, None, (1, 1), (0, 0), (1, 1), transposed, (0, 0), 1)


@pytest.mark.parametrize(
    ("function", "macs"),
    [
        (lambda x: torch.addbmm(x[0, 0], x[0], x[0]), 6 * PIXELS**3),
        (lambda x: x[0, 0].clone().addbmm_(x[0], x[0]), 6 * PIXELS**3),
        (lambda x: x[0].clone().baddbmm_(x[0], x[0]), 6 * PIXELS**3),
        (lambda x: torch.addmv(x[0, 0, 0], x[0, 0], x[0, 0, 0]), PIXELS**2),
        (lambda x: torch.mv(x[0, 0], x[0, 0, 0]), PIXELS**2),
        (lambda x: x @ x[0, 0, 0], 6 * PIXELS**2),
        (lambda x: torch.dot(x[0, 0, 0], x[0, 0, 1]), PIXELS),
        (lambda x: torch.vdot(x[0, 0, 0], x[0, 0, 1]), PIXELS),
        (lambda x: torch.outer(x[0, 0, 0], x[0, 0, 1]), PIXELS**2),
        (lambda x: torch.addr(x[0, 0], x[0, 0, 0], x[0, 0, 1]), PIXELS**2),
        (lambda x: torch.linalg.vecdot(x, x, dim=1), 6 * PIXELS**2),
        (lambda x: torch.linalg.matmul(x, x), 6 * PIXELS**3),
        (lambda x: torch.tensordot(x, x, dims=([1, 2], [1, 2])), 6 * PIXELS**3),
        (lambda x: torch.einsum("nchw,nchw,nchw->n", x, x, x), 2 * 6 * PIXELS**2),
        (lambda x: torch.einsum("nchw,nchk->nwk", x[:, :1], x), 6 * PIXELS**3),
        (lambda x: convolution(x, x[:, :, :3, :3], transposed=False), 6 * 3**2 * (PIXELS - 2) ** 2),
        (lambda x: convolution(x, x[0, :, None, :3, :3], transposed=True), 6 * 3**2 * PIXELS**2),
    ],
)
def test_products_by_their_closed_form(function: Callable[[Tensor], Tensor], macs: int) -> None:
    found = traced(Functional(function), 1, 6, PIXELS, PIXELS)
    assert (found.macs, found.uncounted) == (macs, ())
    assert found.activations == function(torch.rand(1, 6, PIXELS, PIXELS)).numel()


def test_an_einsum_of_one_operand_multiplies_nothing() -> None:
    found = traced(Functional(lambda x: torch.einsum("nchw->nw", x)), 1, 6, PIXELS, PIXELS)
    assert (found.macs, found.activations, found.uncounted) == (0, 0, ())


class Deformable(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.offsets = nn.Conv2d(6, 18, 3, padding=1)
        self.convolution = DeformConv2d(6, 4, 3, stride=2, padding=1, groups=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.convolution(x, self.offsets(x)[:, :, ::2, ::2])


def test_a_deformable_convolution_costs_what_a_plain_one_costs() -> None:
    found = traced(Deformable(), 1, 6, 8, 8)
    plain = traced(nn.Conv2d(6, 4, 3, stride=2, padding=1, groups=2), 1, 6, 8, 8)
    op = next(op for op in found.ops if op.name == "deform_conv2d")
    assert (op.macs, op.activations, op.kind) == (plain.macs, plain.activations, "grouped")
    assert found.uncounted == ()
    settings = ("kernel_size", "stride", "padding", "dilation", "in_channels", "out_channels")
    assert [op.attributes[name] for name in settings] == [(3, 3), (2, 2), (1, 1), (1, 1), 6, 4]
    assert next(layer for layer in stats_of(found).layers if layer.path == "convolution").macs == plain.macs


@pytest.mark.parametrize("transposed", [nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d])
def test_a_transposed_convolution_spreads_its_input(transposed: type[nn.Module]) -> None:
    rank = int(transposed.__name__[-2])
    model = transposed(6, 4, 3, stride=2, dilation=2, groups=2)
    assert traced(model, 1, 6, *[5] * rank).macs == 5**rank * 6 * 3**rank * 4 // 2


def test_a_convolution_by_the_formula() -> None:
    found = traced(nn.Conv2d(6, 8, 3, stride=2, padding=1), 1, 6, 9, 9)
    assert found.macs == 3 * 3 * 6 * 8 * 5 * 5
    assert found.activations == 8 * 5 * 5
    assert found.params == 3 * 3 * 6 * 8 + 8


def test_norms_activations_pooling_and_additions_count_nothing() -> None:
    model = nn.Sequential(nn.BatchNorm2d(6), nn.GELU(), nn.MaxPool2d(2), Functional(lambda x: x + x))
    assert (traced(model, 1, 6, 8, 8).macs, traced(model, 1, 6, 8, 8).activations) == (0, 0)


def test_multi_head_attention_counts_its_products_though_torch_would_fuse_them() -> None:
    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = nn.MultiheadAttention(16, 2, batch_first=True)

        def forward(self, x: Tensor) -> Tensor:
            return self.attention(x, x, x, need_weights=False)[0]

    tokens, width = 10, 16
    found = traced(Attention(), 1, tokens, width)
    assert found.macs == 4 * tokens * width * width + 2 * tokens * tokens * width
    heads = 2
    assert found.activations == 3 * tokens * width + heads * tokens * tokens + 2 * tokens * width


def test_a_recurrent_layer_multiplies_each_matrix_once_a_step() -> None:
    class Rows(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(8, 5, batch_first=True, bidirectional=True)

        def forward(self, x: Tensor) -> Tensor:
            return self.lstm(x)[0]

    found = traced(Rows(), 1, 6, 8)
    assert (found.macs, found.activations) == (6 * 2 * 4 * 5 * (8 + 5), 6 * 2 * 5)


@pytest.mark.parametrize("cell", [nn.LSTMCell, nn.GRUCell, nn.RNNCell])
def test_a_recurrent_cell_multiplies_each_matrix_once(cell: type[nn.Module]) -> None:
    class Step(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = cell(8, 5)

        def forward(self, x: Tensor) -> Tensor:
            state = self.cell(x)
            return state[0] if isinstance(state, tuple) else state

    gates = {nn.LSTMCell: 4, nn.GRUCell: 3, nn.RNNCell: 1}[cell]
    found = traced(Step(), 7, 8)
    assert (found.macs, found.activations) == (7 * gates * 5 * (8 + 5), 7 * 5)


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (lambda x: torch.fft.rfft2(x).real, "fft_rfft2"),
        (lambda x: torch.linalg.inv(x), "linalg_inv"),
        (lambda x: torch.linalg.multi_dot([x[0, 0]] * 3), "linalg_multi_dot"),
        (lambda x: torch.kron(x[0, 0], x[0, 0]), "kron"),
        (lambda x: torch.cdist(x, x), "cdist"),
        (lambda x: torch.inner(x, x), "inner"),
    ],
)
def test_what_multiplies_and_has_no_rule_is_named(function: object, name: str) -> None:
    assert traced(Functional(function), 1, 6, 8, 8).uncounted == (name,)


def test_operations_of_another_library_are_named_unless_known() -> None:
    assert cost("anything", (), (1,), {}, library="a_library") is None
    assert cost("roi_align", (), (1,), {}, library="torchvision") == (0, 0)
    assert cost("relu_", (), (1,), {}) == (0, 0)
    assert cost("linalg_vector_norm", (), (1,), {}) == (0, 0)


def test_the_sheet_says_what_it_left_out() -> None:
    sheet = stats_of(traced(Functional(lambda x: torch.cdist(x, x)), 1, 6, 8, 8))
    assert sheet.to_json()["uncounted"] == ["cdist"]


def test_a_product_without_a_rule_is_reported() -> None:
    class Bilinear(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.form = nn.Bilinear(8, 8, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.form(x, x)

    assert traced(Bilinear(), 1, 6, 8).uncounted == ("bilinear",)
