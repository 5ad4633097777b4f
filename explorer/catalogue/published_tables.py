"""timm's published result tables: accuracy, robustness, throughput, one row a set of weights and image size.

https://github.com/huggingface/pytorch-image-models/tree/main/results. The files change with every release,
so what is read is checked, and what is odd about it is said; a value that is missing stays missing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from explorer.catalogue.table_text import Cells, NotATable, cells

PROJECT_PAGE = "https://github.com/huggingface/pytorch-image-models/tree/main/results"


class TableError(ValueError):
    """A file is not one of these tables; the message says which and why."""


class Key(NamedTuple):
    """model: "resnet50.a1_in1k", or an architecture alone. image_size: side in pixels."""

    model: str
    image_size: int

    @property
    def architecture(self) -> str:
        return self.model.partition(".")[0]


@dataclass(frozen=True)
class Published:
    """One file of the project. measures: column -> name of what it measures; size: column of the image size.

    by_architecture: its rows are of architectures, whatever their weights.
    """

    file: str
    title: str
    measures: Mapping[str, str]
    size: str = "img_size"
    by_architecture: bool = False


ACCURACY = "results-imagenet.csv"
_LARGEST_SIDE = 65_535  # pixels; larger ones are no image sizes
_SPEED = "infer_samples_per_sec"
TABLES: Mapping[str, Published] = MappingProxyType(
    {
        table.file: table
        for table in (
            Published(ACCURACY, "ImageNet-1k validation", {"top1": "top1", "top5": "top5"}),
            Published("results-imagenet-real.csv", "ImageNet ReaL labels", {"top1": "real top1"}),
            Published("results-imagenetv2-matched-frequency.csv", "ImageNet-V2", {"top1": "v2 top1"}),
            Published("results-imagenet-a.csv", "ImageNet-A", {"top1": "a top1"}),
            Published("results-imagenet-r.csv", "ImageNet-R", {"top1": "r top1"}),
            Published("results-sketch.csv", "ImageNet-Sketch", {"top1": "sketch top1"}),
            Published(
                "benchmark-infer-amp-nchw-pt291-cu130-5090.csv",
                "Inference on an RTX 5090, mixed precision, PyTorch 2.9.1",
                {_SPEED: "throughput 5090"},
                "infer_img_size",
                by_architecture=True,
            ),
            Published(
                "benchmark-infer-amp-nhwc-pt240-cu124-rtx3090.csv",
                "Inference on an RTX 3090, mixed precision, channels last, PyTorch 2.4.0",
                {_SPEED: "throughput 3090"},
                "infer_img_size",
                by_architecture=True,
            ),
            Published(
                "benchmark-infer-fp32-nchw-pt240-cpu-i7_12700h-dynamo.csv",
                "Inference on a Core i7-12700H, float32, compiled, PyTorch 2.4.0",
                {_SPEED: "throughput i7-12700h"},
                "infer_img_size",
                by_architecture=True,
            ),
        )
    }
)


@dataclass(frozen=True)
class Reading:
    """rows: measures by key, the missing ones left out. remarks: sentences on what was odd in the file."""

    table: Published
    rows: Mapping[Key, Mapping[str, float]] = field(repr=False)
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class PublishedResult:
    """All that the tables say of one set of weights at one image size; top-1 in percent, throughput in
    images per second.
    """

    key: Key
    values: Mapping[str, float]


def read(data: bytes | str, table: Published) -> Reading:
    """Of rows that repeat a key, the one with the higher value of the first measure counts, whole. Accuracies
    as fractions are read as such: a row whose every accuracy is at most 1, where it has both or all rows are.

    Raises TableError for what is no text, no table, has no header with a model and its image size, or not one
    usable row.
    """
    try:
        found = cells(data, (*table.measures, table.size))
    except NotATable as error:
        raise TableError(f"{table.file} {error}.") from error
    if missing := [each for each in ("model", table.size) if each not in found.columns]:
        raise TableError(f"{table.file} has no column {' or '.join(map(repr, missing))}.")
    known = {column: name for column, name in table.measures.items() if column in found.columns}
    fractions = _fractions(found)
    rows: dict[Key, Mapping[str, float]] = {}
    unusable, empty, impossible, again, scaled = 0, 0, 0, 0, 0
    for place, line in enumerate(found.lines):
        key = _key(found, line, table.size)
        if key is None:
            unusable += 1
            continue
        values = {name: found.number(line, column) for column, name in known.items()}
        if place in fractions and not table.by_architecture:
            scaled += 1
            values = {name: None if each is None else round(100 * each, 6) for name, each in values.items()}
        empty += sum(value is None for value in values.values())
        wrong = [name for name, value in values.items() if value is not None and not _possible(name, value)]
        impossible += len(wrong)
        values |= dict.fromkeys(wrong)
        row: Mapping[str, float] = {name: value for name, value in values.items() if value is not None}
        if key in rows:
            again += 1
            row = max(rows[key], row, key=lambda each: _rank(each, known.values()))
        rows[key] = row
    if not rows:
        raise TableError(f"{table.file} holds no row with a model and an image size.")
    absent = [column for column in table.measures if column not in found.columns]
    better = next(iter(known), "the first")
    remarks = (
        *(f"{table.file} has no column {column!r}: that axis is missing." for column in absent),
        *_said(
            table,
            unusable,
            "row without a model or an image size was left out",
            "rows without a model or an image size were left out",
        ),
        *_said(
            table,
            again,
            f"row repeats a key; the one with the higher {better} counts",
            f"rows repeat a key; of each, the one with the highest {better} counts",
        ),
        *_said(
            table,
            scaled,
            "row gives accuracies as fractions of 1 and was read so",
            "rows give accuracies as fractions of 1 and were read so",
        ),
        *_said(
            table,
            impossible,
            "value is no percentage or no speed and counts as missing",
            "values are no percentages or no speeds and count as missing",
        ),
        *_said(table, empty, "value is missing", "values are missing"),
    )
    return Reading(table, MappingProxyType(rows), remarks)


def joined(readings: Iterable[Reading]) -> tuple[PublishedResult, ...]:
    """One row for each key of the accuracy table, with what the others say of it: of the same weights, or of
    the same architecture where a table knows no weights. Without an accuracy table nothing can be joined.
    """
    found = {reading.table.file: reading for reading in readings}
    base = found.pop(ACCURACY, None)
    if base is None:
        return ()
    return tuple(
        PublishedResult(key, MappingProxyType({**values, **dict(_further(key, found.values()))}))
        for key, values in base.rows.items()
    )


def _further(key: Key, readings: Iterable[Reading]) -> Iterator[tuple[str, float]]:
    for reading in readings:
        wanted = Key(key.architecture, key.image_size) if reading.table.by_architecture else key
        yield from reading.rows.get(wanted, {}).items()


def _key(found: Cells, line: dict[str, str], size: str) -> Key | None:
    model, pixels = line["model"].strip(), found.number(line, size)
    whole = pixels is not None and 0 < pixels <= _LARGEST_SIDE and pixels == int(pixels)
    return Key(model, int(pixels)) if model and pixels is not None and whole else None


def _fractions(found: Cells) -> frozenset[int]:
    """Places of the rows whose accuracies lie between 0 and 1. One value alone may be a low percentage, as
    0.48 on ImageNet-A, unless no row has a higher one; of the published rows none has both at most 1."""
    accuracies = [
        [value for column in ("top1", "top5") if (value := found.number(line, column)) is not None]
        for line in found.lines
    ]
    small = {place: values for place, values in enumerate(accuracies) if values and max(values) <= 1}
    everywhere = len(small) == sum(map(bool, accuracies))
    return frozenset(place for place, values in small.items() if everywhere or len(values) == 2)


def _rank(row: Mapping[str, float], names: Iterable[str]) -> tuple[float, ...]:
    return tuple(row.get(name, -math.inf) for name in names)


def _possible(name: str, value: float) -> bool:
    return value > 0 if name.startswith("throughput") else 0 <= value <= 100


def _said(table: Published, count: int, one: str, many: str) -> Iterator[str]:
    if count:
        yield f"{table.file}: {count} {one if count == 1 else many}."
