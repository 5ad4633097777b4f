"""One frame of the diagram in pixels: its layers along the flow, its items across, the ways between them.

Items lie inside the band of their layer. A line runs straight through the bands, beside the items, and turns
only in the gap between two bands, where no item is: that is why no line crosses a box.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from explorer.analysis.diagram.edge_routing import across
from explorer.analysis.diagram.layers import LANE, Grid, Item, Link, grid

GAP, WIDEST_GAP = 20.0, 72.0  # between two layers; the steeper the lines in it, the wider
MARGIN = 10.0  # between the border of a box and what is in it
_STEEPNESS = 0.25  # how much wider the gap, for each pixel that a line moves across
_OUT, _IN = 3.0, 14.0  # straight pieces where a line leaves a band and where its head meets an item
_SPREAD = 12.0  # between two lines that end at one item
_TURN = 8.0  # length of the turn into and out of a loop

Point = tuple[float, float]  # along the flow, across it


@dataclass(frozen=True)
class Doors:
    """Where tensors pass the border of an open box, across the flow, from the line of the box."""

    entries: Mapping[str, float]
    exits: Mapping[str, float]


@dataclass(frozen=True)
class Bounds:
    """What a frame must leave free or reach, in pixels.

    start: a strip before the first layer that only straight lines cross. head: a strip at the upper edge
    that nothing enters. entries_from: all entries lie further across than this. length, breadth: at least.
    """

    start: float = 0.0
    head: float = 0.0
    entries_from: float = 0.0
    length: float = 0.0
    breadth: float = 0.0


@dataclass
class Frame:
    """Distances are from the frame's corner where the flow starts; `line` is where the main way runs."""

    grid: Grid
    doors: Mapping[int, Doors]  # of the open boxes among the items
    line: float
    lanes: list[float]  # across, for every unit
    starts: list[float]  # of the layers' bands, along
    bands: list[float]  # their lengths
    length: float
    breadth: float
    arrivals: Mapping[Link, float]  # where a line meets its target, across
    loops: Mapping[Link, float]  # where the lines run that run back, across

    @property
    def own_doors(self) -> Doors:
        ports = [(item, self.lanes[n] - self.line) for n, item in enumerate(self.grid.items) if item.side]
        return Doors(
            {item.id: at for item, at in ports if item.side < 0},
            {item.id: at for item, at in ports if item.side > 0},
        )

    def corner(self, number: int) -> Point:
        """Where an item begins along and across."""
        item = self.grid.items[number]
        at = self.grid.layer[number]
        spare = self.bands[at] - item.length
        return self.starts[at] + spare * (1 + item.side) / 2, self.lanes[number] - item.before + item.space

    def way(self, link: Link) -> list[Point]:
        """The line of a link, from the edge of its source to the edge of its target."""
        grid = self.grid
        at = _departure(self.lanes, self.doors, link)
        begin = self.corner(link.source)[0] + grid.items[link.source].length
        if link in self.loops:
            return self._loop(link, (begin, at))
        units = grid.way(link)
        points = [(begin, at)]
        for one, other in pairwise(units):
            goal = self.arrivals[link] if other == link.target else self.lanes[other]
            if goal != at:
                here = grid.layer[one]
                leave, meet = self.starts[here] + self.bands[here], self.starts[here + 1]
                stub = _IN if other == link.target and grid.items[other].side == 0 else 0.0
                points += [(leave + _OUT, at), (meet - stub, goal)]
                at = goal
        return [*points, (self.corner(link.target)[0], at)]

    def _loop(self, link: Link, begin: Point) -> list[Point]:
        """Back beyond all items, turning in the gap behind its source and in the one before its target."""
        here = self.grid.layer[link.source]
        leave, meet = (
            self.starts[here] + self.bands[here] + _OUT,
            self.starts[self.grid.layer[link.target]] - _IN,
        )
        lane, goal = self.loops[link], self.arrivals[link]
        turns = [(leave, begin[1]), (leave + _TURN, lane), (meet - _TURN, lane), (meet, goal)]
        return [begin, *turns, (self.corner(link.target)[0], goal)]

    def longest_slot(self, link: Link) -> tuple[float, Point]:
        """Length and middle of the longest straight piece of a link beside other items; (0, ...) for none."""
        best = (0.0, (0.0, 0.0))
        slots = self.grid.way(link)[1:-1]
        begin = 0
        for n, slot in enumerate(slots):
            if self.lanes[slot] != self.lanes[slots[begin]]:
                begin = n
            start, last = self.starts[self.grid.layer[slots[begin]]], self.grid.layer[slot]
            end = self.starts[last] + self.bands[last]
            if end - start > best[0]:
                best = end - start, ((start + end) / 2, self.lanes[slot])
        return best


def frame(
    items: Sequence[Item],
    links: Sequence[Link],
    doors: Mapping[int, Doors],
    label: Callable[[str], tuple[float, float]],
    bounds: Bounds,
) -> Frame:
    """Lays out one frame. label: as in `layers.grid`."""
    made = grid(items, links, label)
    lanes = across(made)
    line = bounds.head + MARGIN - min((at - before for at, before in zip(lanes, made.before, strict=True)))
    entries = [at for at, item in zip(lanes, items, strict=False) if item.side < 0]
    if entries:
        line = max(line, bounds.entries_from - min(entries))
    lanes = [at + line for at in lanes]
    bottom = max(at + after for at, after in zip(lanes, made.after, strict=True))
    loops = {link: bottom + LANE * (2 * n + 1) for n, link in enumerate(made.loops)}
    bottom += 2 * LANE * len(loops)
    arrivals = _arrivals(made, lanes, links, doors)
    starts, bands, length = _bands(made, _gaps(made, lanes, arrivals, doors), bounds)
    breadth = max(bottom + MARGIN, bounds.breadth)
    return Frame(made, doors, line, lanes, starts, bands, length, breadth, arrivals, loops)


def _departure(lanes: Sequence[float], doors: Mapping[int, Doors], link: Link) -> float:
    lane = lanes[link.source]
    return lane + doors[link.source].exits[link.tensor] if link.source in doors else lane


def _arrivals(
    grid: Grid, lanes: Sequence[float], links: Sequence[Link], doors: Mapping[int, Doors]
) -> dict[Link, float]:
    """At an open box lines meet its entries, at a port the port; at a closed item they spread over its edge,
    the one that comes straight in the middle."""
    found: dict[Link, float] = {}
    closed: dict[int, list[tuple[float, Link]]] = {}
    for link in links:
        lane = lanes[link.target]
        if link.target in doors:
            found[link] = lane + doors[link.target].entries[link.tensor]
        elif grid.items[link.target].side:
            found[link] = lane
        else:
            closed.setdefault(link.target, []).append((_before(grid, lanes, doors, link), link))
    for target, lines in closed.items():
        lane, item = lanes[target], grid.items[target]
        lines.sort(key=lambda line: (line[0], line[1].source, line[1].tensor))
        straight = next((n for n, (at, _) in enumerate(lines) if abs(at - lane) < 0.01), None)
        middle = (len(lines) - 1) / 2 if straight is None else float(straight)
        most = max(middle, len(lines) - 1 - middle, 1.0)
        step = min(_SPREAD, max(0.0, min(item.before, item.after) - item.space - 6.0) / most)
        for n, (_, link) in enumerate(lines):
            found[link] = lane + (n - middle) * step
    return found


def _before(grid: Grid, lanes: Sequence[float], doors: Mapping[int, Doors], link: Link) -> float:
    """Where a line runs in the layer before its target."""
    if link in grid.loops:
        return math.inf
    unit = grid.way(link)[-2]
    return _departure(lanes, doors, link) if unit == link.source else lanes[unit]


def _gaps(
    grid: Grid, lanes: Sequence[float], arrivals: Mapping[Link, float], doors: Mapping[int, Doors]
) -> list[float]:
    """Widths of the gaps behind the layers."""
    moves = [0.0] * (max(grid.layer) + 1)
    for link, goal in arrivals.items():
        if link in grid.loops:
            continue
        here = grid.layer[link.target] - 1
        moves[here] = max(moves[here], abs(goal - _before(grid, lanes, doors, link)))
        if slots := grid.slots.get((link.source, link.tensor)):
            here = grid.layer[link.source]
            moves[here] = max(moves[here], abs(lanes[slots[0]] - _departure(lanes, doors, link)))
    for slots in grid.slots.values():
        for one, other in pairwise(slots):
            here = grid.layer[one]
            moves[here] = max(moves[here], abs(lanes[one] - lanes[other]))
    return [min(GAP + _STEEPNESS * move, WIDEST_GAP) for move in moves]


def _bands(grid: Grid, gaps: Sequence[float], bounds: Bounds) -> tuple[list[float], list[float], float]:
    """Starts and lengths of the layers' bands, and the length of the whole; what it lacks to the least
    length goes to both ends."""
    bands = [0.0] * len(gaps)
    for layer, length in zip(grid.layer, grid.length, strict=True):
        bands[layer] = max(bands[layer], length)
    entered = any(item.side < 0 for item in grid.items)
    left = any(item.side > 0 for item in grid.items)
    if entered:
        bands[0] = bounds.start
    margin = MARGIN + (_OUT + _TURN + _IN if grid.loops else 0.0)
    at = 0.0 if entered else bounds.start + margin
    starts = []
    for band, gap in zip(bands, gaps, strict=True):
        starts.append(at)
        at += band + gap
    length = starts[-1] + bands[-1] + (0.0 if left else margin)
    lacking = max(0.0, bounds.length - length)
    starts = [start + (lacking / 2 if n or not entered else 0.0) for n, start in enumerate(starts)]
    if left:
        starts[-1] += lacking / 2
    return starts, bands, length + lacking
