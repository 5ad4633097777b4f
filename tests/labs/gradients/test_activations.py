"""Activation functions: closed forms, autograd as the oracle, the sources' worked examples."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explorer.labs.gradients import activations
from explorer.labs.gradients.activations import ACTIVATIONS, GREATEST

NAMES = tuple(ACTIVATIONS)


@pytest.mark.parametrize("name", NAMES)
def test_a_derivative_is_what_autograd_finds(name: str):
    z = torch.linspace(-6, 6, 400, dtype=torch.float64, requires_grad=True)  # 0 is not among them
    each = ACTIVATIONS[name]
    (found,) = torch.autograd.grad(each.value(z).sum(), z)
    torch.testing.assert_close(found, each.derivative(z.detach()))


@pytest.mark.parametrize(
    ("name", "torchs"),
    [("GELU", torch.nn.GELU()), ("SiLU", torch.nn.SiLU()), ("ReLU", torch.nn.ReLU())],
)
def test_a_function_is_that_of_the_library(name: str, torchs: torch.nn.Module):
    z = torch.linspace(-6, 6, 401, dtype=torch.float64)
    torch.testing.assert_close(ACTIVATIONS[name].value(z), torchs(z))


@pytest.mark.parametrize(
    ("name", "greatest"),
    [
        ("sigmoid", 0.25),
        ("tanh", 1.0),
        ("ReLU", 1.0),
        ("linear", 1.0),
        ("GELU", 0.5 + 0.5 * math.erf(1) + math.exp(-1) / math.sqrt(math.pi)),  # at z = sqrt(2)
        ("SiLU", 1.0998393194),  # its root has no closed form
    ],
)
def test_the_greatest_derivative(name: str, greatest: float):
    assert GREATEST[name] == pytest.approx(greatest, abs=1e-8)


def test_where_the_derivative_is_greatest():
    assert activations.steepest("sigmoid")[0] == pytest.approx(0, abs=1e-4)
    assert activations.steepest("GELU")[0] == pytest.approx(math.sqrt(2), abs=1e-4)


@given(z=st.floats(-50, 50))
def test_the_sigmoids_derivative_never_passes_a_quarter(z: float):
    assert 0 <= float(activations.sigmoid_derivative(torch.tensor(z, dtype=torch.float64))) <= 0.25


@pytest.mark.parametrize(
    ("depth", "left"),
    [(1, 0.25), (5, 1 / 1024), (10, 9.5367431640625e-07), (20, 9.094947017729282e-13), (50, 2.0**-100)],
)
def test_a_product_of_sigmoids_vanishes_exponentially(depth: int, left: float):
    """Source 001, Q1: a product of near-zero numbers approaches zero exponentially fast."""
    assert activations.chain(GREATEST["sigmoid"], depth) == left


def test_relu_has_slope_one_above_zero_and_none_below():
    """Source 001, part 2: derivative 1 for positive inputs and exactly 0 for negative."""
    z = torch.tensor([-3.0, -1e-6, 1e-6, 3.0])
    assert activations.relu_derivative(z).tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("derivative", [activations.sigmoid_derivative, activations.tanh_derivative])
def test_sigmoid_and_tanh_saturate_on_both_sides(derivative):
    """Source 001, part 2: for large or small inputs the derivative approaches zero."""
    assert derivative(torch.tensor([-20.0, 20.0], dtype=torch.float64)).max() < 1e-8


def test_gelu_at_zero_gives_zero_and_keeps_half_of_the_gradient():
    """Source 000, 4.5, says it of z = 0: no output, a live gradient. Its word "stochastic" is a slip:
    the function as used draws nothing.
    """
    zero = torch.zeros(1, dtype=torch.float64)
    assert activations.gelu(zero).item() == 0
    assert activations.gelu_derivative(zero).item() == 0.5
    z = torch.linspace(-4, 4, 9)
    assert torch.equal(activations.gelu(z), activations.gelu(z))


def test_the_tanh_form_of_gelu_is_close_but_not_equal():
    """Source 000, 4.5 prints the approximation: 0.5x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))."""
    z = torch.linspace(-8, 8, 16001, dtype=torch.float64)
    apart = (activations.gelu(z) - activations.gelu_by_tanh(z)).abs().max().item()
    assert 4e-4 < apart < 5e-4
    library = torch.nn.functional.gelu(z, approximate="tanh")
    torch.testing.assert_close(activations.gelu_by_tanh(z), library)


def test_swish_is_x_times_sigmoid_smooth_and_not_monotonic():
    """Source 001, part 9: x * sigmoid(x), non-monotonic."""
    z = torch.linspace(-5, 0, 501, dtype=torch.float64)
    values = activations.silu(z)
    torch.testing.assert_close(values, z * torch.sigmoid(z))
    assert 100 < int(values.argmin()) < 400
    assert values.min().item() == pytest.approx(-0.27846454276, abs=1e-5)


@pytest.mark.parametrize(("name", "slope"), [("ReLU", math.sqrt(0.5)), ("linear", 1.0)])
def test_the_typical_slope_in_closed_form(name: str, slope: float):
    assert activations.typical_slope(name) == pytest.approx(slope, abs=5e-5)


def test_the_typical_slope_of_a_sigmoid_by_sampling():
    z = torch.randn(1_000_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    sampled = activations.sigmoid_derivative(z).square().mean().sqrt().item()
    assert activations.typical_slope("sigmoid") == pytest.approx(sampled, rel=2e-3)


def test_half_of_all_relus_sleep_and_no_linear_unit_does():
    z = torch.linspace(-1, 1, 1000)
    assert activations.asleep("ReLU", z) == 0.5
    assert activations.asleep("linear", z) == 0
    assert activations.asleep("sigmoid", torch.tensor([-9.0, 0.0, 0.1, 9.0])) == 0.5
