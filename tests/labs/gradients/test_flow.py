"""Gradients in random networks: closed forms, bounds that must hold, worked examples of the sources."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.labs.gradients import activations, initialisation, random_networks
from explorer.labs.gradients import flow as gradient_flow
from explorer.labs.gradients.flow import jacobians, measure, products
from explorer.labs.gradients.random_networks import Design, draw


def test_the_places_and_shapes_of_a_flow():
    found = measure(Design(depth=7, width=4), range(2))
    assert found.layers == (0, 2, 4, 6, 7)
    assert found.activation_rms.shape == found.gradient_norm.shape == (2, 5)
    assert found.weight_gradient_norm.shape == found.asleep.shape == (2, 7)


@pytest.mark.parametrize(("skip", "norm"), [("none", "none"), ("ResNet v1", "batch"), ("ResNet v2", "layer")])
def test_the_gradient_at_a_place_is_that_of_plain_backpropagation(skip: str, norm: str):
    """Another way to the same numbers: loss.backward()."""
    design = Design(depth=6, width=4, skip=skip, norm=norm)
    network, x, labels = draw(design, 5)
    points = network.points(x)
    points[0].retain_grad()
    network.loss(points[-1], labels).backward()
    found = measure(design, (5,))
    assert found.gradient_norm[0, 0] == pytest.approx(points[0].grad.norm().item(), rel=1e-9)
    weight = network.blocks[1].convolutions[0].weight.grad
    assert found.weight_gradient_norm[0, 2] == pytest.approx(weight.norm().item(), rel=1e-9)


def test_a_seed_gives_the_same_network_and_another_seed_another():
    one, again, other = (measure(Design(depth=4, width=4), (seed,)) for seed in (1, 1, 2))
    assert np.array_equal(one.gradient_norm, again.gradient_norm)
    assert not np.allclose(one.gradient_norm, other.gradient_norm)


def test_the_grad_mode_of_the_thread_does_not_matter():
    with torch.no_grad():
        off = measure(Design(depth=4, width=4))
        assert jacobians(Design(depth=4, width=4)).spectral.min() > 0
    assert np.array_equal(off.gradient_norm, measure(Design(depth=4, width=4)).gradient_norm)


def test_naive_weights_lose_the_gradient_and_a_skip_keeps_it():
    """Source 002: without skips gradients vanish exponentially, with them the 1 keeps the flow."""
    plain, skip = (
        measure(Design(depth=50, initialisation="naive", skip=each)) for each in ("none", "ResNet v2")
    )
    rate = 0.01 / initialisation.kaiming_std(16 * 9)
    assert plain.factor_per_layer == pytest.approx(rate, rel=0.1)
    assert plain.gradient_norm[:, 0].max() < gradient_flow.SMALLEST_FLOAT32
    assert skip.reaches == pytest.approx(1, abs=0.05)


def test_a_slip_not_every_plain_network_loses_its_gradient():
    """Sources 000 and 002 let it vanish in any plain deep network; with Kaiming and ReLU it does not."""
    found = measure(Design(depth=100, initialisation="Kaiming"))
    assert 0.9 < found.factor_per_layer < 1.1
    assert found.reaches > 1e-3


def test_saturating_activations_lose_it_even_so():
    found = measure(Design(depth=50, activation="sigmoid"))
    assert found.reaches < 1e-20
    assert found.factor_per_layer < 0.25 * np.sqrt(2) + 0.01  # slope at most 0.25, weights of gain sqrt(2)


def test_a_skip_without_a_norm_makes_the_scale_grow():
    """Each block adds about as much power as it got: twice the power for each two layers."""
    found = measure(
        Design(depth=40, width=32, skip="ResNet v2", activation="linear", initialisation="Xavier")
    )
    growth = np.median(found.activation_rms[:, -1] / found.activation_rms[:, 0])
    assert growth ** (1 / 20) == pytest.approx(np.sqrt(2), abs=0.05)


def test_batch_norm_without_skips_makes_the_gradient_grow_and_a_skip_tames_it():
    """Yang et al. 2019: it explodes, for ReLU by sqrt(pi / (pi - 1)) = 1.21 a layer in a wide network."""
    plain, skip = (
        measure(Design(depth=60, width=32, norm="batch", skip=each)) for each in ("none", "ResNet v2")
    )
    assert plain.factor_per_layer == pytest.approx(1.21, abs=0.03)
    assert 1 < skip.factor_per_layer < 1.08


def test_fixup_starts_as_the_identity_and_is_dead_without_a_skip():
    skip = measure(Design(depth=30, initialisation="Fixup", skip="ResNet v2"))
    assert skip.reaches == pytest.approx(1, rel=1e-12)
    assert np.allclose(skip.activation_rms, skip.activation_rms[:, :1])
    dead = measure(Design(depth=30, initialisation="Fixup"))
    assert not dead.gradient_norm[:, 0].any()
    assert not dead.activation_rms[:, -1].any()


def test_layer_scale_of_a_millionth_makes_a_block_nearly_the_identity():
    """Source 000, 4.6: initialised to 1e-6, the network behaves like an identity mapping at first."""
    network, x, _ = draw(Design(depth=2, skip="ResNet v2"), 0)
    with torch.no_grad():
        h = network.stem(x)
        moved = (1e-6 * network.blocks[0].branch(h)).norm() / h.norm()
    assert moved < 1e-5


def test_edges_that_wrap_keep_what_zero_padding_loses():
    """At 8 x 8 pixels a 3x3 kernel finds (22 / 24)^2 = 0.84 of its inputs on average."""
    ones = torch.ones(1, 1, random_networks.SIDE, random_networks.SIDE)
    kernel = torch.ones(1, 1, 3, 3)
    covered = torch.nn.functional.conv2d(ones, kernel, padding=1).mean() / 9
    assert covered.item() == pytest.approx((22 / 24) ** 2)
    wrapped = torch.nn.functional.pad(ones, (1, 1, 1, 1), mode="circular")
    assert torch.nn.functional.conv2d(wrapped, kernel).unique().tolist() == [9]


@pytest.mark.parametrize(
    "changes",
    [{}, {"skip": "ResNet v2", "norm": "batch"}, {"activation": "sigmoid"}, {"initialisation": "naive"}],
)
def test_no_gradient_passes_the_product_of_the_greatest_singular_values(changes: dict[str, str]):
    """Source 000, 2.1: the gradient at the input is the product of the Jacobians times that at the end."""
    found = jacobians(Design(depth=12, width=8, **changes))
    assert (found.gradient <= found.spectral * (1 + 1e-9)).all()
    flow = measure(Design(depth=12, width=8, **changes), (0,))
    assert products(found.gradient)[0] == pytest.approx(flow.reaches, rel=1e-9)
    assert found.mean_gain == pytest.approx(found.gradient, rel=0.5)


def test_spectral_norms_below_one_collapse_exponentially():
    """Source 000, 2.1, holds as said: below 1 in every layer, the product goes to zero."""
    found = jacobians(Design(depth=30, activation="sigmoid", initialisation="Xavier"))
    assert found.spectral.max() < 1
    assert products(found.gradient)[0] <= found.spectral.max() ** 15


def test_spectral_norms_above_one_do_not_save_a_gradient():
    """The converse, which the sources do not say and readers take for granted, is false."""
    found = jacobians(Design(depth=30, initialisation="Xavier"))
    assert found.spectral.min() > 1
    assert products(found.gradient)[0] < 1e-3


@settings(max_examples=25, deadline=None)
@given(rows=st.integers(1, 6), seed=st.integers(0, 1000))
def test_the_power_iteration_finds_the_greatest_singular_value(rows: int, seed: int):
    generator = torch.Generator().manual_seed(seed)
    matrix = torch.randn(rows, 5, generator=generator, dtype=torch.float64)
    h = torch.randn(5, generator=generator, dtype=torch.float64)
    push, pull = gradient_flow.linear_maps(lambda v: matrix @ v, h)
    start = torch.randn(rows, generator=generator, dtype=torch.float64)
    found = gradient_flow.spectral_norm(push, pull, start, 300)
    exact = torch.linalg.matrix_norm(matrix, 2).item()
    assert found <= exact * (1 + 1e-9)
    assert found == pytest.approx(exact, rel=0.02)


@pytest.mark.parametrize("size", [1e-250, 1e-200, 1e200, 1e250])
def test_the_power_iteration_neither_under_nor_overflows(size: float):
    generator = torch.Generator().manual_seed(0)
    matrix = torch.randn(4, 5, generator=generator, dtype=torch.float64)
    h, start = (torch.randn(n, generator=generator, dtype=torch.float64) for n in (5, 4))
    push, pull = gradient_flow.linear_maps(lambda v: size * matrix @ v, h)
    for factor in (1e-200, 1.0, 1e200):
        found = gradient_flow.spectral_norm(push, pull, factor * start, 300)
        assert found == pytest.approx(size * torch.linalg.matrix_norm(matrix, 2).item(), rel=1e-6)


def test_a_map_to_zero_has_the_spectral_norm_zero():
    push, pull = gradient_flow.linear_maps(lambda v: 0 * v, torch.ones(3, dtype=torch.float64))
    assert gradient_flow.spectral_norm(push, pull, torch.ones(3, dtype=torch.float64), 8) == 0.0


def test_a_gradient_that_two_hundred_layers_shrink_is_still_a_number():
    """Standard deviation 0.01 at 16 * 9 inputs and a slope of 1: a factor of 0.12 a layer."""
    found = measure(Design(depth=200, activation="tanh", initialisation="naive"), (0,))
    assert found.factor_per_layer == pytest.approx(0.01 * np.sqrt(16 * 9), rel=0.03)
    assert 0 < found.reaches < 1e-175
    assert (found.gradient_norm > 0).all()
    assert (found.activation_rms > 0).all()
    assert (found.weight_gradient_norm > 0).all()
    assert not found.underflows


def test_what_is_too_small_for_double_precision_is_told_from_zero():
    tiny = measure(Design(depth=200, width=1, activation="sigmoid", initialisation="naive"), (0,))
    assert not tiny.gradient_norm[:, 0].any()
    assert tiny.underflows
    dead = measure(Design(depth=30, initialisation="Fixup"), (0,))
    assert not dead.gradient_norm[:, 0].any()
    assert not dead.underflows


def test_where_no_gradient_arrives_a_block_has_no_factor_and_the_product_is_zero():
    found = jacobians(Design(depth=12, width=4, initialisation="Fixup"))
    assert np.isnan(found.gradient).any()
    assert products(found.gradient)[0] == 0
    assert found.gradient[-1] == 0


def test_products_end_in_one():
    assert products(np.array([0.25, 2.0, 0.5])).tolist() == [0.25, 1.0, 0.5, 1.0]
    assert products(np.array([np.nan, 0.0, 0.5])).tolist() == [0.0, 0.0, 0.5, 1.0]


@pytest.mark.parametrize(
    "wrong",
    [{"activation": "Mish"}, {"norm": "group"}, {"skip": "yes"}, {"depth": 0}, {"depth": 201}, {"width": 0}],
)
def test_a_design_that_cannot_be_built_is_refused(wrong: dict[str, object]):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Design(**wrong)


def test_every_choice_builds_and_flows():
    for name in activations.ACTIVATIONS:
        for start in initialisation.INITIALISATIONS:
            found = measure(Design(4, 4, name, start, "layer", "ResNet v1"), (0,))
            assert np.isfinite(found.gradient_norm).all()
            assert found.gradient_norm[0, -1] > 0
