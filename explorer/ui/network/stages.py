"""From the stats sheet of a network to the cards of its diagram, and from a layer to its stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from explorer.ui.kit import formatting, theme
from explorer.ui.volumes.layout import StageCard

if TYPE_CHECKING:
    from explorer.analysis import Op, Stage, Stats, Trace

INPUT, OUTPUT = "input", "output"
_JOINTS = {
    "add": "each block adds its input to its output",
    "concat": "each block hands on its input beside its output",
}


@dataclass(frozen=True)
class StageIndex:
    """Which stage an operation or a module belongs to, by operation id and by module path."""

    by_place: Mapping[str, str]

    def of(self, path: str) -> str:
        return self.by_place.get(path, "")


def index(trace: Trace, sheet: Stats) -> StageIndex:
    stage_of = {identifier: stage.name for stage in sheet.stages for identifier in stage.ops}
    places: dict[str, str] = {}
    for op in trace.ops:
        stage = stage_of.get(op.id)
        if stage:
            places[op.id] = stage
            places.setdefault(op.dotted, stage)
    return StageIndex(places)


def cards(trace: Trace, sheet: Stats) -> tuple[StageCard, ...]:
    """Input, every stage, output. Shares are of the whole network, idle parameters included."""
    ops = trace.by_id()
    stages = [_card(stage, [ops[identifier] for identifier in stage.ops], sheet) for stage in sheet.stages]
    output = next((op.output_shape for op in reversed(trace.ops) if op.output_shape), ())
    return (_port(INPUT, trace.input_shape), *stages, _port(OUTPUT, output))


def kinds_in_use(drawn: Sequence[StageCard]) -> tuple[str, ...]:
    """The kinds a reader can see on the cards, in the order of the colour table."""
    seen = {kind for card in drawn for kind in (*card.params_by_kind, *card.macs_by_kind)}
    seen |= {"merge"} if any(card.skip for card in drawn) else set()
    return tuple(kind for kind in theme.ROLES if kind in seen)


def title(stage: str) -> str:
    """`stage 1` as it stands on a card and in a list: `Stage 1`."""
    return stage[:1].upper() + stage[1:]


def _port(name: str, shape: tuple[int, ...]) -> StageCard:
    text = formatting.shape(shape)
    return StageCard(name, title(name), "", 1, shape, (("Shape", text),), shape=text, port=True)


def _card(stage: Stage, ops: Sequence[Op], sheet: Stats) -> StageCard:
    shape = _shape(stage, ops)
    text = _shape_text(stage, shape)
    joint, ways = (stage.skip, 1) if stage.skip else _branches(ops)
    return StageCard(
        id=stage.name,
        name=title(stage.name),
        block=stage.block.strip("_"),
        repeats=stage.repeats,
        output_shape=_as_grid(stage, shape),
        lines=tuple(_lines(stage, text, joint, ways, sheet)),
        params_by_kind={kind: amount / max(1, sheet.params) for kind, amount in stage.params_by_kind.items()},
        macs_by_kind={kind: amount / max(1, sheet.macs) for kind, amount in stage.macs_by_kind.items()},
        params_share=formatting.share(stage.params, sheet.params),
        macs_share=formatting.share(stage.macs, sheet.macs),
        shape=text,
        skip=joint,
        ways=ways,
    )


def _lines(stage: Stage, shape: str, joint: str, ways: int, sheet: Stats) -> list[tuple[str, str]]:
    modules = stage.units[0] if len(stage.units) == 1 else f"{stage.units[0]} … {stage.units[-1]}"
    lines = [
        ("Blocks", f"{stage.repeats} × {stage.block}"),
        ("Modules", modules),
        ("Output", shape),
        ("Parameters", f"{formatting.exact(stage.params)} ({formatting.share(stage.params, sheet.params)})"),
        ("MACs", f"{formatting.exact(stage.macs)} ({formatting.share(stage.macs, sheet.macs)})"),
        ("Depth", f"{stage.depth} weighted layers"),
    ]
    if joint == "branches":
        lines.append(("Branches", f"{ways} side by side, then concatenated"))
    elif joint:
        lines.append(("Skip", _JOINTS[joint]))
    if stage.projection_skips:
        lines.append(("", f"{stage.identity_skips} identity, {stage.projection_skips} projected"))
    return lines


def _shape(stage: Stage, ops: Sequence[Op]) -> tuple[int, ...]:
    """What the stage hands on. Where blocks concatenate, the last block's own output is a part of it only."""
    if stage.skip == "concat":
        on_grid = [op.output_shape for op in ops if tuple(op.output_shape[2:]) == tuple(stage.resolution)]
        return on_grid[-1] if on_grid else stage.output_shape
    return stage.output_shape


def _as_grid(stage: Stage, shape: tuple[int, ...]) -> tuple[int, ...]:
    """[1, C, H, W] whatever the order of the axes, so that volumes compare; a vector stays one."""
    if stage.skip == "concat" or len(shape) < 3:
        return shape
    return (1, stage.channels, *stage.resolution)


def _shape_text(stage: Stage, shape: tuple[int, ...]) -> str:
    if len(shape) == 4:
        return formatting.shape(_as_grid(stage, shape))
    return formatting.shape(shape)


def _branches(ops: Sequence[Op]) -> tuple[str, int]:
    """("branches", how many) where the first concatenation joins branches made here; ("", 1) without one."""
    here = {op.id for op in ops if not op.static}
    for op in ops:
        if op.name in ("cat", "concat") and not op.static:
            joined = [source for source in op.inputs if source in here]
            if len(joined) > 1:
                return "branches", len(joined)
    return "", 1
