"""Traces on disk: JSON, compressed, one file each, written whole or not at all.

A file's name is a digest of everything the trace depends on: network, input, the versions of the libraries
that define networks and graph, and the source of the code that reads the graph. A damaged file is a missing
file.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from explorer.analysis.graph.operations import Trace, from_json, to_json
from explorer.catalogue.cache_folder import cache_folder
from explorer.catalogue.writing import WriteError, write_whole
from explorer.networks import Reference
from explorer.networks.building import builder

FORMAT = 1
_EXPLORER = Path(__file__).resolve().parents[2]
_unwritable: set[Path] = set()  # folders of which that has been said


def folder() -> Path:
    """Where traces are kept."""
    return cache_folder("traces")


def fingerprint(reference: Reference) -> str:
    """What defines the network beside its name and the libraries: the source written here, a folder's or a
    card's settings."""
    if reference.builder in ("explorer", "zoo"):
        return _own_source()
    module = builder(reference.builder)
    return module.fingerprint(reference.name) if hasattr(module, "fingerprint") else ""


def read(reference: str, fingerprint: str, shape: tuple[int, ...]) -> Trace | None:
    """The trace kept under this key; None if there is none, or none that can be read."""
    try:
        data = json.loads(gzip.decompress(_file(reference, fingerprint, shape).read_bytes()))
        return from_json(data["trace"]) if data["key"] == _key(reference, fingerprint, shape) else None
    except Exception:  # a spoilt file fails in as many ways as there are layers: gzip, JSON, the fields
        return None


def write(trace: Trace, reference: str, fingerprint: str) -> None:
    """Keep it if the disk lets us: a cache that cannot be written is said, and no reason to fail."""
    content = {"key": _key(reference, fingerprint, trace.input_shape), "trace": to_json(trace)}
    data = gzip.compress(json.dumps(content, allow_nan=False).encode(), compresslevel=3)
    try:
        write_whole(_file(reference, fingerprint, trace.input_shape), data)
    except WriteError as error:
        if error.path.parent not in _unwritable:
            _unwritable.add(error.path.parent)
            logging.getLogger(__name__).warning("%s; traces are computed anew each time", error)


def _key(reference: str, fingerprint: str, shape: tuple[int, ...]) -> dict[str, Any]:
    return {
        "reference": reference,
        "fingerprint": fingerprint,
        "shape": list(shape),
        "format": FORMAT,
        **_versions(),
    }


def _file(reference: str, fingerprint: str, shape: tuple[int, ...]) -> Path:
    digest = hashlib.sha256(
        json.dumps(_key(reference, fingerprint, shape), sort_keys=True, allow_nan=False).encode()
    ).hexdigest()
    return folder() / f"{digest[:32]}.json.gz"


@cache
def _versions() -> Mapping[str, str]:
    found = {}
    for package in ("torch", "torchvision", "timm"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = ""
    found["reader"] = _digest("analysis/graph", "networks")
    return found


@cache
def _own_source() -> str:
    return _digest("networks")


def _digest(*rooms: str) -> str:
    """Of all code of these folders of `explorer`."""
    digest = hashlib.sha256()
    for room in rooms:
        for file in sorted((_EXPLORER / room).rglob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
