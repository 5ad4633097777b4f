"""The unravelled network: counts in closed form, and path sums that must equal backpropagation."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer import networks
from explorer.labs.gradients import paths
from explorer.labs.gradients.paths import Step, identity
from explorer.labs.gradients.random_networks import Design, draw
from explorer.networks.cifar import plain20, resnet20


@pytest.mark.parametrize(("blocks", "count"), [(1, 2), (3, 8), (16, 65_536), (54, 18_014_398_509_481_984)])
def test_two_to_the_blocks(blocks: int, count: int):
    """Source 002: 2^L terms. Veit et al. draw 3 blocks as 8 paths and study 54."""
    assert paths.path_count(blocks) == count


@given(blocks=st.integers(1, 60))
def test_the_shares_of_all_lengths_are_one_and_their_mean_half_the_blocks(blocks: int):
    shares = [paths.share_of_length(blocks, length) for length in range(blocks + 1)]
    assert sum(shares) == pytest.approx(1)
    assert sum(length * share for length, share in enumerate(shares)) == pytest.approx(blocks / 2)


def test_more_than_95_percent_of_the_paths_of_54_blocks_pass_19_to_35():
    """Veit et al. 2016, section 4.1."""
    assert sum(paths.share_of_length(54, length) for length in range(19, 36)) > 0.95


def linear_step(slope: float) -> Step:
    return Step(torch.ones(1, 1, 2, 2, dtype=torch.float64), lambda h: slope * h, identity, identity)


@given(blocks=st.integers(1, 12), slope=st.floats(-2, 2))
@settings(max_examples=30, deadline=None)
def test_blocks_of_one_slope_give_the_binomial_theorem(blocks: int, slope: float):
    """(1 + s)^L = sum of C(L, k) s^k: what paths of length k carry."""
    gradient = torch.ones(1, 1, 2, 2, dtype=torch.float64)
    found = paths.measure([linear_step(slope)] * blocks, gradient, draws=2)
    expected = [2 * math.comb(blocks, k) * abs(slope) ** k for k in range(blocks + 1)]
    assert found.together == pytest.approx(expected, abs=1e-9)
    assert found.of_one == pytest.approx([2 * abs(slope) ** k for k in range(blocks + 1)], abs=1e-9)
    assert found.whole == pytest.approx(2 * abs(1 + slope) ** blocks, abs=1e-8)


def test_identity_branches_make_every_path_count_once():
    """Source 002: expanding the product gives 2^L terms; with F(x) = x each brings the gradient once."""
    found = paths.measure([linear_step(1)] * 10, torch.full((1, 1, 2, 2), 0.5, dtype=torch.float64))
    assert found.whole == 1024
    assert found.at_end == 1
    assert found.mean_length == pytest.approx(5)


@pytest.mark.parametrize("skip", ["ResNet v1", "ResNet v2"])
@pytest.mark.parametrize("norm", ["none", "batch"])
def test_all_paths_together_are_the_gradient(skip: str, norm: str):
    design = Design(depth=12, width=4, skip=skip, norm=norm)
    network, x, labels = draw(design, 0)
    points = network.points(x)
    (exact,) = torch.autograd.grad(network.loss(points[-1], labels), points[:1])
    found = paths.measure(*paths.random_steps(design))
    assert found.whole == pytest.approx(exact.norm().item(), rel=1e-9)


def test_the_path_past_all_blocks_brings_the_gradient_unchanged():
    """Source 002: it contributes dL/dx_L times 1; true where nothing stands after the addition."""
    clean = paths.measure(*paths.random_steps(Design(depth=12, width=4, skip="ResNet v2")))
    assert clean.together[0] == pytest.approx(clean.at_end, rel=1e-12)
    relus = paths.measure(*paths.random_steps(Design(depth=12, width=4, skip="ResNet v1")))
    assert relus.together[0] < relus.at_end  # the slip: He et al. 2015 activate after the addition


def test_batch_norm_leaves_the_gradient_to_short_paths():
    """Veit et al. 2016, section 4.3: only short paths carry gradient; here at the start of training."""
    found = paths.measure(*paths.random_steps(Design(depth=40, skip="ResNet v2", norm="batch")))
    blocks = 20
    assert found.mean_length < 0.25 * blocks
    assert found.carrying[1] < blocks / 2
    assert found.of_one[15] < 1e-4 * found.of_one[1]


def test_a_trained_network_comes_apart_too():
    network = resnet20().eval().requires_grad_(False)
    x = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    steps, gradient = paths.trained_steps(network, x)
    assert len(steps) == 9
    h = steps[0].h.clone().requires_grad_()
    scores = network.fc(network.avgpool(network.layer3(network.layer2(network.layer1(h)))).flatten(1))
    (exact,) = torch.autograd.grad(scores.max(dim=1).values.sum(), h)
    assert paths.measure(steps, gradient).whole == pytest.approx(exact.norm().item(), rel=1e-4)
    assert all(parameter.grad is None for parameter in network.parameters())


def test_one_path_only_is_said():
    with pytest.raises(ValueError, match="choose a skip"):
        paths.random_steps(Design(skip="none"))
    with pytest.raises(ValueError, match="choose a residual one"):
        paths.trained_steps(plain20().eval(), torch.zeros(1, 3, 32, 32))
    with pytest.raises(TypeError, match="Linear is not a CIFAR ResNet"):
        paths.trained_steps(torch.nn.Linear(2, 2), torch.zeros(1, 2))


def test_a_slip_resnet152_has_fifty_blocks_and_no_more():
    """Source 001, Q3 gives it "50+" blocks: 3 + 8 + 36 + 3 = 50."""
    model = networks.build("torchvision:resnet152", device="meta")
    stages = [len(stage) for stage in (model.layer1, model.layer2, model.layer3, model.layer4)]
    assert stages == [3, 8, 36, 3]
    assert sum(stages) == 50
    assert paths.path_count(sum(stages)) == 1_125_899_906_842_624


def test_random_subsets_have_their_length():
    chosen = paths._subsets(6, 4, seed=0).reshape(7, 4, 6)
    assert np.array_equal(chosen.sum(dim=2).numpy(), np.repeat(np.arange(7)[:, None], 4, axis=1))
