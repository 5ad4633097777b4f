"""Tables of accuracy and cost as the documents print them, beside the candidates that come closest.

They are shown as a view of the efficiency chart: what is printed there, and what the counts and the published
weights say of the same network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType

from explorer.catalogue.reading import Entry, read_toml
from explorer.catalogue.sources import DATA, Sources, sources

# What a printed row may hold: accuracy in percent, speed in images per second on the table's own device.
MEASURES = ("params", "macs", "top1", "printed throughput")


@dataclass(frozen=True)
class PrintedRow:
    """name: as printed. like: id of the candidate that comes closest. values: by the names of MEASURES."""

    name: str
    like: str
    values: Mapping[str, float] = field(hash=False)


@dataclass(frozen=True)
class PrintedTable:
    """source: where it is printed, in words. x, y: the two measures it is about."""

    id: str
    title: str
    source: str
    note: str
    x: str
    y: str
    rows: tuple[PrintedRow, ...]


@cache
def printed_tables() -> Mapping[str, PrintedTable]:
    """All of them by id."""
    return read(DATA / "printed_tables.toml", sources())


def read(path: Path, registry: Sources) -> Mapping[str, PrintedTable]:
    """Raises CatalogueError naming table and field for anything unknown, missing or mistyped."""
    tables = read_toml(path)
    return MappingProxyType(
        {name: _table(name, Entry(path.name, name, fields), registry) for name, fields in tables.items()}
    )


def _table(identifier: str, entry: Entry, registry: Sources) -> PrintedTable:
    document, place = entry.text("document"), entry.text("place")
    if document not in registry.documents:
        raise entry.error("document", f"{document!r} is not a document of sources.toml")
    table = PrintedTable(
        id=identifier,
        title=entry.text("title"),
        source=f"[{document}] {registry.documents[document].title}, {place}",
        note=entry.text("note"),
        x=_measure(entry, "x"),
        y=_measure(entry, "y"),
        rows=tuple(map(_row, entry.tables("rows"))),
    )
    entry.close()
    return table


def _measure(entry: Entry, axis: str) -> str:
    if (name := entry.text(axis)) not in MEASURES:
        raise entry.error(axis, f"{name!r} is not one of {', '.join(MEASURES)}")
    return name


def _row(entry: Entry) -> PrintedRow:
    row = PrintedRow(
        entry.text("name"),
        entry.text("like"),
        MappingProxyType({name: entry.number(name) for name in MEASURES if name in entry.names()}),
    )
    entry.close()
    return row
