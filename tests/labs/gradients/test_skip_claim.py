"""The claim that a skip never makes a gradient smaller (source 001, part 6 and Q3): where it fails, where it
holds.
"""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explorer.labs.gradients import paths, skip_claim
from explorer.labs.gradients.random_networks import Design
from explorer.labs.gradients.skip_claim import Trials
from explorer.networks.cifar import resnet20


def test_a_dead_branch_passes_the_gradient_on():
    """Sources 000 and 002: even if dF/dx is zero, the gradient is that behind the block. Holds."""
    assert skip_claim.scalar(0) == 1
    assert Trials(np.zeros(3), np.zeros(3)).with_skip().tolist() == [1, 1, 1]


def test_a_slip_the_gradient_is_not_always_as_large_as_behind_the_block():
    """Source 001: "at least as large". A branch of slope -1 takes everything, one of -0.01 a hundredth."""
    assert skip_claim.scalar(-1) == 0
    assert skip_claim.scalar(-0.01) == pytest.approx(0.99)


@given(slope=st.floats(-3, 3))
def test_in_one_dimension_it_shrinks_for_slopes_between_minus_two_and_zero(slope: float):
    assert (skip_claim.scalar(slope) < 1) == (-2 < slope < 0 and slope + 1 < 1)


@given(
    along=st.floats(-1, 1),
    extra=st.floats(0, 2),
    scale=st.floats(0, 3),
    erase=st.floats(0, 2),
)
def test_the_length_is_that_of_the_vectors(along: float, extra: float, scale: float, erase: float):
    """g = (1, 0), J'g = (along, extra): y = x + scale * F(x) - erase * x."""
    found = Trials(np.array([along]), np.array([extra]))
    exact = np.hypot(1 - erase + scale * along, scale * extra)
    assert found.with_skip(scale, erase)[0] == pytest.approx(exact, rel=1e-12)


@pytest.fixture(scope="module")
def random_blocks() -> Trials:
    return skip_claim.random_trials(Design(width=8), blocks=120)


@pytest.mark.parametrize("size", [1e-200, 1.0, 1e200])
def test_a_trial_is_what_backpropagation_gives(size: float):
    h = torch.randn(1, 2, 3, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    gradient = torch.randn(1, 2, 3, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    h.requires_grad_()
    pulled = torch.autograd.grad(torch.tanh(h), h, gradient)[0]
    along, across = skip_claim._parts(size * pulled, size * gradient)
    found = Trials(along.numpy(), across.numpy())
    (exact,) = torch.autograd.grad(h + 0.3 * torch.tanh(h), h, gradient)
    assert found.with_skip(0.3)[0] == pytest.approx((exact.norm() / gradient.norm()).item())


def test_with_a_weak_branch_half_of_the_gradients_shrink(random_blocks: Trials):
    assert random_blocks.shrunk(scale=1e-4) == pytest.approx(0.5, abs=0.15)
    assert random_blocks.with_skip(1e-4).min() > 0.999  # by next to nothing


def test_with_a_strong_random_branch_none_does(random_blocks: Trials):
    """Two random vectors of many numbers stand at right angles, so their sum is the longer."""
    assert random_blocks.shrunk(scale=1) == 0
    assert random_blocks.with_skip(1).mean() == pytest.approx(
        np.sqrt(1 + random_blocks.length.mean() ** 2), rel=0.1
    )


def test_a_branch_that_erases_its_input_takes_the_gradient(random_blocks: Trials):
    assert random_blocks.shrunk(scale=0.01, erase=1) == 1
    assert random_blocks.with_skip(0.01, erase=1).max() < 0.05
    assert random_blocks.below_plain(scale=0.01, erase=1) == 1


def test_trained_steps_count_identity_blocks_only_and_agree_with_one_step():
    network = resnet20().eval().requires_grad_(False)
    x = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    steps, gradient = paths.trained_steps(network, x)
    found = skip_claim.trained_trials(steps, gradient)
    assert found.along.shape == found.length.shape == (3 * 7,)  # 9 blocks, two of which change the width
    last = steps[-1]
    h = last.h.clone().requires_grad_()
    total = last.branch(h) + h
    inner = gradient * (total > 0)
    (exact,) = torch.autograd.grad(total, h, inner.detach())
    ratio = exact.flatten(1).norm(dim=1) / inner.flatten(1).norm(dim=1)
    assert found.with_skip()[:3] == pytest.approx(ratio.tolist(), rel=1e-4)
