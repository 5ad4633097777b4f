"""How much of the image one unit sees, by interval arithmetic over the trace.

Every operation's field follows from its operands' (`rules`), branches included: where they meet, the
unit sees the hull of both. Squeeze-and-excitation, attention, norms over positions and pooling over the whole
map reach everywhere; they set `global_from` and leave the local value beside it, which is the field without
that gate. Padding counts as positions: a field may stick out of the image.

Araujo, Norris and Sim 2019, https://distill.pub/2019/computing-receptive-fields/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from explorer.analysis.field.dimensions import AXES, Dim, Factor, Field, Number, opaque
from explorer.analysis.field.mixing import anywhere
from explorer.analysis.field.operands import Result
from explorer.analysis.field.rules import RULES
from explorer.analysis.graph.operations import Op, Trace

Pair = tuple[float, float]


@dataclass(frozen=True)
class ReceptiveField:
    """Height and width, in pixels of the network's input.

    size: extent of the interval one unit sees. stride: distance of neighbouring units' intervals. padding:
    how far the first unit's interval begins before the image. centre: middle of the first unit's interval,
    pixel centres at integers. positions: number of units along each axis. global_from: path of the first
    operation through which a unit depends on more than its interval; None while there is none. in_windows:
    that operation is an attention within windows, which reaches the whole image only block by block; any
    other reaches all of it at once. local: the unit still has a place in the image; False once the positions
    have been summed away, when size is the extent of all of them together.
    """

    size: Pair
    stride: Pair
    padding: Pair
    centre: Pair
    positions: tuple[int, int]
    global_from: str | None
    local: bool
    in_windows: bool

    @property
    def beyond(self) -> str:
        """What a unit depends on besides its interval: "global from avgpool", or ""."""
        if self.global_from is None:
            return ""
        return f"{'mixed in windows' if self.in_windows else 'global'} from {self.global_from}"

    def interval(self, axis: int, position: int) -> tuple[float, float]:
        """First and last pixel that the unit at this position sees along an axis, also outside the image."""
        first = position * self.stride[axis] - self.padding[axis]
        return first, first + self.size[axis] - 1


def receptive_fields(trace: Trace) -> Mapping[str, ReceptiveField]:
    """The field of every operation that depends on the image, by its id. Where an operation gives several
    tensors, of the first."""
    fields, _ = _propagate(trace)
    return {
        key: _report(field[0] if isinstance(field, tuple) else field, trace.ops)
        for key, field in fields.items()
    }


def unknown_operations(trace: Trace) -> tuple[str, ...]:
    """ATen names that no rule covers; their results count as having seen everything."""
    return _propagate(trace)[1]


def _propagate(trace: Trace) -> tuple[dict[str, Result], tuple[str, ...]]:
    fields: dict[str, Result] = {}
    unknown: dict[str, None] = {}
    for at, op in enumerate(trace.ops):
        if op.kind == "input":
            fields[op.id] = _image(op.output_shape)
            continue
        if op.static:
            continue
        if op.kind == "output":
            sources = [fields[i] for i in op.inputs if i in fields]
            if sources:
                fields[op.id] = sources[0]
            continue
        reads = [fields.get(o.source) for o in op.operands]
        if op.name == "getitem":
            whole = next(r for r in reads if r is not None)
            fields[op.id] = whole[op.attributes["index"]] if isinstance(whole, tuple) else whole
            continue
        single = [r[0] if isinstance(r, tuple) else r for r in reads]
        if not any(
            r is not None for r in single
        ):  # an operation whose only tie to the image is what was written into it
            continue
        rule = RULES.get(op.name.removesuffix("_"))  # in place it reads the same
        if rule is None:
            unknown[op.name] = None
            rule = anywhere
        fields[op.id] = rule(op, at, single)
    return fields, tuple(unknown)


def _image(shape: tuple[int, ...]) -> Field:
    dims = [opaque(n) for n in shape[:-2]] + [Dim((Factor(axis, n, 1),)) for axis, n in enumerate(shape[-2:])]
    return Field(tuple(dims), low=(0, 0), high=(0, 0))


def _plain(value: Number) -> float:
    return int(value) if value == int(value) else float(value)


def _windowed(mixing: Op) -> bool:
    """Whether attention [.., heads, tokens, tokens or channels] of one image is done for several windows."""
    return mixing.kind == "attention" and prod(mixing.output_shape[:-3]) > 1


def _report(field: Field, ops: Sequence[Op]) -> ReceptiveField:
    mixing = None if field.seen_all is None else ops[field.seen_all]
    for index in range(len(field.dims)):
        field = field.straight(index)

    def pair(values: list[Number]) -> Pair:
        return _plain(values[0]), _plain(values[1])

    return ReceptiveField(
        size=pair([field.high[a] - field.low[a] + 1 for a in AXES]),
        stride=pair([field.jump[a] for a in AXES]),
        padding=pair([-field.low[a] for a in AXES]),
        centre=_middle(field),
        positions=(field.count(0), field.count(1)),
        global_from=None if mixing is None else mixing.dotted or mixing.id,
        local=any(field.has(a) for a in AXES),
        in_windows=mixing is not None and _windowed(mixing),
    )


def _middle(field: Field) -> Pair:
    values = [(field.low[a] + field.high[a]) / 2 for a in AXES]
    return float(values[0]), float(values[1])
