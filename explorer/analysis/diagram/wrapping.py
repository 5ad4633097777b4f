"""A long picture in lines, as a text is: cut where one line of flow passes, the pieces one below another.

A network laid out from left to right is many times wider than high and could only be read in parts. It is cut
between top-level boxes only, so whatever holds of the picture (nothing overlaps, no edge touches a strange
box) holds of each line; what flows from line to line runs through the gutter between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from explorer.analysis.diagram.geometry import Box, Label
from explorer.analysis.diagram.placement import PlacedEdge, PlacedNode, Scene

ASPECT = 2.5  # width over height of the window that a picture is read in
_GUTTER = 36.0  # between two lines, for what flows from one to the next
_TURN = 24.0  # beside a line, likewise
_WORTH = 1.12  # one more line must make the picture larger by this much
_MOST_LINES = 8

Point = tuple[float, float]


@dataclass(frozen=True)
class _Line:
    """A slice of the picture from x = start to x = end, and where its origin goes."""

    start: float
    end: float
    top: float
    bottom: float
    dx: float = 0.0
    dy: float = 0.0

    def holds(self, x: float) -> bool:
        return self.start <= x < self.end


def wrapped(scene: Scene, aspect: float = ASPECT) -> Scene:
    """The scene in as many lines as show it largest in a window of this aspect; itself where one does."""
    if scene.direction != "right":
        return scene
    breaks = _breaks(scene)
    best, largest = [0.0, scene.width], min(aspect / scene.width, 1 / scene.height)
    for count in range(2, min(_MOST_LINES, len(breaks) + 1) + 1):
        cuts = _evenly(scene.width, breaks, count)
        lines = _lines(scene, cuts)
        width, height = _extent(lines)
        size = min(aspect / width, 1 / height)
        if size > largest * _WORTH:
            best, largest = cuts, size
    return _drawn(scene, _lines(scene, best)) if len(best) > 2 else scene


def _breaks(scene: Scene) -> list[float]:
    """Places between top-level boxes where all that flows across runs in one straight line."""
    spans = sorted((each.box.x, each.box.right) for each in scene.nodes if each.depth == 0)
    found = []
    reach = spans[0][1] if spans else 0.0
    for left, right in spans[1:]:
        middle = (reach + left) / 2
        if left > reach and len(_crossing(scene.edges, middle)) == 1:
            found.append(middle)
        reach = max(reach, right)
    return found


def _crossing(edges: Iterable[PlacedEdge], x: float) -> set[float]:
    """Heights at which anything crosses x; a slanting piece counts as two."""
    heights: set[float] = set()
    for edge in edges:
        for (ax, ay), (bx, by) in pairwise(edge.points):
            if min(ax, bx) <= x <= max(ax, bx):
                heights |= {ay, by}
    return heights


def _evenly(width: float, breaks: Sequence[float], count: int) -> list[float]:
    """The cuts whose longest line is shortest, with `count` lines at most."""
    low, high = width / count, width
    for _ in range(24):
        middle = (low + high) / 2
        if _greedy(width, breaks, middle, count) is None:
            low = middle
        else:
            high = middle
    return _greedy(width, breaks, high, count) or [0.0, width]


def _greedy(width: float, breaks: Sequence[float], longest: float, count: int) -> list[float] | None:
    cuts = [0.0]
    ends = [*breaks, width]
    at = 0
    while cuts[-1] < width:
        fitting = [end for end in ends[at:] if end - cuts[-1] <= longest]
        if not fitting or len(cuts) > count:
            return None
        cuts.append(fitting[-1])
        at = ends.index(fitting[-1]) + 1
    return cuts if len(cuts) <= count + 1 else None


def _lines(scene: Scene, cuts: Sequence[float]) -> list[_Line]:
    lines: list[_Line] = []
    y = 0.0
    for number, (start, end) in enumerate(pairwise(cuts)):
        boxes = [each.box for each in scene.nodes if start <= each.box.x < end]
        heights = [y for each in scene.edges for x, y in each.points if start <= x < end]
        labels = [
            each.label.box for each in scene.edges if each.label is not None and start <= each.label.x < end
        ]
        top = min([box.y for box in (*boxes, *labels)] + heights, default=0.0)
        bottom = max([box.bottom for box in (*boxes, *labels)] + heights, default=0.0)
        margin = _margin(scene)
        top, bottom = top - (margin if not number else 0.0), bottom + (margin if end == cuts[-1] else 0.0)
        left = margin + _TURN - start - (min(box.x for box in boxes) - start) if number else _TURN
        lines.append(_Line(start, end, top, bottom, left, y - top))
        y += bottom - top + _GUTTER
    return lines


def _margin(scene: Scene) -> float:
    return min((each.box.x for each in scene.nodes), default=0.0)


def _extent(lines: Sequence[_Line]) -> tuple[float, float]:
    return max(line.end + line.dx for line in lines) + _TURN, lines[-1].bottom + lines[-1].dy


def _drawn(scene: Scene, lines: Sequence[_Line]) -> Scene:
    width, height = _extent(lines)
    nodes = tuple(_moved(each, _line_of(each.box.x, lines)) for each in scene.nodes)
    edges = tuple(_routed(each, lines) for each in scene.edges)
    return Scene(width, height, scene.direction, nodes, edges)


def _line_of(x: float, lines: Sequence[_Line]) -> _Line:
    return next((line for line in lines if line.holds(x)), lines[-1])


def _moved(placed: PlacedNode, line: _Line) -> PlacedNode:
    box = placed.box
    return replace(
        placed,
        box=Box(box.x + line.dx, box.y + line.dy, box.width, box.height),
        labels=tuple(_label(each, line) for each in placed.labels),
    )


def _label(label: Label, line: _Line) -> Label:
    return replace(label, x=label.x + line.dx, y=label.y + line.dy)


def _routed(edge: PlacedEdge, lines: Sequence[_Line]) -> PlacedEdge:
    """Where it passes into the next line: out to the right, back through the gutter, in from the left."""
    points: list[Point] = []
    at = _line_of(edge.points[0][0], lines)
    for x, y in edge.points:
        home = _line_of(x, lines)
        while home is not at and lines.index(home) > lines.index(at):
            following = lines[lines.index(at) + 1]
            level = points[-1][1] - at.dy if points else y
            right, left = at.end + at.dx, following.start + following.dx
            gutter = at.bottom + at.dy + _GUTTER / 2
            below = level + following.dy
            points += [(right, level + at.dy), (right, gutter), (left, gutter), (left, below)]
            at = following
        points.append((x + home.dx, y + home.dy))
    label = edge.label
    if label is not None:
        label = _label(label, _line_of(label.x, lines))
    return replace(edge, points=tuple(points), label=label)
