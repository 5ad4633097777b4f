"""Where a network lets a tensor pass by: the inputs of its additions and concatenations that took the shorter
way."""

from __future__ import annotations

from collections.abc import Mapping

from explorer.analysis.graph.operations import Op, Trace
from explorer.analysis.graph.roles import ADDITIONS

_CONCATENATIONS = frozenset({"cat", "concat"})
_MOST_WEIGHTS = 2  # a projection is a layer or two; longer ways are branches in their own right


def skips(trace: Trace) -> Mapping[tuple[str, str], str]:
    """(operation, the merge that reads it) -> what stands on this skip.

    "identity": nothing that changes the values by weights or pooling; "pooled" or "padded": no weights
    either (He et al. 2015, https://arxiv.org/abs/1512.03385, option A); "projection": weights, but fewer
    than on the way beside it (option B); "concat": an earlier tensor handed on beside what was made of it.

    Ways are compared where they part: by the operations that only one of them went through.
    """
    number = {op.id: n for n, op in enumerate(trace.ops)}
    weighted = sum(1 << number[op.id] for op in trace.ops if op.weighted)
    kinds = {kind: sum(1 << number[op.id] for op in trace.ops if _is(op, kind)) for kind in ("pool", "pad")}
    live = {op.id for op in trace.ops if not op.static}
    behind: dict[str, int] = {}  # an operation and all it depends on, as bits
    found: dict[tuple[str, str], str] = {}
    for op in trace.ops:
        ways = [behind[i] for i in op.inputs]
        behind[op.id] = 1 << number[op.id]
        for way in ways:
            behind[op.id] |= way
        inputs = [i for i in op.inputs if i in live]
        if op.name in ADDITIONS:
            for one in inputs:
                rest = 0
                for other in inputs:
                    rest |= behind[other] if other != one else 0
                if kind := _skip(behind[one] & ~rest, rest & ~behind[one], weighted, kinds):
                    found[one, op.id] = kind
        elif op.name in _CONCATENATIONS:
            for one in inputs:
                if any(behind[other] & (1 << number[one]) for other in inputs if other != one):
                    found[one, op.id] = "concat"
    return found


def _skip(own: int, other: int, weighted: int, kinds: Mapping[str, int]) -> str:
    here, there = (own & weighted).bit_count(), (other & weighted).bit_count()
    if here >= there or here > _MOST_WEIGHTS:
        return ""
    if here:
        return "projection"
    return "pooled" if own & kinds["pool"] else "padded" if own & kinds["pad"] else "identity"


def _is(op: Op, kind: str) -> bool:
    return op.kind == "pool" if kind == "pool" else op.name in ("pad", "constant_pad_nd")
