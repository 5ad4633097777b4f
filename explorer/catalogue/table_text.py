"""From the bytes of a table to its cells, whichever program saved it.

UTF-8 and UTF-16 with or without their mark, line ends of every age, commas, semicolons, tabs or bars between
the fields, a first line `sep=;`, decimal commas: all of that an office program writes of its own accord.
"""

from __future__ import annotations

import codecs
import csv
import io
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LARGEST_BYTES = 16 * 2**20
_DELIMITERS = ",;\t|"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SEPARATOR = re.compile(r'"?sep=(.)"?')
# 1,355 or 1.355.000,5: groups of three, then perhaps a decimal part.
_GROUPED = {mark: re.compile(rf"[+-]?\d{{1,3}}(?:{re.escape(mark)}\d{{3}})+(?:[.,]\d+)?") for mark in ".,"}


class NotATable(ValueError):  # noqa: N818 - it is what a reader is told
    """The bytes are no text, or the text no table; the message goes on from the file's name."""


@dataclass(frozen=True)
class Cells:
    """columns: the header in lower case, without space around. lines: cells by column, "" where one lacks."""

    columns: tuple[str, ...]
    lines: tuple[dict[str, str], ...]
    decimal_comma: bool = False

    def number(self, line: dict[str, str], column: str) -> float | None:
        """None where there is none, or none that is finite."""
        text = re.sub(r"[\s%_']", "", line.get(column, ""))
        decimal, grouping = (",", ".") if self.decimal_comma else (".", ",")
        if _GROUPED[grouping].fullmatch(text):
            text = text.replace(grouping, "")
        try:
            value = float(text.replace(decimal, "."))
        except ValueError:
            return None
        return value if math.isfinite(value) else None


def cells(data: bytes | str, numbers: Iterable[str] = ()) -> Cells:
    """numbers: the columns from which is read whether the comma is a decimal one. Raises NotATable."""
    if len(data) > LARGEST_BYTES:
        raise NotATable(f"is larger than {LARGEST_BYTES // 2**20} MB, and no such table is")
    text = data.removeprefix("\ufeff") if isinstance(data, str) else _decoded(data)
    if "\0" in text:
        raise NotATable("is no text: it holds zero bytes")
    text = text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\n")
    first, _, rest = text.partition("\n")
    if given := _SEPARATOR.fullmatch(first.strip(" ")):
        delimiter, text = given[1], rest
    else:
        delimiter = max(_DELIMITERS, key=first.count)
    try:
        lines = csv.reader(io.StringIO(text), delimiter=delimiter)
        columns = tuple(each.strip().lower() for each in next(lines, ()))
        none = dict.fromkeys(columns, "")
        rows = tuple({**none, **dict(zip(columns, row, strict=False))} for row in lines if row)
    except csv.Error as error:
        raise NotATable(f"cannot be read at line {lines.line_num:,}: {error}") from error
    except (TypeError, ValueError) as error:
        raise NotATable(f"cannot be taken apart at {delimiter!r}, which its first line names") from error
    return Cells(columns, rows, _has_decimal_comma(rows, [each for each in numbers if each in columns]))


def _decoded(data: bytes) -> str:
    if data.startswith(b"PK\x03\x04"):
        raise NotATable("is an archive or a workbook; save it as CSV")
    encoding, mark = next(((name, mark) for mark, name in _MARKS if data.startswith(mark)), ("", b""))
    if not encoding:
        zeros = data[:64].count(0)
        ascii_in_two_bytes = zeros and zeros >= len(data[:64]) // 2 - 2
        encoding = ("utf-16-be" if data[:1] == b"\0" else "utf-16-le") if ascii_in_two_bytes else "utf-8"
    try:
        return data.removeprefix(mark).decode(encoding)
    except UnicodeDecodeError as error:
        kind = "UTF-8" if encoding == "utf-8" else encoding.upper()[:6]
        byte = f"byte {error.start + 1:,} is 0x{error.object[error.start]:02x}"
        raise NotATable(f"is no {kind} text: {byte}; save it as UTF-8") from error


def _has_decimal_comma(rows: Iterable[dict[str, str]], columns: Sequence[str]) -> bool:
    """Whether numbers are written as 80,2: there are commas, and no dot that can only be a decimal one."""
    written = [row[column].strip() for row in rows for column in columns]
    commas = any("," in each for each in written)
    dots = any("." in each and not _GROUPED["."].fullmatch(each) for each in written)
    return commas and not dots
