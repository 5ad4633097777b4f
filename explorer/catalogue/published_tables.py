"""timm's published result tables: accuracy, robustness, throughput, one row a set of weights and image size.

https://github.com/huggingface/pytorch-image-models/tree/main/results. The files change with every release,
so what is read is checked, and what is odd about it is said; a value that is missing stays missing.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple


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
class Row:
    """All that the tables say of one set of weights at one image size; top-1 in percent, throughput in
    images per second.
    """

    key: Key
    values: Mapping[str, float]


def read(text: str, table: Published) -> Reading:
    """Raises TableError where there is no header with a model and its image size, or not one usable row."""
    lines = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    columns = [each.strip() for each in lines.fieldnames or ()]
    lines.fieldnames = columns
    if missing := [each for each in ("model", table.size) if each not in columns]:
        raise TableError(f"{table.file} has no column {' or '.join(map(repr, missing))}.")
    known = {column: name for column, name in table.measures.items() if column in columns}
    rows: dict[Key, Mapping[str, float]] = {}
    unusable, empty, impossible, again = 0, 0, 0, 0
    for line in lines:
        key = _key(line, table.size)
        if key is None:
            unusable += 1
            continue
        values = {name: _number(line.get(column)) for column, name in known.items()}
        empty += sum(value is None for value in values.values())
        wrong = [name for name, value in values.items() if value is not None and not _possible(name, value)]
        impossible += len(wrong)
        values |= dict.fromkeys(wrong)
        if key in rows:
            again += 1
            continue
        rows[key] = {name: value for name, value in values.items() if value is not None}
    if not rows:
        raise TableError(f"{table.file} holds no row with a model and an image size.")
    absent = [column for column in table.measures if column not in columns]
    remarks = (
        *(f"{table.file} has no column {column!r}: that axis is missing." for column in absent),
        *_said(
            table,
            unusable,
            "row without a model or an image size was left out",
            "rows without a model or an image size were left out",
        ),
        *_said(
            table, again, "row repeats a key; the first one counts", "rows repeat a key; the first ones count"
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


def joined(readings: Iterable[Reading]) -> tuple[Row, ...]:
    """One row for each key of the accuracy table, with what the others say of it: of the same weights, or of
    the same architecture where a table knows no weights. Without an accuracy table nothing can be joined.
    """
    found = {reading.table.file: reading for reading in readings}
    base = found.pop(ACCURACY, None)
    if base is None:
        return ()
    return tuple(
        Row(key, MappingProxyType({**values, **dict(_further(key, found.values()))}))
        for key, values in base.rows.items()
    )


def _further(key: Key, readings: Iterable[Reading]) -> Iterator[tuple[str, float]]:
    for reading in readings:
        wanted = Key(key.architecture, key.image_size) if reading.table.by_architecture else key
        yield from reading.rows.get(wanted, {}).items()


def _key(line: Mapping[str, str | None], size: str) -> Key | None:
    model, pixels = (line.get("model") or "").strip(), _number(line.get(size))
    return Key(model, int(pixels)) if model and pixels and pixels == int(pixels) and pixels > 0 else None


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _possible(name: str, value: float) -> bool:
    return value > 0 if name.startswith("throughput") else 0 <= value <= 100


def _said(table: Published, count: int, one: str, many: str) -> Iterator[str]:
    if count:
        yield f"{table.file}: {count} {one if count == 1 else many}."
