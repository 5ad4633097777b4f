"""Numbers to colour the boxes of a diagram by: what each overlay says about a box, and how it is written.

An overlay is prepared once for a hierarchy and then asked box by box. The ones in `OVERLAYS` are computed
from the trace; `measured` makes one from numbers that somebody measured, layer by layer. A box that the
question does not fit (the receptive field of a classifier) has no value, and no colour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite, log, prod
from types import MappingProxyType
from typing import Literal

from explorer.analysis.graph.operations import Op, Trace
from explorer.analysis.numbers.memory import owners
from explorer.analysis.structure.hierarchy import Hierarchy, Node
from explorer.analysis.structure.stages import depths
from explorer.units import GAP, count, size

Scale = Literal["linear", "log"]
Asked = Callable[[Node], float | None]
BYTES_A_NUMBER = 4  # float32

_PORTS = ("input", "output")
_LOG_FROM = 100  # largest over smallest: past this a linear scale shows one box and hides the rest


@dataclass(frozen=True)
class Overlay:
    """title: as a menu and a legend say it. unit: "MACs", "params", "B", "px", "layers", "ms", "%" or "".
    scale: "log" for amounts that may spread over powers of ten (`ColourScale` decides), "linear" for the
    rest. prepare: the work done once for a hierarchy; what it gives answers for single boxes.
    """

    title: str
    unit: str
    scale: Scale
    prepare: Callable[[Hierarchy], Asked]

    def value(self, hierarchy: Hierarchy, node: Node) -> float | None:
        """Of one box; None where the overlay has nothing to say about it."""
        return self.prepare(hierarchy)(node)

    def values(self, hierarchy: Hierarchy, nodes: Iterable[Node]) -> Mapping[str, float]:
        """Of many, by node id; boxes without a value are left out."""
        ask = self.prepare(hierarchy)
        asked = ((node.id, ask(node)) for node in nodes)
        return {identifier: value for identifier, value in asked if value is not None}


def _total(which: int) -> Callable[[Hierarchy], Asked]:
    def prepare(hierarchy: Hierarchy) -> Asked:
        return lambda node: None if _is_port(node) else float(hierarchy.totals(node)[which])

    return prepare


def _activation_bytes(hierarchy: Hierarchy) -> Asked:
    """Tensors computed inside, not the image; a view or an in-place result lies in memory that counts
    already."""
    owner = owners(hierarchy.trace)
    made = [op for op in hierarchy.trace.ops if op.kind not in _PORTS and owner[op.id] == op.id]
    own = {op.id: prod(op.output_shape) for op in made}

    def ask(node: Node) -> float | None:
        return (
            None if _is_port(node) or not node.ops else BYTES_A_NUMBER * sum(own.get(i, 0) for i in node.ops)
        )

    return ask


def _receptive_field(hierarchy: Hierarchy) -> Asked:
    """The longer side, for the last operation inside that still has positions in the image."""

    def ask(node: Node) -> float | None:
        fields = (hierarchy.fields.get(i) for i in reversed(node.ops))
        return next((float(max(field.size)) for field in fields if field is not None and field.local), None)

    return ask


def _depth(hierarchy: Hierarchy) -> Asked:
    depth = depths(hierarchy.trace.ops)
    return lambda node: float(max(depth[i] for i in node.ops)) if node.ops else None


OVERLAYS: Mapping[str, Overlay] = MappingProxyType(
    {
        "macs": Overlay("MACs", "MACs", "log", _total(1)),
        "params": Overlay("Parameters", "params", "log", _total(0)),
        "activation memory": Overlay(
            "Activation memory, one image in float32", "B", "log", _activation_bytes
        ),
        "receptive field": Overlay(
            "Receptive field, gates and attention aside", "px", "linear", _receptive_field
        ),
        "depth": Overlay("Depth: weighted layers on the longest way here", "layers", "linear", _depth),
    }
)


def measured(
    title: str,
    unit: str,
    by_place: Mapping[str, float],
    combine: Literal["sum", "mean"],
    scale: Scale = "log",
) -> Overlay:
    """An overlay from measurements by operation id or by dotted module path, an operation's own going first.

    "sum": an amount (milliseconds); that of a module is handed out evenly to its operations, so that boxes
    add up. "mean": a property (share of zeros); a box has the mean of the places inside. Boxes in which
    nothing was measured have no value.
    """

    def prepare(hierarchy: Hierarchy) -> Asked:
        place = {op.id: op.id if op.id in by_place else op.dotted for op in _computed(hierarchy.trace)}
        users: dict[str, int] = {}
        for held in place.values():
            users[held] = users.get(held, 0) + 1

        def ask(node: Node) -> float | None:
            inside = [place[i] for i in node.ops if place.get(i) in by_place]
            if not inside:
                return None
            if combine == "sum":
                return sum(by_place[held] / users[held] for held in inside)
            places = set(inside)
            return sum(by_place[held] for held in places) / len(places)

        return ask

    return Overlay(title, unit, scale, prepare)


def by_call(
    trace: Trace,
    calls: Mapping[str, Sequence[float]],
    combine: Literal["sum", "mean"],
    weights: Mapping[str, float] = MappingProxyType({}),
) -> dict[str, float]:
    """Measurements by module path, one a call -> by operation id, ready for `measured`.

    A network may run one module several times (one ReLU for three places); its operations are then split
    evenly among the calls. Where they do not divide, all calls are taken together. "sum" shares a call's
    amount among its operations, in proportion to their `weights` by id or evenly where there are none; "mean"
    gives each the call's value.
    """
    held: dict[str, list[str]] = {}
    for op in _computed(trace):
        if op.dotted in calls:
            held.setdefault(op.dotted, []).append(op.id)
    found: dict[str, float] = {}
    for path, ids in held.items():
        values = list(calls[path])
        if len(ids) % len(values):
            values = [sum(values) if combine == "sum" else sum(values) / len(values)]
        share = len(ids) // len(values)
        for number, value in enumerate(values):
            own = ids[number * share : (number + 1) * share]
            whole = sum(weights.get(identifier, 0.0) for identifier in own)
            for identifier in own:
                part = weights.get(identifier, 0.0) / whole if whole else 1 / share
                found[identifier] = value * part if combine == "sum" else value
    return found


@dataclass(frozen=True)
class ColourScale:
    """From value to a place on a perceptually uniform colour map, 0 to 1; low and high are the map's ends.

    Linear scales begin at zero unless there is something below it. On a log scale zero has the place of the
    smallest amount.
    """

    kind: Scale
    low: float
    high: float

    def position(self, value: float) -> float:
        if self.kind == "log":
            if value <= self.low:
                return 0.0
            return min(1.0, log(value / self.low) / log(self.high / self.low))
        if self.high == self.low:
            return 0.0
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))


def colour_scale(values: Iterable[float], scale: Scale = "log") -> ColourScale:
    """For these values. "log" where the positive ones spread more than a hundredfold and none is negative."""
    known = [value for value in values if isfinite(value)]
    positive = [value for value in known if value > 0]
    high, low = max(known, default=0.0), min(known, default=0.0)
    smallest = min(positive, default=inf)
    if scale == "log" and low >= 0 and smallest < inf and high > _LOG_FROM * smallest:
        return ColourScale("log", smallest, high)
    return ColourScale("linear", min(0.0, low), high)


def scaled(values: Mapping[str, float | None], scale: Scale = "log") -> Mapping[str, float]:
    """Places on the colour map by the same keys; what has no value stays without."""
    known = {key: value for key, value in values.items() if value is not None and isfinite(value)}
    on = colour_scale(known.values(), scale)
    return {key: on.position(value) for key, value in known.items()}


def formatted(overlay: Overlay, value: float | None) -> str:
    """ "118 M MACs", "3.06 MiB", "427 px": three significant digits with the unit; "" without a value."""
    if value is None:
        return ""
    if overlay.unit == "B":
        return size(value)
    return GAP.join(filter(None, (count(value), overlay.unit)))


def _is_port(node: Node) -> bool:
    return node.kind in _PORTS


def _computed(trace: Trace) -> list[Op]:
    """What is done to the image when the network runs."""
    return [op for op in trace.ops if not op.static and op.kind not in _PORTS]
