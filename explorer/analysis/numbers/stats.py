"""The stats sheet: what a network costs, how deep it is, how far it sees, and where the weights and the work
sit.

Conventions: MACs and activations as in `costs`; weight_bytes = 4 bytes a parameter (fp32) plus the buffers
(running statistics of batch norms); depth = weighted layers (convolutions and linear layers) on the longest
chain from image to output. The rows of `layers` sum to params, macs and activations exactly, parameters idle
at inference included.

All of it is of the network as it is trained. What merges branches and norms into single layers before it is
deployed (RepVGG, MobileOne, LeViT) has its totals in that form beside them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import Any

from explorer.analysis.field.propagation import ReceptiveField, receptive_fields
from explorer.analysis.graph.operations import Idle, Op, Trace
from explorer.analysis.structure.module_tree import CONTAINERS
from explorer.analysis.structure.stages import Stage, longest_chain, stages
from explorer.networks import Reference


@dataclass(frozen=True)
class Layer:
    """One row of the layer table: a leaf module, or a functional operation that does something worth a row.

    output_shape is () and receptive_field None where nothing runs (parameters idle at inference) or no image
    is read.
    """

    path: str
    kind: str
    name: str
    output_shape: tuple[int, ...]
    params: int
    macs: int
    activations: int
    receptive_field: ReceptiveField | None
    idle: bool = False


@dataclass(frozen=True)
class Share:
    """Part of the whole, 0-1, and absolute."""

    params: int
    macs: int
    params_share: float
    macs_share: float


@dataclass(frozen=True)
class Totals:
    """Of one form of a network."""

    params: int
    macs: int
    activations: int
    weight_bytes: int
    depth: int


@dataclass(frozen=True)
class Stats:
    """The numbers of one network at one input size; input_size is (channels, height, width).

    deployed: the totals of the form in which it is deployed, None where that is how it is trained.
    decided_by: as in `Trace`.
    """

    model: str
    input_size: tuple[int, ...]
    params: int
    macs: int
    activations: int
    weight_bytes: int
    depth: int
    receptive_field: ReceptiveField
    layers: tuple[Layer, ...]
    stages: tuple[Stage, ...]
    by_kind: Mapping[str, Share]
    by_stage: Mapping[str, Share]
    idle_params: int
    uncounted: tuple[str, ...]
    deployed: Totals | None = None
    decided_by: str = ""

    @property
    def one_way(self) -> str:
        """Of a network that goes by the image's values, which way these are the numbers of; else ""."""
        if not self.decided_by:
            return ""
        return (
            f"{self.decided_by} decides by values of the image: these are the numbers for one image of "
            "normal noise, and another may take another way."
        )

    def to_json(self) -> dict[str, Any]:
        """As the command line prints it. Sizes and strides of receptive fields are in pixels: one number for
        a square, [height, width] otherwise. deployed: null where that is how it is trained. uncounted: names
        of operations whose MACs are missing from the totals. decided_by: "" where all images
        take one way."""
        return {
            "model": self.model,
            "input_size": list(self.input_size),
            "params": self.params,
            "macs": self.macs,
            "activations": self.activations,
            "weight_bytes": self.weight_bytes,
            "depth": self.depth,
            "receptive_field": _field_json(self.receptive_field),
            "deployed": asdict(self.deployed) if self.deployed else None,
            "uncounted": list(self.uncounted),
            "decided_by": self.decided_by,
            "layers": [
                {
                    "path": layer.path,
                    "kind": layer.kind,
                    "output_shape": list(layer.output_shape),
                    "params": layer.params,
                    "macs": layer.macs,
                    "receptive_field": _field_json(layer.receptive_field),
                }
                for layer in self.layers
            ],
        }


def stats(name_or_reference: str | Reference, image_size: int | None = None) -> Stats:
    """The stats sheet of any network by name. Raises what `tracing.trace` raises."""
    # torch: a finished trace is summed up without it
    from explorer.analysis.graph.tracing import deployed_form, trace

    traced = trace(name_or_reference, image_size)
    return stats_of(traced, deployed_form(traced, name_or_reference, image_size))


def totals(traced: Trace) -> Totals:
    return Totals(
        params=traced.params,
        macs=traced.macs,
        activations=traced.activations,
        weight_bytes=4 * traced.params + traced.buffer_bytes,
        depth=longest_chain(traced.ops),
    )


def stats_of(
    traced: Trace, deployed: Trace | None = None, fields: Mapping[str, ReceptiveField] | None = None
) -> Stats:
    """The sheet of a trace. deployed: the same network in its other form, where it has one. fields: the
    trace's receptive fields, where they are known already.
    """
    fields = receptive_fields(traced) if fields is None else fields
    layers = tuple(_layers(traced, fields))
    found = stages(traced, fields)
    return Stats(
        model=traced.name,
        input_size=traced.input_shape[1:],
        **vars(totals(traced)),
        receptive_field=overall_field(traced, fields),
        layers=layers,
        stages=found,
        by_kind=_shares([(layer.kind, layer.params, layer.macs) for layer in layers], traced),
        by_stage=_shares([(stage.name, stage.params, stage.macs) for stage in found], traced),
        idle_params=sum(idle.params for idle in traced.idle),
        uncounted=traced.uncounted,
        decided_by=traced.decided_by,
        deployed=totals(deployed) if deployed is not None else None,
    )


def overall_field(traced: Trace, fields: Mapping[str, ReceptiveField]) -> ReceptiveField:
    """Of the last feature map that still has positions, with the operation after which the output sees
    everything."""
    useful = _ancestors(traced)
    local = [
        fields[op.id] for op in traced.ops if op.id in fields and op.id in useful and fields[op.id].local
    ]
    last = local[-1] if local else fields[traced.ops[0].id]  # of what does not look at the image, nothing
    end = fields.get(traced.ops[-1].id, last)
    beyond = last if last.global_from else end
    return replace(last, global_from=beyond.global_from, in_windows=beyond.in_windows)


def _ancestors(traced: Trace) -> set[str]:
    """Operations on the way to the output."""
    useful = {traced.ops[-1].id}
    for op in reversed(traced.ops):
        if op.id in useful:
            useful.update(op.inputs)
    return useful


def _shares(parts: Sequence[tuple[str, int, int]], traced: Trace) -> Mapping[str, Share]:
    all_params, all_macs = max(traced.params, 1), max(traced.macs, 1)
    totals: dict[str, tuple[int, int]] = {}
    for name, params, macs in parts:
        held = totals.get(name, (0, 0))
        totals[name] = held[0] + params, held[1] + macs
    return {
        name: Share(params, macs, params / all_params, macs / all_macs)
        for name, (params, macs) in totals.items()
        if params or macs
    }


# A leaf module does several operations (pad, convolve, permute back): the row takes the most telling one's
# role.
_TELLING = (
    "spatial",
    "pointwise",
    "depthwise",
    "grouped",
    "linear",
    "attention",
    "norm",
    "pool",
    "activation",
    "merge",
)


def _layers(traced: Trace, fields: Mapping[str, ReceptiveField]) -> Iterator[Layer]:
    parents = {name.rpartition(".")[0] for name in traced.modules if name}

    def place(op: Op) -> str:
        leaf = op.path and op.dotted not in parents and traced.modules.get(op.dotted) not in CONTAINERS
        return op.dotted if leaf else f"{op.dotted} {op.id}"

    for _, run in groupby((op for op in traced.ops if op.kind not in ("input", "output")), key=place):
        ops = list(run)
        kind = min(
            (op.kind for op in ops), key=lambda k: _TELLING.index(k) if k in _TELLING else len(_TELLING)
        )
        params, macs = sum(op.params for op in ops), sum(op.macs for op in ops)
        if kind not in _TELLING and not (params or macs):
            continue
        last = next((op for op in reversed(ops) if op.id in fields), ops[-1])
        yield Layer(
            path=last.dotted or last.id,
            kind=kind,
            name=next(op.name for op in ops if op.kind == kind),
            output_shape=last.output_shape,
            params=params,
            macs=macs,
            activations=sum(op.activations for op in ops),
            receptive_field=fields.get(last.id),
        )
    yield from _idle_layers(traced.idle)


def _idle_layers(idle: Sequence[Idle]) -> Iterator[Layer]:
    for path, group in groupby(idle, key=lambda p: p.name.rpartition(".")[0]):
        yield Layer(
            path or "(root)", "other", "idle", (), sum(p.params for p in group), 0, 0, None, idle=True
        )


def _field_json(field: ReceptiveField | None) -> dict[str, Any] | None:
    if field is None:
        return None
    return {"size": _side(field.size), "stride": _side(field.stride), "global_from": field.global_from}


def _side(height_and_width: tuple[float, float]) -> float | list[float]:
    """One number where both agree, as tables print it."""
    height, width = height_and_width
    return height if height == width else [height, width]
