"""Where the units of a frame lie across the flow: the main way is a straight line, the rest beside it.

The way through the largest tensors and most operations runs straight. What is left without it falls into
connected parts. Parts that are equals of the piece of the main way beside them (the branches of Inception)
make a fan around the line; any other is laid out in the same manner by itself and then moved as near to the
main way as what already lies there allows: skips on the one side, later branches on the other, shorter ones
nearer. A part is rigid, so that every lane is straight, and the figure has the line, the arcs and the rows
that one would draw by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from explorer.analysis.diagram.layers import Grid

_DEEPEST = 40  # parts of parts; beyond it each unit is placed by itself
_GATE = 1 / 8  # a branch whose tensors are smaller than this part of the main ones steers, it does not carry


@dataclass
class _Block:
    """Units with their place across the flow, and what they take up in each layer from `first` on."""

    at: dict[int, float]
    first: int
    top: list[float]
    bottom: list[float]


@dataclass
class _Part:
    """A connected part beside the main way: where it leaves that way and where it comes back."""

    units: Sequence[int]
    leaves: set[int]
    returns: set[int]
    order: int
    first: int
    last: int
    carries: float  # the largest result of its items, 0 for bare lanes
    skip: bool


def across(grid: Grid) -> list[float]:
    """For every unit the distance of its line from the main way's, in pixels, nothing overlapping."""
    block = _Arranger(grid).arrange(range(len(grid.layer)), 0)
    return [block.at[unit] for unit in range(len(grid.layer))]


class _Arranger:
    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.items = len(grid.items)

    def arrange(self, units: Sequence[int], depth: int) -> _Block:
        grid = self.grid
        layers = [grid.layer[unit] for unit in units]
        first = min(layers)
        empty = [0.0] * (max(layers) - first + 1)
        block = _Block({}, first, empty, empty.copy())
        way = [] if depth > _DEEPEST else self._main_way(units)
        parts = self._parts(units, way)
        fanned = self._fans(block, way, parts, depth)
        for unit in way:
            if unit not in block.at:
                block.at[unit] = 0.0
                here = grid.layer[unit] - first
                block.top[here], block.bottom[here] = -grid.before[unit], grid.after[unit]
        above = [part for part in parts if id(part) not in fanned and self._above(part, way)]
        below = [part for part in parts if id(part) not in fanned and not self._above(part, way)]
        for part in sorted(above, key=lambda part: (part.last - part.first, -part.order)):
            self._beside(block, self._laid_out(part, depth), -1)
        for part in sorted(below, key=lambda part: (part.last - part.first, part.order)):
            self._beside(block, self._laid_out(part, depth), 1)
        return block

    def _laid_out(self, part: _Part, depth: int) -> _Block:
        if len(part.units) == 1:
            (unit,) = part.units
            return _Block({unit: 0.0}, part.first, [-self.grid.before[unit]], [self.grid.after[unit]])
        return self.arrange(part.units, depth + 1)

    def _main_way(self, units: Sequence[int]) -> list[int]:
        """The chain of neighbours that gains most; of equals the longer, then the earlier one."""
        grid = self.grid
        score: dict[int, float] = {}
        came: dict[int, int | None] = {}
        best: tuple[float, int, int] | None = None
        end = -1
        for unit in sorted(units, key=lambda unit: (grid.layer[unit], grid.order[unit], unit)):
            most, before = 0.0, None
            for other, gain in grid.earlier[unit].items():
                if other in score and (before is None or score[other] + gain > most):
                    most, before = score[other] + gain, other
            score[unit], came[unit] = most + grid.gain[unit], before
            rank = (round(score[unit], 9), grid.layer[unit], -grid.order[unit])
            if best is None or rank > best:
                best, end = rank, unit
        way: list[int] = []
        here: int | None = end
        while here is not None:
            way.append(here)
            here = came[here]
        return way[::-1]

    def _parts(self, units: Sequence[int], way: Sequence[int]) -> list[_Part]:
        """What hangs together without the main way; beyond the deepest level every unit by itself."""
        left = set(units).difference(way)
        main = set(way)
        parts = []
        for start in units:
            if start not in left:
                continue
            left.discard(start)
            found = [start]
            leaves: set[int] = set()
            returns: set[int] = set()
            for unit in found:
                for others, ends in ((self.grid.earlier[unit], leaves), (self.grid.later[unit], returns)):
                    for other in others:
                        if other in left and way:
                            left.discard(other)
                            found.append(other)
                        elif other in main:
                            ends.add(other)
            parts.append(self._part(found, leaves, returns))
        return parts

    def _part(self, units: Sequence[int], leaves: set[int], returns: set[int]) -> _Part:
        grid = self.grid
        items = [unit for unit in units if unit < self.items and not grid.items[unit].side]
        layers = [grid.layer[unit] for unit in units]
        return _Part(
            units,
            leaves,
            returns,
            min(grid.order[unit] for unit in items or units),
            min(layers),
            max(layers),
            max((grid.gain[unit] for unit in items), default=0.0),
            any((one, unit) in grid.skips for unit in units for one in grid.earlier[unit])
            or any((unit, other) in grid.skips for unit in units for other in grid.later[unit]),
        )

    def _fans(self, block: _Block, way: Sequence[int], parts: Sequence[_Part], depth: int) -> set[int]:
        """Lays out the pieces of the main way that have equals beside them; ids of the parts so placed."""
        grid = self.grid
        groups: dict[tuple[int, int], list[_Part]] = {}
        for part in parts:
            if len(part.leaves) == len(part.returns) == 1 and part.carries and not part.skip:
                ends = (min(part.leaves), min(part.returns))
                groups.setdefault(ends, []).append(part)
        touched = {end for part in parts for end in part.leaves | part.returns}
        placed: set[int] = set()
        for (fork, join), group in groups.items():
            start = grid.layer[fork] - grid.layer[way[0]] + 1
            inner = way[start : start + grid.layer[join] - grid.layer[fork] - 1]
            if touched.intersection(inner) or not any(unit < self.items for unit in inner):
                continue
            piece = self._part(inner, {fork}, {join})
            equals = [part for part in group if self._equals(part, piece)]
            if equals and not piece.skip:
                self._fan(block, [piece, *equals], depth)
                placed.update(id(part) for part in equals)
        return placed

    def _equals(self, part: _Part, piece: _Part) -> bool:
        inside = piece.first <= part.first and part.last <= piece.last
        return inside and _GATE <= part.carries / piece.carries <= 1 / _GATE

    def _fan(self, block: _Block, parts: Sequence[_Part], depth: int) -> None:
        """Stacks parts in the order of execution, the middle of the stack on the line."""
        first = parts[0].first - block.first
        span = range(first, first + parts[0].last - parts[0].first + 1)
        stack = _Block({}, parts[0].first, [0.0] * len(span), [0.0] * len(span))
        rows = [self._laid_out(part, depth) for part in sorted(parts, key=lambda part: part.order)]
        middle = median([self._beside(stack, row, 1) for row in rows])
        block.at.update({unit: at - middle for unit, at in stack.at.items()})
        for n, top, bottom in zip(span, stack.top, stack.bottom, strict=True):
            block.top[n], block.bottom[n] = top - middle, bottom - middle

    def _above(self, part: _Part, way: Sequence[int]) -> bool:
        """Skips and bare lanes lie above, branches in the order of execution."""
        if part.skip or not part.carries:
            return True
        grid = self.grid
        beside = [grid.order[unit] for unit in way if part.first <= grid.layer[unit] <= part.last]
        return bool(beside) and part.order < min(beside)

    def _beside(self, block: _Block, part: _Block, side: int) -> float:
        """Moves a part as near as it can lie, widening the block where it reaches further; its new line."""
        start = part.first - block.first
        span = range(start, start + len(part.top))
        if span.stop > len(block.top) or start < 0:
            raise ValueError("a part reaches beyond the layers of its block")
        if side < 0:
            line = min(block.top[n] - part.bottom[n - start] for n in span)
        else:
            line = max(block.bottom[n] - part.top[n - start] for n in span)
        for n in span:
            block.top[n] = min(block.top[n], line + part.top[n - start])
            block.bottom[n] = max(block.bottom[n], line + part.bottom[n - start])
        for unit, at in part.at.items():
            block.at[unit] = line + at
        return line
