"""The claim that a skip never makes a gradient smaller, tested on random and on trained blocks.

With y = F(x) + x the gradient before the block is g + J'g, where J is the Jacobian of F. The claim takes the
sum of two vectors for at least as long as one of them; it is shorter when J'g points against g.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explorer.labs.gradients.initialisation import INITIALISATIONS
from explorer.labs.gradients.paths import Step
from explorer.labs.gradients.random_networks import SIDE, Block, Design, one_thread
from explorer.labs.lengths import norms


def scalar(slope: float) -> float:
    """What y = F(x) + x multiplies the gradient of one number by; F'(x) = -1 leaves nothing of it."""
    return abs(slope + 1)


@dataclass(frozen=True)
class Trials:
    """One value a trial, for gradients g of length 1. along: g . J'g, what the branch adds along g.
    across: length of the rest of J'g, at right angles to g.
    """

    along: np.ndarray
    across: np.ndarray

    @property
    def length(self) -> np.ndarray:
        """|J'g|, which is also what a block without the skip would leave."""
        return np.hypot(self.along, self.across)

    def with_skip(self, scale: float | np.ndarray = 1.0, erase: float = 0.0) -> np.ndarray:
        """Length of the gradient before y = x + scale * F(x) - erase * x."""
        return np.hypot(1 - erase + scale * self.along, scale * self.across)

    def shrunk(self, scale: float = 1.0, erase: float = 0.0) -> float:
        """Share of trials in which the gradient behind the block was longer than before it: the claim says
        0.
        """
        return float((self.with_skip(scale, erase) < 1).mean())

    def below_plain(self, scale: float = 1.0, erase: float = 0.0) -> float:
        """Share in which the twin without the skip, y = scale * F(x) - erase * x, left a longer gradient."""
        plain = np.hypot(scale * self.along - erase, scale * self.across)
        return float((self.with_skip(scale, erase) < plain).mean())


@one_thread()
@torch.enable_grad()
def random_trials(design: Design, blocks: int = 300, seed: int = 0) -> Trials:
    """A new random block of two convolutions, a new input and a new gradient for each trial."""
    generator = torch.Generator().manual_seed(seed)
    fill = INITIALISATIONS[design.initialisation].fill
    found = []
    for _ in range(blocks):
        block = Block(design, 2).double()
        with torch.no_grad():
            for weight in block.weights():
                fill(weight, generator)
        h, gradient = torch.randn(
            2, 4, design.width, SIDE, SIDE, generator=generator, dtype=torch.float64
        ).unbind()
        h = h.requires_grad_()
        pulled = torch.autograd.grad(block.branch(h), h, gradient)[0]
        found.append(_parts(pulled[None], gradient[None]))
    return _together(found)


def _parts(pulled: Tensor, gradients: Tensor) -> tuple[Tensor, Tensor]:
    """[trials, ...] each -> what is pulled along the gradients and across them, by the gradients' lengths."""
    sizes = norms(gradients)
    directions = gradients.cpu().double().flatten(1) / sizes[:, None]
    pulled = pulled.cpu().double().flatten(1)
    along = (pulled * directions).sum(dim=1)
    return along / sizes, norms(pulled - along[:, None] * directions) / sizes


def _together(found: Sequence[tuple[Tensor, Tensor]]) -> Trials:
    along, across = (torch.cat(parts).numpy() for parts in zip(*found, strict=True))
    return Trials(along, across)


@one_thread()
@torch.enable_grad()
def trained_trials(steps: Sequence[Step], gradient: Tensor) -> Trials:
    """Every picture at every block whose shortcut is the identity: [N * blocks] trials, taken at the sum, so
    before the ReLU behind it has cut anything off.
    """
    found = []
    for step in reversed(steps):
        h = step.h.detach().requires_grad_()
        shortcut, branch = step.shortcut(h), step.branch(h)
        total = (branch + shortcut).detach().requires_grad_()
        inner = torch.autograd.grad(step.after(total), total, gradient)[0]
        pulled = torch.autograd.grad(branch, h, inner)[0]
        passed = inner
        if shortcut is h:
            seen = inner.flatten(1).any(dim=1)
            found.append(_parts(pulled[seen], inner[seen]))
        else:
            passed = torch.autograd.grad(shortcut, h, inner)[0]
        gradient = passed + pulled
    return _together(found)
