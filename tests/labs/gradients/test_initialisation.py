"""The rules of initialisation: deviations in closed form, and what they keep equal from layer to layer."""

import math

import pytest
import torch
from torch import nn

from explorer.labs.gradients import flow, initialisation
from explorer.labs.gradients.initialisation import INITIALISATIONS
from explorer.labs.gradients.random_networks import Design
from explorer.networks.initialising import fans, he_normal

WIDE = (64, 64, 3, 3)


def filled(name: str, shape: tuple[int, ...] = WIDE) -> torch.Tensor:
    weight = torch.empty(shape, dtype=torch.float64)
    INITIALISATIONS[name].fill(weight, torch.Generator().manual_seed(0))
    return weight


def test_fans_of_a_convolution_and_a_linear_layer():
    assert fans(torch.empty(32, 16, 3, 3)) == (144, 288)
    assert fans(torch.empty(10, 512)) == (512, 10)
    assert fans(torch.empty(32, 4, 3, 3), groups=4) == (36, 72)
    assert fans(torch.empty(32, 1, 7, 7), groups=32) == (49, 49)
    assert fans(torch.empty(16, 32, 2, 2), transposed=True) == (64, 128)
    assert fans(torch.empty(16, 8, 2, 2), groups=4, transposed=True) == (16, 32)


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("groups", [1, 2, 8])
def test_the_fans_count_the_connections_there_are(groups: int, transposed: bool):
    """Of one number in the middle: how many inputs move it, and how many outputs it moves."""
    kind = nn.ConvTranspose2d if transposed else nn.Conv2d
    layer = kind(8, 16, 3, padding=1, groups=groups, bias=False).double()
    nn.init.constant_(layer.weight, 1.0)
    x = torch.zeros(1, 8, 5, 5, dtype=torch.float64)
    x[0, 0, 2, 2] = 1.0
    x.requires_grad_()
    out = layer(x)
    (gradient,) = torch.autograd.grad(out[0, 0, 2, 2], x)
    counted = int(gradient.count_nonzero()), int(out.count_nonzero())
    assert fans(layer.weight, groups, transposed=transposed) == counted


@pytest.mark.parametrize("groups", [1, 4, 64])
@pytest.mark.parametrize("kind", [nn.Conv2d, nn.ConvTranspose2d])
def test_networks_here_start_by_the_fan_out_of_a_group(kind, groups: int):
    """So that a gradient keeps its power on the way back, He et al. 2015, equation 14."""
    layer = kind(64, 64, 3, padding=1, groups=groups, bias=False)
    torch.manual_seed(0)
    he_normal(layer)
    wanted = math.sqrt(2 / (9 * 64 / groups))
    assert layer.weight.std().item() == pytest.approx(wanted, rel=0.1)


def test_without_groups_it_is_what_the_library_draws():
    ours, theirs = nn.Conv2d(8, 12, 3), nn.Conv2d(8, 12, 3)
    torch.manual_seed(1)
    he_normal(ours)
    torch.manual_seed(1)
    nn.init.kaiming_normal_(theirs.weight, mode="fan_out", nonlinearity="relu")
    assert torch.equal(ours.weight, theirs.weight)


@pytest.mark.parametrize(
    ("inputs", "std"), [(2, 1.0), (200, 0.1), (144, 0.11785113), (512, 0.0625), (4608, 0.020833333)]
)
def test_kaiming_is_the_root_of_two_by_the_inputs(inputs: int, std: float):
    """Source 002: std = sqrt(2 / D_in); in a convolution D_in counts the area: 512 x 3 x 3 = 4608."""
    assert initialisation.kaiming_std(inputs) == pytest.approx(std)


def test_xavier_is_kaiming_less_the_root_of_two_where_both_fans_are_equal():
    assert initialisation.xavier_std(576, 576) * math.sqrt(2) == pytest.approx(
        initialisation.kaiming_std(576)
    )


@pytest.mark.parametrize(
    ("name", "std"),
    [
        ("Kaiming", math.sqrt(2 / 576)),
        ("Xavier", math.sqrt(1 / 576)),
        ("naive", 0.01),
        ("orthogonal", math.sqrt(1 / 576)),
        ("Fixup", math.sqrt(2 / 576)),
    ],
)
def test_what_is_drawn_has_the_deviation_of_its_rule(name: str, std: float):
    assert filled(name).std().item() == pytest.approx(std, rel=0.02)


def test_kaiming_is_what_the_library_draws():
    mine, theirs = torch.empty(WIDE), torch.empty(WIDE)
    initialisation.kaiming(mine, torch.Generator().manual_seed(3))
    nn.init.kaiming_normal_(theirs, nonlinearity="relu", generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(mine, theirs)


def test_orthogonal_rows_stand_at_right_angles():
    rows = filled("orthogonal", (16, 16, 3, 3)).flatten(1)
    torch.testing.assert_close(rows @ rows.T, torch.eye(16, dtype=torch.float64))


@pytest.mark.parametrize(
    ("blocks", "layers", "scale"), [(16, 2, 0.25), (16, 3, 0.5), (1, 2, 1.0), (9, 1, 1.0)]
)
def test_fixup_shrinks_by_the_number_of_blocks(blocks: int, layers: int, scale: float):
    """L ** (-1 / (2 m - 2)): 16 ** (-1/2) and 16 ** (-1/4)."""
    assert initialisation.fixup_scale(blocks, layers) == pytest.approx(scale)


def growth(**changes: object) -> float:
    """Factor of the activations' root mean square per layer: wide, so that one draw tells."""
    found = flow.measure(Design(depth=20, width=32, **changes), range(3))
    return float((found.activation_rms[:, -1] / found.activation_rms[:, 0]).mean() ** (1 / 20))


def test_kaiming_keeps_the_scale_through_relus_and_xavier_halves_the_power():
    """Source 002: activations are well-scaled at the start. True for ReLU, which Kaiming was made for."""
    assert growth() == pytest.approx(1, abs=0.06)
    assert growth(initialisation="Xavier") == pytest.approx(math.sqrt(0.5), abs=0.05)
    assert growth(initialisation="naive") == pytest.approx(0.01 / math.sqrt(2 / 288), abs=0.01)


def test_a_slip_kaiming_does_not_keep_the_scale_whatever_the_activation():
    """The same sentence of source 002 names no activation: a linear network doubles its power each layer."""
    assert growth(activation="linear") == pytest.approx(math.sqrt(2), abs=0.05)


def test_orthogonal_keeps_a_linear_networks_scale():
    assert growth(activation="linear", initialisation="orthogonal") == pytest.approx(1, abs=0.03)
