"""What is known about each architecture: its history, its one idea, published results, and who builds it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from explorer.catalogue.facts import Fact, Paper
from explorer.catalogue.reading import CatalogueError, Entry, read_toml
from explorer.catalogue.sources import DATA, Sources, read_facts, read_paper, sources

REFERENCE = re.compile(r"(torchvision|timm|explorer|zoo):[a-z0-9][a-z0-9_.]*")
WEIGHTS = re.compile(r"torchvision:[A-Z]\w*_Weights\.\w+|timm:[a-z0-9_]+(\.[a-z0-9_]+)?|zoo:[a-z0-9_]+")
IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")

# A variant (the same paper's other size) takes these from the entry it names unless it has its own.
INHERITED = (
    "year",
    "paper",
    "family",
    "came_from",
    "ceiling",
    "idea",
    "novelties",
    "used_for",
    "failure_cases",
    "mistakes",
    "image_size",
    "key",
)


@dataclass(frozen=True)
class Family:
    """A line of descent that shares one idea and, on every page, one colour."""

    id: str
    name: str


# In the order in which they appeared.
FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        family.id: family
        for family in (
            Family("handcrafted", "Hand-made features"),
            Family("plain", "Plain stacks"),
            Family("inception", "Inception"),
            Family("residual", "Skip connections"),
            Family("compact", "Compact"),
            Family("attention", "Channel attention"),
            Family("scaled", "Searched and scaled"),
            Family("transformer", "Vision transformers"),
            Family("convnext", "Modernised"),
        )
    }
)


@dataclass(frozen=True)
class Architecture:
    """One named network.

    year: of the first public version, the preprint where there is one, whatever the venue's year is.
    ceiling: what capped the networks before it; idea: the one change that removed that.
    came_from: ids of its direct ancestors; variant_of: the entry it is another size of.
    builders: references such as "torchvision:resnet50", the catalogue's choice first; empty only for what is
    no network. weights: the weight entries this id stands for, where the entry is about weights.
    image_size: side of the square input in pixels that its paper used, 0 where there is no fixed input.
    key: what a diagram of it should point at. milestone: whether it is a stop on the timeline.
    """

    id: str
    name: str
    year: int
    paper: Paper
    family: str
    came_from: tuple[str, ...]
    ceiling: str
    idea: str
    novelties: tuple[str, ...]
    used_for: str
    failure_cases: tuple[str, ...]
    mistakes: tuple[str, ...]
    facts: Mapping[str, tuple[Fact, ...]] = field(hash=False)
    builders: tuple[str, ...]
    variants: Mapping[str, str] = field(hash=False)
    weights: tuple[str, ...]
    image_size: int
    milestone: bool
    key: str
    variant_of: str | None


def _references(entry: Entry, name: str, references: tuple[str, ...], pattern: re.Pattern[str]) -> None:
    for position, reference in enumerate(references):
        if not pattern.fullmatch(reference):
            raise entry.error(f"{name}[{position}]", f"{reference!r} is not written as BUILDER:NAME")


def _architecture(identifier: str, entry: Entry, registry: Sources) -> Architecture:
    """The entry without the variants that other entries of the same paper add."""
    if not IDENTIFIER.fullmatch(identifier):
        raise entry.error("", "an id is lower-case letters, digits and underscores")
    variants_table = entry.table("variants")
    architecture = Architecture(
        id=identifier,
        name=entry.text("name"),
        year=entry.integer("year"),
        paper=read_paper(entry, registry),
        family=entry.text("family"),
        came_from=entry.texts("came_from"),
        ceiling=entry.text("ceiling"),
        idea=entry.text("idea"),
        novelties=entry.texts("novelties"),
        used_for=entry.text("used_for"),
        failure_cases=entry.texts("failure_cases"),
        mistakes=entry.texts("mistakes"),
        facts=read_facts(entry.table("facts"), registry),
        builders=entry.texts("builders", ()),
        variants={name: variants_table.text(name) for name in variants_table.names()},
        weights=entry.texts("weights", ()),
        image_size=entry.integer("image_size"),
        milestone=entry.flag("milestone"),
        key=entry.text("key"),
        variant_of=entry.text("variant_of", "") or None,
    )
    if architecture.family not in FAMILIES:
        raise entry.error("family", f"{architecture.family!r} is not one of {', '.join(FAMILIES)}")
    _references(entry, "builders", architecture.builders, REFERENCE)
    _references(entry, "variants", tuple(architecture.variants.values()), REFERENCE)
    _references(entry, "weights", architecture.weights, WEIGHTS)
    if not architecture.builders and architecture.family != "handcrafted":
        raise entry.error("builders", "a network needs one")
    if (architecture.image_size < 1) == bool(architecture.builders):
        raise entry.error("image_size", f"{architecture.image_size} is no side of an input in pixels")
    entry.close()
    return architecture


def _tables(folder: Path) -> dict[str, tuple[str, Any]]:
    """Entry id -> (file name, fields), in file order, files by name."""
    tables: dict[str, tuple[str, Any]] = {}
    for path in sorted(folder.glob("*.toml")):
        for identifier, fields in read_toml(path).items():
            if identifier in tables:
                raise CatalogueError(f"{path.name}: {identifier}: stands in {tables[identifier][0]} too")
            tables[identifier] = (path.name, fields)
    return tables


def _with_inherited(identifier: str, tables: Mapping[str, tuple[str, Any]]) -> Entry:
    file, fields = tables[identifier]
    entry = Entry(file, identifier, fields)
    parent = entry.text("variant_of", "")
    if not parent:
        return entry
    if parent not in tables:
        raise entry.error("variant_of", f"{parent!r} is not an entry of the catalogue")
    inherited = tables[parent][1]
    if "variant_of" in inherited:
        raise entry.error("variant_of", f"{parent!r} is a variant itself; name {inherited['variant_of']!r}")
    return Entry(file, identifier, {key: inherited[key] for key in INHERITED if key in inherited} | fields)


def read_architectures(folder: Path, registry: Sources) -> Mapping[str, Architecture]:
    """Every entry of every TOML file in `folder`, by year, then in file order.

    Raises CatalogueError naming file, entry and field for anything unknown, missing, mistyped or dangling.
    """
    tables = _tables(folder)
    entries = {identifier: _with_inherited(identifier, tables) for identifier in tables}
    read = {identifier: _architecture(identifier, entry, registry) for identifier, entry in entries.items()}
    sizes: dict[str, dict[str, str]] = {}
    for architecture in read.values():
        for ancestor in architecture.came_from:
            if ancestor not in read or ancestor == architecture.id:
                raise entries[architecture.id].error("came_from", f"{ancestor!r} is not another entry's id")
        parent = architecture.variant_of or architecture.id
        if architecture.builders:
            sizes.setdefault(parent, {})[architecture.name] = architecture.builders[0]
        sizes.setdefault(parent, {}).update(architecture.variants)
    with_sizes = (
        replace(each, variants=MappingProxyType(sizes[each.variant_of or each.id])) for each in read.values()
    )
    return MappingProxyType({each.id: each for each in sorted(with_sizes, key=lambda each: each.year)})


@cache
def architectures() -> Mapping[str, Architecture]:
    """The whole catalogue by id, oldest first; read and validated at the first call."""
    return read_architectures(DATA / "architectures", sources())


def get(identifier: str) -> Architecture:
    """One entry; KeyError with the id where the catalogue has none of that name."""
    return architectures()[identifier]


def families() -> tuple[Family, ...]:
    """The families in the order in which they appeared."""
    return tuple(FAMILIES.values())


def milestones() -> tuple[Architecture, ...]:
    """The stops of the timeline, oldest first."""
    return tuple(architecture for architecture in architectures().values() if architecture.milestone)


@cache
def _descendants() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for architecture in architectures().values():
        if architecture.variant_of is None:
            for ancestor in architecture.came_from:
                found[ancestor] = (*found.get(ancestor, ()), architecture.id)
    return found


def led_to(identifier: str) -> tuple[str, ...]:
    """Ids of the entries that name this one as a direct ancestor, oldest first, without their other sizes.

    A size that nothing names itself, such as VGG-19, led to what the entry it is a variant of led to.
    """
    entry = get(identifier)
    return _descendants().get(entry.id) or _descendants().get(entry.variant_of or "", ())
