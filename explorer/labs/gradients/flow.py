"""How far a gradient gets: its size by layer in real random networks, and the Jacobians that make it.

Hanin and Nica 2020, https://arxiv.org/abs/1812.05994, on products of random Jacobians; Yang et al. 2019,
https://arxiv.org/abs/1902.08129, on what batch norm does to the gradient of a deep net without skips.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explorer.inference.watching import inputs_of
from explorer.labs.gradients import activations
from explorer.labs.gradients.random_networks import (
    CONVOLUTIONS_IN_BLOCK,
    Activate,
    Design,
    RandomNet,
    draw,
    one_thread,
)
from explorer.labs.lengths import norm, rms, unit

SMALLEST_FLOAT32 = 2.0**-149
"""What is smaller is zero in single precision, in which networks are trained."""

# The last number before a constant factor a layer leads below 2^-1074, the smallest of double precision.
_NEARLY_TOO_SMALL = 1e-300


@dataclass(frozen=True)
class Flow:
    """layers: how many convolutions lie before each place of measurement, 0 for the stem's output.

    activation_rms, gradient_norm: [seeds, places], of what stands at the place and of the loss's gradient
    there (over the whole batch). weight_gradient_norm, asleep: [seeds, depth], of each convolution's weights,
    and the share of its units that are dead or saturated (`activations.asleep`).
    """

    design: Design
    layers: tuple[int, ...]
    activation_rms: np.ndarray
    gradient_norm: np.ndarray
    weight_gradient_norm: np.ndarray
    asleep: np.ndarray

    @property
    def reaches(self) -> float:
        """Gradient at the first place by that at the last, median of the seeds."""
        with np.errstate(all="ignore"):
            return float(np.median(self.gradient_norm[:, 0] / self.gradient_norm[:, -1]))

    @property
    def factor_per_layer(self) -> float:
        """What a layer multiplies the gradient by on its way back, geometric mean."""
        return self.reaches ** (1 / self.design.depth)

    @property
    def underflows(self) -> bool:
        """A signal shrinks until it is too small for double precision, so that a zero behind it is none."""
        signals = np.concatenate([self.gradient_norm, self.activation_rms, self.weight_gradient_norm], axis=1)
        return bool(((signals > 0) & (signals < _NEARLY_TOO_SMALL)).any())


@one_thread()
@torch.enable_grad()
def measure(design: Design, seeds: Sequence[int] = (0, 1, 2)) -> Flow:
    """One forward and one backward pass of one random network for each seed."""
    runs = [one_network(design, seed) for seed in seeds]
    columns = [np.array(column) for column in zip(*runs, strict=True)]
    return Flow(design, places(design), *columns)


def places(design: Design) -> tuple[int, ...]:
    """Convolutions before each place of measurement: 0, 2, 4, ..., depth."""
    return (*range(0, design.depth, CONVOLUTIONS_IN_BLOCK), design.depth)


def one_network(design: Design, seed: int) -> tuple[list[float], ...]:
    """The four rows of a `Flow` for one seed, in its order."""
    network, x, labels = draw(design, seed)
    activates = (module for module in network.blocks.modules() if isinstance(module, Activate))
    with inputs_of(*activates) as before:
        points = network.points(x)
    weights = [weight for block in network.trunk() for weight in block.weights()]
    found = torch.autograd.grad(network.loss(points[-1], labels), [*points, *weights])
    return (
        [rms(point.detach()) for point in points],
        [norm(gradient) for gradient in found[: len(points)]],
        [norm(gradient) for gradient in found[len(points) :]],
        [activations.asleep(design.activation, each.detach()) for each in before],
    )


@dataclass(frozen=True)
class Jacobians:
    """One value a block, first block first. spectral: greatest singular value of the block's Jacobian.
    mean_gain: root mean square of all its singular values. gradient: by what the loss's gradient was really
    multiplied on its way back through the block; NaN where none arrived.
    """

    design: Design
    spectral: np.ndarray
    mean_gain: np.ndarray
    gradient: np.ndarray


@one_thread()
@torch.enable_grad()
def jacobians(design: Design, seed: int = 0, iterations: int = 8) -> Jacobians:
    """The Jacobian of each block at a random batch; the greatest singular value from below, by power
    iteration that starts from the gradient, so it is never under what the gradient met.
    """
    network, x, labels = draw(design, seed)
    points = network.points(x)
    gradients = torch.autograd.grad(network.loss(points[-1], labels), points)
    generator = torch.Generator().manual_seed(seed)
    rows = []
    for block, h, incoming, outgoing in zip(
        network.trunk(), points, gradients[1:], gradients[:-1], strict=False
    ):
        push, pull = linear_maps(block, h.detach())
        probe = torch.randn(h.shape, generator=generator, dtype=h.dtype)
        start = incoming if norm(incoming) else probe
        met = norm(outgoing) / norm(incoming) if norm(incoming) else math.nan
        rows.append((spectral_norm(push, pull, start, iterations), norm(pull(probe)) / norm(probe), met))
    return Jacobians(design, *(np.array(column) for column in zip(*rows, strict=True)))


def linear_maps(
    function: Callable[[Tensor], Tensor], h: Tensor
) -> tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]:
    """(v -> J v, u -> J' u) of `function` at `h`: the second by one backward pass, the first by another
    through it.
    """
    h = h.requires_grad_()
    out = function(h)
    dual = torch.zeros_like(out, requires_grad=True)
    pulled = torch.autograd.grad(out, h, dual, create_graph=True)[0]

    def push(v: Tensor) -> Tensor:
        return torch.autograd.grad(pulled, dual, v, retain_graph=True)[0]

    def pull(u: Tensor) -> Tensor:
        return torch.autograd.grad(out, h, u, retain_graph=True)[0]

    return push, pull


def spectral_norm(
    push: Callable[[Tensor], Tensor], pull: Callable[[Tensor], Tensor], start: Tensor, iterations: int
) -> float:
    """Greatest singular value by power iteration on J J', approached from below; 0 for a map to zero."""
    u, found = unit(start), 0.0
    for _ in range(iterations):
        v = pull(u)
        found = norm(v)
        u = unit(push(unit(v)))
        if not norm(u):
            return found
    return max(found, norm(pull(u)))


def products(factors: np.ndarray) -> np.ndarray:
    """What the blocks from each place to the end multiply to: [blocks] -> [blocks + 1], the last is 1.

    What a block has made zero stays zero, whatever its factors before it are.
    """
    back = factors[::-1]
    gone = np.logical_or.accumulate(back == 0)
    return np.append(np.where(gone, 0.0, np.cumprod(back))[::-1], 1.0)


__all__ = ["Design", "Flow", "Jacobians", "RandomNet", "jacobians", "measure", "products"]
