"""Fetching timm's published tables from their project page."""

from __future__ import annotations

import os
import shutil
import uuid
from datetime import date
from pathlib import Path

from explorer.catalogue.published_files import fetched_into
from explorer.catalogue.published_tables import ACCURACY, TABLES, TableError, read
from explorer.networks.downloading import DownloadFailed, Progress, download

_FILES = "https://raw.githubusercontent.com/huggingface/pytorch-image-models/main/results/"


def fetch(progress: Progress | None = None) -> Path:
    """The folder with today's tables, fetched unless they were already. Raises DownloadFailed, and leaves the
    last ones in place, if the accuracy table does not arrive; without another one only its axis is missing.

    progress: called with the number of files asked for, and of all. EXPLORER_TABLES_URL names another address
    that serves the files.
    """
    target = fetched_into(date.today())
    if target.is_dir():
        return target
    address = os.environ.get("EXPLORER_TABLES_URL", _FILES).rstrip("/")
    partial = target.with_name(f"{target.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        for place, (name, table) in enumerate(TABLES.items(), start=1):
            try:
                arrived = download(f"{address}/{name}", partial / name, None)
                read(arrived.read_text("utf-8", errors="replace"), table)
            except (DownloadFailed, TableError) as error:
                (partial / name).unlink(missing_ok=True)
                if name == ACCURACY:
                    raise DownloadFailed(str(error)) from error
            if progress is not None:
                progress(place, len(TABLES))
        _settle(partial, target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


def _settle(partial: Path, target: Path) -> None:
    try:
        partial.replace(target)
    except OSError:
        if not target.is_dir():  # else someone fetched the same at the same time
            raise
