"""What the networks of the published tables cost, counted once by `explorer.analysis.counting` and shipped.

Tracing all of them takes an hour; the counts depend only on the versions of the libraries, which stand in the
file's first line.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from explorer.catalogue.sources import DATA

FILE = DATA / "counts.csv"
FIELDS = ("params", "macs", "activations")


@dataclass(frozen=True)
class Counts:
    """of: (network such as "timm:resnet50", side of the input in pixels) -> params, macs, activations, as
    `stats` counts them. counted_with: versions of the libraries that define the networks.
    """

    of: Mapping[tuple[str, int], Mapping[str, int]]
    counted_with: str


def read(lines: Iterable[str], fields: Iterable[str] = FIELDS) -> Counts:
    """The first line is a comment with the versions, the second the header. fields: its whole numbers."""
    fields = tuple(fields)
    content = iter(lines)
    counted_with = next(content, "").removeprefix("#").strip()
    rows = {
        (row["network"], int(row["img_size"])): {each: int(row[each]) for each in fields}
        for row in csv.DictReader(content)
    }
    return Counts(MappingProxyType(rows), counted_with)


@cache
def counts() -> Counts:
    """The shipped table, read once."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return read(file)
