"""A stack of windows built by hand: how far its top unit sees, which pixels it reads, what it weighs.

Simonyan and Zisserman 2015, section 2.3, https://arxiv.org/abs/1409.1556: two 3x3 see like one 5x5 and three
like one 7x7, with 18 C2 weights in place of 25 C2 and 27 C2 in place of 49 C2.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

MOST, WIDEST = 12, 400  # layers, pixels: more cannot be drawn
KERNELS, STRIDES, DILATIONS = (1, 3, 5, 7, 9, 11), (1, 2, 4), (1, 2, 3, 4)
_WINDOW = re.compile(r"(\d{1,2})(?:s(\d))?(?:d(\d))?")


@dataclass(frozen=True)
class Window:
    """A square convolution; in a link "3", "3s2" with stride 2, "3d2" with dilation 2."""

    kernel: int
    stride: int = 1
    dilation: int = 1

    def __str__(self) -> str:
        stride = f"s{self.stride}" if self.stride > 1 else ""
        return f"{self.kernel}{stride}" + (f"d{self.dilation}" if self.dilation > 1 else "")


def parse(text: str) -> tuple[Window, ...]:
    """ "3,3s2,3d2" -> windows, first layer first. Raises ValueError for anything else."""
    found = [_WINDOW.fullmatch(part.strip()) for part in text.split(",")]
    windows = tuple(Window(*(int(n or 1) for n in match.groups())) for match in found if match)
    allowed = all(w.kernel in KERNELS and w.stride in STRIDES and w.dilation in DILATIONS for w in windows)
    if len(windows) != len(found) or not allowed or len(windows) > MOST:
        raise ValueError(f"{text[:60]!r} is no stack; write up to {MOST} windows like 3,3s2,3d2")
    if field_size(windows) > WIDEST:
        raise ValueError(f"{text[:60]!r} sees {field_size(windows)} pixels; up to {WIDEST} can be drawn")
    return windows


def field_size(stack: Sequence[Window]) -> int:
    """r = 1 + sum over layers of d (k - 1) x product of the strides before (Araujo et al. 2019, eq. 2)."""
    size, jump = 1, 1
    for window in stack:
        size += window.dilation * (window.kernel - 1) * jump
        jump *= window.stride
    return size


def weights(stack: Sequence[Window], channels: int) -> int:
    """k x k x C x C for each layer, C channels in and out, biases left out."""
    return sum(window.kernel**2 * channels**2 for window in stack)


def jump(stack: Sequence[Window]) -> int:
    """Pixels between the fields of two neighbouring top units."""
    product = 1
    for window in stack:
        product *= window.stride
    return product


def read_places(stack: Sequence[Window]) -> tuple[tuple[int, ...], ...]:
    """Places along one axis that the unit 0 of the top reads, from the image (first) to the top (last).

    Each in units of its own layer, counted from the middle of the field.
    """
    places: list[tuple[int, ...]] = [(0,)]
    for window in reversed(stack):
        reach = window.kernel // 2
        taps = [window.dilation * tap for tap in range(-reach, reach + 1)]
        places.append(tuple(sorted({window.stride * place + tap for place in places[-1] for tap in taps})))
    return tuple(reversed(places))


def gaps(stack: Sequence[Window]) -> int:
    """Pixels along one axis inside the field that the unit does not read: the holes of dilated stacks."""
    return field_size(stack) - len(read_places(stack)[0])
