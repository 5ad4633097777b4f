"""Sets of weights that one can choose between: what each costs, and how well it is said to do.

Three sources, never mixed in one value: timm's published tables, the weight entries of the installed
torchvision, and results that papers print (the catalogue's facts). Params, MACs and activations are counted
by this program, whoever published the accuracy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from explorer.analysis.choosing.pareto import Better
from explorer.catalogue import Architecture, architectures
from explorer.catalogue.counts import COSTS, counts
from explorer.catalogue.evaluations import Evaluation, evaluation
from explorer.catalogue.network_names import MORE_PICTURES, ONLY_IMAGENET_1K, line, training_data
from explorer.catalogue.published_tables import PublishedResult

if TYPE_CHECKING:
    from explorer.networks import WeightsEntry

PublishedBy = Literal["timm", "torchvision", "paper"]
UNKNOWN = "unknown"
BYTES_A_PARAMETER = 4


@dataclass(frozen=True)
class Measure:
    """A quantity that candidates are compared by. unit: "" for a plain count. log: read best on such an axis.

    source: who says so, in words. timed: the form of the network that ran, of a speed.
    """

    title: str
    unit: str
    better: Better
    log: bool
    source: str
    timed: Literal["", "trained", "deployed"] = ""


_COUNTED = "counted by this program on the network itself"
_TIMM = "timm's published tables"
_DEPLOYED = "deployed "
_COUNTS = {
    "params": Measure("Parameters", "", "less", True, _COUNTED),
    "macs": Measure("MACs", "", "less", True, _COUNTED),
    "activations": Measure("Activations", "", "less", True, _COUNTED),
    "weight_bytes": Measure("Weight size, float32", "bytes", "less", True, "4 bytes a parameter"),
}
# Which form timm timed is told by its numbers. MobileOne-S0 has four branches a layer as it is trained, S1
# has one; deployed, S0 is the smaller. The 5090 ran S0 1.8 times as fast as S1, the 3090 and the Core i7 ran
# it slower. All of RepVGG, RepViT, FastViT and RepGhost are 2.2 to 3.5 times as fast on the 5090 as on the
# 3090; of all networks the median is 1.8.
MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        **_COUNTS,
        **{
            f"{_DEPLOYED}{name}": replace(each, title=f"{each.title}, as deployed")
            for name, each in _COUNTS.items()
        },
        "top1": Measure("ImageNet top-1", "%", "more", False, "whoever published the weights"),
        "top5": Measure("ImageNet top-5", "%", "more", False, "whoever published the weights"),
        "real top1": Measure("ImageNet ReaL top-1", "%", "more", False, _TIMM),
        "v2 top1": Measure("ImageNet-V2 top-1", "%", "more", False, _TIMM),
        "a top1": Measure("ImageNet-A top-1", "%", "more", False, _TIMM),
        "r top1": Measure("ImageNet-R top-1", "%", "more", False, _TIMM),
        "sketch top1": Measure("ImageNet-Sketch top-1", "%", "more", False, _TIMM),
        "throughput 5090": Measure("Throughput, RTX 5090", "images/s", "more", True, _TIMM, "deployed"),
        "throughput 3090": Measure("Throughput, RTX 3090", "images/s", "more", True, _TIMM, "trained"),
        "throughput i7-12700h": Measure(
            "Throughput, Core i7-12700H", "images/s", "more", True, _TIMM, "trained"
        ),
    }
)


@dataclass(frozen=True)
class Candidate:
    """One set of weights at one image size, or one printed result of a network.

    id: unique among all. name: what a reader calls it. reference: the network, such as "timm:resnet50".
    weights: what `networks.load` takes, "" for a printed result. architecture, family: ids of the catalogue,
    None where it has none. year: of the architecture. training_data: one of
    `catalogue.network_names.TRAINING_DATA`, or UNKNOWN. protocol: how the accuracy was measured.
    values: by the names of MEASURES; what nobody measured is absent, and so are the counts of the deployed
    form where the network is deployed as it is trained: `value` knows both.
    """

    id: str
    name: str
    reference: str
    weights: str
    published_by: PublishedBy
    architecture: str | None
    family: str | None
    year: int | None
    image_size: int
    training_data: str
    licence: str
    protocol: str
    values: Mapping[str, float] = field(hash=False)

    @property
    def network(self) -> str:
        """The catalogue's id where there is one: weights of one network share it."""
        return self.architecture or self.reference

    @property
    def arch(self) -> str:
        """What the pages' `arch` takes: timm's name with its tag, else the network."""
        return self.weights if self.published_by == "timm" else self.network

    @property
    def for_tests(self) -> bool:
        """One of the toy networks on which timm tests its code."""
        return self.published_by == "timm" and self.name.startswith("test_")

    @property
    def compared(self) -> str:
        """What the Compare page takes: these weights at this size."""
        return f"{self.weights or self.network}@{self.image_size}"

    def value(self, measure: str) -> float | None:
        """None where nobody measured it."""
        return self.values.get(measure, self.values.get(measure.removeprefix(_DEPLOYED)))

    @property
    def two_forms(self) -> bool:
        """Whether it is deployed in another form than it is trained in."""
        return as_deployed("params") in self.values


def as_deployed(measure: str) -> str:
    """The name of a count in the deployed form; of anything else itself."""
    return f"{_DEPLOYED}{measure}" if measure in _COUNTS else measure


def candidates(rows: Iterable[PublishedResult] = ()) -> tuple[Candidate, ...]:
    """Everything known without the network: torchvision's entries and printed results, and `rows` of timm's
    tables where they are at hand. Imports torch; the values and measures above do not.
    """
    from explorer.analysis.numbers.counting import torchvision_entries

    return (*map(_of_timm, rows), *map(_of_torchvision, torchvision_entries()), *_printed())


def _of_timm(row: PublishedResult) -> Candidate:
    model, image_size = row.key
    reference = f"timm:{row.key.architecture}"
    known = _built_as().get(reference)
    described = known or line(row.key.architecture)
    return Candidate(
        id=f"timm:{model}@{image_size}",
        name=model,
        reference=reference,
        weights=f"timm:{model}",
        published_by="timm",
        architecture=known.id if known else None,
        family=described.family if described else None,
        year=described.year if described else None,
        image_size=image_size,
        training_data=training_data(model),
        licence=_licence(model),
        protocol=f"1 crop {image_size}, timm",
        values=MappingProxyType({**_counted(reference, image_size), **row.values}),
    )


def _of_torchvision(entry: WeightsEntry) -> Candidate:
    reference = str(entry.reference)
    known = _built_as().get(reference)
    image_size = entry.input.image_size if entry.input else 0
    facts = {name: entry.facts[name].value for name in ("top1", "top5") if name in entry.facts}
    described = known or line(entry.reference.name)
    return Candidate(
        id=entry.id,
        name=f"{entry.reference.name} {entry.id.rpartition('.')[2]}",
        reference=reference,
        weights=entry.id,
        published_by="torchvision",
        architecture=known.id if known else None,
        family=described.family if described else None,
        year=described.year if described else None,
        image_size=image_size,
        training_data=MORE_PICTURES if "SWAG" in entry.id else ONLY_IMAGENET_1K,
        licence=entry.licence,
        protocol=f"1 crop {image_size}, torchvision",
        values=MappingProxyType({**_counted(reference, image_size), **facts}),
    )


def _printed() -> Iterator[Candidate]:
    """What papers print of catalogued networks; results of published weights come from their publisher."""
    for entry in architectures().values():
        if not entry.builders:
            continue
        for place, fact in enumerate(entry.facts.get("top1", ())):
            if fact.source.startswith(("torchvision ", "timm ")):
                continue
            image_size = _size_in(fact.protocol) or entry.image_size
            counted = next(filter(None, (_counted(each, image_size) for each in entry.builders)), {})
            yield Candidate(
                id=f"paper:{entry.id}#{place}",
                name=f"{entry.name}, {fact.source}",
                reference=entry.builders[0],
                weights="",
                published_by="paper",
                architecture=entry.id,
                family=entry.family,
                year=entry.year,
                image_size=image_size,
                training_data=UNKNOWN,
                licence="",
                protocol=fact.protocol,
                values=MappingProxyType({**counted, "top1": fact.value}),
            )


def tested_apart(measure: str, one: Candidate, other: Candidate) -> tuple[str, ...]:
    """In words, what sets apart how an accuracy of the two was tested; () where it may be subtracted, as any
    measure that is no accuracy may.
    """
    if measure not in MEASURES or MEASURES[measure].unit != "%":
        return ()
    return evaluation(one.protocol).differences(evaluation(other.protocol))


def tested_alike(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The most of them whose accuracies were tested in one and the same way; [] where no two were."""
    groups: dict[Evaluation, list[Candidate]] = {}
    for each in candidates:
        groups.setdefault(evaluation(each.protocol), []).append(each)
    # One that does not say how it was tested differs from itself.
    several = [those for how, those in groups.items() if len(those) > 1 and not how.differences(how)]
    return max(several, key=len, default=[])


def _size_in(protocol: str) -> int | None:
    """Side in pixels in "10 crops 224"; None where it names none, or several."""
    sizes = {int(size) for size in re.findall(r"\b\d{3}\b", protocol)}
    return sizes.pop() if len(sizes) == 1 else None


def _counted(reference: str, image_size: int) -> Mapping[str, float]:
    key = reference, image_size
    trained, deployed = counts().of.get(key), counts().deployed.get(key)
    return {
        **(_of_a_form(trained) if trained else {}),
        **({as_deployed(name): value for name, value in _of_a_form(deployed).items()} if deployed else {}),
    }


def _of_a_form(found: Mapping[str, int]) -> Mapping[str, float]:
    return {**{name: found[name] for name in COSTS}, "weight_bytes": BYTES_A_PARAMETER * found["params"]}


@cache
def _built_as() -> Mapping[str, Architecture]:
    """Catalogue entries by the references that build them; of two, the one that is not about a recipe."""
    found: dict[str, Architecture] = {}
    for entry in architectures().values():
        for reference in entry.builders:
            found.setdefault(reference, entry)
    return found


def _licence(model: str) -> str:
    import timm

    try:
        configuration = timm.models.get_pretrained_cfg(model)
    except (RuntimeError, KeyError):
        return UNKNOWN
    return (configuration and configuration.license) or UNKNOWN
