"""Fetching timm's published tables from their project page."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from contextlib import suppress
from datetime import date
from pathlib import Path

from explorer.catalogue.published_files import fetched_into, is_whole
from explorer.catalogue.published_tables import ACCURACY, TABLES, Published, TableError, read
from explorer.catalogue.table_text import LARGEST_BYTES
from explorer.networks.fetching import (
    Bounds,
    Clock,
    DownloadFailed,
    Expected,
    Progress,
    refuse_offline,
    together,
)
from explorer.networks.fetching import (
    fetch as fetch_file,
)

_FILES = "https://raw.githubusercontent.com/huggingface/pytorch-image-models/main/results/"
# seconds: for all nine files together.
BOUNDS = Bounds(largest=LARGEST_BYTES, seconds=60.0)
_ABANDONED_SECONDS = 3 * 3600.0


def fetch(progress: Progress | None = None, bounds: Bounds = BOUNDS) -> Path:
    """The folder with today's tables, fetched unless they were already and can be read. Raises
    DownloadFailed, and leaves the last ones in place, if the accuracy table does not arrive; without another
    one only its axis is missing.

    progress: called with the number of files asked for, and of all. EXPLORER_TABLES_URL names another address
    that serves the files. Who asks meanwhile waits for the same files.
    """
    target = fetched_into(date.today())
    if is_whole(target):
        return target
    refuse_offline()
    return together(str(target), lambda report: _fetched(target, report, Clock(bounds)), progress)


def _fetched(target: Path, report: Progress, clock: Clock) -> Path:
    if is_whole(target):
        return target
    address = os.environ.get("EXPLORER_TABLES_URL", _FILES).rstrip("/")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target.parent)
        with tempfile.TemporaryDirectory(
            suffix=".partial", prefix=f"{target.name}.", dir=target.parent, ignore_cleanup_errors=True
        ) as partial:
            arrived = Path(partial) / "tables"  # a folder with the rights of any other
            arrived.mkdir()
            for place, (name, table) in enumerate(TABLES.items(), start=1):
                try:
                    fetch_file(f"{address}/{name}", arrived / name, clock, Expected(), lambda *_: None)
                    _check(arrived / name, table)
                except (DownloadFailed, TableError) as error:
                    (arrived / name).unlink(missing_ok=True)
                    if name == ACCURACY:
                        raise DownloadFailed(str(error).rstrip(".")) from error
                report(place, len(TABLES))
            _settle(arrived, target)
    except OSError as error:
        raise DownloadFailed(f"{target.name} cannot be written: {error.strerror or error}") from error
    return target


def _check(file: Path, table: Published) -> None:
    """Raises TableError for a file that cannot be read, or was cut where nothing but its end says so."""
    data = file.read_bytes()
    read(data, table)
    if not data.endswith((b"\n", b"\r")):
        raise TableError(f"{table.file} breaks off within its last line.")


def _settle(arrived: Path, target: Path) -> None:
    if is_whole(target):  # another process fetched the same at the same time
        return
    shutil.rmtree(target, ignore_errors=True)  # a broken fetch of today
    arrived.replace(target)


def _sweep(folder: Path) -> None:
    """What processes left that were killed while they fetched."""
    for old in folder.glob("*.partial"):
        with suppress(OSError):
            if time.time() - old.stat().st_mtime > _ABANDONED_SECONDS:
                shutil.rmtree(old)
