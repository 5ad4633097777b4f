"""Up to a handful of networks compared: what each costs against the first, and their layers in one table.

A ratio says how many times as much as the first network a quantity is; of accuracies and years the difference
tells more. What is better is said only where one direction is: fewer parameters, more accuracy, but no depth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import zip_longest
from types import MappingProxyType
from typing import Literal

from explorer.analysis.choosing.candidates import MEASURES
from explorer.analysis.choosing.pareto import Better
from explorer.analysis.comparing.alignment import Scale
from explorer.analysis.graph.operations import Trace
from explorer.analysis.numbers.memory import memory
from explorer.analysis.numbers.stats import Layer, Stats, Totals
from explorer.catalogue import Architecture, Fact

TRAINING_BATCH = 32
SPEEDS = ("throughput 3090", "throughput i7-12700h")


@dataclass(frozen=True)
class Compared:
    """One network at one input size. paper, weights: its published top-1 in its paper, and the best of any
    weights one can load; None where none is known. speeds: published throughputs by `candidates.MEASURES`."""

    stats: Stats
    trace: Trace
    year: int | None = None
    paper: Fact | None = None
    weights: Fact | None = None
    speeds: Mapping[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True)
class Quantity:
    """title and unit as a table prints them. better: which way is good, None where neither is. change: how a
    network stands against the first. fact: what was published, where the value is no count of ours: two such
    are set against each other only where they were tested alike."""

    title: str
    unit: str
    better: Better | None
    change: Literal["ratio", "difference"]
    read: Callable[[Compared], float | None]
    fact: Callable[[Compared], Fact | None] | None = None


def deployed(of: Compared) -> Totals | Stats:
    """The totals of the form in which a network is deployed; most are deployed as they are trained."""
    return of.stats.deployed or of.stats


def _speed(name: str) -> Quantity:
    """What others measured, on a machine that one reader in many has."""
    measure = MEASURES[name]
    return Quantity(
        measure.title, measure.unit, measure.better, "ratio", lambda of: _value(of.speeds.get(name))
    )


def _memory(mode: Literal["inference", "training"], batch_size: int) -> Callable[[Compared], float]:
    return lambda of: memory(of.trace, batch_size, mode=mode).total


QUANTITIES: Mapping[str, Quantity] = MappingProxyType(
    {
        "weights top1": Quantity(
            "Top-1 of published weights",
            "%",
            "more",
            "difference",
            lambda of: _value(of.weights),
            lambda of: of.weights,
        ),
        # Recipes differ from paper to paper: where they tested alike there is a difference, but no ranking.
        "paper top1": Quantity(
            "Top-1 in its paper",
            "%",
            None,
            "difference",
            lambda of: _value(of.paper),
            lambda of: of.paper,
        ),
        **{name: _speed(name) for name in SPEEDS},
        "params": Quantity("Parameters", "", "less", "ratio", lambda of: of.stats.params),
        "macs": Quantity("MACs", "", "less", "ratio", lambda of: of.stats.macs),
        "deployed params": Quantity(
            "Parameters, as deployed", "", "less", "ratio", lambda of: deployed(of).params
        ),
        "deployed macs": Quantity("MACs, as deployed", "", "less", "ratio", lambda of: deployed(of).macs),
        "activations": Quantity("Activations", "", "less", "ratio", lambda of: of.stats.activations),
        "weight_bytes": Quantity(
            "Weights in float32", "bytes", "less", "ratio", lambda of: of.stats.weight_bytes
        ),
        "inference memory": Quantity("Memory, one image", "bytes", "less", "ratio", _memory("inference", 1)),
        "training memory": Quantity(
            f"Memory, training, {TRAINING_BATCH} images",
            "bytes",
            "less",
            "ratio",
            _memory("training", TRAINING_BATCH),
        ),
        "depth": Quantity("Depth, weighted layers", "", None, "ratio", lambda of: of.stats.depth),
        "receptive_field": Quantity(
            "Receptive field", "px", None, "ratio", lambda of: max(of.stats.receptive_field.size)
        ),
        "year": Quantity("Year", "", None, "difference", lambda of: of.year),
    }
)


@dataclass(frozen=True)
class ComparedQuantity:
    """One quantity of all networks. changes: ratio to the first network's value, or difference from it; None
    where either is missing or they were not tested alike. apart: of each network what sets its test apart
    from the first's, "" where nothing does. best: places of the best; none where neither direction is better,
    fewer than two values are known, all are equal, or one was tested otherwise."""

    values: tuple[float | None, ...]
    changes: tuple[float | None, ...]
    best: frozenset[int]
    apart: tuple[str, ...]


def compare(networks: Sequence[Compared]) -> Mapping[str, ComparedQuantity]:
    """A row for each of QUANTITIES; of the deployed forms only where one is not the form that is trained."""
    two_forms = any(each.stats.deployed for each in networks)
    return MappingProxyType(
        {
            name: row([of.read(each) for each in networks], of, _apart([of.fact(each) for each in networks]))
            if of.fact is not None
            else row([of.read(each) for each in networks], of)
            for name, of in QUANTITIES.items()
            if two_forms or not name.startswith("deployed ")
        }
    )


def _apart(facts: Sequence[Fact | None]) -> tuple[str, ...]:
    """Of each fact what sets its test apart from the first's."""
    first = facts[0]
    if first is None:
        return ("",) * len(facts)
    others = (first.evaluation.differences(each.evaluation) if each else () for each in facts[1:])
    return ("", *map(", ".join, others))


def row(values: Sequence[float | None], quantity: Quantity, apart: Sequence[str] = ()) -> ComparedQuantity:
    """apart: as `ComparedQuantity` has it; empty where all was measured alike."""
    first, told = values[0], tuple(apart) or ("",) * len(values)
    changes = tuple(
        None if why else _change(first, value, quantity.change)
        for value, why in zip(values, told, strict=True)
    )
    return ComparedQuantity(
        tuple(values), changes, frozenset() if any(told) else _best(values, quantity.better), told
    )


def _change(first: float | None, value: float | None, how: str) -> float | None:
    if first is None or value is None or (how == "ratio" and not first):
        return None
    return value / first if how == "ratio" else value - first


def _best(values: Sequence[float | None], better: Better | None) -> frozenset[int]:
    known = {place: value for place, value in enumerate(values) if value is not None}
    if better is None or len(known) < 2 or len(set(known.values())) == 1:
        return frozenset()
    top = (max if better == "more" else min)(known.values())
    return frozenset(place for place, value in known.items() if value == top)


def published(entry: Architecture | None, of_weights: Iterable[Fact]) -> tuple[Fact | None, Fact | None]:
    """(top-1 in the paper, the best top-1 of weights one can load: of torchvision's trained on ImageNet-1k
    alone, which are measured alike, before others). entry: what the catalogue knows of this very network;
    of_weights: what the builders publish with theirs."""
    facts = entry.facts.get("top1", ()) if entry is not None else ()
    in_paper = [fact for fact in facts if entry is not None and fact.source.startswith(entry.paper.label)]
    loadable = [fact for fact in facts if fact.source.startswith(("torchvision ", "timm "))]
    best = max((*loadable, *of_weights), key=_alike_first, default=None)
    return (in_paper[0] if in_paper else None), best


def _alike_first(fact: Fact) -> tuple[bool, bool, float]:
    """SWAG weights have seen billions of further pictures."""
    return fact.source.startswith("torchvision "), "SWAG" not in fact.source, fact.value


def _value(fact: Fact | None) -> float | None:
    return fact.value if fact is not None else None


@dataclass(frozen=True)
class LayerRow:
    """Layers that stand beside each other: of one scale and of one kind or, failing that, in its place."""

    resolution: tuple[int, int]
    stages: tuple[str, ...]
    layers: tuple[Layer | None, ...]


def join_layers(
    scales: Sequence[Scale], layers: Sequence[Mapping[str, Sequence[Layer]]]
) -> tuple[LayerRow, ...]:
    """Every layer of every network once, in the order of execution, stage beside stage.

    layers: of each network by the name of its stage. Within a scale the networks' layers are matched by kind
    with those of the first that is there (the longest common runs, as a text comparison matches lines), and
    what stands between two matches in order.
    """
    rows: list[LayerRow] = []
    for scale in scales:
        stages = tuple(node.label if node is not None else "" for node in scale.nodes)
        columns = [of.get(stage, ()) if stage else () for of, stage in zip(layers, stages, strict=True)]
        rows += (LayerRow(scale.resolution, stages, each) for each in beside(columns))
    return tuple(rows)


def beside(columns: Sequence[Sequence[Layer]]) -> list[tuple[Layer | None, ...]]:
    """Rows of layers: those of one kind or of one place beside each other, the others in rows between."""
    base = next((column for column in columns if column), ())
    slots = [_slots(base, column) for column in columns]
    rows: list[tuple[Layer | None, ...]] = []
    for place in range(len(base) + 1):
        rows += zip_longest(*(between[place] for between, _ in slots))
        if place < len(base):
            rows.append(tuple(matched[place] for _, matched in slots))
    return rows


def _slots(base: Sequence[Layer], column: Sequence[Layer]) -> tuple[list[list[Layer]], list[Layer | None]]:
    """For each layer of `base`: those of `column` that come before it without a partner (and after the last),
    and its partner."""
    between: list[list[Layer]] = [[] for _ in range(len(base) + 1)]
    matched: list[Layer | None] = [None] * len(base)
    ones, others = [layer.kind for layer in base], [layer.kind for layer in column]
    for _, start, end, low, high in SequenceMatcher(None, ones, others, autojunk=False).get_opcodes():
        common = min(end - start, high - low)  # of another kind: a depthwise in a spatial convolution's place
        matched[start : start + common] = column[low : low + common]
        between[end].extend(column[low + common : high])
    return between, matched
