"""Writing a file: beside its place, then renamed, so that no good file is lost and no half one stays.

Whoever reads meanwhile sees the old file or the new one. What a killed process left beside a file is removed
when that file is written again.
"""

from __future__ import annotations

import atexit
import glob
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

# Longer than any writer of this program takes; a younger file may be another process's work.
_ABANDONED_SECONDS = 3 * 3600.0
_unfinished: set[Path] = set()


class WriteError(OSError):
    """The disk did not take a file; the message names it. path: as asked for; reason: the system's words."""

    def __init__(self, path: Path, error: OSError):
        self.path = path
        self.reason = error.strerror or str(error) or type(error).__name__
        super().__init__(f"{path} cannot be written: {self.reason}")


@contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of `target`, or of what `target` links to, once the block has ended well.

    Its folder is made. Raises WriteError for every OSError, also of the block: full, read-only, no folder.
    """
    place = Path(os.path.realpath(target))
    # A name may be as long as the disk allows already, so the one beside it takes its beginning only.
    partial = place.with_name(f"{place.name[:40]}.{uuid.uuid4().hex[:8]}.partial")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        _sweep(place)
        _unfinished.add(partial)
        with partial.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # a disk over the network says only here that it is full
        os.replace(partial, place)
    except WriteError:
        raise  # of a file that is written together with this one
    except OSError as error:
        raise WriteError(target, error) from error
    finally:
        _remove(partial)


def write_whole(target: Path, data: bytes | memoryview) -> None:
    """Raises WriteError, and leaves what was there."""
    with replacing(target) as file:
        file.write(data)


def _sweep(place: Path) -> None:
    for old in place.parent.glob(f"{glob.escape(place.name[:40])}.????????.partial"):
        with suppress(OSError):
            if time.time() - old.stat().st_mtime > _ABANDONED_SECONDS:
                old.unlink()


def _remove(partial: Path) -> None:
    _unfinished.discard(partial)
    with suppress(OSError):
        partial.unlink(missing_ok=True)


@atexit.register
def _remove_unfinished() -> None:
    """Of threads that the end of the process stops in the middle."""
    for partial in tuple(_unfinished):
        _remove(partial)
