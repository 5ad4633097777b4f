"""Where the catalogue's figures come from: papers, the documents the project grew from, program data."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from explorer.catalogue.facts import FACT_UNITS, Fact, Paper
from explorer.catalogue.reading import CatalogueError, Entry, read_toml

DATA = Path(__file__).parent / "data"

TORCHVISION = re.compile(r"torchvision [A-Z]\w*_Weights\.\w+")
TIMM = re.compile(r"timm results-imagenet\.csv: \S+ at \d+")


@dataclass(frozen=True)
class Document:
    """One of the texts the project was created from, cited for a figure that no paper is known to print.

    name: who wrote it, in a word or two, or what it is where nobody is named: what prose calls it.
    """

    id: str
    name: str
    title: str
    publisher: str

    @property
    def label(self) -> str:
        """ "EngineersOfAI: CNN Architectures: From AlexNet to ConvNeXt"."""
        return f"{self.name}: {self.title}"


@dataclass(frozen=True)
class Sources:
    """Everything a fact may cite, by the key that data files use."""

    papers: Mapping[str, Paper]
    documents: Mapping[str, Document]
    program_urls: Mapping[str, str]

    def cite(self, text: str) -> tuple[str, str] | None:
        """The reader's words and the address for a data file's `source`, or None for one nobody registered.

        `text` is "KEY" or "KEY: place" for a paper or a document, "torchvision X_Weights.Y", or
        "timm results-imagenet.csv: MODEL at SIZE".
        """
        for pattern, program in ((TORCHVISION, "torchvision"), (TIMM, "timm")):
            if pattern.fullmatch(text):
                return text, self.program_urls[program]
        key, _, place = text.partition(": ")
        if key in self.papers:
            label, url = self.papers[key].label, self.papers[key].url
        elif key in self.documents:
            label, url = self.documents[key].label, ""
        else:
            return None
        return (f"{label}, {place}" if place else label), url


def read_paper(entry: Entry, registry: Sources) -> Paper:
    """The one that the entry names."""
    key = entry.text("paper")
    if key not in registry.papers:
        raise entry.error("paper", f"{key!r} is not a paper of sources.toml")
    return registry.papers[key]


def read_fact(entry: Entry, sources: Sources, unit: str) -> Fact:
    """One fact table of a data file, its citation resolved; `unit` is what this kind of fact is kept in."""
    cited = sources.cite(entry.text("source"))
    if cited is None:
        raise entry.error("source", f"{entry.text('source')!r} cites nothing registered in sources.toml")
    fact = Fact(
        value=entry.number("value"),
        unit=entry.text("unit"),
        source=cited[0],
        protocol=entry.text("protocol", ""),
        note=entry.text("note", ""),
        url=cited[1],
    )
    if fact.unit != unit:
        raise entry.error("unit", f"expected {unit!r}, got {fact.unit!r}")
    if not fact.value > 0:
        raise entry.error("value", f"expected a number above 0, got {fact.value}")
    if unit == "%" and fact.value > 100:
        raise entry.error("value", f"expected a percentage, got {fact.value}")
    entry.close()
    return fact


def read_facts(entry: Entry, sources: Sources) -> Mapping[str, tuple[Fact, ...]]:
    """A table of facts: each known key holds one fact, or a list where sources or protocols differ."""
    for key in entry.names():
        if key not in FACT_UNITS:
            raise entry.error(key, f"is not a known kind of fact; known: {', '.join(FACT_UNITS)}")
    return MappingProxyType(
        {
            key: tuple(read_fact(table, sources, FACT_UNITS[key]) for table in entry.tables(key))
            for key in entry.names()
        }
    )


def read_sources(path: Path) -> Sources:
    """The registry in `path`; CatalogueError where it is malformed."""
    tables = read_toml(path)
    for group in tables:
        if group not in ("papers", "documents", "programs"):
            raise CatalogueError(f"{path.name}: {group}: is not papers, documents or programs")
    papers, documents, programs = {}, {}, {}
    for key, fields in tables.get("papers", {}).items():
        entry = Entry(path.name, key, fields)
        papers[key] = Paper(
            authors=entry.text("authors"),
            title=entry.text("title"),
            venue=entry.text("venue"),
            year=entry.integer("year"),
            url=entry.text("url"),
        )
        entry.close()
    for key, fields in tables.get("documents", {}).items():
        entry = Entry(path.name, key, fields)
        documents[key] = Document(key, *map(entry.text, ("name", "title", "publisher")))
        entry.close()
    for key, fields in tables.get("programs", {}).items():
        entry = Entry(path.name, key, fields)
        programs[key] = entry.text("url")
        entry.close()
    return Sources(MappingProxyType(papers), MappingProxyType(documents), MappingProxyType(programs))


@cache
def sources() -> Sources:
    """The project's registry, read once."""
    return read_sources(DATA / "sources.toml")
