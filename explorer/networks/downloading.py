"""Bringing a file onto this machine: progress, integrity, and failing in seconds where there is no network.

Nothing half-downloaded is ever found under its final name: files arrive beside it and are renamed when whole.
"""

import errno
import hashlib
import http.client
import os
import re
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import torch.hub
from huggingface_hub import (
    constants,
    get_hf_file_metadata,
    hf_hub_download,
    hf_hub_url,
    try_to_load_from_cache,
)
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled, RemoteEntryNotFoundError

# Called with the bytes that have arrived and the bytes in all, None where the server does not say.
Progress = Callable[[int, int | None], None]

# A server that is there answers within this; one that is not must not keep a visitor waiting.
TIMEOUT_SECONDS = 5.0
_CHUNK_BYTES = 1 << 20
# torch.hub asks for eight digits or more; its own pattern takes the "5090" of "rtx-5090.csv" for a hash.
_NAMED_BY_HASH = re.compile(r"-([0-9a-f]{8,})\.")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DISK = {errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT}
_REFUSALS = dict.fromkeys((401, 403, 404), "its server does not give it out")


class DownloadFailed(RuntimeError):  # noqa: N818 - it is what a reader is told
    """The file did not arrive; the message is the reason in a few words."""


def torch_hub_file(url: str) -> Path:
    """Where torch.hub, and so torchvision and timm, keep the file behind a URL."""
    return Path(torch.hub.get_dir()) / "checkpoints" / Path(urlparse(url).path).name


def download(url: str, target: Path, progress: Progress | None) -> Path:
    """`target`, fetched from `url` unless it is there. Raises DownloadFailed.

    A name such as "resnet50-11ad3fa6.pth" says how the sha256 of the file begins; it is held to that.
    """
    if target.is_file():
        return target
    if constants.HF_HUB_OFFLINE:
        raise DownloadFailed("HF_HUB_OFFLINE forbids downloads")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        digest = _stream(url, partial, progress)
        published = _NAMED_BY_HASH.search(target.name)
        if published and not digest.startswith(published.group(1)):
            raise DownloadFailed("what arrived is damaged: its checksum is not the published one")
        os.replace(partial, target)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise DownloadFailed(_reason(error)) from error
    finally:
        partial.unlink(missing_ok=True)
    return target


def _stream(url: str, partial: Path, progress: Progress | None) -> str:
    """Writes the file and returns its sha256."""
    digest = hashlib.sha256()
    request = urllib.request.Request(url, headers={"User-Agent": "cnn-architecture-explorer"})
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response, partial.open("wb") as file:
        length = response.headers.get("Content-Length")
        total = int(length) if length else None
        done = 0
        while chunk := response.read(_CHUNK_BYTES):
            file.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            if progress is not None:
                progress(done, total)
    if total is not None and done != total:
        raise DownloadFailed(f"the connection broke after {done} of {total} bytes")
    return digest.hexdigest()


def cached_from_hub(hub_id: str, filenames: tuple[str, ...]) -> Path | None:
    """The first of these files of a repository ("ORG/NAME" or "ORG/NAME@REVISION") that is here."""
    repository, _, revision = hub_id.partition("@")
    for filename in filenames:
        found = try_to_load_from_cache(repository, filename, revision=revision or None)
        if isinstance(found, str):
            return Path(found)
    return None


def download_from_hub(hub_id: str, filenames: tuple[str, ...], progress: Progress | None = None) -> Path:
    """The first of these files that is here or that the repository has. Raises DownloadFailed."""
    cached = cached_from_hub(hub_id, filenames)
    if cached is not None:
        return cached
    repository, _, revision = hub_id.partition("@")
    for filename in filenames:
        try:
            return _from_hub(repository, revision or None, filename, progress)
        except RemoteEntryNotFoundError:
            continue
        except DownloadFailed:
            raise
        except Exception as error:  # the HTTP client's errors are not part of huggingface_hub's interface
            raise DownloadFailed(_reason(error)) from error
    raise DownloadFailed(f"{repository} has no {' or '.join(filenames)}")


def _from_hub(repository: str, revision: str | None, filename: str, progress: Progress | None) -> Path:
    # Asked first, because hf_hub_download repeats this question for a minute before it gives up.
    get_hf_file_metadata(hf_hub_url(repository, filename, revision=revision), timeout=TIMEOUT_SECONDS)
    try:
        found = hf_hub_download(
            repository,
            filename,
            revision=revision,
            etag_timeout=TIMEOUT_SECONDS,
            tqdm_class=_reporting_to(progress),
        )
    except (DownloadFailed, HfHubHTTPError):
        raise
    except Exception as error:  # it did answer a moment ago
        raise DownloadFailed(_disk_fault(error) or "the connection broke half-way") from error
    _check_digest(Path(found))
    return Path(found)


def _check_digest(path: Path) -> None:
    """A large file's name in the cache is its sha256, which huggingface_hub itself compares by size only."""
    blob = path.resolve()
    if not _SHA256.fullmatch(blob.name):
        return
    with blob.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != blob.name:
        path.unlink(missing_ok=True)
        blob.unlink(missing_ok=True)
        raise DownloadFailed("what arrived is damaged: its checksum is not the published one")


def _reporting_to(progress: Progress | None) -> Any:
    """A stand-in for tqdm that hands its counts to `progress`; huggingface_hub makes one a file."""

    class Reporter:
        def __init__(self, *_: Any, total: int | None = None, initial: int = 0, **__: Any):
            self.total = total
            self.n = initial
            self.received = 0
            if progress is not None:
                progress(self.n, total)

        def __enter__(self) -> "Reporter":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def update(self, count: int = 1) -> None:
            self.n += count
            if progress is not None:
                progress(self.n, self.total)
            # huggingface_hub resumes for as long as some data comes, from a server that never finishes too.
            self.received += max(count, 0)
            if self.total is not None and self.received > 3 * self.total:
                raise DownloadFailed("the connection broke again and again")

        # Having this keeps Xet transfers from opening a second bar for the bytes on the wire.
        def update_transfer(self, count: int) -> None:
            pass

        def set_postfix_str(self, *_: Any, **__: Any) -> None:
            pass

        set_transfer_postfix_str = set_postfix_str
        close = refresh = set_description = set_postfix_str

    return Reporter


def _reason(error: BaseException) -> str:
    if isinstance(error, OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE forbids downloads"
    status = getattr(getattr(error, "response", None), "status_code", None) or getattr(error, "code", None)
    if isinstance(error, HfHubHTTPError | urllib.error.HTTPError) and status:
        return _REFUSALS.get(status, f"the server answered {status}")
    return _disk_fault(error) or "its server cannot be reached from this machine"


def _disk_fault(error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno in _DISK:
        return f"it cannot be kept here ({error.strerror})"
    return ""
