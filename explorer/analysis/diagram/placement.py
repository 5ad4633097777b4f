"""Where everything of the block diagram lies, in pixels: boxes in boxes, layered along the flow.

Each open box is laid out by itself (`frame`, over `layers` and `edge_routing`) and is then one item, with
doors in its border, in the frame around it. What goes from one box to another is a chain of straight
pieces and turns through these frames, one line from end to end.

python-igraph 1.0 has a Sugiyama layout. Given the layers and slots of the 1,223 frames of nine networks (all
operations of ResNet-50, GoogLeNet, DenseNet-121, Inception V3, EfficientNet-B0, Swin-T, HRNet-W18, NASNet-A,
DLA-34) it needs as long as `edge_routing` (0.3 s against 0.3 to 0.9 s, two busy cores), crosses fewer lines
(1,702 against 3,677, most of both in DenseNet-121), but bends a third more of them (3,085 steps against
2,341), and it knows no sizes, no doors and no main way: all that makes the figure readable would stay here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Literal

from explorer.analysis.diagram import boxes
from explorer.analysis.diagram.cut import Cut, Edge
from explorer.analysis.diagram.frame import Bounds, Frame, Point, frame
from explorer.analysis.diagram.geometry import Box, Label, text_width
from explorer.analysis.diagram.layers import Item, Link
from explorer.analysis.structure.hierarchy import Node

Direction = Literal["right", "down"]

THINNEST, THICKEST = 1.2, 5.0  # pixels of a line that carries few or many elements
_FEW, _MANY = 1e2, 3e6
_LABELLED = ("identity", "projection", "pooled", "padded")  # kinds of skips that have their name on them
_LABEL_SIZE = boxes.SMALLEST
_SPACE = 8.0  # free on each side of a node, across the flow
_OUTSIDE = ""  # key of the frame that is the whole picture


@dataclass(frozen=True)
class PlacedNode:
    """depth: how many open boxes are around it, below the focus."""

    node: Node
    box: Box
    open: bool
    depth: int
    labels: tuple[Label, ...]


@dataclass(frozen=True)
class PlacedEdge:
    """points: corners of its line, from the border of its source to that of its target; every other piece
    runs along the flow, the first and the last do. width: by the logarithm of the tensor's size."""

    edge: Edge
    points: tuple[tuple[float, float], ...]
    label: Label | None
    width: float


@dataclass(frozen=True)
class Scene:
    """Open boxes stand before what is in them."""

    width: float
    height: float
    direction: str
    nodes: tuple[PlacedNode, ...]
    edges: tuple[PlacedEdge, ...]


def place(cut: Cut, direction: Direction = "right", third: Mapping[str, str] | None = None) -> Scene:
    """The picture of a cut. third: an extra line of text by node id.

    No two boxes overlap unless one is open and holds the other; no edge touches a box that is not around one
    of its ends; labels lie in their box, those of edges touch no box. Equal cuts give equal scenes.
    """
    placer = _Placer(cut, direction, third or {})
    placer.lay_out()
    width, height = placer.turned(placer.frames[_OUTSIDE].length, placer.frames[_OUTSIDE].breadth)
    return Scene(width, height, direction, tuple(placer.nodes()), tuple(placer.edges()))


def line_width(shape: tuple[int, ...]) -> float:
    part = math.log(max(prod(shape), 1) / _FEW) / math.log(_MANY / _FEW)
    return round(THINNEST + (THICKEST - THINNEST) * min(max(part, 0.0), 1.0), 2)


@dataclass
class _Inside:
    """What is in one open box: keys of its items, in order, with ports as (side, tensor); its links."""

    depth: int
    numbers: dict[tuple[int, str], int] = field(default_factory=dict)
    links: dict[tuple[str, int, int], Link] = field(default_factory=dict)

    def number(self, side: int, key: str) -> int:
        return self.numbers.setdefault((side, key), len(self.numbers))

    def join(self, edge: Edge, source: int, target: int) -> tuple[str, int, int]:
        """Edges that share a piece of their way are one link there; it is a skip if all of them are."""
        key = edge.source, source, target
        old = self.links.get(key)
        size = max(prod(edge.shape), old.size if old else 0)
        skip = edge.skip if not old or old.skip == edge.skip else ""
        self.links[key] = Link(edge.source, source, target, size, skip)
        return key


class _Placer:
    def __init__(self, cut: Cut, direction: Direction, third: Mapping[str, str]) -> None:
        self.cut = cut
        self.direction = direction
        self.third = third
        self.known: dict[str, Node] = {node.id: node for node in cut.nodes}
        self.homes: dict[str, tuple[str, ...]] = {}  # keys of the frames around a node, from the outermost
        self.insides: dict[str, _Inside] = {_OUTSIDE: _Inside(0)}
        self.order: dict[str, int] = {}
        self.hops: list[
            list[tuple[str, tuple[str, int, int]]]
        ] = []  # for each edge its links, frame by frame
        self.frames: dict[str, Frame] = {}
        self.corners: dict[str, Point] = {_OUTSIDE: (0.0, 0.0)}
        self._nest()
        for edge in cut.edges:
            self.hops.append(self._route(edge))

    def turned(self, along: float, across: float) -> tuple[float, float]:
        """(x, y) of a point along and across the flow, or the other way round."""
        return (along, across) if self.direction == "right" else (across, along)

    def _nest(self) -> None:
        hierarchy = self.cut.hierarchy
        for number, node in enumerate(self.cut.nodes):
            around = hierarchy.ancestors(node.id)
            below = around[around.index(self.cut.focus.id) + 1 :] if self.cut.focus.id in around else ()
            home = (_OUTSIDE, *below)
            self.homes[node.id] = home
            for depth, (outer, inner) in enumerate(zip(home, (*below, node.id), strict=True)):
                self.insides.setdefault(outer, _Inside(depth)).number(0, inner)
                self.order.setdefault(inner, number)
                if inner not in self.known:
                    self.known[inner] = hierarchy.by_id[inner]

    def _route(self, edge: Edge) -> list[tuple[str, tuple[str, int, int]]]:
        """Out of the boxes around the source, across the frame that holds both ends, into the target's."""
        start, end = (*self.homes[edge.source], edge.source), (*self.homes[edge.target], edge.target)
        shared = next(n for n, (one, other) in enumerate(zip(start, end, strict=False)) if one != other)
        hops = []
        for n in range(len(start) - 2, shared - 1, -1):
            inside = self.insides[start[n]]
            source, port = inside.number(0, start[n + 1]), inside.number(1, edge.source)
            hops.append((start[n], inside.join(edge, source, port)))
        inside = self.insides[start[shared - 1]]
        ends = inside.number(0, start[shared]), inside.number(0, end[shared])
        hops.append((start[shared - 1], inside.join(edge, *ends)))
        for n in range(shared, len(end) - 1):
            inside = self.insides[end[n]]
            port, target = inside.number(-1, edge.source), inside.number(0, end[n + 1])
            hops.append((end[n], inside.join(edge, port, target)))
        return hops

    def lay_out(self) -> None:
        """From the innermost boxes outwards."""
        for key, inside in sorted(self.insides.items(), key=lambda pair: -pair[1].depth):
            closed = [self.known[i] for side, i in inside.numbers if not side and i not in self.insides]
            sizes = boxes.even_sizes(closed, self.third, self.direction)
            items = [self._item(side, i, sizes) for side, i in inside.numbers]
            doors = {
                number: self.frames[i].own_doors
                for (side, i), number in inside.numbers.items()
                if not side and i in self.insides
            }
            self.frames[key] = frame(items, list(inside.links.values()), doors, self._room, self._bounds(key))
        self._corners(_OUTSIDE)

    def _item(self, side: int, key: str, sizes: Mapping[str, tuple[float, float]]) -> Item:
        order = self.order[key]
        if side:
            return Item(key, order, side=side)
        if key in self.insides:
            inner = self.frames[key]
            return Item(
                key, order, inner.length, inner.line + _SPACE, inner.breadth - inner.line + _SPACE, _SPACE
            )
        length, breadth = self.turned(*sizes[key])
        return Item(key, order, length, breadth / 2 + _SPACE, breadth / 2 + _SPACE, _SPACE)

    def _bounds(self, key: str) -> Bounds:
        if key == _OUTSIDE:
            return Bounds()
        wanted = boxes.title_width(self.known[key])
        if self.direction == "right":
            return Bounds(head=boxes.TITLE - 6.0, length=wanted + boxes.CHEVRON)
        return Bounds(start=boxes.TITLE, entries_from=wanted + 4.0, breadth=wanted + boxes.CHEVRON)

    def _room(self, skip: str) -> tuple[float, float]:
        if skip not in _LABELLED:
            return 0.0, 0.0
        width = text_width(skip, _LABEL_SIZE, bold=True) + 8.0
        return (width, 14.0) if self.direction == "right" else (14.0, width)

    def _corners(self, key: str) -> None:
        """Corners of all frames, outer ones first."""
        for (side, i), number in self.insides[key].numbers.items():
            if not side and i in self.insides:
                along, across = self.frames[key].corner(number)
                self.corners[i] = self.corners[key][0] + along, self.corners[key][1] + across
                self._corners(i)

    def nodes(self, key: str = _OUTSIDE) -> Iterator[PlacedNode]:
        laid, inside = self.frames[key], self.insides[key]
        for (side, i), number in inside.numbers.items():
            if side:
                continue
            item, (along, across) = laid.grid.items[number], laid.corner(number)
            x, y = self.turned(self.corners[key][0] + along, self.corners[key][1] + across)
            width, height = self.turned(item.length, item.before + item.after - 2 * item.space)
            box, node = Box(x, y, width, height), self.known[i]
            third = self.third.get(i, "")
            if i in self.insides:
                free = min((box.width, *self._entries(i))) if self.direction == "down" else box.width
                yield PlacedNode(node, box, True, inside.depth, boxes.title(node, box, free, third))
                yield from self.nodes(i)
            else:
                yield PlacedNode(node, box, False, inside.depth, boxes.labels(node, box, third))

    def _entries(self, key: str) -> Iterator[float]:
        laid = self.frames[key]
        for number, item in enumerate(laid.grid.items):
            if item.side < 0:
                yield laid.lanes[number]

    def edges(self) -> Iterator[PlacedEdge]:
        named: set[tuple[str, Link]] = set()
        for edge, hops in zip(self.cut.edges, self.hops, strict=True):
            points: list[Point] = []
            best: tuple[float, Point, tuple[str, Link]] | None = None
            for key, name in hops:
                laid, link = self.frames[key], self.insides[key].links[name]
                along, across = self.corners[key]
                points += [(along + a, across + b) for a, b in laid.way(link)]
                if link in laid.grid.labelled and (key, link) not in named:
                    length, middle = laid.longest_slot(link)
                    if length > self._room(link.skip)[0] - 0.1 and (best is None or length > best[0]):
                        best = length, (along + middle[0], across + middle[1]), (key, link)
            label = None
            if best:
                named.add(best[2])
                label = self._label(edge.skip, best[1])
            corners = tuple(self.turned(*point) for point in _corners_only(points))
            yield PlacedEdge(edge, corners, label, line_width(edge.shape))

    def _label(self, text: str, middle: Point) -> Label:
        x, y = self.turned(*middle)
        if self.direction == "right":
            return Label(text, x, y - 5.0, _LABEL_SIZE, "skip", "middle")
        return Label(text, x - 6.0, y + 3.5, _LABEL_SIZE, "skip", "end")


def _corners_only(points: list[Point]) -> list[Point]:
    """Without points in the middle of a straight piece along the flow, nor twice the same."""
    kept: list[Point] = []
    for point in points:
        if kept and math.dist(kept[-1], point) < 0.01:
            continue
        if len(kept) > 1 and abs(kept[-2][1] - kept[-1][1]) < 0.01 and abs(kept[-1][1] - point[1]) < 0.01:
            kept[-1] = point
        else:
            kept.append(point)
    return kept
