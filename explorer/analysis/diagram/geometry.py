"""Boxes and lines of text in pixels, for everything that is laid out here and painted elsewhere."""

from __future__ import annotations

import math
from dataclasses import dataclass

# Advance widths in em, on the generous side for the sans-serif faces in use: no label leaves its box.
_NARROW, _WIDE = frozenset("iljtfrI.,:;'|!()[]/ \u00a0-"), frozenset("mwMWGOQ@%+")
_BOLD = frozenset({"name", "times", "value", "third", "skip"})  # styles of text set in bold


@dataclass(frozen=True)
class Box:
    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    def overlaps(self, other: Box, slack: float = 0.01) -> bool:
        return (
            self.x + self.width > other.x + slack
            and other.x + other.width > self.x + slack
            and self.y + self.height > other.y + slack
            and other.y + other.height > self.y + slack
        )

    def contains(self, other: Box, slack: float = 0.01) -> bool:
        return (
            other.x >= self.x - slack
            and other.y >= self.y - slack
            and other.x + other.width <= self.x + self.width + slack
            and other.y + other.height <= self.y + self.height + slack
        )


@dataclass(frozen=True)
class Label:
    """One line of text; x and y are where its baseline begins, ends or has its middle (`anchor`)."""

    text: str
    x: float
    y: float
    size: float
    style: str
    anchor: str = "start"

    @property
    def box(self) -> Box:
        width = text_width(self.text, self.size, bold=self.style in _BOLD)
        left = {"start": self.x, "middle": self.x - width / 2, "end": self.x - width}[self.anchor]
        return Box(left, self.y - 0.78 * self.size, width, self.size)


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Width of a line in pixels, estimated high: the browser's own font is not known here."""
    em = sum(
        0.34 if sign in _NARROW else 0.92 if sign in _WIDE else 0.68 if sign.isupper() else 0.55
        for sign in text
    )
    return em * size * (1.05 if bold else 1.0)


def fit(text: str, width: float, size: float, *, bold: bool = False) -> str:
    """`text`, or its beginning and end around an ellipsis where it is too long for `width` pixels."""
    text = " ".join(text.split())
    if text_width(text, size, bold=bold) <= width:
        return text
    for kept in range(len(text) - 1, 1, -1):
        shorter = text[: math.ceil(kept / 2)] + "…" + text[len(text) - kept // 2 :]
        if text_width(shorter, size, bold=bold) <= width:
            return shorter
    return "…"
