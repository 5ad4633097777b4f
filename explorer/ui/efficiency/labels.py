"""Where the names in the efficiency chart stand: beside their dots, never on another name or a named dot.

The server does not know how wide the visitor's chart is. Positions are found for the narrowest window that
shows all names, and hold in the widest one too; narrower windows show those that still have room there.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

_LETTER, _LINE = 0.53, 1.25  # width of a letter and height of a line, as shares of the type's size
_GAP = 3.0  # pixels between a dot and its name
# Centres of a name from the centre of its dot, in the steps that just bring it beside and above the dot.
_CLOSE = np.array([(1, 0), (-1, 0), (0, 1), (0, -1), (1, 0.7), (-1, 0.7), (1, -0.7), (-1, -0.7)])
_FAR = np.array(
    [
        (side * right, way * up)
        for up in np.arange(2, 13, 0.5)
        for right in (0.5, 1, 1.6, 2.2, 3)
        for side in (1, -1)
        for way in (1, -1)
    ]
)


@dataclass(frozen=True)
class Plot:
    """The area between the axes in pixels, in windows of at least `window` pixels across."""

    window: int
    width: float
    height: float


WIDEST = Plot(1920, 1750, 520)
ROOMY = Plot(1200, 1030, 320)
# Of a presentation, in the pixels from which it enlarges: of the smallest type, of larger ones.
PRESENTED = (Plot(0, 800, 230), Plot(0, 1100, 300))
NARROWER = (Plot(760, 590, 320), Plot(0, 195, 320))


@dataclass(frozen=True)
class Label:
    """right, up: centre of the name from the centre of its dot, in pixels; size: of its type. far: so far
    that a line must join them. hidden: the plots, of NARROWER, in which it has no room.
    """

    text: str
    right: float
    up: float
    size: float
    far: bool
    hidden: tuple[Plot, ...] = ()

    @property
    def half(self) -> np.ndarray:
        return _half(self.text, self.size)


def _half(text: str, size: float) -> np.ndarray:
    """Half of the width and height of a name, in pixels."""
    return np.array([_LETTER * size * len(text), _LINE * size]) / 2


def laid_out(
    names: Mapping[int, str],
    at: Mapping[int, tuple[float, float]],
    radius: float,
    size: float,
    spare: Sequence[int] = (),
    plots: Sequence[Plot] = (ROOMY, WIDEST),
) -> dict[int, Label]:
    """Dot -> its label, for those that have room. names: by dot, the most important first. at: shares of the
    plot's width and height where each dot that stays uncovered stands, from the lower left corner. radius: of
    a dot; size: of the type; both in pixels. spare: dots whose name stands close by or not at all.
    plots: in which all names have room.
    """
    found: dict[int, Label] = {}
    taken = {plot: _dots(at, radius, plot) for plot in plots}
    for dot, text in names.items():
        half = _half(text, size)
        steps = _CLOSE if dot in spare else np.concatenate([_CLOSE, _FAR])
        moves = steps * np.add(half, (radius + _GAP, radius))
        free = np.ones(len(moves), bool)
        for plot, boxes in taken.items():
            others = [box for other, box in boxes.items() if other != dot]
            free &= _free(_boxes(at[dot], moves, half, plot), others, plot)
        if free.any():
            first = int(np.argmax(free))
            right, up = moves[first].tolist()
            found[dot] = Label(text, right, up, size, first >= len(_CLOSE))
            for plot, boxes in taken.items():
                boxes[text, dot] = _boxes(at[dot], moves[first], half, plot)
    for plot in NARROWER:
        found |= _hidden(found, at, radius, plot)
    return found


def _hidden(
    labels: Mapping[int, Label], at: Mapping[int, tuple[float, float]], radius: float, plot: Plot
) -> dict[int, Label]:
    """Those of the labels that have no room in the plot, said so; the first ones have it first."""
    taken, found = _dots(at, radius, plot), {}
    for dot, label in labels.items():
        box = _boxes(at[dot], np.array([label.right, label.up]), label.half, plot)
        if _free(box[None], [each for other, each in taken.items() if other != dot], plot).all():
            taken[label.text, dot] = box
        else:
            found[dot] = replace(label, hidden=(*label.hidden, plot))
    return found


def _dots(at: Mapping[int, tuple[float, float]], radius: float, plot: Plot) -> dict[Hashable, np.ndarray]:
    return {dot: _boxes(place, np.zeros(2), np.full(2, radius), plot) for dot, place in at.items()}


def _boxes(at: tuple[float, float], moves: np.ndarray, half: np.ndarray, plot: Plot) -> np.ndarray:
    """[..., 4]: left, bottom, right, top, in pixels, of boxes moved from `at`. moves: [..., 2]"""
    centres = np.array(at) * [plot.width, plot.height] + moves
    return np.concatenate([centres - half, centres + half], axis=-1)


def _free(boxes: np.ndarray, others: Sequence[np.ndarray], plot: Plot) -> np.ndarray:
    """bool [n]: those of the boxes [n, 4] that lie in the plot and touch none of the others."""
    left, bottom, right, top = boxes.T
    inside = (left >= 0) & (bottom >= 0) & (right <= plot.width) & (top <= plot.height)
    taken = np.array(others).reshape(-1, 4)
    meets = (boxes[:, None, :2] < taken[None, :, 2:]) & (taken[None, :, :2] < boxes[:, None, 2:])
    touched = np.all(meets, axis=2)
    return np.asarray(inside & ~np.any(touched, axis=1))
