"""The roofline: what limits each operation, multiplying or moving bytes?

An operation that does m multiply-adds and moves b bytes takes at least max(m / MAC ceiling, b / byte
ceiling) seconds. Over its arithmetic intensity m / b the best rate is a slope that ends in a flat roof:
Williams, Waterman and Patterson 2009, https://doi.org/10.1145/1498765.1498785

Bytes are those of the tensors an operation reads and writes, each once: input, output, weights. What a cache
holds from the operation before is still counted, so a point may lie above the slope; so may one above the
roof whose library multiplies less than the definition says (Winograd's convolution).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, prod

from explorer.analysis.graph.operations import Op, Trace
from explorer.analysis.numbers.memory import owners
from explorer.analysis.numbers.overlays import by_call


@dataclass(frozen=True)
class Ceilings:
    """What a device does at best: MACs a second in matrix products, bytes a second in copies (read and
    written bytes both count)."""

    macs_per_second: float
    bytes_per_second: float

    @property
    def ridge(self) -> float:
        """MACs a byte at which slope and roof meet; below it, moving bytes is what takes the time."""
        return self.macs_per_second / self.bytes_per_second

    def rate(self, intensity: float) -> float:
        """The best MACs a second at this many MACs a byte."""
        return min(self.macs_per_second, intensity * self.bytes_per_second)

    def least_seconds(self, macs: float, moved_bytes: float) -> float:
        return max(macs / self.macs_per_second, moved_bytes / self.bytes_per_second)


@dataclass(frozen=True)
class Work:
    """One operation on a batch: multiply-adds, and bytes read and written."""

    id: str
    path: str
    kind: str
    macs: int
    moved_bytes: int

    @property
    def intensity(self) -> float:
        """MACs a byte."""
        return self.macs / self.moved_bytes if self.moved_bytes else 0.0


@dataclass(frozen=True)
class Timed:
    """An operation with the seconds it took."""

    work: Work
    seconds: float

    @property
    def rate(self) -> float:
        """MACs a second."""
        return self.work.macs / self.seconds if self.seconds else inf


@dataclass(frozen=True)
class KindShare:
    """All operations of one kind together; shares of the network's, 0-1."""

    kind: str
    operations: int
    macs: int
    moved_bytes: int
    seconds: float
    macs_share: float
    time_share: float

    @property
    def intensity(self) -> float:
        return self.macs / self.moved_bytes if self.moved_bytes else 0.0

    @property
    def rate(self) -> float:
        return self.macs / self.seconds if self.seconds else inf


def works(trace: Trace, batch_size: int = 1, bytes_a_number: int = 4) -> tuple[Work, ...]:
    """Every operation that runs, in order. Views move nothing."""
    owner = owners(trace)
    static = {op.id for op in trace.ops if op.static}
    found = []
    for op in trace.ops:
        if op.kind in ("input", "output"):
            continue
        moved = _numbers_moved(op, static, batch_size) if owner[op.id] == op.id else 0
        macs = op.macs * (1 if op.static else batch_size)
        found.append(Work(op.id, op.dotted, op.kind, macs, bytes_a_number * moved))
    return tuple(found)


def _numbers_moved(op: Op, static: set[str], batch_size: int) -> int:
    """Weights, buffers and tables are read once however large the batch is."""
    read = {operand.source: operand for operand in op.operands if operand.source != "constant"}.values()
    constants = sum(prod(operand.shape) for operand in op.operands if operand.source == "constant")
    moved = constants + prod(op.output_shape) * (1 if op.static else batch_size)
    for operand in read:
        once = operand.is_parameter or operand.source in static
        moved += prod(operand.shape) * (1 if once else batch_size)
    return moved


def timed(
    trace: Trace, works: Sequence[Work], calls: Mapping[str, Sequence[float]], ceilings: Ceilings
) -> tuple[Timed, ...]:
    """The operations of modules that were timed.

    calls: seconds of each call by dotted module path, as measured. Where a module does several operations its
    time is split in proportion to what each takes at the very least.
    """
    least = {work.id: ceilings.least_seconds(work.macs, work.moved_bytes) for work in works}
    seconds = by_call(trace, calls, "sum", least)
    return tuple(Timed(work, seconds[work.id]) for work in works if work.id in seconds)


def by_kind(operations: Sequence[Timed]) -> tuple[KindShare, ...]:
    """Longest first."""
    kinds: dict[str, list[Timed]] = {}
    for each in operations:
        kinds.setdefault(each.work.kind, []).append(each)
    all_macs = sum(each.work.macs for each in operations)
    all_seconds = sum(each.seconds for each in operations)
    found = []
    for kind, own in kinds.items():
        macs, seconds = sum(each.work.macs for each in own), sum(each.seconds for each in own)
        moved = sum(each.work.moved_bytes for each in own)
        shares = macs / all_macs if all_macs else 0.0, seconds / all_seconds if all_seconds else 0.0
        found.append(KindShare(kind, len(own), macs, moved, seconds, *shares))
    return tuple(sorted(found, key=lambda share: -share.seconds))
