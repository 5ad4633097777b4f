"""Answers about stacks of windows: how far they see, what they weigh, which pixels count most."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from explorer.labs.quiz.values import Answer, Slip, number
from explorer.labs.receptive_field import window_stack


def stack_field(stack: str) -> Answer:
    """Pixels along a side that the top of a stack sees; windows written "7s2,3s2", "3d2"."""
    windows = window_stack.parse(stack)
    right = window_stack.field_size(windows)
    jumps = [window_stack.jump(windows[:index]) for index in range(len(windows))]
    parts = " + ".join(
        f"{w.dilation} · ({w.kernel} − 1) · {jump}" for w, jump in zip(windows, jumps, strict=True)
    )
    undilated = [window_stack.Window(w.kernel, w.stride) for w in windows]
    unstrided = [window_stack.Window(w.kernel, 1, w.dilation) for w in windows]
    return Answer(
        right,
        f"1 + {parts} = {right}, each layer as dilation · (kernel − 1) · strides before it",
        (
            Slip(window_stack.field_size(undilated), "forgets the dilation"),
            Slip(window_stack.field_size(unstrided), "forgets the strides before a layer"),
            Slip(sum(w.kernel for w in windows), "adds whole kernels, which overlap"),
            Slip(right - 1, "forgets the unit's own pixel"),
            Slip(math.prod(w.kernel for w in windows), "multiplies the kernels"),
        ),
    )


def stack_saving(layers: int, kernel: int = 3) -> Answer:
    """Per cent of weights that a stack saves against one window that sees as far."""
    stack = [window_stack.Window(kernel)] * layers
    one = window_stack.field_size(stack)
    held, whole = window_stack.weights(stack, 1), window_stack.weights([window_stack.Window(one)], 1)
    right = 100 * (1 - held / whole)
    shorter = stack[:-1] if layers > 2 else [*stack, stack[0]]
    other = window_stack.weights(shorter, 1) / window_stack.field_size(shorter) ** 2
    return Answer(
        right,
        f"1 − {held} C² / {whole} C² = {number(right)} %",
        (
            Slip(100 * held / whole, "is what is left"),
            Slip(100 * (1 - other), f"is what {len(shorter)} layers save"),
            Slip(100 * (1 - layers * kernel / one**2), "counts k, not k², in the stack"),
            Slip(100 * (1 - kernel / one), "compares sides, not areas"),
        ),
    )


def unmoved_field(windows: Sequence[str]) -> Answer:
    """The window after which a unit sees no further than before. windows: as `stack_field` has them."""
    before = window_stack.parse("3")
    names = {text: _window_name(window_stack.parse(text)[0]) for text in windows}
    after = {text: window_stack.field_size((*before, *window_stack.parse(text))) for text in windows}
    reach = window_stack.field_size(before)
    right = next(text for text, size in after.items() if size == reach)
    told = "; ".join(f"{names[text]}: {reach} → {size} pixels" for text, size in after.items())
    slips = tuple(
        Slip(names[text], f"sees {size - reach} pixels more") for text, size in after.items() if size > reach
    )
    return Answer(names[right], f"After a 3×3, {told}", slips)


def _window_name(window: window_stack.Window) -> str:
    further = f", dilation {window.dilation}" if window.dilation > 1 else ""
    stride = f", stride {window.stride}" if window.stride > 1 else ""
    return f"{window.kernel}×{window.kernel}{stride}{further}"


def middle_against_edge(layers: int, kernel: int = 3) -> Answer:
    """How many times more ways lead to a unit from its field's middle pixel than from a corner pixel."""
    ways = np.ones(1, dtype=int)
    for _ in range(layers):
        ways = np.convolve(ways, np.ones(kernel, dtype=int))
    right = int(ways.max() ** 2)
    return Answer(
        right,
        f"along one axis {', '.join(map(str, ways))}; in the middle {ways.max()} · {ways.max()} = {right}, "
        "in a corner 1 · 1",
        (
            Slip(1, "lets all pixels of the field count alike"),
            Slip(int(ways.max()), "counts one axis; a picture has two"),
            Slip(kernel ** (2 * layers), "counts all the ways there are"),
        ),
    )
