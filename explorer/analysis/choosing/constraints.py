"""What published weights are wanted for, as a table of constraints, and what each reads off a candidate.

A wish is a hard limit: a candidate that nobody has measured for it does not pass, and its reason says so.
Each constraint reads its own number and judges that alone, so that dropping one never loses a candidate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from explorer.analysis.choosing.candidates import MEASURES, UNKNOWN, Candidate, as_deployed
from explorer.analysis.choosing.pareto import Better
from explorer.analysis.numbers.memory import Mode, needed
from explorer.catalogue import architectures
from explorer.catalogue.counts import AT_INFERENCE, BUFFERS, CHANNELS, IN_TRAINING, counts

PERMISSIVE, NON_COMMERCIAL, OWN_TERMS, NOT_STATED = "permissive", "non-commercial", "own terms", "not stated"
_FREE = ("apache-2.0", "mit", "bsd-3-clause", "cc-by-4.0")
Basis = Literal["counted", "counted as deployed", "counted as trained", "published", "measured here", "known"]


@dataclass(frozen=True)
class Wishes:
    """None and empty ask for nothing.

    speed: a measure in images/s or ms, and its limit: the least, or the most. params, macs, weight_bytes,
    image_size: at most. memory_bytes: at most, for one step on batch_size images in float32, training with
    `optimiser`. mode: also which form of the network the counts are of, for inference the deployed one.
    strides: where a stage must hand out maps. built_by: libraries that must build the network. licences:
    kinds that will do. training_data: of catalogue.network_names.TRAINING_DATA. families: ids.
    """

    speed: str = ""
    speed_limit: float | None = None
    params: float | None = None
    macs: float | None = None
    weight_bytes: float | None = None
    image_size: int | None = None
    memory_bytes: float | None = None
    mode: Mode = "inference"
    batch_size: int = 1
    optimiser: str = "SGD + momentum"
    strides: tuple[int, ...] = ()
    built_by: tuple[str, ...] = ()
    licences: frozenset[str] = frozenset()
    training_data: frozenset[str] = frozenset()
    families: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Reason:
    """What one wish asks and what a candidate has. value: None where nobody knows; limit in its
    unit."""

    value: float | str | None
    limit: float | str
    holds: bool
    unit: str = ""
    better: Better | None = None
    basis: Basis = "counted"


@dataclass(frozen=True)
class Constraint:
    """title: what it is about. fields: of Wishes, which drop it when put back. read: None where it is not
    asked."""

    title: str
    fields: tuple[str, ...]
    read: Callable[[Candidate, Wishes], Reason | None]


def _limited(name: str, unit: str) -> Callable[[Candidate, Wishes], Reason | None]:
    """A counted quantity that may be at most what is wished."""

    def read(candidate: Candidate, wishes: Wishes) -> Reason | None:
        limit = getattr(wishes, name)
        if limit is None:
            return None
        return _at_most(candidate.value(in_form(name, wishes)), limit, unit, counted(candidate, wishes))

    return read


def in_form(measure: str, wishes: Wishes) -> str:
    """The name of a count in the form that the wishes are about."""
    return measure if wishes.mode == "training" else as_deployed(measure)


def counted(candidate: Candidate, wishes: Wishes) -> Basis:
    """What is said of a count; which form it is of where the network has two."""
    if not candidate.two_forms:
        return "counted"
    return "counted as trained" if wishes.mode == "training" else "counted as deployed"


def _at_most(value: float | None, limit: float, unit: str, basis: Basis = "counted") -> Reason:
    return Reason(value, limit, value is not None and value <= limit, unit, "less", basis)


def _speed(candidate: Candidate, wishes: Wishes) -> Reason | None:
    if not wishes.speed or wishes.speed_limit is None:
        return None
    basis: Basis = "published" if wishes.speed in MEASURES else "measured here"
    value, limit = candidate.values.get(wishes.speed), wishes.speed_limit
    if wishes.speed.startswith("latency"):
        return _at_most(value, limit, "ms", basis)
    return Reason(value, limit, value is not None and value >= limit, "images/s", "more", basis)


def _memory(candidate: Candidate, wishes: Wishes) -> Reason | None:
    if wishes.memory_bytes is None:
        return None
    return _at_most(memory_bytes(candidate, wishes), wishes.memory_bytes, "bytes", counted(candidate, wishes))


def memory_bytes(candidate: Candidate, wishes: Wishes) -> float | None:
    """Of one step on a batch in float32, as `analysis.memory` estimates it; None where nothing is counted."""
    key = candidate.reference, candidate.image_size
    held = counts().of.get(key)
    if wishes.mode == "inference":
        held = counts().deployed.get(key, held)
    params = candidate.value(in_form("params", wishes))
    if held is None or params is None:
        return None
    an_image = held[IN_TRAINING if wishes.mode == "training" else AT_INFERENCE]
    return needed(
        int(params), held[BUFFERS], an_image, wishes.batch_size, "fp32", wishes.optimiser, wishes.mode
    ).total


def _maps(candidate: Candidate, wishes: Wishes) -> Reason | None:
    if not wishes.strides:
        return None
    limit = _listed(wishes.strides)
    there = strides(candidate)
    if there is None:
        return Reason(None, limit, False)
    return Reason(_listed(there) or "none", limit, set(wishes.strides) <= set(there))


def strides(candidate: Candidate) -> tuple[int, ...] | None:
    """Of 4, 8, 16 and 32 pixels those at which a stage ends; None where nobody has looked."""
    held = counts().of.get((candidate.reference, candidate.image_size))
    return None if held is None else tuple(stride for stride, name in CHANNELS.items() if held[name])


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))


def _built_by(candidate: Candidate, wishes: Wishes) -> Reason | None:
    if not wishes.built_by:
        return None
    there = builders(candidate)
    asked = " and ".join(wishes.built_by)
    return Reason(" and ".join(there), asked, set(wishes.built_by) <= set(there), basis="known")


def builders(candidate: Candidate) -> tuple[str, ...]:
    """Libraries that build this very network: its own, and those that the catalogue equates."""
    own = candidate.reference
    entry = architectures().get(candidate.architecture or "")
    equal = entry.builders if entry is not None and own in entry.builders else (own,)
    return tuple(sorted({each.partition(":")[0] for each in equal}))


def licence_kind(licence: str) -> str:
    if licence in _FREE:
        return PERMISSIVE
    if licence in ("", UNKNOWN) or licence.startswith("not stated"):
        return NOT_STATED
    return NON_COMMERCIAL if "-nc" in licence or "noncommercial" in licence else OWN_TERMS


def _licence(candidate: Candidate, wishes: Wishes) -> Reason | None:
    if not wishes.licences:
        return None
    holds = licence_kind(candidate.licence) in wishes.licences
    return Reason(candidate.licence or NOT_STATED, _either(wishes.licences), holds, basis="published")


def _among(wish: str, has: str) -> Callable[[Candidate, Wishes], Reason | None]:
    """One of several will do. has: field of the candidate."""

    def read(candidate: Candidate, wishes: Wishes) -> Reason | None:
        wanted = getattr(wishes, wish)
        if not wanted:
            return None
        value = getattr(candidate, has)
        return Reason(value, _either(wanted), value in wanted, basis="known")

    return read


def _either(names: Iterable[str]) -> str:
    return " or ".join(sorted(names))


def _image_size(candidate: Candidate, wishes: Wishes) -> Reason | None:
    if wishes.image_size is None:
        return None
    return _at_most(candidate.image_size or None, wishes.image_size, "px", "known")


CONSTRAINTS: Mapping[str, Constraint] = MappingProxyType(
    {
        "speed": Constraint("Speed", ("speed_limit",), _speed),
        "params": Constraint("Parameters", ("params",), _limited("params", "")),
        "macs": Constraint("MACs", ("macs",), _limited("macs", "")),
        "weight_bytes": Constraint("Weight size", ("weight_bytes",), _limited("weight_bytes", "bytes")),
        "memory": Constraint("Memory", ("memory_bytes",), _memory),
        "image_size": Constraint("Image size", ("image_size",), _image_size),
        "maps": Constraint("Maps at strides", ("strides",), _maps),
        "built_by": Constraint("Built by", ("built_by",), _built_by),
        "licence": Constraint("Licence of the weights", ("licences",), _licence),
        "training_data": Constraint(
            "Training data", ("training_data",), _among("training_data", "training_data")
        ),
        "family": Constraint("Family", ("families",), _among("families", "family")),
    }
)


def asked(wishes: Wishes) -> tuple[str, ...]:
    """Names of the constraints that are in force."""
    start = Wishes()
    return tuple(
        name
        for name, each in CONSTRAINTS.items()
        if any(getattr(wishes, field) != getattr(start, field) for field in each.fields)
        and (name != "speed" or wishes.speed)
    )


def without(wishes: Wishes, constraint: str) -> Wishes:
    """The same wishes, this one dropped."""
    start = Wishes()
    return replace(wishes, **{name: getattr(start, name) for name in CONSTRAINTS[constraint].fields})


def reasons(candidate: Candidate, wishes: Wishes) -> Mapping[str, Reason]:
    """By name of the constraint, those that are in force."""
    read = {name: CONSTRAINTS[name].read(candidate, wishes) for name in asked(wishes)}
    return {name: reason for name, reason in read.items() if reason is not None}
