"""The whole timeline as one scene, in one coordinate system.

The lanes descend like stairs. The room under them holds the error curve, on the very same time axis, and the
card that explains the stop under the pointer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from explorer import catalogue
from explorer.ui import timeline_layout as layout
from explorer.ui.diagram_layout import Box
from explorer.ui.timeline_layout import BREAK_YEAR, LAST_YEAR, SMALL, Lane, Line, Link, Stop, hull, x_of

AXIS_HEIGHT, CURVE_HEIGHT, CARD_HEIGHT, GAP = 22.0, 168.0, 250.0, 16.0
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


def scene(width: float) -> Scene:
    """Everything in its place for a drawing `width` pixels wide."""
    story = catalogue.timeline()
    rungs = {rung.architecture: rung for rung in story.ladder}
    milestones = catalogue.milestones()
    stops = [layout.stop(each, rungs.get(each.id), width) for each in milestones]
    stops += [layout.method(each, width) for each in story.handcrafted]
    lanes = layout.lanes(stops)
    drawn = [each for lane in lanes for each in lane.stops]
    axis_y, curve_box, card = _under_the_stairs([lane.box for lane in lanes], width)
    return Scene(
        width=width,
        height=axis_y + AXIS_HEIGHT,
        lanes=lanes,
        links=layout.links(drawn, {each.id: each.came_from for each in milestones}),
        curve=_curve(story, curve_box, width),
        axis=_axis(axis_y, width),
        card=card,
    )


def _under_the_stairs(taken: Sequence[Box], width: float) -> tuple[float, Box, Box]:
    """Height of the axis, the room of the error curve, the room of the card."""
    last_year = max(entry.year for entry in catalogue.timeline().ilsvrc)
    left, right = x_of(BREAK_YEAR, width) - 44, x_of(last_year, width) + 30
    curve_top = _bottom_over(taken, left, right) + GAP
    card_top = _bottom_over(taken, 0, left - GAP) + GAP
    axis_y = max(curve_top + CURVE_HEIGHT, card_top + CARD_HEIGHT, _bottom_over(taken, 0, width) + GAP / 2)
    return (
        axis_y,
        Box(left, axis_y - CURVE_HEIGHT, right - left, CURVE_HEIGHT),
        Box(0, card_top, left - GAP, axis_y - card_top - GAP / 2),
    )


def _bottom_over(boxes: Sequence[Box], left: float, right: float) -> float:
    return max((b.y + b.height for b in boxes if b.x < right and b.x + b.width > left), default=0.0)


def _curve(story: catalogue.Timeline, box: Box, width: float) -> Curve:
    floor, ceiling = box.y + box.height - 4, box.y + 48

    def height(error: float) -> float:
        return floor - error / MOST_ERROR * (floor - ceiling)

    human = height(story.human.value)
    points = tuple(
        _point(entry, x_of(entry.year, width), height(entry.top5_error.value), human) for entry in story.ilsvrc
    )
    return Curve(
        box,
        points,
        human,
        (
            Line("ImageNet challenge: top-5 error of the winner", box.x, box.y + 10, SMALL + 1, bold=True),
            Line(f"Human level {story.human.value:g} %", box.x, human - 5, SMALL),
        ),
    )


def _point(entry: catalogue.IlsvrcEntry, x: float, y: float, human: float) -> Point:
    """Value and name above the mark; above the line of the human level too, where the mark is near it."""
    low = min(y - 9, human - 5) if y > human - 16 else y - 9
    value = Line(f"{entry.top5_error.value:g} %", x, low - 13, SMALL + 1, "middle", bold=True)
    name = Line(entry.name.split(" (")[0], x, low, SMALL, "middle")
    return Point(entry, x, y, (value, name))


def _axis(y: float, width: float) -> Axis:
    years = [FIRST_NETWORK, *range(BREAK_YEAR, LAST_YEAR + 1)]
    turn = (x_of(FIRST_NETWORK, width) + x_of(BREAK_YEAR, width)) / 2
    return Axis(
        y,
        tuple(Line(str(year), x_of(year, width), y + 15, SMALL + 1, "middle") for year in years),
        turn,
        Line("compressed scale", turn, y + 15, SMALL, "middle"),
    )
