"""Where the stops of the timeline lie: time axis, lanes, labels, lineage; pure geometry.

Each family has a lane, in the order in which the families appeared, so the lanes descend like stairs from the
upper left to the lower right. The years before 2010 are compressed, and the axis says so.

Units are pixels of a drawing that the browser scales to its column as a whole, type included.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from explorer import catalogue
from explorer.ui.volumes.layout import Box, text_width

FIRST_YEAR, BREAK_YEAR, LAST_YEAR = 1995, 2010, 2023
NAME, IDEA, SMALL = 13.5, 11.5, 11.0  # type sizes
DOT, RUNG_DOT, METHOD_DOT = 5.0, 7.5, 3.0
LINE_HEIGHT = 1.18
LANE_GAP, ROW_GAP, COLUMN_GAP, BAND_PAD = 6.0, 3.0, 9.0, 3.0
GUTTER = 92.0  # left of the axis: the labels of the lanes that begin with it
PAST_SHARE = 0.17  # of the width, for the compressed years

# A size or an edition behind the name of the idea: the card and the Architecture page give it in full.
_EDITION = re.compile(r" (\(.*|\d[\dx.]*d?|Large|Tiny)$")

# Hand-made features end where networks begin: below the first network lane they leave room to the right.
LANES = ("plain", "handcrafted", *(f for f in catalogue.FAMILIES if f not in {"plain", "handcrafted"}))


@dataclass(frozen=True)
class Line:
    """One line of text; (x, y) is where its baseline begins, has its middle or ends (`anchor`)."""

    text: str
    x: float
    y: float
    size: float
    anchor: str = "start"
    bold: bool = False

    @property
    def box(self) -> Box:
        width = line_width(self.text, self.size, bold=self.bold)
        left = {"start": self.x, "middle": self.x - width / 2, "end": self.x - width}[self.anchor]
        return Box(left, self.y - 0.8 * self.size, width, 1.05 * self.size)

    def moved(self, down: float) -> Line:
        return replace(self, y=self.y + down)


@dataclass(frozen=True)
class Stop:
    """A mark and its lines of text."""

    id: str
    family: str
    x: float
    y: float
    radius: float
    lines: tuple[Line, ...]

    @property
    def box(self) -> Box:
        dot = Box(self.x - self.radius, self.y - self.radius, 2 * self.radius, 2 * self.radius)
        return hull([dot, *(line.box for line in self.lines)])

    def moved(self, down: float) -> Stop:
        return replace(self, y=self.y + down, lines=tuple(line.moved(down) for line in self.lines))


@dataclass(frozen=True)
class Lane:
    """A family's stops; `band` is the tinted ground behind them, the label stands left of it."""

    family: str
    label: tuple[Line, ...]
    band: Box
    stops: tuple[Stop, ...]

    @property
    def box(self) -> Box:
        return hull([self.band, *(line.box for line in self.label)])

    def moved(self, down: float) -> Lane:
        return Lane(
            self.family,
            tuple(line.moved(down) for line in self.label),
            replace(self.band, y=self.band.y + down),
            tuple(stop.moved(down) for stop in self.stops),
        )


@dataclass(frozen=True)
class Link:
    """A descent as one cubic curve: start, two control points, end."""

    ancestor: str
    descendant: str
    points: tuple[tuple[float, float], ...]


def line_width(text: str, size: float, *, bold: bool = False) -> float:
    """Width in Source Sans, which Streamlit bundles and the drawing uses; a browser test compares."""
    return 0.9 * text_width(text, size, bold=bold)


def short_name(name: str) -> str:
    """ "GoogLeNet (Inception v1)" -> "GoogLeNet", "ShuffleNet V1 1x (g = 3)" -> "ShuffleNet V1"."""
    shorter = _EDITION.sub("", name)
    return shorter if shorter == name else short_name(shorter)


def hull(boxes: Iterable[Box]) -> Box:
    """The smallest box around all of `boxes`."""
    boxes = list(boxes)
    left, top = min(box.x for box in boxes), min(box.y for box in boxes)
    right, bottom = max(box.x + box.width for box in boxes), max(box.y + box.height for box in boxes)
    return Box(left, top, right - left, bottom - top)


def x_of(year: float, width: float) -> float:
    """Where a year stands: one scale up to 2010, a wider one from there on."""
    turn = GUTTER + PAST_SHARE * width
    if year <= BREAK_YEAR:
        return GUTTER + (year - FIRST_YEAR) / (BREAK_YEAR - FIRST_YEAR) * (turn - GUTTER)
    last = width - line_width("ConvNeXt V2", NAME) - 3 * RUNG_DOT
    return turn + (year - BREAK_YEAR) / (LAST_YEAR - BREAK_YEAR) * (last - turn)


def stop(architecture: catalogue.Architecture, rung: catalogue.Rung | None, width: float) -> Stop:
    """A stop at height 0: its name, and on the ladder its idea in short."""
    radius = RUNG_DOT if rung else DOT
    names = textwrap.wrap(short_name(architecture.name), 22)
    x = x_of(architecture.year, width)
    room = (width - x) / (0.52 * IDEA)  # characters up to the right edge
    ideas = textwrap.wrap(rung.idea, int(min(30, room))) if rung else []
    return _marked(architecture.id, architecture.family, x, radius, names, ideas, NAME)


def method(made: catalogue.HandcraftedMethod, width: float) -> Stop:
    """A step of the hand-made pipeline at height 0: a small mark, because it is no network."""
    return _marked(made.id, "handcrafted", x_of(made.year, width), METHOD_DOT, [made.name], (), SMALL)


def lanes(stops: Sequence[Stop]) -> tuple[Lane, ...]:
    """Stops packed into lanes, and the lanes set so that none begins above the one before it."""
    placed: list[Lane] = []
    for family in LANES:
        members = [each for each in stops if each.family == family]
        if members:
            lane = _lane(family, members)
            start = placed[-1].box.y if placed else 0.0
            lane = lane.moved(start - lane.box.y)
            placed.append(lane.moved(_lowest_free(lane.box, [other.box for other in placed], 0.0, LANE_GAP)))
    return tuple(placed)


def links(stops: Sequence[Stop], ancestors: Mapping[str, Sequence[str]]) -> tuple[Link, ...]:
    """A curve from each drawn ancestor to its descendant."""
    by_id = {each.id: each for each in stops}
    return tuple(
        Link(name, each.id, _descent(by_id[name], each))
        for each in stops
        for name in ancestors.get(each.id, ())
        if name in by_id
    )


def _marked(
    identifier: str,
    family: str,
    x: float,
    radius: float,
    names: Sequence[str],
    ideas: Sequence[str],
    size: float,
) -> Stop:
    left, baseline = x + radius + 4, 0.34 * size
    lines = [
        Line(name, left, baseline + row * LINE_HEIGHT * size, size, bold=bool(ideas))
        for row, name in enumerate(names)
    ]
    below = lines[-1].y
    lines += [
        Line(idea, left, below + (row + 1) * LINE_HEIGHT * IDEA, IDEA) for row, idea in enumerate(ideas)
    ]
    return Stop(identifier, family, x, 0.0, radius, tuple(lines))


def _lane(family: str, members: Sequence[Stop]) -> Lane:
    placed: list[Stop] = []
    for each in sorted(members, key=lambda one: (one.x, -one.radius)):
        down = _lowest_free(each.box, [other.box for other in placed], COLUMN_GAP, ROW_GAP)
        placed.append(each.moved(down))
    inner = hull(each.box for each in placed)
    band = Box(inner.x - 5, inner.y - BAND_PAD, inner.width + 10, inner.height + 2 * BAND_PAD)
    words = textwrap.wrap(catalogue.FAMILIES[family].name, 12)
    label = tuple(
        Line(word, band.x - 8, placed[0].y + 0.34 * SMALL + row * LINE_HEIGHT * SMALL, SMALL, "end")
        for row, word in enumerate(words)
    )
    return Lane(family, label, band, tuple(placed))


def _lowest_free(box: Box, taken: Sequence[Box], beside: float, below: float) -> float:
    """How far `box` must move down to be clear of all `taken`, with room around them."""
    grown = [Box(t.x - beside, t.y - below, t.width + 2 * beside, t.height + 2 * below) for t in taken]
    for down in sorted({0.0, *(t.y + t.height - box.y for t in grown)}):
        moved = replace(box, y=box.y + down)
        if down >= 0 and not any(moved.overlaps(t) for t in grown):
            return down
    raise AssertionError("below everything taken there is always room")


def _descent(one: Stop, other: Stop) -> tuple[tuple[float, float], ...]:
    """From below the ancestor to the left of the descendant.

    In the same year a bow to the left; at the same height a shallow bow below both.
    """
    rise = other.y - one.y
    if other.x == one.x:
        left = one.x - one.radius - 14
        return (
            (one.x - one.radius, one.y),
            (left, one.y),
            (left, other.y),
            (other.x - other.radius, other.y),
        )
    if abs(rise) < 18:
        low = max(one.y + one.radius, other.y + other.radius)
        return ((one.x, one.y + one.radius), (one.x + 8, low + 22), (other.x - 8, low + 22),
                (other.x, other.y + other.radius))  # fmt: skip
    below = one.radius if rise > 0 else -one.radius
    reach = max(16.0, 0.55 * (other.x - one.x))
    return (
        (one.x, one.y + below),
        (one.x, one.y + 0.62 * rise),
        (other.x - reach, other.y),
        (other.x - other.radius, other.y),
    )
