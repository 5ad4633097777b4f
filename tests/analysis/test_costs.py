"""Cost rules against closed forms and torch's own counter on the same module."""

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from explorer.analysis import Trace, trace_module


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
    ],
)
def test_macs_are_half_of_the_flops_torch_counts(model: nn.Module) -> None:
    x = torch.rand(1, 6, 8, 8)
    with FlopCounterMode(display=False) as counter:
        model(x)
    assert 2 * traced(model, *x.shape).macs == counter.get_total_flops() > 0


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

    assert traced(Rows(), 1, 6, 8).macs == 6 * 2 * 4 * 5 * (8 + 5)


def test_a_product_without_a_rule_is_reported() -> None:
    class Bilinear(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.form = nn.Bilinear(8, 8, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.form(x, x)

    assert traced(Bilinear(), 1, 6, 8).uncounted == ("bilinear",)
