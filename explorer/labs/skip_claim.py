"""The claim that a skip never makes a gradient smaller, tested on random and on trained blocks.

With y = F(x) + x the gradient before the block is g + J'g, where J is the Jacobian of F. The claim takes the
sum of two vectors for at least as long as one of them; it is shorter when J'g points against g.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explorer.labs.initialisation import INITIALISATIONS
from explorer.labs.paths import Step
from explorer.labs.random_nets import SIDE, Block, Design, one_thread


def scalar(slope: float) -> float:
    """What y = F(x) + x multiplies the gradient of one number by; F'(x) = -1 leaves nothing of it."""
    return abs(slope + 1)


@dataclass(frozen=True)
class Trials:
    """One value a trial, for gradients of length 1. along: g . J'g, what the branch adds along the gradient.
    length: |J'g|, which is also what a block without the skip would leave.
    """

    along: np.ndarray
    length: np.ndarray

    def with_skip(self, scale: float | np.ndarray = 1.0, erase: float = 0.0) -> np.ndarray:
        """Length of the gradient before y = x + scale * F(x) - erase * x."""
        keep = 1 - erase
        squared = keep**2 + 2 * keep * scale * self.along + (scale * self.length) ** 2
        return np.sqrt(np.maximum(squared, 0))

    def shrunk(self, scale: float = 1.0, erase: float = 0.0) -> float:
        """Share of trials in which the gradient behind the block was longer than before it: the claim says
        0.
        """
        return float((self.with_skip(scale, erase) < 1).mean())

    def below_plain(self, scale: float = 1.0, erase: float = 0.0) -> float:
        """Share in which the twin without the skip, y = scale * F(x) - erase * x, left a longer gradient."""
        plain = erase**2 - 2 * erase * scale * self.along + (scale * self.length) ** 2
        return float((self.with_skip(scale, erase) < np.sqrt(np.maximum(plain, 0))).mean())


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
        found.append(_trial(Step(h, block.branch, torch.clone, torch.clone), gradient))
    return Trials(*map(np.array, zip(*found, strict=True)))


def _trial(step: Step, gradient: Tensor) -> tuple[float, float]:
    h = step.h.detach().requires_grad_()
    pulled = torch.autograd.grad(step.branch(h), h, gradient)[0]
    size = gradient.norm()
    return float((pulled * gradient).sum() / size**2), float(pulled.norm() / size)


@one_thread()
@torch.enable_grad()
def trained_trials(steps: Sequence[Step], gradient: Tensor) -> Trials:
    """Every picture at every block whose shortcut is the identity: [N * blocks] trials, taken at the sum, so
    before the ReLU behind it has cut anything off.
    """
    along, length = [], []
    for step in reversed(steps):
        h = step.h.detach().requires_grad_()
        shortcut, branch = step.shortcut(h), step.branch(h)
        total = (branch + shortcut).detach().requires_grad_()
        inner = torch.autograd.grad(step.after(total), total, gradient)[0]
        pulled = torch.autograd.grad(branch, h, inner)[0]
        passed = inner
        if shortcut is h:
            sizes = inner.flatten(1).norm(dim=1)
            seen = sizes > 0
            along.append(((pulled * inner).flatten(1).sum(dim=1) / sizes**2)[seen])
            length.append((pulled.flatten(1).norm(dim=1) / sizes)[seen])
        else:
            passed = torch.autograd.grad(shortcut, h, inner)[0]
        gradient = passed + pulled
    return Trials(torch.cat(along).double().cpu().numpy(), torch.cat(length).double().cpu().numpy())
