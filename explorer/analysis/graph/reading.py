"""From a recorded pass to a `Trace`: one call after the other turned into an `Op`.

Constants (masks, coordinate grids) and operations that do nothing at inference (dropout, alias, casts) leave
no trace; their readers are wired to what they passed through. A parameter belongs to the first operation on
the image that it reaches: a standardised weight to its convolution, not to the arithmetic that standardises
it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor, nn

from explorer.analysis.graph.costs import cost
from explorer.analysis.graph.operations import Idle, Op, Operand, Trace, freeze
from explorer.analysis.graph.recording import (
    Call,
    NeedsValues,
    Numbering,
    Recording,
    record,
    record_with_values,
)
from explorer.analysis.graph.roles import CONVOLUTIONS, FACTORIES, IDENTITIES, VIEWS, role
from explorer.networks.deploying import is_fusible


@dataclass(frozen=True)
class _Value:
    """What a tensor stands for: the operation that made it, or a parameter, or a constant."""

    source: str
    shape: tuple[int, ...]
    params: frozenset[str] = frozenset()
    also: tuple[str, ...] = ()  # operations that wrote into it through a view

    @property
    def operations(self) -> tuple[str, ...]:
        known = self.source == "constant" or self.source.startswith("param:")
        return () if known else (self.source, *self.also)


def trace_module(
    model: nn.Module, input_shape: Sequence[int], name: str, *, disposable: bool = False
) -> Trace:
    """A module as data, for one input [N, C, H, W]; what it raises at this shape passes through.

    The module stays as it was. Where values of the image decide what it does next, it runs with its weights
    and says so (`Trace.decided_by`). disposable: see `recording.record`. Raises NeedsValues without weights.
    """
    try:
        return read(record(model, input_shape, disposable=disposable), name)
    except NeedsValues:
        if disposable or any(each.is_meta for each in model.parameters()):
            raise
        return read(record_with_values(model, input_shape), name)


def read(recording: Recording, name: str) -> Trace:
    """What was recorded, as data."""
    return _Reader(recording).read(name)


@dataclass
class _Reader:
    """Walks the calls once."""

    recording: Recording
    values: dict[int, _Value] = field(default_factory=dict)  # by the tensor's identity
    bases: dict[int, Any] = field(default_factory=dict)  # a view -> the tensor that it is a view of
    ops: list[Op] = field(default_factory=list)
    owners: dict[str, str] = field(default_factory=dict)  # parameter -> id of the operation that counts it
    pending: dict[str, frozenset[str]] = field(
        default_factory=dict
    )  # static op -> parameters nobody counted yet
    uncounted: set[str] = field(default_factory=set)
    numbering: Numbering = field(default_factory=Numbering)

    def read(self, name: str) -> Trace:
        model, shape = self.recording.model, tuple(self.recording.image.shape)
        sizes = {n: p.numel() for n, p in model.named_parameters()}
        for parameter, tensor in model.named_parameters():
            self.values[id(tensor)] = _Value(
                f"param:{parameter}", tuple(tensor.shape), frozenset({parameter})
            )
        self.ops.append(Op("x", "input", (), (), shape, attributes={"op": "input"}))
        self.values[id(self.recording.image)] = _Value("x", shape)
        for call in self.recording.calls:
            self._call(call)
        self._output()
        owners = self._final_owners()
        counted: dict[str, int] = defaultdict(int)
        for parameter, owner in owners.items():
            counted[owner] += sizes[parameter]
        return Trace(
            name=name,
            ops=tuple(replace(op, params=counted[op.id]) if op.id in counted else op for op in self.ops),
            modules={n: type(m).__name__ for n, m in model.named_modules(remove_duplicate=False)},
            input_shape=shape,
            idle=tuple(Idle(n, size) for n, size in sizes.items() if n not in owners),
            buffer_bytes=self.recording.buffer_bytes,
            uncounted=tuple(sorted(self.uncounted)),
            fusible=is_fusible(model),
            decided_by=self.recording.decided_by,
        )

    def _final_owners(self) -> Mapping[str, str]:
        """What static operations still hold belongs to them after all."""
        waiting = {p: op for op, params in self.pending.items() for p in params}
        return {**waiting, **self.owners}

    def _output(self) -> None:
        reads = [self._value(tensor) for tensor in self.recording.outputs]
        inputs = _unique(s for v in reads if v.source != "constant" for s in (v.source, *v.also))
        shape = reads[0].shape if reads else ()
        several = {"tensors": len(reads)} if len(reads) != 1 else {}
        self.ops.append(Op("output", "output", (), inputs, shape, attributes={"op": "output", **several}))

    def _call(self, call: Call) -> None:
        first: Any = next(iter(call.arguments.values()), None)
        parts = [] if isinstance(call.result, Tensor) else list(call.result)
        name, *names_of_parts = self.numbering.ids(call.name, len(parts))
        if call.name in VIEWS:
            self.bases |= {id(made): first for made in parts or [call.result] if made is not first}
        reads = [self._value(tensor) for tensor in call.reads]
        if call.name in FACTORIES or all(v.source == "constant" for v in reads):
            return
        if call.name in IDENTITIES:
            self.values[id(call.result)] = self._value(first)
            return
        whole = self._add(name, call, reads)
        if call.in_place:
            self._written(first, whole)
        for index, (part, own_name) in enumerate(zip(parts, names_of_parts, strict=True)):
            if isinstance(part, Tensor):
                taken = Call("getitem", "aten", call.path, {"self": call.result, "index": index}, (), part)
                self._add(own_name, taken, [whole])

    def _add(self, name: str, call: Call, reads: Sequence[_Value]) -> _Value:
        """One more operation, and what its result now stands for."""
        operands = tuple(self._operands(call.arguments))
        attributes = _attributes(call, operands)
        shape = _shape(call.result)
        priced = cost(call.name, operands, shape, attributes, library=call.library)
        if priced is None:
            self.uncounted.add(call.name)
        static = all(
            v.source == "constant" or v.source.startswith("param:") or v.source in self.pending for v in reads
        )
        params = frozenset().union(*(v.params for v in reads))
        if static and not (priced and priced.macs):
            self.pending[name] = params
        else:
            if static:
                self.pending[name] = frozenset()
            for parameter in params:
                self.owners.setdefault(parameter, name)
        inputs = _unique(s for v in reads for s in v.operations)
        live = sum(1 for s in inputs if s not in self.pending)
        self.ops.append(
            Op(
                id=name,
                kind=role(call.name, attributes, operands, live),
                path=call.path,
                inputs=inputs,
                output_shape=shape,
                macs=priced.macs if priced else 0,
                attributes=attributes,
                operands=operands,
                activations=priced.activations if priced else 0,
                static=static,
            )
        )
        made = _Value(name, shape, params if static else frozenset())
        self.values[id(call.result)] = made
        return made

    def _operands(self, arguments: Mapping[str, Any]) -> Iterator[Operand]:
        for argument, value in arguments.items():
            several = isinstance(value, (list, tuple)) and id(value) not in self.values
            for each in value if several else [value]:
                if isinstance(each, Tensor) or id(each) in self.values:
                    held = self._value(each)
                    yield Operand(argument, held.source, held.shape, learnt=bool(held.params))

    def _value(self, tensor: Any) -> _Value:
        return self.values.get(id(tensor)) or _Value("constant", _shape(tensor))

    def _written(self, target: Any, value: _Value) -> None:
        """An in-place operation: who later reads what the tensor is a view of reads what was written too."""
        while (target := self.bases.get(id(target))) is not None:
            held = self._value(target)
            if held.source == "constant":  # an empty table that is being filled
                self.values[id(target)] = replace(value, shape=held.shape)
            else:
                self.values[id(target)] = replace(held, also=(*held.also, value.source))


def _attributes(call: Call, operands: Sequence[Operand]) -> dict[str, Any]:
    """The arguments that are no tensors, and of a convolution also its channels and its kernel."""
    settings = {key: value for key, value in call.arguments.items() if not _holds_tensors(value)}
    attributes: dict[str, Any] = {"op": call.name}
    attributes |= {key: _literal(value) for key, value in settings.items()}
    weight = next((o.shape for o in operands if o.argument == "weight"), None)
    if call.name == "deform_conv2d":  # written with a word for each axis
        for setting, short in (("stride", "stride"), ("padding", "pad"), ("dilation", "dilation")):
            attributes[setting] = (attributes.pop(f"{short}_h"), attributes.pop(f"{short}_w"))
    if call.name in CONVOLUTIONS and weight is not None:
        flip = "transpose" in call.name
        groups = attributes.get("groups", 1)
        attributes["in_channels"] = weight[0] if flip else weight[1] * groups
        attributes["out_channels"] = weight[1] * groups if flip else weight[0]
        attributes["kernel_size"] = weight[2:]
    return attributes


def _shape(value: Any) -> tuple[int, ...]:
    """Shape of a tensor; of the first one where there are several; () where there is none."""
    while isinstance(value, (tuple, list)) and value:
        value = value[0]
    return tuple(value.shape) if isinstance(value, Tensor) else ()


def _holds_tensors(value: Any) -> bool:
    """A tensor, or a list of nothing else."""
    return isinstance(value, Tensor) or (
        isinstance(value, (list, tuple)) and bool(value) and all(isinstance(v, Tensor) for v in value)
    )


def _literal(value: Any) -> Any:
    """Numbers, strings and tuples of them; a tensor inside a list leaves its place marked."""
    if isinstance(value, (list, tuple)):
        return tuple(_literal(v) for v in value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return freeze(value)
    return "tensor" if isinstance(value, Tensor) else str(value)


def _unique(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))
