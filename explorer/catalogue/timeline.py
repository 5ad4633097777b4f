"""The scoreboard behind the story: ILSVRC winners by year, the human level, and the years before networks."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from explorer.catalogue.architectures import Architecture, architectures
from explorer.catalogue.facts import Fact, Paper
from explorer.catalogue.reading import CatalogueError, Entry, read_toml
from explorer.catalogue.sources import DATA, Sources, read_fact, read_paper, sources


@dataclass(frozen=True)
class IlsvrcEntry:
    """One year's winner of the ImageNet classification task; `architecture` is its id, where it has one."""

    year: int
    name: str
    top5_error: Fact
    architecture: str | None
    hand_crafted: bool


@dataclass(frozen=True)
class HandcraftedMethod:
    """One step of the pipeline that people designed before networks learned it."""

    id: str
    name: str
    year: int
    step: str
    idea: str
    breaks: str
    paper: Paper


@dataclass(frozen=True)
class Rung:
    """One rung of the ladder: what capped the field, which idea removed that, and the entry that did it."""

    architecture: str
    ceiling: str
    idea: str


@dataclass(frozen=True)
class Timeline:
    """All that the landing page draws beside the architectures themselves."""

    ilsvrc: tuple[IlsvrcEntry, ...]
    human: Fact
    handcrafted: tuple[HandcraftedMethod, ...]
    ladder: tuple[Rung, ...]


def _known(entry: Entry, identifier: str, known: Mapping[str, Architecture]) -> str:
    if identifier not in known:
        raise entry.error("architecture", f"{identifier!r} is not an entry of the catalogue")
    return identifier


def _winner(entry: Entry, registry: Sources, known: Mapping[str, Architecture]) -> IlsvrcEntry:
    identifier = entry.text("architecture", "")
    winner = IlsvrcEntry(
        year=entry.integer("year"),
        name=entry.text("name"),
        top5_error=read_fact(entry.table("top5_error"), registry, "%"),
        architecture=_known(entry, identifier, known) if identifier else None,
        hand_crafted=entry.flag("hand_crafted"),
    )
    entry.close()
    return winner


def _method(entry: Entry, registry: Sources) -> HandcraftedMethod:
    method = HandcraftedMethod(
        id=entry.text("id"),
        name=entry.text("name"),
        year=entry.integer("year"),
        step=entry.text("step"),
        idea=entry.text("idea"),
        breaks=entry.text("breaks"),
        paper=read_paper(entry, registry),
    )
    entry.close()
    return method


def _rung(entry: Entry, known: Mapping[str, Architecture]) -> Rung:
    rung = Rung(
        architecture=_known(entry, entry.text("architecture"), known),
        ceiling=entry.text("ceiling"),
        idea=entry.text("idea"),
    )
    entry.close()
    return rung


def read_timeline(path: Path, registry: Sources, known: Mapping[str, Architecture]) -> Timeline:
    """The timeline of `path`, its ids checked against `known`; CatalogueError where it is malformed."""
    file = Entry(path.name, "timeline", read_toml(path))
    timeline = Timeline(
        ilsvrc=tuple(_winner(entry, registry, known) for entry in file.tables("ilsvrc")),
        human=read_fact(file.table("human"), registry, "%"),
        handcrafted=tuple(_method(entry, registry) for entry in file.tables("handcrafted")),
        ladder=tuple(_rung(entry, known) for entry in file.tables("ladder")),
    )
    file.close()
    if not timeline.ilsvrc:
        raise CatalogueError(f"{path.name}: timeline: ilsvrc: is missing")
    return timeline


@cache
def timeline() -> Timeline:
    """The project's timeline, read and validated at the first call."""
    return read_timeline(DATA / "timeline.toml", sources(), architectures())
