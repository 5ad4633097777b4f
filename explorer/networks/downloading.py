"""Files of weights on this machine: in the folders where torch.hub and huggingface_hub keep theirs.

Nothing half-downloaded is ever found under its final name. The hub's files come as torch.hub's do, by
`fetching`, and are laid down as huggingface_hub lays them (its guide "Understand caching"): its own
downloader has no deadline, tells its progress every 10 MiB, and compares lengths only.
"""

import os
import re
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlparse

import torch.hub
from huggingface_hub import constants, hf_hub_url, try_to_load_from_cache
from huggingface_hub.file_download import repo_folder_name
from huggingface_hub.utils import build_hf_headers

from explorer.catalogue.writing import WriteError, write_whole
from explorer.networks.fetching import (
    Bounds,
    Clock,
    DownloadFailed,
    Expected,
    Progress,
    Refused,
    fetch,
    matches,
    refuse_offline,
    send,
    together,
)

# The largest published file is timm's DINOv3 of 27 GB; an hour is enough for 10 GB at 25 Mbit/s.
WEIGHTS = Bounds(largest=32 * 10**9, seconds=3600.0)
CONFIG = Bounds(largest=2**20, seconds=30.0)
# The hub's large files lie on these, at signed addresses.
_HUB_HOSTS = (".huggingface.co", ".hf.co")
# torch.hub asks for eight digits or more; its own pattern takes the "5090" of "rtx-5090.csv" for a hash.
_NAMED_BY_HASH = re.compile(r"-([0-9a-f]{8,})\.")
_DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_ETAG = re.compile(r"\w[\w.-]{0,127}")
_WEB_PAGE = (b"<!doctype", b"<html", b"<head", b"<?xml")


def torch_hub_file(url: str) -> Path:
    """Where torch.hub, and so torchvision and timm, keep the file behind a URL."""
    return Path(torch.hub.get_dir()) / "checkpoints" / Path(urlparse(url).path).name


def download(url: str, target: Path, progress: Progress | None, bounds: Bounds = WEIGHTS) -> Path:
    """`target`, fetched from `url` unless it is there. Raises DownloadFailed.

    A name such as "resnet50-11ad3fa6.pth" says how the sha256 of the file begins; it is held to that.
    """
    if target.is_file():
        return target
    refuse_offline()
    named = _NAMED_BY_HASH.search(target.name)
    expected = Expected(digest=named[1] if named else "", fault=_no_weights)

    def work(report: Progress) -> Path:
        if not target.is_file():  # else it came since it was looked for
            fetch(url, target, Clock(bounds), expected, report)
        return target

    return together(str(target), work, progress)


def cached_from_hub(hub_id: str, filenames: tuple[str, ...]) -> Path | None:
    """The first of these files of a repository ("ORG/NAME" or "ORG/NAME@REVISION") that is here."""
    repository, _, revision = hub_id.partition("@")
    for filename in filenames:
        found = try_to_load_from_cache(repository, filename, revision=revision or None)
        if isinstance(found, str):
            return Path(found)
    return None


def download_from_hub(
    hub_id: str, filenames: tuple[str, ...], progress: Progress | None = None, bounds: Bounds = WEIGHTS
) -> Path:
    """The first of these files that is here or that the repository has. Raises DownloadFailed."""
    cached = cached_from_hub(hub_id, filenames)
    if cached is not None:
        return cached
    refuse_offline()
    repository, _, revision = hub_id.partition("@")

    def work(report: Progress) -> Path:
        for filename in filenames:
            try:
                return _from_hub(
                    repository, revision or constants.DEFAULT_REVISION, filename, report, Clock(bounds)
                )
            except Refused as refused:
                if refused.status != 404 or refused.headers.get("X-Error-Code") == "RepoNotFound":
                    raise
        raise DownloadFailed(f"{repository} has no {' or '.join(filenames)}")

    return together(f"{hub_id}/{filenames}", work, progress)


def remove_if_damaged(path: Path) -> bool:
    """Whether a downloaded file that cannot be read is not what was published, or nothing is known of that;
    it is then removed, so that the next request fetches it anew. Other files stay.
    """
    blob = path.resolve()
    homes = (Path(torch.hub.get_dir()) / "checkpoints", Path(constants.HF_HUB_CACHE))
    if not any(path.is_relative_to(home) for home in homes):
        return False
    named = _NAMED_BY_HASH.search(path.name)
    digest = named[1] if named else blob.name if _DIGEST.fullmatch(blob.name) else ""
    try:
        with blob.open("rb") as file:
            if digest and matches(file, digest, blob.stat().st_size):
                return False
        path.unlink(missing_ok=True)
        blob.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def forget(path: Path) -> None:
    """Have the hub asked again for a file that `cached_from_hub` or `download_from_hub` gave."""
    if not remove_if_damaged(path):
        with suppress(OSError):  # a cache that may only be read
            path.unlink(missing_ok=True)


def _from_hub(repository: str, revision: str, filename: str, report: Progress, clock: Clock) -> Path:
    url = hf_hub_url(repository, filename, revision=revision)
    headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
    with send("HEAD", url, clock, headers, _HUB_HOSTS, to_the_first_host_only=True) as response:
        told = response.headers
        etag = (told.get("X-Linked-Etag") or told.get("ETag") or "").removeprefix("W/").strip('"')
        length = told.get("X-Linked-Size") or (told.get("Content-Length") if response.status == 200 else None)
    commit = told.get("X-Repo-Commit") or ""
    if not _COMMIT.fullmatch(commit) or not _ETAG.fullmatch(etag):
        raise DownloadFailed("its server does not answer as the Hugging Face hub does")
    folder = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=repository, repo_type="model")
    blob = folder / "blobs" / etag
    if not blob.is_file():
        expected = Expected(
            length=int(length) if length and length.isdecimal() else None,
            digest=etag if _DIGEST.fullmatch(etag) else "",
            fault=_no_json if filename.endswith(".json") else _no_weights,
        )
        fetch(url, blob, clock, expected, report, headers, _HUB_HOSTS)
    try:
        return _laid_down(folder, revision, commit, filename, blob)
    except WriteError as error:
        raise DownloadFailed(f"{error.path.name} cannot be written: {error.reason}") from error
    except OSError as error:
        raise DownloadFailed(f"{filename} cannot be written: {error.strerror or error}") from error


def _laid_down(folder: Path, revision: str, commit: str, filename: str, blob: Path) -> Path:
    """The path under which huggingface_hub finds the file again."""
    pointer = folder / "snapshots" / commit / filename
    pointer.parent.mkdir(parents=True, exist_ok=True)
    if not pointer.exists():
        pointer.unlink(missing_ok=True)
        try:
            pointer.symlink_to(os.path.relpath(blob, pointer.parent))
        except OSError:  # a system without links: the file itself
            os.replace(blob, pointer)
    if revision != commit:
        write_whole(folder / "refs" / revision, commit.encode())
    return pointer


def _no_weights(head: bytes) -> str:
    page = head.lstrip().lower().startswith(_WEB_PAGE)
    return "its server gives a web page in place of the file" if page else ""


def _no_json(head: bytes) -> str:
    return "" if head.lstrip()[:1] in (b"{", b"") else "its server gives something else in place of the file"
