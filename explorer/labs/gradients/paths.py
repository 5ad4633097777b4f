"""A residual network as the sum of all its paths: how many there are, and which carry the gradient.

Veit, Wilber and Belongie 2016, https://arxiv.org/abs/1605.06431: each of L blocks is passed through or passed
by, so 2^L paths lead through the network, and a path's length is the number of blocks it passes through.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from explorer.labs.gradients.random_networks import Design, draw, one_thread
from explorer.labs.lengths import norm, norms
from explorer.networks.cifar import CifarBlock, CifarResNet

Map = Callable[[Tensor], Tensor]


def path_count(blocks: int) -> int:
    """2^L: 3 blocks make 8 paths."""
    return 2**blocks


def share_of_length(blocks: int, length: int) -> float:
    """Share of the 2^L paths that pass through just `length` blocks: binomial, most of them near L / 2."""
    return math.comb(blocks, length) / 2**blocks


@dataclass(frozen=True)
class Step:
    """One residual block, `after(branch(h) + shortcut(h))`, and its input `h` [N, C, H, W]."""

    h: Tensor
    branch: Map
    shortcut: Map
    after: Map


@dataclass(frozen=True)
class Paths:
    """One value a length, 0 to L. share: of all paths. of_one: mean gradient norm of one path of the length
    that is carried to the first block, from paths drawn at random. together: norm of the sum of what all
    paths of the length carry, exact. whole: norm of the gradient itself, which is the sum over all lengths.
    at_end: norm of the gradient that enters from behind.
    """

    share: np.ndarray
    of_one: np.ndarray
    together: np.ndarray
    whole: float
    at_end: float

    @property
    def mean_length(self) -> float:
        """Mean length, each length weighted by the norm that its paths carry together; NaN where nothing is
        carried."""
        return float(np.arange(len(self.together)) @ self._parts)

    @property
    def carrying(self) -> tuple[int, int]:
        """The lengths from the 2.5th to the 97.5th percent of what is carried.

        Raises ValueError where nothing is.
        """
        if not self.together.any():
            raise ValueError("no path carries a gradient; choose a network that lets one through")
        carried = np.cumsum(self._parts)
        return int(np.searchsorted(carried, 0.025)), int(np.searchsorted(carried, 0.975))

    @property
    def _parts(self) -> np.ndarray:
        """Share of each length in what is carried."""
        with np.errstate(invalid="ignore"):
            parts = self.together / self.together.max()  # first, so that their sum is a number
            return parts / parts.sum()


@one_thread()
@torch.enable_grad()
def measure(steps: Sequence[Step], gradient: Tensor, draws: int | None = None, seed: int = 0) -> Paths:
    """The gradient behind the last step, led back along every path.

    `lengths[k]` is the sum over all paths of length k so far. A step sends each to its own length over the
    shortcut and to the next length through the branch: L^2 / 2 products with Jacobians for 2^L paths.
    """
    blocks = len(steps)
    draws = draws or max(2, 60 // blocks)
    lengths, singles = gradient[None], gradient.expand(blocks + 1, draws, *gradient.shape).flatten(0, 1)
    through = _subsets(blocks, draws, seed).to(gradient.device)
    for index in reversed(range(blocks)):
        past, inside = pull(steps[index], torch.cat([lengths, singles]))
        count = len(lengths)
        nothing = torch.zeros_like(past[:1])  # a block may take other shapes than it gives
        lengths = torch.cat([past[:count], nothing]) + torch.cat([nothing, inside[:count]])
        chosen = through[:, index].reshape(-1, *[1] * gradient.ndim)
        singles = torch.where(chosen, inside[count:], past[count:])
    return Paths(
        share=np.array([share_of_length(blocks, length) for length in range(blocks + 1)]),
        of_one=norms(singles).reshape(blocks + 1, draws).mean(dim=1).numpy(),
        together=norms(lengths).numpy(),
        whole=norm(lengths.sum(dim=0)),
        at_end=norm(gradient),
    )


def pull(step: Step, gradients: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients [P, N, C, H, W] behind a step -> those before it, by the shortcut and by the branch."""
    h = step.h.detach().requires_grad_()
    branch, shortcut = step.branch(h), step.shortcut(h)
    total = (branch + shortcut).detach().requires_grad_()
    inner = _vector_jacobian(step.after(total), total, gradients)
    return _vector_jacobian(shortcut, h, inner), _vector_jacobian(branch, h, inner)


def _vector_jacobian(out: Tensor, at: Tensor, gradients: Tensor) -> Tensor:
    if out is at:
        return gradients
    return torch.autograd.grad(out, at, gradients, is_grads_batched=True)[0]


def _subsets(blocks: int, draws: int, seed: int) -> Tensor:
    """[(blocks + 1) * draws, blocks], bool: for each length `draws` random choices of that many blocks."""
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.zeros(blocks + 1, draws, blocks, dtype=torch.bool)
    for length in range(blocks + 1):
        for row in chosen[length]:
            row[torch.randperm(blocks, generator=generator)[:length]] = True
    return chosen.flatten(0, 1)


def identity(h: Tensor) -> Tensor:
    return h


@one_thread()
@torch.enable_grad()
def random_steps(design: Design, seed: int = 0) -> tuple[list[Step], Tensor]:
    """The blocks of a random residual network at a random batch, and the loss's gradient behind them."""
    if design.skip == "none":
        raise ValueError("a network without skips has one path only; choose a skip")
    network, x, labels = draw(design, seed)
    with torch.no_grad():
        points = network.points(x)
    last = points[-1].requires_grad_()
    gradient = torch.autograd.grad(network.loss(last, labels), last)[0]
    clean = design.skip == "ResNet v2"
    steps = [
        Step(h, block.branch, identity, identity if clean else block.after)
        for h, block in zip(points, network.trunk(), strict=False)
    ]
    return steps, gradient


@one_thread()
@torch.enable_grad()
def trained_steps(network: nn.Module, x: Tensor) -> tuple[list[Step], Tensor]:
    """The blocks of a CIFAR ResNet [N, 3, 32, 32] and the gradient of each picture's greatest score behind
    them.
    """
    if not isinstance(network, CifarResNet):
        raise TypeError(f"{type(network).__name__} is not a CIFAR ResNet, whose blocks are known here")
    steps = []
    with torch.no_grad():
        h = network.relu(network.bn1(network.conv1(x)))
        for block in (*network.layer1, *network.layer2, *network.layer3):
            if block.shortcut is None:
                raise ValueError("a plain network has one path only; choose a residual one")
            steps.append(Step(h, _branch(block), block.shortcut, block.relu2))
            h = block(h)
    h = h.requires_grad_()
    scores = network.fc(network.avgpool(h).flatten(1))
    return steps, torch.autograd.grad(scores.max(dim=1).values.sum(), h)[0]


def _branch(block: CifarBlock) -> Map:
    return lambda h: block.bn2(block.conv2(block.relu1(block.bn1(block.conv1(h)))))
