"""A network as its papers draw it: stem, stages of repeated blocks, head.

Blocks come from the structure of the module tree, stages from the grid they work on, both read off the trace.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from explorer.analysis.field.propagation import ReceptiveField, receptive_fields
from explorer.analysis.graph.operations import Op, Trace
from explorer.analysis.graph.roles import ADDITIONS
from explorer.analysis.structure.module_tree import ModuleTree, Path, Unit


@dataclass(frozen=True)
class Stage:
    """Consecutive blocks on one grid.

    block: class of the repeated block, repeats: how many. resolution: (height, width) of the output, (1, 1)
    once positions are summed away. depth: weighted layers on the longest chain inside. skip: how a block
    joins its input to its output, "add", "concat" or ""; identity_skips and projection_skips count the blocks
    by what stands on the skip. params_by_kind, macs_by_kind: absolute, by the role of the operation. ops:
    ids, every operation in exactly one stage.
    """

    name: str
    block: str
    repeats: int
    units: tuple[str, ...]
    output_shape: tuple[int, ...]
    resolution: tuple[int, int]
    channels: int
    params: int
    macs: int
    depth: int
    skip: str
    identity_skips: int
    projection_skips: int
    params_by_kind: Mapping[str, int]
    macs_by_kind: Mapping[str, int]
    ops: tuple[str, ...]


def stages(trace: Trace, fields: Mapping[str, ReceptiveField] | None = None) -> tuple[Stage, ...]:
    """Stem, stages and head in the order of execution; idle parameters belong to none of them.

    fields: the trace's receptive fields, where they are known already.
    """
    fields = receptive_fields(trace) if fields is None else fields
    units = ModuleTree(trace).units()
    groups = _grouped(units, fields)
    return tuple(_stage(name, group, fields) for name, group in groups)


def handed_on(stage: Stage, ops: Iterable[Op]) -> int:
    """Channels that the stage hands on; where its blocks concatenate, a block's own output is a part of it
    only. ops: those of the stage, in order."""
    if stage.skip != "concat":
        return stage.channels
    on_grid = [op.output_shape[1] for op in ops if tuple(op.output_shape[2:]) == stage.resolution]
    return on_grid[-1] if on_grid else stage.channels


def longest_chain(ops: Sequence[Op]) -> int:
    """Weighted layers on the longest path through these operations."""
    return max(depths(ops).values(), default=0)


def depths(ops: Sequence[Op]) -> Mapping[str, int]:
    """Weighted layers on the longest path through these operations to each of them, itself included."""
    found: dict[str, int] = {}
    for op in ops:
        found[op.id] = max((found.get(i, 0) for i in op.inputs), default=0) + op.weighted
    return found


def _grouped(
    units: Sequence[Unit], fields: Mapping[str, ReceptiveField]
) -> list[tuple[str, tuple[Sequence[Unit], Sequence[Unit]]]]:
    """(name, (all units, those that count as its blocks))."""
    ends = [i for i, unit in enumerate(units) if not _local(unit, fields)]
    body, head = list(units), []
    if ends:
        body, head = list(units[: ends[0]]), list(units[ends[0] :])
    if any(_is_block(unit, body) for unit in body):
        stem, body, tail = _trimmed(body)
        head = tail + head
    else:
        stem = []
    groups: list[tuple[str, tuple[Sequence[Unit], Sequence[Unit]]]] = []
    if stem:
        groups.append(("stem", (stem, stem)))
    for number, (members, blocks) in enumerate(_stage_groups(body, fields), start=1):
        groups.append((f"stage {number}", (members, blocks)))
    if head:
        groups.append(("head", (head, head)))
    return groups


def _trimmed(body: Sequence[Unit]) -> tuple[list[Unit], list[Unit], list[Unit]]:
    """Single layers before the first block and one-of-a-kind modules there are the stem; single layers after
    the last block belong to the head."""
    blocks = [i for i, unit in enumerate(body) if _is_block(unit, body)]
    classes = [body[i].block for i in blocks]
    repeated = [i for i in blocks if classes.count(body[i].block) > 1]
    first = repeated[0] if repeated else blocks[0]
    while first - 1 in blocks and _neighbours(body[first - 1].parent, body[first].parent):
        first -= 1  # the odd first block of a stage, or a first stage of one odd block, is no stem
    last = blocks[-1] + 1
    return list(body[:first]), list(body[first:last]), list(body[last:])


def _neighbours(one: Path, other: Path) -> bool:
    """The same module, or two parts of one container."""
    return one == other or (one[:-1] == other[:-1] and len(one) == len(other) > 1)


def _is_block(unit: Unit, body: Sequence[Unit]) -> bool:
    """Several layers one after the other, or side by side in a module that the network repeats; also a short
    form of one (the first blocks of EfficientNetV2, which do not expand)."""
    if unit.weighted < 2:
        return any(other.block == unit.block and other.weighted > 1 for other in body)
    return longest_chain(unit.ops) > 1 or sum(other.block == unit.block for other in body) > 1


def _stage_groups(
    body: Sequence[Unit], fields: Mapping[str, ReceptiveField]
) -> list[tuple[list[Unit], list[Unit]]]:
    """Blocks of one parent and one grid; where all share one parent, also of one width if that makes real
    groups."""
    plain = not any(_is_block(unit, body) for unit in body)
    main = [unit for unit in body if plain or _is_block(unit, body)]
    key: dict[int, tuple[object, ...]] = {id(unit): (unit.parent, _resolution(unit, fields)) for unit in main}
    widths = {id(unit): (*key[id(unit)], _channels(unit, fields)) for unit in main}
    flat = len({unit.parent for unit in main}) == 1
    # Only where blocks keep their width, as an identity skip needs it, does a new width begin a new stage.
    keeping = any(skip_of(unit) == ("add", 0) for unit in main)
    if flat and keeping and len(_runs(main, widths)) <= len(main) / 2:
        key = widths
    groups: list[tuple[list[Unit], list[Unit]]] = []
    waiting: list[Unit] = []
    previous = None
    for unit in body:
        if id(unit) not in key:  # a transition goes with the blocks it prepares
            waiting.append(unit)
            continue
        if key[id(unit)] != previous:
            groups.append(([], []))
            previous = key[id(unit)]
        groups[-1][0].extend([*waiting, unit])
        groups[-1][1].append(unit)
        waiting = []
    if groups:
        groups[-1][0].extend(waiting)
    return groups


def _runs(units: Sequence[Unit], key: Mapping[int, object]) -> list[object]:
    return [k for k, _ in groupby(key[id(unit)] for unit in units)]


def _stage(
    name: str, group: tuple[Sequence[Unit], Sequence[Unit]], fields: Mapping[str, ReceptiveField]
) -> Stage:
    members, blocks = group
    ops = [op for unit in members for op in unit.ops]
    classes = [unit.block for unit in blocks]
    last = members[-1]
    skips = [skip_of(unit) for unit in blocks]
    kinds = [kind for kind, _ in skips if kind]
    return Stage(
        name=name,
        block=max(dict.fromkeys(classes), key=classes.count),
        repeats=len(blocks),
        units=tuple(".".join(unit.path) for unit in members),
        output_shape=_exit(last, fields).output_shape,
        resolution=_resolution(last, fields),
        channels=_channels(last, fields),
        params=sum(op.params for op in ops),
        macs=sum(op.macs for op in ops),
        depth=longest_chain(ops),
        skip=max(dict.fromkeys(kinds), key=kinds.count) if 2 * len(kinds) >= len(blocks) and kinds else "",
        identity_skips=sum(skip == ("add", 0) for skip in skips),
        projection_skips=sum(kind == "add" and weighted > 0 for kind, weighted in skips),
        params_by_kind=_by_kind(ops, "params"),
        macs_by_kind=_by_kind(ops, "macs"),
        ops=tuple(op.id for op in ops),
    )


def _by_kind(ops: Sequence[Op], what: str) -> Mapping[str, int]:
    totals: dict[str, int] = {}
    for op in ops:
        if getattr(op, what):
            totals[op.kind] = totals.get(op.kind, 0) + getattr(op, what)
    return totals


def skip_of(unit: Unit) -> tuple[str, int]:
    """How a block joins its input to its output: ("add", weighted layers on the skip), ("concat", 0) or ("",
    0).

    A skip is the shorter way into a merge; a concatenation is one when part of the input passes it untouched.
    """
    if unit.weighted < 2:
        return "", 0
    inside = {op.id for op in unit.ops}
    shortest: dict[str, int] = {}  # weighted layers on the shortest way from the block's input
    untouched: dict[str, bool] = {}  # whether some way meets neither weights nor pooling
    best: tuple[str, int] = ("", 0)
    for op in unit.ops:
        ways = [shortest[i] if i in inside else 0 for i in op.inputs if i in shortest or i not in inside]
        pure = [untouched[i] if i in inside else True for i in op.inputs if i in shortest or i not in inside]
        if op.static or not ways:
            continue
        if op.name in ADDITIONS and min(ways) < max(ways):
            best = min(best, ("add", min(ways))) if best[0] == "add" else ("add", min(ways))
        elif op.name == "cat" and len(ways) > 1 and any(pure) and not best[0]:
            best = ("concat", 0)
        shortest[op.id] = min(ways) + op.weighted
        untouched[op.id] = any(pure) and not op.weighted and op.kind != "pool"
    return best


def _exit(unit: Unit, fields: Mapping[str, ReceptiveField]) -> Op:
    """What it hands on: of several results the last that still has places (a class token beside the patches
    has none)."""
    local = [op for op in unit.exits if op.id in fields and fields[op.id].local]
    return (local or list(unit.exits))[-1]


def _local(unit: Unit, fields: Mapping[str, ReceptiveField]) -> bool:
    field = fields.get(_exit(unit, fields).id)
    return field is not None and field.local


def _resolution(unit: Unit, fields: Mapping[str, ReceptiveField]) -> tuple[int, int]:
    return fields[_exit(unit, fields).id].positions if _local(unit, fields) else (1, 1)


def _channels(unit: Unit, fields: Mapping[str, ReceptiveField]) -> int:
    """[N, C, H, W] has its channels second, [N, H, W, C] and tokens [N, T, C] last."""
    shape = _exit(unit, fields).output_shape
    if len(shape) == 4 and tuple(shape[2:]) == _resolution(unit, fields):
        return shape[1]
    return shape[-1] if shape else 0
