"""The ways through a network: what lies behind an operation, which layer reads which, what is jumped over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property

from explorer.analysis.graph.operations import Op
from explorer.analysis.structure.hierarchy import Hierarchy


def union(sets: Iterable[int]) -> int:
    whole = 0
    for one in sets:
        whole |= one
    return whole


class Ways:
    """What several rules ask of a trace. "Local" is what still has positions in the image."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        self.trace = hierarchy.trace
        self.ops = hierarchy.ops
        self.live = [op for op in self.trace.ops if not op.static]
        self.local = {
            op.id for op in self.live if op.id in hierarchy.fields and hierarchy.fields[op.id].local
        }
        self.skips = hierarchy.skips

    @cached_property
    def number(self) -> Mapping[str, int]:
        return {op.id: n for n, op in enumerate(self.trace.ops)}

    @cached_property
    def behind(self) -> Mapping[str, int]:
        """An operation and all it depends on, as bits."""
        found: dict[str, int] = {}
        for op in self.trace.ops:
            found[op.id] = 1 << self.number[op.id]
            for source in op.inputs:
                found[op.id] |= found[source]
        return found

    def named(self, bits: int) -> list[Op]:
        """The operations of a set of bits, in order, without tables that no image touches."""
        found = []
        while bits:
            op = self.trace.ops[(bits & -bits).bit_length() - 1]
            bits &= bits - 1
            if not op.static:
                found.append(op)
        return found

    def inputs(self, op: Op) -> list[Op]:
        return [self.ops[i] for i in op.inputs if not self.ops[i].static]

    @cached_property
    def layers(self) -> list[Op]:
        """Weighted operations on positions: gates and classifiers are not among them."""
        return [op for op in self.live if op.weighted and op.id in self.local]

    @cached_property
    def before(self) -> Mapping[str, Op]:
        """Layer -> the layer whose result it alone reads, through norms, activations, pooling and gates, but
        not past a place where ways part or meet."""
        carried: dict[str, Op | None] = {}
        found: dict[str, Op] = {}
        uses: Counter[str] = Counter()
        for op in self.live:
            sources = {i.id: carried[i.id] for i in self.inputs(op) if i.id in self.local}
            one = {source.id if source is not None else "" for source in sources.values()}
            source = next(iter(sources.values())) if len(one) == 1 and op.kind != "attention" else None
            is_layer = op.weighted and op.id in self.local
            if is_layer and source is not None:
                found[op.id] = source
            if is_layer or source is None:
                uses.update(one)
            carried[op.id] = op if is_layer else source
        return {op: source for op, source in found.items() if uses[source.id] == 1}

    @cached_property
    def jumped(self) -> list[int]:
        """For every residual addition what its main way alone goes through, as bits."""
        return [
            union(self.behind[i] for i in self.ops[merge].inputs if i != source) & ~self.behind[source]
            for (source, merge), kind in self.skips.items()
            if kind != "concat"
        ]
