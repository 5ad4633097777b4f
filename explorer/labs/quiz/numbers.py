"""Answers that a few numbers give: ways through blocks, chains of slopes, the last steps to an answer."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch.nn import functional as F

from explorer.labs.gradients import paths
from explorer.labs.gradients.activations import GREATEST, chain
from explorer.labs.quiz.values import Answer, Slip, number, raised


def path_count(blocks: int) -> Answer:
    return Answer(
        paths.path_count(blocks),
        f"2 ways at each of {blocks} blocks: 2{raised(blocks)} = {paths.path_count(blocks):,}",
        (
            Slip(2 * blocks, "adds the ways, which multiply"),
            Slip(blocks**2, "squares the blocks"),
            Slip(blocks * (blocks + 1) // 2, "counts pairs, as in a dense block"),
        ),
    )


def dense_connections(layers: int) -> Answer:
    """Direct connections inside a dense block, those from its input included."""
    right = sum(range(1, layers + 1))
    return Answer(
        right,
        f"1 + 2 + … + {layers} = {layers} · {layers + 1} / 2 = {right}",
        (
            Slip(layers * (layers - 1) // 2, "leaves out the block's input"),
            Slip(layers**2, "counts each pair both ways"),
            Slip(layers, "counts one connection a layer, as in a plain stack"),
        ),
    )


def chain_of_slopes(activation: str, depth: int) -> Answer:
    """What the steepest slopes of an activation leave of a gradient of 1."""
    slope = GREATEST[activation]
    return Answer(
        chain(slope, depth),
        f"{number(slope)}{raised(depth)} = {number(chain(slope, depth))}",
        (
            Slip(slope * depth, "adds the slopes, which multiply"),
            Slip(chain(slope, depth // 2), "stops half-way"),
            Slip(slope, "looks at one of them"),
            Slip(chain(2 * slope, depth), "takes twice the slope"),
        ),
    )


def through_blocks(slope: float, blocks: int) -> Answer:
    """The gradient's factor through residual blocks y = x + F(x) with dF/dx = slope, by autograd."""
    start = torch.ones((), dtype=torch.float64, requires_grad=True)
    x = start
    for _ in range(blocks):
        x = x + slope * x
    right = float(torch.autograd.grad(x, start)[0])
    return Answer(
        right,
        f"(1 + dF/dx){raised(blocks)} = {number(1 + slope)}{raised(blocks)} = {number(right)}",
        (
            Slip(1, "takes the skip for a floor; it is one summand of two"),
            Slip((1 - slope) ** blocks, "turns the sign round"),
            Slip(slope**blocks, "forgets the skip"),
            Slip(1 + blocks * slope, "adds the blocks, which multiply"),
        ),
    )


def joined(channels: int) -> Answer:
    """Channels after adding and after concatenating two maps: shapes that torch gives."""
    a = torch.empty(1, channels, 1, 1, device="meta")
    added, concatenated = (a + a).shape[1], torch.cat([a, a], 1).shape[1]

    def words(plus: int, cat: int) -> str:
        return f"Sum {plus}, concatenation {cat}"

    return Answer(
        words(added, concatenated),
        f"{channels} + {channels} side by side = {concatenated}; added place by place still {added}",
        (
            Slip(words(concatenated, added), "swaps the two"),
            Slip(words(concatenated, concatenated), "lets a sum widen the map"),
            Slip(words(added, added), "lets a concatenation keep the width"),
        ),
    )


def compound_cost(depth: float, width: float, resolution: float, phi: int = 1) -> Answer:
    """Times the MACs when all three grow by their constants, phi times."""
    right = (depth * width**2 * resolution**2) ** phi
    return Answer(
        right,
        f"{depth} · {width}² · {resolution}² = {number(depth * width**2 * resolution**2)}"
        + (f", raised to φ: {number(right)}" if phi > 1 else ""),
        (
            Slip((depth * width * resolution) ** phi, "forgets the squares of width and resolution"),
            Slip((depth * width**2) ** phi, "leaves out the resolution: those are the parameters"),
            Slip(float(2**phi), "is the target, which the rounded constants do not quite meet"),
        ),
    )


def softmax_share(logits: Sequence[float]) -> Answer:
    """Per cent that softmax gives the first class."""
    right = 100 * float(F.softmax(torch.tensor(logits, dtype=torch.float64), 0)[0])
    powers = " + ".join(f"e^{number(each)}" for each in logits)
    return Answer(
        right,
        f"e^{number(logits[0])} / ({powers}) = {number(right)} %",
        (
            Slip(100 * logits[0] / sum(logits), "takes the logits themselves for shares"),
            Slip(100 / (1 + math.exp(-logits[0])), "is the sigmoid of the first"),
            Slip(100 * 2 ** logits[0] / sum(2**each for each in logits), "takes powers of 2"),
        ),
    )


def kept_activation(p: float) -> Answer:
    """What inverted dropout multiplies a kept activation by in training, as PyTorch does it."""
    dropped = F.dropout(torch.ones(1000, dtype=torch.float64), p, training=True)
    right = float(dropped.max())
    return Answer(
        right,
        f"1 / (1 − p) = 1 / {number(1 - p)} = {number(right)}",
        (
            Slip(1 - p, "is the old way, at test time"),
            Slip(1 + p, "adds what is missing"),
            Slip(1 / p, "divides by the share that is dropped"),
        ),
    )


def smoothed_label(epsilon: float, classes: int) -> Answer:
    """The target of the right class after label smoothing."""
    right = 1 - epsilon + epsilon / classes
    return Answer(
        right,
        f"1 − {epsilon} + {epsilon} / {classes} = {number(right)}",
        (
            Slip(1 - epsilon, "forgets that the right class gets its part of what is shared out"),
            Slip(epsilon / classes, "is the target of a wrong class"),
            Slip(1 - epsilon / classes, "takes away one class's part only"),
        ),
    )


def guessing_error(classes: int, tries: int) -> Answer:
    """Per cent of pictures on which `tries` different blind guesses miss the class."""
    right = 100 * (1 - tries / classes)
    return Answer(
        right,
        f"1 − {tries} / {classes} = {number(right)} %",
        (
            Slip(100 * (1 - 1 / classes), "allows one guess"),
            Slip(100 * tries / classes, "is how often they hit"),
            Slip(100 * (1 - 1 / tries), "takes the guesses for the classes"),
        ),
    )


def crops(scales: int, places: int, flips: int) -> Answer:
    """Forward passes of multi-crop testing."""
    right = scales * places * flips
    return Answer(
        right,
        f"{scales} · {places} · {flips} = {right}",
        (
            Slip(places * flips, "is one scale"),
            Slip(scales * places, "forgets the flips"),
            Slip(scales + places + flips, "adds what multiplies"),
        ),
    )
