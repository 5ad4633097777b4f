"""The networks that the command line registered (`own.registry`), as a builder: `own:NAME`."""

from pathlib import Path

from torch import nn

from explorer.networks.entries import WeightsEntry
from explorer.networks.fetching import Progress
from explorer.networks.inputs import InputSpec
from explorer.networks.own import registry
from explorer.networks.registries import UnknownNetwork
from explorer.networks.resolving import resolve


def build(name: str, image_size: int | None = None) -> nn.Module:
    return registry.get(name).own.build(image_size)


def check(name: str) -> None:
    registry.get(name).own.check()


def input_spec(name: str) -> InputSpec:
    return registry.get(name).own.input_spec()


def fingerprint(name: str) -> str:
    return registry.get(name).fingerprint


def remarks(name: str) -> tuple[str, ...]:
    return registry.get(name).own.remarks


def entries(name: str) -> tuple[WeightsEntry, ...]:
    return (entry(name),) if registry.get(name).learnt else ()


def all_entries() -> tuple[WeightsEntry, ...]:
    return tuple(each for name in registry.registered() for each in entries(name))


def entry(name: str) -> WeightsEntry:
    """Raises UnknownNetwork, also for one that has learnt nothing."""
    known = registry.get(name)
    if not known.learnt:
        raise UnknownNetwork(f"own:{name} was registered without weights; --weights FILE gives it some.")
    weights = known.own.weights
    return WeightsEntry(
        id=f"own:{name}",
        reference=resolve(f"own:{name}"),
        label=f"{name} · yours, {weights.name if weights else 'with the weights it came with'}",
        bytes=weights.stat().st_size if weights and weights.is_file() else None,
        licence=known.own.licence,
        input=known.own.input_spec(),
        path=weights,
        remarks=known.own.remarks,
    )


def fetch(chosen: WeightsEntry, progress: Progress | None) -> Path | None:
    """The file of weights; None where they come with the code."""
    return chosen.path


def read(chosen: WeightsEntry, path: Path | None) -> tuple[nn.Module, InputSpec, tuple[str, ...]]:
    return registry.get(chosen.reference.name).own.read()
