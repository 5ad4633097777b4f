"""When two boxes are of one make, and what is still different inside them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence

from explorer.analysis.graph.operations import Op
from explorer.analysis.graph.roles import ADDITIONS
from explorer.analysis.structure.op_labels import shape

_JOINTS = frozenset({"reshape", "merge", "other"})


def make(ops: Sequence[Op], kind: str, label: str) -> Hashable:
    """Equal for boxes that fold into one.

    Blocks are of one make when their class and the layers of their main way agree: kind and kernel in order,
    not channels, strides, or whether and how the input is carried past (the first block of a ResNet stage is
    drawn with its sisters). Anything smaller must agree in stride and groups too.
    """
    if kind == "block":
        return (
            kind,
            label,
            tuple(_layer(op) for op in _main_way(ops) if op.kind not in _JOINTS),
        )
    inside = [op for op in ops if op.kind != "reshape"] or ops
    return (kind, tuple((*_layer(op), op.attributes.get("stride"), _grouped(op)) for op in inside))


def differences(members: Sequence[Sequence[Op]]) -> tuple[str, ...]:
    """What is not the same in all members of a fold, a short sentence each; () if nothing but their place."""
    found = []
    for title, read in _READINGS.items():
        values = [read(ops) for ops in members]
        if len(set(values)) > 1:
            found.append(f"{title}: {_listed(values)}")
    steps = [{_step(op) for op in ops if op.kind in ("pool", "reshape") and not op.static} for ops in members]
    common = set.intersection(*steps)
    own = [", ".join(sorted(step - common)) or "none" for step in steps]
    if len(set(own)) > 1:
        found.append(f"extra steps: {_listed(own)}")
    return tuple(found)


def _step(op: Op) -> str:
    return op.name.rstrip("_").replace("_", " ")


def _listed(values: Sequence[str]) -> str:
    """ "64 (1st), 256 (2nd to 6th)": runs of equal values with their places."""
    runs: list[tuple[str, int, int]] = []
    for place, value in enumerate(values, start=1):
        if runs and runs[-1][0] == value:
            runs[-1] = (value, runs[-1][1], place)
        else:
            runs.append((value, place, place))
    if len(runs) > 6 and len(runs) == len(values):
        return f"{values[0]} (1st), {values[1]} (2nd) … {values[-1]} ({_nth(len(values))})"
    return ", ".join(
        f"{value} ({_nth(first)})" if first == last else f"{value} ({_nth(first)} to {_nth(last)})"
        for value, first, last in runs
    )


def _nth(place: int) -> str:
    ending = "th" if 10 <= place % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{ending}"


def _weighted(ops: Sequence[Op]) -> list[Op]:
    return [op for op in ops if op.weighted]


def _channels_in(ops: Sequence[Op]) -> str:
    return next((str(_channels(op)) for op in _weighted(ops)), "none")


def _output(ops: Sequence[Op]) -> str:
    return shape(ops[-1].output_shape)


def _channels(op: Op) -> int:
    """That it reads."""
    if "in_channels" in op.attributes:
        return int(op.attributes["in_channels"])
    before = next((o.shape for o in op.operands if not o.is_parameter), op.output_shape)
    return before[-1] if before else 0


def _stride(ops: Sequence[Op]) -> str:
    strides = [max(_numbers(op.attributes.get("stride")), default=1) for op in _main_way(ops)]
    return str(max(strides, default=1))


def _skip(ops: Sequence[Op]) -> str:
    """How the input of a block gets past it."""
    beside = _beside(ops)
    if not any(op.name in ADDITIONS for op in ops if not op.static):
        return "none"
    return "projection" if any(op.weighted for op in ops if op.id in beside) else "identity"


_READINGS: Mapping[str, Callable[[Sequence[Op]], str]] = {
    "channels in": _channels_in,
    "output": _output,
    "stride": _stride,
    "skip": _skip,
}


def _main_way(ops: Sequence[Op]) -> list[Op]:
    """Without what stands on a skip."""
    beside = _beside(ops)
    return [op for op in ops if op.id not in beside and not op.static]


def _beside(ops: Sequence[Op]) -> frozenset[str]:
    """Operations that only the lighter input of an addition went through."""
    weighted = {op.id for op in ops if op.weighted}
    behind: dict[str, frozenset[str]] = {}
    beside: set[str] = set()
    for op in ops:
        ways = [behind.get(i, frozenset()) for i in op.inputs]
        behind[op.id] = frozenset({op.id}).union(*ways)
        if op.name in ADDITIONS and len(op.inputs) == 2:
            one, other = sorted(ways, key=lambda way: len(way & weighted))
            own = one - other
            if len(own & weighted) < len((other - one) & weighted):
                beside |= own
    return frozenset(beside)


def _numbers(value: object) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else (value,) if isinstance(value, int) else ()


def _layer(op: Op) -> tuple[object, ...]:
    return op.name.rstrip("_"), op.kind, op.attributes.get("kernel_size")


def _grouped(op: Op) -> bool:
    return int(op.attributes.get("groups", 1)) > 1
