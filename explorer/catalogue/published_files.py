"""timm's published tables on this machine: in a folder that the host names, as last fetched, or as shipped.

Each fetch is a folder of its own, named by its day, so that a reader can see how old the figures are and a
broken fetch never takes the place of a whole one. `networks.published_fetch` brings them here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path

from explorer.catalogue.cache_folder import cache_folder
from explorer.catalogue.published_tables import (
    ACCURACY,
    TABLES,
    PublishedResult,
    Reading,
    TableError,
    joined,
    read,
)
from explorer.catalogue.shipped_results import shipped
from explorer.catalogue.table_text import LARGEST_BYTES


@dataclass(frozen=True)
class PublishedResults:
    """rows: all that the files say, joined. remarks: sentences on what is missing or odd in them.

    read_on: day they were fetched, or taken over into the shipped table; None for files that the host or the
    visitor laid down.
    """

    rows: tuple[PublishedResult, ...] = ()
    remarks: tuple[str, ...] = ()
    read_on: date | None = None
    shipped: bool = False


def folder() -> Path | None:
    """What to read: EXPLORER_TABLES where it is set, else the last fetch; None for the shipped table."""
    if chosen := os.environ.get("EXPLORER_TABLES"):
        return Path(os.path.expanduser(chosen))
    fetched = [each for each in _fetches().glob("????-??-??") if is_whole(each)]
    return max(fetched, default=None, key=lambda each: each.name)


def fetched_into(day: date) -> Path:
    """The folder for what is fetched on `day`."""
    return _fetches() / day.isoformat()


def is_whole(fetched: Path) -> bool:
    """Whether a fetch is of a day that has come, and its accuracies can be read."""
    day, (accuracies, *_) = _day(fetched), _state(fetched)
    return day is not None and day <= date.today() and _can_be_read(accuracies)


def state() -> tuple[object, ...]:
    """Another value whenever `here` has something else to read."""
    chosen = folder()
    return () if chosen is None else (os.environ.get("EXPLORER_TABLES"), *_state(chosen))


def here() -> PublishedResults:
    """What lies on this machine; no rows and the reason where the host's folder cannot be read."""
    chosen = folder()
    if chosen is None:
        rows, day = shipped()
        return PublishedResults(rows, read_on=day, shipped=True)
    found = read_folder(chosen)
    return found if os.environ.get("EXPLORER_TABLES") else replace(found, read_on=_day(chosen))


def read_folder(chosen: Path) -> PublishedResults:
    """From the files in a folder, whatever of them can be read."""
    texts, unread = {}, []
    for name in TABLES:
        try:
            texts[name] = _bytes_of(chosen / name)
        except OSError as error:
            unread.append(f"{name} cannot be read: {error.strerror or error}.")
    found = from_texts(texts)
    return PublishedResults(found.rows, (*unread, *found.remarks))


def from_texts(texts: Mapping[str, bytes | str]) -> PublishedResults:
    """The same from the contents of the files by name; a file that is no such table is said and left."""
    readings: list[Reading] = []
    remarks: list[str] = []
    for name, text in texts.items():
        try:
            if name not in TABLES:
                raise TableError(f"{name} is none of timm's tables; known are {', '.join(TABLES)}.")
            readings.append(read(text, TABLES[name]))
        except TableError as error:
            remarks.append(str(error))
        else:
            remarks.extend(readings[-1].remarks)
    return PublishedResults(joined(readings), tuple(remarks))


def _fetches() -> Path:
    return cache_folder("published")


def _day(fetched: Path) -> date | None:
    try:
        return date.fromisoformat(fetched.name)
    except ValueError:
        return None


def _state(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Path, time and size of each table's file, the accuracies' first; zeros where it is not there."""
    return tuple((str(folder / name), *_time_and_size(folder / name)) for name in TABLES)


def _time_and_size(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except (OSError, ValueError):
        return 0, 0
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=64)
def _can_be_read(accuracies: tuple[str, int, int]) -> bool:
    try:
        read(_bytes_of(Path(accuracies[0])), TABLES[ACCURACY])
    except (OSError, TableError):
        return False
    return True


def _bytes_of(file: Path) -> bytes:
    """No more than `read` takes, and of a regular file only: a pipe would never end."""
    if file.exists() and not file.is_file():
        raise OSError("it is no file")
    with file.open("rb") as opened:
        return opened.read(LARGEST_BYTES + 1)
