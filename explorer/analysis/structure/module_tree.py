"""The module tree with the operations hung into it: from single layers to the blocks that an architecture
repeats.

A block is found by structure, not by name. The tree is opened from the root: containers always, and whatever
consists of a chain of like parts (a stage of blocks). What is not opened is a unit: a residual block, an
inception module, or a single layer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from explorer.analysis.graph.operations import Op, Trace

CONTAINERS = frozenset({"Sequential", "ModuleList", "ModuleDict"})
Path = tuple[str, ...]


@dataclass(frozen=True)
class Unit:
    """One block or single layer.

    parent: the path of what was opened to find it. ops: its own, and the loose ones that follow. exits: those
    of its own operations that somebody outside reads, in the order of execution.
    """

    path: Path
    parent: Path
    block: str
    ops: tuple[Op, ...]
    exits: tuple[Op, ...]
    weighted: int


class ModuleTree:
    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.ops: dict[Path, list[Op]] = defaultdict(list)
        self.children: dict[Path, list[Path]] = defaultdict(list)
        self.readers: dict[str, list[str]] = defaultdict(list)
        for op in trace.ops:
            for source in op.inputs:
                self.readers[source].append(op.id)
            for depth in range(len(op.path) + 1):
                self.ops[op.path[:depth]].append(op)
                if depth and op.path[:depth] not in self.children[op.path[: depth - 1]]:
                    self.children[op.path[: depth - 1]].append(op.path[:depth])
        self.weights = {path: sum(op.weighted for op in ops) for path, ops in self.ops.items()}

    def block_class(self, path: Path) -> str:
        return self.trace.modules.get(".".join(path), "")

    def is_container(self, path: Path) -> bool:
        return self.block_class(path) in CONTAINERS

    def units(self) -> tuple[Unit, ...]:
        """Every operation in exactly one unit, in the order of execution."""
        found: list[tuple[Path, Path]] = []
        self._open((), (), found)
        order = {op.id: i for i, op in enumerate(self.trace.ops)}
        found.sort(key=lambda pair: order[self.ops[pair[0]][0].id])
        home = {path: i for i, (path, _) in enumerate(found)}
        held: list[list[Op]] = [[] for _ in found]
        current = 0
        for op in self.trace.ops:
            own = next((home[op.path[:d]] for d in range(len(op.path), -1, -1) if op.path[:d] in home), None)
            current = current if own is None else own
            if held:
                held[current].append(op)
        return tuple(
            Unit(path, parent, self.block_class(path), tuple(ops), self._exits(path), self.weights[path])
            for (path, parent), ops in zip(found, held, strict=True)
            if ops
        )

    def _exits(self, path: Path) -> tuple[Op, ...]:
        own = [op for op in self.ops[path] if not op.static]
        inside = {op.id for op in own}
        return tuple(op for op in own if any(reader not in inside for reader in self.readers[op.id])) or (
            own[-1],
        )

    def _open(self, path: Path, parent: Path, found: list[tuple[Path, Path]]) -> None:
        """Collect the units at and below a path."""
        if not self.weights[path]:
            return
        if path == () or (self.is_container(path) and not self._is_row(path)):
            for child in self.children[path]:
                self._open(child, path, found)
            return
        parts = [] if self._one_of_many(path) else self._parts(path)
        if not parts:
            found.append((path, parent))
            return
        # Parts that work on the same grid are blocks, and closed; parts on different ones are stages.
        blocks = len({self._grid(p) for p in parts}) == 1
        for part in self._flat(path):
            if blocks and part in parts:
                found.append((part, path))
            else:
                self._open(part, path, found)

    def _is_row(self, path: Path) -> bool:
        """A block written as a bare Sequential: it stands among siblings of the very same make, and holds
        only layers."""
        if not self.is_container(path) or not path or self.weights[path] < 2:
            return False
        if any(self.weights[p] > 1 for p in self.children[path]):
            return False
        siblings = [p for p in self.children[path[:-1]] if self._make(p) == self._make(path)]
        return len(siblings) > 1

    def _make(self, path: Path) -> tuple[str, ...]:
        return tuple(f"{'.'.join(op.path[len(path) :])} {op.kind}" for op in self.ops[path])

    def _flat(self, path: Path) -> list[Path]:
        """What a module is made of, containers left out."""
        parts = []
        for child in self.children[path]:
            parts += self._flat(child) if self.is_container(child) and not self._is_row(child) else [child]
        return parts

    def _siblings(self, path: Path) -> list[Path]:
        """Modules of the same class beside it, itself included."""
        return [p for p in self.children[path[:-1]] if self.block_class(p) == self.block_class(path)]

    def _one_of_many(self, path: Path) -> bool:
        """Stages change the grid; three of a kind on one grid are blocks, whatever they are made of."""
        return sum(self._grid(p) == self._grid(path) for p in self._siblings(path)) > 2

    def _parts(self, path: Path) -> list[Path]:
        """The blocks inside; also the only one of a stage whose sister stages have more."""
        parts = self._repeated(path)
        if not parts and any(self._repeated(p) for p in self._siblings(path)):
            parts = [p for p in self._flat(path) if self.weights[p] > 1]
        return parts

    def _repeated(self, path: Path) -> list[Path]:
        """The parts of several layers each, if some of one class form a chain; else []."""
        if not self.children[path] or self.is_container(path):
            return []
        if any(op.weighted and op.path == path for op in self.ops[path]):
            return []
        parts = [p for p in self._flat(path) if self.weights[p] > 1]
        chains = [
            [p for p in parts if self.block_class(p) == name] for name in {self.block_class(p) for p in parts}
        ]
        return parts if any(len(chain) > 1 and self._chained(path, chain) for chain in chains) else []

    def _chained(self, path: Path, parts: Sequence[Path]) -> bool:
        within = {op.id for op in self.ops[path]}
        of_part = [{op.id for op in self.ops[p]} for p in parts]
        feeds: dict[str, set[int]] = {}
        for op in self.ops[path]:
            reached = set().union(*(feeds.get(i, set()) for i in op.inputs if i in within))
            reached |= {n for n, ids in enumerate(of_part) if any(i in ids for i in op.inputs)}
            feeds[op.id] = reached
        return all(any(n in feeds[i] for i in of_part[n + 1]) for n in range(len(parts) - 1))

    def _grid(self, path: Path) -> tuple[int, ...]:
        """Enough of the output's shape to tell one grid from another: tokens, or height and width."""
        shape = self.ops[path][-1].output_shape
        return shape[2:] if len(shape) == 4 else shape[1:-1]
