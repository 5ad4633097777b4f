"""Answers about normalisation: statistics of a few numbers, who shares them, what a layer keeps of them."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence

import torch
from torch import nn

from explorer.labs.normalisation import tensors
from explorer.labs.quiz.values import Answer, Slip, number


def normalised(values: Sequence[float], gamma: float, beta: float) -> Answer:
    """Batch norm of the last of a few numbers."""
    steps = tensors.worked(values, gamma, beta)
    last = values[-1]
    spread = math.sqrt(steps.unbiased)
    return Answer(
        steps.output[-1],
        f"({last} − {number(steps.mean)}) / √{number(steps.variance)} = {number(steps.normalised[-1])}; "
        f"{gamma} · {number(steps.normalised[-1])} + {beta} = {number(steps.output[-1])}",
        (
            Slip(steps.normalised[-1], "stops before γ and β"),
            Slip(gamma * (last - steps.mean) / spread + beta, "divides by n − 1 in the variance"),
            Slip(
                gamma * (last - steps.mean) / steps.variance + beta, "divides by the variance, not its root"
            ),
        ),
    )


def batch_variance(values: Sequence[float]) -> Answer:
    """The variance that batch norm divides by, before its root."""
    steps = tensors.worked(values, 1, 0)
    squares = [(value - steps.mean) ** 2 for value in values]
    parts = " + ".join(number(each) for each in squares)
    return Answer(
        steps.variance,
        f"({parts}) / {len(values)} = {number(steps.variance)}",
        (
            Slip(steps.unbiased, "divides by n − 1; PyTorch does so for the running variance only"),
            Slip(math.sqrt(steps.variance), "is the standard deviation"),
            Slip(sum(squares), "forgets to divide"),
        ),
    )


def undoing(values: Sequence[float]) -> Answer:
    """γ and β with which batch norm gives back what it got."""
    steps = tensors.worked(values, 1, 0)
    deviation, mean = math.sqrt(steps.variance), steps.mean

    def words(gamma: float, beta: float) -> str:
        return f"γ = {number(gamma)}, β = {number(beta)}"

    back = tensors.worked(values, deviation, mean, eps=0).output
    return Answer(
        words(deviation, mean),
        f"γ = √{number(steps.variance)} = {number(deviation)}, β = mean = {number(mean)}: "
        f"{', '.join(map(str, values))} → {', '.join(number(round(each, 9)) for each in back)}",
        (
            Slip(words(mean, deviation), "swaps the two"),
            Slip(words(steps.variance, mean), "takes the variance for its root"),
            Slip(words(1, 0), "leaves the values normalised"),
            Slip(words(1 / deviation, -mean), "normalises a second time"),
        ),
    )


def running_mean(batch: float, momentum: float, steps: int) -> Answer:
    """The running mean after some batches of one mean, starting at zero."""
    found = tensors.running([batch] * steps, momentum)
    other = tensors.running([batch] * steps, 1 - momentum)[-1]
    return Answer(
        found[-1],
        f"{', '.join(number(each) for each in found)}: each time {number(1 - momentum)} · old + {momentum} · "
        f"{number(batch)}",
        (
            Slip(other, "takes TensorFlow's momentum, which is 1 less PyTorch's"),
            Slip(found[0], "stops after the first batch"),
            Slip(batch, "is the batches' mean, which the running one only approaches"),
            Slip(steps * momentum * batch, "adds up and never forgets"),
        ),
    )


def needs_the_batch(norms: Sequence[str]) -> Answer:
    """Of these norms the one whose statistics are taken over several pictures."""
    found = [tensors.NORMS[name] for name in norms]
    right = next(norm for norm in found if norm.needs_batch)
    return Answer(
        f"{right.name} norm",
        "; ".join(f"{norm.name}: {norm.shares}" for norm in found),
        tuple(
            Slip(f"{norm.name} norm", f"takes its statistics over {norm.shares}")
            for norm in found
            if not norm.needs_batch
        ),
    )


def statistics(norm: str, shape: tuple[int, int, int, int], groups: int = 1, what: str = "means") -> Answer:
    """How many means a norm takes of [N, C, H, W], or over how many values it takes each ("values")."""
    index = ("means", "values").index(what)
    found = tensors.sets(tensors.NORMS[norm], shape, groups)
    others = {
        name: tensors.sets(each, shape, groups)[index]
        for name, each in tensors.NORMS.items()
        if name in ("Batch", "Layer", "Instance", "Group") and name != norm
    }
    count, each = found
    total = f"{' · '.join(map(str, shape))} = {math.prod(shape):,} values in {count:,} sets of {each:,}"
    slips = tuple(Slip(value, f"is what {name.lower()} norm takes") for name, value in others.items())
    return Answer(found[index], total, slips)


_STATE = {
    (True, True): "All of it",
    (True, False): "γ and β",
    (False, True): "The running mean and variance",
    (False, False): "Nothing",
}


def moved_when_frozen() -> Answer:
    """What a forward pass in train mode changes in a batch norm whose parameters are frozen, tried out."""
    norm = nn.BatchNorm1d(3).requires_grad_(False).train()
    before = copy.deepcopy(norm.state_dict())
    norm(torch.arange(12.0).reshape(4, 3))
    moved = {name for name, value in norm.state_dict().items() if not torch.equal(value, before[name])}
    right = _STATE[bool(moved & {"weight", "bias"}), bool(moved & {"running_mean", "running_var"})]
    wrong = {
        _STATE[True, True]: "takes frozen parameters for trained ones",
        _STATE[True, False]: "confuses what is learned with what is counted",
        _STATE[False, False]: "takes frozen for evaluation mode",
    }
    return Answer(
        right,
        f"One pass over one layer changed {', '.join(sorted(moved))}",
        tuple(Slip(text, mistake) for text, mistake in wrong.items()),
    )
