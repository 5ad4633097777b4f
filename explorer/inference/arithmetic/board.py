"""A layer laid open: one forward pass keeps what its cells are made of, and any of them can then be opened.

What is laid out is computed anew in float64 from the numbers that the network had, and shown only where it
comes to the number that the network gave.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from explorer.analysis.field.propagation import ReceptiveField, receptive_fields
from explorer.analysis.graph.operations import Trace
from explorer.analysis.graph.reading import trace_module
from explorer.inference.arithmetic.changing import bias, elementwise, normalisation
from explorer.inference.arithmetic.following import Link, last_operation, links
from explorer.inference.arithmetic.gathering import GATHERING, Gather, Index, broadcast, within
from explorer.inference.arithmetic.moving import origin
from explorer.inference.arithmetic.steps import PICTURE, Attended, Given, Pooled, Step, Weighed, figure
from explorer.inference.preprocessing import prepare
from explorer.inference.spatial import SpatialLayer, spatial_layers
from explorer.inference.watching import KeptCall, calls_of, outputs_of
from explorer.networks import Network
from explorer.networks.running import device_of

TOLERANCE = 1e-4
"""How far the number laid out may be from the network's, as a share of the largest in the layer."""
_COARSE = 1e-2  # where the network computes with fewer digits: in half precision, or as GPUs do convolutions


@dataclass(frozen=True, eq=False)
class Opened:
    """One number with what made it.

    captured: as the network gave it. value: as the steps come to it. steps: in order, the last gives
    `value`. known: False where what makes it is not, or the lines found do not come to the network's number;
    then one line says so.
    field: (left, top, right, bottom) of the pixels it sees, as shares of the network's view, beyond 0 and 1
    in padding; None where it sees no part of its own. beyond: what else it depends on, or "".
    """

    layer: str
    channel: int
    row: int
    column: int
    captured: float
    value: float
    steps: tuple[Step, ...]
    known: bool
    field: tuple[float, float, float, float] | None
    beyond: str

    def to_json(self) -> dict[str, Any]:
        """The number and its lines, without the patches."""
        return {
            "layer": self.layer,
            "channel": self.channel,
            "row": self.row,
            "column": self.column,
            "captured": self.captured,
            "value": self.value,
            "known": self.known,
            "field": self.field,
            "steps": [
                {"words": step.words, "where": step.where, "formula": step.formula, "value": step.value}
                for step in self.steps
            ],
        }


@dataclass(frozen=True, eq=False)
class Board:
    """A layer of one picture, every cell of which can be opened.

    maps: float32 [C, h, w], what the layer gave out. start: id of the operation that gave it, "" where it is
    not known. links: how it is made, calls: with what numbers, both by the operations' ids. names: of the
    operations whose results they read. field: what its cells see of the picture, whose (height, width) is
    `picture`.
    """

    layer: SpatialLayer
    maps: np.ndarray
    start: str
    links: Mapping[str, Link]
    names: Mapping[str, str]
    calls: Mapping[str, KeptCall]
    field: ReceptiveField | None
    picture: tuple[int, int]
    tolerance: float = TOLERANCE

    def strongest(self) -> tuple[int, int, int]:
        """(channel, row, column) of the largest number of the map with the largest mean magnitude."""
        channel = int(np.abs(self.maps).mean(axis=(1, 2)).argmax())
        return channel, *self.strongest_of(channel)

    def strongest_of(self, channel: int) -> tuple[int, int]:
        """(row, column) of the number of the largest magnitude in a map."""
        row, column = np.unravel_index(np.abs(self.maps[channel]).argmax(), self.maps.shape[1:])
        return int(row), int(column)

    def strongest_at(self, row: int, column: int) -> tuple[int, int, int]:
        """(channel, row, column) of the number of the largest magnitude at a place."""
        return int(np.abs(self.maps[:, row, column]).argmax()), row, column

    @torch.inference_mode()
    def cell(self, channel: int, row: int, column: int) -> Opened:
        """The number of a map at a place. Raises ValueError outside of the maps."""
        for name, at, count in zip(
            ("channel", "row", "column"), (channel, row, column), self.maps.shape, strict=True
        ):
            if not 0 <= at < count:
                raise ValueError(f"{at} is not a {name} of {self.layer.path}: they go from 0 to {count - 1}")
        captured = float(self.maps[channel, row, column])
        steps = self._steps(self.layer.index(channel, row, column))
        known = bool(steps) and abs(steps[-1].value - captured) <= self.tolerance * self._scale()
        if not known:
            why = (
                f"The lines found for it come to {figure(steps[-1].value)}, so they are left out"
                if steps
                else "What makes this number is not known here, so it stands alone"
            )
            steps = [self._given(why, captured)]
        return Opened(
            layer=self.layer.path,
            channel=channel,
            row=row,
            column=column,
            captured=captured,
            value=steps[-1].value,
            steps=tuple(steps),
            known=known,
            field=self._field(row, column),
            beyond=self.field.beyond if self.field else "",
        )

    def _scale(self) -> float:
        return float(np.abs(self.maps).max()) or 1.0

    def _given(self, words: str, value: float) -> Given:
        return Given(words, self.layer.path, figure(value), value)

    def _field(self, row: int, column: int) -> tuple[float, float, float, float] | None:
        field = self.field
        if field is None or not field.local or field.positions != self.maps.shape[1:]:
            return None
        (top, bottom), (left, right) = (field.interval(axis, at) for axis, at in enumerate((row, column)))
        height, width = self.picture
        return left / width, top / height, (right + 1) / width, (bottom + 1) / height

    def _steps(self, index: Index) -> list[Step]:
        """Empty where nothing is known."""
        if self.start not in self.links:
            return []
        shape = self.links[self.start].op.output_shape
        if len(index) != len(shape):
            return []
        return self._opened(self.start, index, 0)

    def _opened(self, identifier: str, index: Index, part: int) -> list[Step]:
        """The steps to a number of an operation's result. part: of the result, if it has several."""
        link = self.links[identifier]
        op = link.op
        if op.name == "getitem":
            return self._opened(op.operands[0].source, index, op.attributes["index"])
        call = self.calls[identifier]
        if link.kind == "moves":
            return self._moved(link, call, index, part)
        if link.kind == "gathers":
            return self._gathered(link, call, index)
        place = link.main
        at = broadcast(index, op.operands[place].shape)
        if link.follows:
            before = self._opened(op.operands[place].source, at, 0)
        else:
            before = [self._taken(link, place, call.reads[place], at)]
        if not before:
            return []
        if link.kind == "normalises":
            step: Step | None = normalisation(op, call, index, before[-1].value)
        else:
            names = {n: self._name(operand.source) for n, operand in enumerate(op.operands)}
            step = elementwise(op, call, index, place, before[-1].value, names)
        return [*before, step] if step else []

    def _moved(self, link: Link, call: KeptCall, index: Index, part: int) -> list[Step]:
        found = origin(call, index, part)
        if found is None:
            return [self._given("Outside of the map: padding", float(call.arguments.get("value") or 0))]
        place, at = found
        if place in link.follows:
            return self._opened(link.op.operands[place].source, at, 0)
        return [self._taken(link, place, call.reads[place], at)]

    def _gathered(self, link: Link, call: KeptCall, index: Index) -> list[Step]:
        gather = Gather(link.op, call, (self.layer.height, self.layer.width), self.layer.prefix)
        step = GATHERING[link.op.name](gather, index)
        if step is None:
            return []
        if isinstance(step, Weighed | Pooled):
            source = self._name(self._moved_from(link.op.operands[0].source))
            step = replace(step, patch=replace(step.patch, source=source))
        if not isinstance(step, Weighed):
            return [step]
        steps: list[Step] = [*self._attention(link, call, index, step), self._padded(link, step, index)]
        added = call.arguments.get("bias")
        if added is not None:
            channel = index[1] if link.op.name == "conv2d" else index[-1]
            steps.append(bias(link.op, step.value, float(added[channel])))
        return steps

    def _moved_from(self, source: str) -> str:
        """The operation whose result this is, if only moved."""
        while source in self.links and self.links[source].kind == "moves":
            operands = self.links[source].op.operands
            if len(operands) != 1:
                break
            source = operands[0].source
        return source

    def _padded(self, link: Link, step: Weighed, index: Index) -> Weighed:
        """Places that an operation before the convolution has added count as outside too."""
        source, patch = link.op.operands[0].source, step.patch
        before = self.links.get(source)
        if patch.corner is None or before is None or before.op.name not in ("pad", "constant_pad_nd"):
            return step
        call = self.calls[source]
        pads = (*call.arguments["pad"], 0, 0)  # from the last dimension on, before and after it
        left, top = int(pads[0]), int(pads[2])
        height, width = call.reads[0].shape[-2:]
        corner = (patch.corner[0] - top, patch.corner[1] - left)
        size = (patch.inside.shape[0], patch.inside.shape[1])
        maps = None if patch.maps is None else patch.maps[:, top : top + height, left : left + width]
        inside = within(corner, size, patch.dilation, (height, width))
        return replace(step, patch=replace(patch, inside=inside, corner=corner, maps=maps))

    def _attention(self, link: Link, call: KeptCall, index: Index, step: Weighed) -> list[Step]:
        """Where attention has made the inputs: how it made the strongest of them."""
        if link.op.name != "linear":
            return []
        (strongest,) = step.strongest(1)
        source, at = link.op.operands[0].source, (*index[:-1], strongest)
        while source in self.links and (before := self.links[source]).kind == "moves":
            if before.op.name == "getitem" or (found := origin(self.calls[source], at, 0)) is None:
                return []
            place, at = found
            source = before.op.operands[place].source
        if source not in self.links or self.links[source].op.kind != "attention":
            return []
        gather = Gather(
            self.links[source].op,
            self.calls[source],
            (self.layer.height, self.layer.width),
            self.layer.prefix,
        )
        made = GATHERING[gather.op.name](gather, at)
        wanted = float(step.patch.numbers[strongest, 0, 0])
        close = (
            made is not None and abs(made.value - wanted) <= self.tolerance * np.abs(step.patch.numbers).max()
        )
        return [replace(made, aside=strongest)] if isinstance(made, Attended) and close else []

    def _taken(self, link: Link, place: int, values: Tensor, at: Index) -> Given:
        source = link.op.operands[place].source
        name = self._name(source)
        words = "A pixel, normalised" if name == PICTURE else f"Comes from {name}, which is not opened here"
        value = float(values[at])
        return Given(words, name, figure(value), value)

    def _name(self, source: str) -> str:
        """What an operand is: a parameter's name, or where the operation stands that made it."""
        return (
            source.removeprefix("param:") if source.startswith("param:") else self.names.get(source, source)
        )


def lay_open(network: Network, image: Image.Image, path: str) -> Board:
    """One forward pass; the caller has the network to itself. Raises ValueError for a path that is no layer
    with a place in the picture."""
    places = spatial_layers(network.model, network.input.shape).by_path
    if path not in places:
        raise ValueError(f"{path!r} is not a layer of {network.weights.id} with maps")
    layer = places[path]
    trace, fields = _traced(network)
    start = last_operation(trace, path) if trace else None
    way = links(trace, start) if trace and start else {}
    prepared = prepare(image, network.input)
    x = prepared.x.to(device_of(network.model))
    module = network.model.get_submodule(path)
    wanted = {identifier: link.reads for identifier, link in way.items()}
    with torch.inference_mode(), outputs_of(module) as outputs, calls_of(wanted) as calls:
        network.model(x)
    same = all(_same(link, calls.get(identifier)) for identifier, link in way.items())
    return Board(
        layer=layer,
        maps=layer.to_map(outputs[-1]).float().cpu().numpy(),
        start=start.id if start and same else "",
        links=way,
        names={op.id: PICTURE if op.kind == "input" else op.dotted or op.id for op in trace.ops}
        if trace
        else {},
        calls=calls,
        field=fields.get(start.id) if start else None,
        picture=(x.shape[2], x.shape[3]),
        tolerance=TOLERANCE if x.is_cpu and outputs[-1].dtype == torch.float32 else _COARSE,
    )


_found: weakref.WeakKeyDictionary[nn.Module, tuple[Trace | None, Mapping[str, ReceptiveField]]] = (
    weakref.WeakKeyDictionary()
)
_found_lock = threading.Lock()


def _traced(network: Network) -> tuple[Trace | None, Mapping[str, ReceptiveField]]:
    """The network as it is and what its operations see, found once; None where it cannot be traced."""
    with _found_lock:
        known = _found.get(network.model)
    if known is None:
        try:
            trace = trace_module(network.model, (1, *network.input.shape), network.weights.id)
            known = trace, receptive_fields(trace)
        except Exception:  # whatever a network's own code raises without values; its numbers stand alone
            known = None, {}
        with _found_lock:
            _found[network.model] = known
    return known


def _same(link: Link, call: KeptCall | None) -> bool:
    """Whether the pass called what the trace foresaw; a network that decides by the picture may not."""
    if link.op.name == "getitem":
        return True
    shapes = [operand.shape for operand in link.op.operands]
    return call is not None and [tuple(each.shape) for each in call.reads] == shapes
