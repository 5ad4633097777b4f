"""The whole timeline as one scene, in one coordinate system.

The lanes descend like stairs. The room under them holds the error curve, on the very same time axis, and the
card that explains the stop under the pointer.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from explorer import catalogue
from explorer.ui.timeline import layout
from explorer.ui.timeline.layout import BREAK_YEAR, LAST_YEAR, SMALL, Lane, Line, Link, Stop, hull, x_of
from explorer.ui.volumes.layout import Box

AXIS_HEIGHT, CARD_HEIGHT, GAP = 19.0, 230.0, 16.0
CURVE_HEIGHTS = range(280, 140, -10)  # the first that keeps clear of the lanes is taken
MOST_ERROR = 30.0  # per cent at the top of the curve's scale
FIRST_NETWORK = 1998


@dataclass(frozen=True)
class Point:
    """One year's winner on the error curve, with its value and its name."""

    entry: catalogue.IlsvrcEntry
    x: float
    y: float
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Curve:
    """Top-5 error by year; `texts` are its title and the name of the human level."""

    box: Box
    points: tuple[Point, ...]
    human_y: float
    texts: tuple[Line, ...]

    def text_boxes(self) -> list[Box]:
        return [line.box for line in (*self.texts, *(line for point in self.points for line in point.lines))]


@dataclass(frozen=True)
class Axis:
    """The years along the bottom; `turn` is where the scale changes."""

    y: float
    years: tuple[Line, ...]
    turn: float
    note: Line


@dataclass(frozen=True)
class Scene:
    width: float
    height: float
    lanes: tuple[Lane, ...]
    links: tuple[Link, ...]
    curve: Curve
    axis: Axis
    card: Box

    @property
    def stops(self) -> tuple[Stop, ...]:
        return tuple(each for lane in self.lanes for each in lane.stops)

    def text_boxes(self) -> list[tuple[str, Box]]:
        """Every text and every mark with its text, named: no two of these may overlap."""
        texts = [(f"stop {each.id}", each.box) for each in self.stops]
        texts += [(f"lane {lane.family}", hull(line.box for line in lane.label)) for lane in self.lanes]
        curve = [*self.curve.texts, *(line for point in self.curve.points for line in point.lines)]
        texts += [(f"curve {line.text}", line.box) for line in curve]
        texts += [(f"axis {line.text}", line.box) for line in (*self.axis.years, self.axis.note)]
        return [*texts, ("card", self.card)]


def scene(width: float, *, ladder: bool = False) -> Scene:
    """Everything in its place for a drawing `width` pixels wide.

    ladder: its rungs alone, which fit on a screen in type for the last row of a room.
    """
    story = catalogue.timeline()
    rungs = {rung.architecture: rung for rung in story.ladder}
    milestones = [each for each in catalogue.milestones() if not ladder or each.id in rungs]
    stops = [layout.stop(each, rungs.get(each.id), width) for each in milestones]
    if not ladder:
        stops += [layout.method(each, width) for each in story.handcrafted]
    lanes = layout.lanes(stops)
    taken = [lane.box for lane in lanes]
    card_right = x_of(BREAK_YEAR, width) - 44 - GAP
    card_top = _bottom(taken, card_right) + GAP
    axis_y = max(_bottom(taken, width) + GAP / 2, card_top + CARD_HEIGHT)
    return Scene(
        width=width,
        height=axis_y + AXIS_HEIGHT,
        lanes=lanes,
        links=layout.links(
            [each for lane in lanes for each in lane.stops], {each.id: each.came_from for each in milestones}
        ),
        curve=_largest_curve(story, taken, axis_y, width, named=not ladder),
        axis=_axis(axis_y, width),
        card=Box(0, card_top, card_right, axis_y - card_top - GAP / 2),
    )


def _bottom(boxes: Sequence[Box], right: float) -> float:
    """How far down the boxes reach that begin left of `right`."""
    return max(box.y + box.height for box in boxes if box.x < right)


def _largest_curve(
    story: catalogue.Timeline, taken: Sequence[Box], axis_y: float, width: float, *, named: bool
) -> Curve:
    """The error curve as high as the stairs of the lanes allow: it falls as they do."""
    left, right = x_of(BREAK_YEAR, width) - 44, x_of(story.ilsvrc[-1].year, width) + 30
    curves = [
        _curve(story, Box(left, axis_y - h, right - left, h), width, named=named) for h in CURVE_HEIGHTS
    ]
    clear = (curve for curve in curves if not any(b.overlaps(t) for b in curve.text_boxes() for t in taken))
    return next(clear, curves[-1])


def _curve(story: catalogue.Timeline, box: Box, width: float, *, named: bool) -> Curve:
    """named: the winners' names stand above their marks, which needs wide years."""
    floor, top = box.y + box.height - 4, box.y + 48

    def height(error: float) -> float:
        return floor - error / MOST_ERROR * (floor - top)

    human = height(story.human.value)
    year = x_of(BREAK_YEAR + 1, width) - x_of(BREAK_YEAR, width)
    points = tuple(
        _point(entry, x_of(entry.year, width), height(entry.top5_error.value), human, year if named else 0.0)
        for entry in story.ilsvrc
    )
    return Curve(
        box,
        points,
        human,
        (
            Line("ImageNet winners: top-5 error, %", box.x, box.y + 10, SMALL + 1, bold=True),
            Line(f"Human level {story.human.value:g} %", box.x, human - 5, SMALL),
        ),
    )


def _point(entry: catalogue.IlsvrcEntry, x: float, y: float, human: float, room: float) -> Point:
    """Value and name above the mark and right of it, where the falling curve does not come; above the line of
    the human level too, where the mark is near it.

    room: to the next year; a longer name takes two lines, and without any there is no name.
    """
    low = min(y - 9, human - 5) if y > human - 16 else y - 9
    name = entry.name.split(" (")[0]
    names = textwrap.wrap(name, max(10, int(room / (0.48 * SMALL)))) if room else []
    tops = [low - 13 * (len(names) - 1 - row) for row in range(len(names))]
    value = Line(f"{entry.top5_error.value:g}", x, tops[0] - 13 if tops else low, SMALL + 1, bold=True)
    lines = (Line(name, x, top, SMALL) for name, top in zip(names, tops, strict=True))
    return Point(entry, x, y, (value, *lines))


def _axis(y: float, width: float) -> Axis:
    years = [FIRST_NETWORK, *range(BREAK_YEAR, LAST_YEAR + 1)]
    turn = (x_of(FIRST_NETWORK, width) + x_of(BREAK_YEAR, width)) / 2
    return Axis(
        y,
        tuple(Line(str(year), x_of(year, width), y + 15, SMALL + 1, "middle") for year in years),
        turn,
        Line("compressed", turn, y + 15, SMALL, "middle"),
    )
