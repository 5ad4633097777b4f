"""Which layers stand for a network when the picture is shown on its way through it."""

from __future__ import annotations

import weakref
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from torch import nn

from explorer.analysis import Op, ReceptiveField, Stage, Trace, receptive_fields, stages, trace_module
from explorer.analysis.structure.module_tree import ModuleTree
from explorer.inference.spatial import SpatialLayer, spatial_layers
from explorer.networks import Network
from explorer.networks.entries import first_sentence
from explorer.networks.running import CannotRun

PICTURE = -1  # among the sources of a column: the picture itself
_FEW = 4  # columns: a network that has fewer is shown by the blocks of its longest stage
_ENOUGH = 6  # blocks which are then taken out of the row, evenly


@dataclass(frozen=True)
class Column:
    """A part of the network, shown by what it hands on.

    stage: its name, as in `Stage`. unit: path of the block, "" for the whole stage. layer: whose output is
    shown. block, repeats: class and number of the blocks in it. inside: what `columns` is to be given to see
    the parts, "" where there are none. macs, macs_share: of it, and from 0 to 1 of the network. field: what
    one cell sees of the picture; None where the trace loses sight of it. sources: the columns before it, by
    their place, from which values come without passing through another; PICTURE among them.
    """

    stage: str
    unit: str
    layer: SpatialLayer
    block: str
    repeats: int
    inside: str
    macs: int
    macs_share: float
    field: ReceptiveField | None
    sources: tuple[int, ...] = ()


_routes: weakref.WeakKeyDictionary[nn.Module, _Route] = weakref.WeakKeyDictionary()


def columns(network: Network, opened: str = "") -> tuple[Column, ...]:
    """The stages in the order of the pass; of an opened one its blocks, of an opened block its layers.

    opened: `inside` of a column; what the network does not have counts as "". Raises ValueError where no
    layer has a place in the picture, CannotRun where the network cannot be traced.
    """
    route = _routes.get(network.model)
    if route is None:
        layers = spatial_layers(network.model, network.input.shape)
        route = _routes[network.model] = _Route(_traced(network), tuple(layers.by_path.values()))
    return route.columns(opened)


def _traced(network: Network) -> Trace:
    """Of the very modules that are loaded, which a file of weights may have changed."""
    try:
        return trace_module(network.model, (1, *network.input.shape), network.weights.id)
    except Exception as error:  # whatever the network's own code raises without values
        raise CannotRun(f"{network.weights.id} cannot be traced: {first_sentence(error)}.") from error


class _Route:
    """A network's parts, and what each hands on. layers: in the order they finish."""

    def __init__(self, traced: Trace, layers: Sequence[SpatialLayer]) -> None:
        self._ops = traced.by_id()
        self._macs = max(1, traced.macs)
        self._fields = receptive_fields(traced)
        self._layers = layers
        self._stages = stages(traced, self._fields)
        self._units = {".".join(unit.path): unit for unit in ModuleTree(traced).units()}
        self._by_path: dict[str, list[Op]] = {}
        for op in traced.ops:
            for depth in range(1, len(op.path) + 1):
                if not op.static:
                    self._by_path.setdefault(".".join(op.path[:depth]), []).append(op)
        self._known: dict[str, tuple[Column, ...]] = {}

    def columns(self, opened: str) -> tuple[Column, ...]:
        names = {stage.name for stage in self._stages} | set(self._units)
        opened = opened if opened in names else ""
        if opened not in self._known:
            self._known[opened] = self._joined(list(self._parts(opened)))
        return self._known[opened]

    def _parts(self, opened: str) -> Iterator[Column]:
        whole = {stage.name: list(self._stage(stage)) for stage in self._stages}
        blocks = {stage.name: self._blocks(stage) for stage in self._stages}
        longest = max(whole, key=lambda name: len(blocks[name]))
        few = not opened and sum(map(len, whole.values())) < _FEW
        for stage in self._stages:
            if few and stage.name == longest and len(blocks[longest]) > 1:
                yield from _evenly(blocks[longest], _ENOUGH)
            elif opened == stage.name:
                yield from blocks[stage.name]
            elif opened in stage.units:
                for block in blocks[stage.name]:
                    yield from self._layers_of(stage, opened) if block.unit == opened else [block]
            else:
                yield from whole[stage.name]

    def _blocks(self, stage: Stage) -> Sequence[Column]:
        return [column for path in stage.units for column in self._unit(stage, path)]

    def _stage(self, stage: Stage) -> Iterator[Column]:
        ops = frozenset(stage.ops)
        layer = self._hands_on(ops, None if stage.resolution == (1, 1) else stage.resolution)
        if layer is None:
            return
        parts = self._blocks(stage)
        inside = stage.name if len(parts) > 1 else "".join(column.inside for column in parts)
        yield self._column(stage, "", layer, (stage.block, stage.repeats), inside, ops)

    def _unit(self, stage: Stage, path: str) -> Iterator[Column]:
        unit = self._units[path]
        ops = frozenset(op.id for op in unit.ops)
        own = next((layer for layer in self._layers if layer.path == path), None)
        layer = (
            own
            if own and unit.weighted > 1
            else self._hands_on(ops, (own.height, own.width) if own else None)
        )
        if layer is None:
            return
        inside = path if len(self._leaves(path)) > 1 else ""
        yield self._column(stage, path, layer, (unit.block, 1), inside, ops)

    def _layers_of(self, stage: Stage, path: str) -> Iterator[Column]:
        for layer in self._leaves(path):
            ops = frozenset(op.id for op in self._by_path[layer.path])
            yield self._column(stage, path, layer, (layer.kind, 1), "", ops)

    def _leaves(self, path: str) -> Sequence[SpatialLayer]:
        inside = [
            each for each in self._layers if each.path.startswith(f"{path}.") and each.path in self._by_path
        ]
        outer = {each.path.rpartition(".")[0] for each in inside}
        return [each for each in inside if each.path not in outer]

    def _hands_on(self, ops: Collection[str], size: tuple[int, int] | None) -> SpatialLayer | None:
        """The last layer to finish that consists of these operations alone; size: (h, w) of its map, if it
        must be that. A pooling or a norm that follows the blocks is none of theirs."""
        found = [
            layer
            for layer in self._layers
            if layer.path in self._by_path
            and all(op.id in ops for op in self._by_path[layer.path])
            and size in (None, (layer.height, layer.width))
        ]
        blocks = [path for path, unit in self._units.items() if unit.weighted > 1 and unit.ops[0].id in ops]
        kin = [layer for layer in found if any(_related(layer.path, path) for path in blocks)]
        return next(reversed(kin or found), None)

    def _column(
        self,
        stage: Stage,
        unit: str,
        layer: SpatialLayer,
        made_of: tuple[str, int],
        inside: str,
        ops: Collection[str],
    ) -> Column:
        macs = sum(self._ops[op].macs for op in ops)
        field = self._fields.get(self._end(layer).id)
        seen = field if field and field.local and field.positions == (layer.height, layer.width) else None
        return Column(stage.name, unit, layer, *made_of, inside, macs, macs / self._macs, seen)

    def _end(self, layer: SpatialLayer) -> Op:
        """The operation whose result the layer gives out."""
        own = self._by_path[layer.path]
        size = (layer.height, layer.width)
        placed = [op for op in own if op.id in self._fields and self._fields[op.id].positions == size]
        return (placed or own)[-1]

    def _joined(self, row: Sequence[Column]) -> tuple[Column, ...]:
        place = {self._end(column.layer).id: at for at, column in enumerate(row)}
        return tuple(replace(column, sources=self._sources(column, place)) for column in row)

    def _sources(self, column: Column, place: Mapping[str, int]) -> tuple[int, ...]:
        waiting, met, found = list(self._end(column.layer).inputs), set[str](), set[int]()
        while waiting:
            op = self._ops[waiting.pop()]
            if op.id in met or op.static:
                continue
            met.add(op.id)
            if op.id in place:
                found.add(place[op.id])
            elif op.kind == "input":
                found.add(PICTURE)
            else:
                waiting.extend(op.inputs)
        return tuple(sorted(found))


def _related(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")


def _evenly(row: Sequence[Column], most: int) -> Iterator[Column]:
    """At most so many, the last among them."""
    count = min(most, len(row))
    yield from (row[round(len(row) * (at + 1) / count) - 1] for at in range(count))
