"""Results of claims from before, so that a page has verdicts at once: this machine's own on its disk, and for
what it has not checked yet the table that comes with the app (made by `explorer.labs.claims.shipped`).

Each is kept with what it was made with; one that was made with anything else, or elsewhere, is shown until it
is checked anew. Errors are not kept: what could not run is tried again. No torch is imported here.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from explorer.catalogue.cache_folder import cache_folder
from explorer.catalogue.claims import FOLDER, Claim, Way, claims
from explorer.catalogue.writing import WriteError, write_whole
from explorer.home import ASSETS
from explorer.labs.claims.results import Result, found
from explorer.labs.claims.values import Measured
from explorer.labs.claims.verdicts import ERROR, verdict

SHIPPED = FOLDER / "verdicts.json"
_HERE = Path(__file__).resolve().parents[2]
_ROOMS = ("catalogue", "networks", "analysis", "inference", "labs")
_unwritable: set[Path] = set()  # files of which that has been said


@dataclass(frozen=True)
class Kept:
    """made_with: as `made_with` said when the result was made. here: on this machine."""

    result: Result
    made_with: tuple[str, ...]
    here: bool = True

    @property
    def current(self) -> bool:
        return self.here and self.made_with == made_with()


@cache
def made_with() -> tuple[str, ...]:
    """What a result depends on: libraries with their versions, a digest of checks, catalogue and networks."""
    return (*map(_versioned, ("torch", "torchvision", "timm")), f"code {_digest()}")


def libraries(made_with: tuple[str, ...]) -> str:
    """ "torch 2.15.0, torchvision 0.29.2, timm 1.0.31": of `made_with`, what a reader has installed."""
    return ", ".join(made_with[:-1])


def _versioned(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"no {package}"


def _digest() -> str:
    digest = hashlib.sha256()
    sources = (path for room in _ROOMS for path in (_HERE / room).rglob("*"))
    assets = (path for folder in ("zoo", "samples") for path in (ASSETS / folder).glob("*"))
    for path in sorted((*sources, *assets)):
        if path.is_file() and path.suffix != ".pyc" and path != SHIPPED:
            digest.update(str(path.relative_to(_HERE.parent)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def file() -> Path:
    return cache_folder("claims") / "results.json"


def known() -> dict[str, Kept]:
    """By claim: what this machine has checked, and what was shipped for the others."""
    elsewhere = {name: replace(each, here=False) for name, each in read(SHIPPED).items()}
    return elsewhere | read(file())


def read(path: Path) -> dict[str, Kept]:
    """By claim. The verdict follows anew from the values kept; what is spoilt, or answers what its claim no
    longer asks, is left out.
    """
    try:
        rows = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(rows, dict):
        return {}
    kept = {name: _kept(claim, rows[name]) for name, claim in claims().items() if name in rows}
    return {name: each for name, each in kept.items() if each}


def write(kept: Mapping[str, Kept]) -> None:
    """Keep this machine's own if the disk lets us: what cannot be written is said once, and no reason to
    fail.
    """
    own = {name: each for name, each in kept.items() if each.here}
    try:
        write_whole(file(), text(own).encode())
    except WriteError as error:
        if error.path not in _unwritable:
            _unwritable.add(error.path)
            logging.getLogger(__name__).warning("%s; claims are checked anew by every server", error)


def text(kept: Mapping[str, Kept]) -> str:
    """What `read` reads: a JSON object with one line a claim."""
    rows = {name: _row(each) for name, each in kept.items() if each.result.verdict != ERROR}
    lines = (f"{json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _row(kept: Kept) -> dict[str, Any]:
    return {
        "made_with": list(kept.made_with),
        "seconds": kept.result.seconds,
        "ways": [
            {
                "asked": _asked(each.way),
                "values": list(each.measured.values),
                "how": each.measured.how,
                "basis": each.measured.basis,
            }
            for each in kept.result.findings
        ],
    }


def _asked(way: Way) -> str:
    """A digest of the check and of what it is asked: a value stands for the question that it answered."""
    question = json.dumps([way.check, dict(way.arguments)], sort_keys=True)
    return hashlib.sha256(question.encode()).hexdigest()[:12]


def _kept(claim: Claim, row: Any) -> Kept | None:
    try:
        ways = [(each["asked"], _measured(each)) for each in row["ways"]]
        if [asked for asked, _ in ways] != list(map(_asked, claim.ways)):
            return None
        findings = tuple(
            found(claim, way, measured) for way, (_, measured) in zip(claim.ways, ways, strict=True)
        )
        comes_to = verdict(claim.expected, [each.values for each in findings])
        result = Result(claim, findings, comes_to, _number(row["seconds"]))
        return Kept(result, tuple(map(_text, row["made_with"])))
    except (KeyError, TypeError, ValueError):
        return None


def _measured(way: Any) -> Measured:
    basis = way["basis"]
    if basis not in ("computed", "cited"):
        raise ValueError(f"{basis!r} is no basis")
    return Measured(tuple(map(_number, way["values"])), _text(way["how"]), basis)


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is not a finite number")
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value
