"""What was measured on this machine, kept on its disk: one small JSON file a measurement.

A file's name is a digest of what was measured (network, size, device, batch, precision, ...), so measuring
the same again replaces it, writers that run at once cannot spoil each other's work, and a damaged file costs
one measurement. Nothing here imports torch: a page can read what is kept at once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from explorer.catalogue.cache_folder import cache_folder
from explorer.catalogue.writing import write_whole
from explorer.networks.own import registry

PRECISIONS = ("float32", "bfloat16", "float16")


@dataclass(frozen=True)
class Setting:
    """How a network runs. device: "cpu", "cuda", "cuda:1", "mps"; precision: of weights and input alike."""

    device: str = "cpu"
    precision: str = "float32"
    channels_last: bool = False
    compiled: bool = False


@dataclass(frozen=True)
class Measurement:
    """One network with one batch size on one device.

    network: a reference as "timm:resnet50"; weights random. image_size: height and width in pixels.
    device: "cpu", "cuda", "mps"; machine: what it is called; threads: of the CPU.
    latency_ms: median time of one batch, latency_iqr_ms: between its quartiles, over `repetitions` passes.
    throughput: images a second. peak_memory_bytes: of tensors, as memory_note says; None where the note says
    why. measured_on: ISO date and time, UTC. versions: of the libraries; of a network
    of one's own its fingerprint as well.
    """

    network: str
    image_size: int
    device: str
    machine: str
    batch_size: int
    precision: str
    channels_last: bool
    compiled: bool
    threads: int
    latency_ms: float
    latency_iqr_ms: float
    throughput: float
    peak_memory_bytes: int | None
    memory_note: str
    repetitions: int
    measured_on: str
    versions: str

    @property
    def key(self) -> tuple[Any, ...]:
        """What was measured, how and on what; two measurements of one key are of the same thing."""
        return tuple(getattr(self, name) for name in _KEY)

    @property
    def setting(self) -> Setting:
        return Setting(self.device, self.precision, self.channels_last, self.compiled)

    @property
    def place(self) -> tuple[str, str, int]:
        """What it ran on: measurements of one place may stand beside each other."""
        return self.device, self.machine, self.threads

    @property
    def where(self) -> str:
        """The place in words."""
        return f"{self.machine} ({self.device}), {self.threads} threads"

    @property
    def day(self) -> str:
        return self.measured_on[:10]

    def joules_per_image(self, watts: float) -> float:
        """Energy if the device took `watts` all the time: an assumption, nothing here measures power."""
        return watts / self.throughput


_KEY = (
    "network",
    "image_size",
    "device",
    "machine",
    "batch_size",
    "precision",
    "channels_last",
    "compiled",
    "threads",
)
_KINDS: Mapping[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "bool": (bool,),
    "float": (int, float),
    "int | None": (int, type(None)),
}
_GREATEST = 2**63  # of bytes, images, milliseconds: more was never measured
_LONGEST = 1 << 16  # bytes of a file; those written here have a thousand
_POSITIVE = ("image_size", "batch_size", "threads", "latency_ms", "throughput", "repetitions")


def folder() -> Path:
    """In the app's cache folder (`EXPLORER_CACHE`)."""
    return cache_folder("measurements")


def keep(measurement: Measurement) -> None:
    """In place of an earlier one of the same key. Raises WriteError where the disk does not let us."""
    write_whole(_file(measurement), json.dumps(asdict(measurement), indent=1, allow_nan=False).encode())


def kept() -> tuple[Measurement, ...]:
    """All that can be read, latest first; of networks of one's own those of today's, as they are now."""
    try:
        found = [_read(file) for file in folder().glob("*.json")]
    except OSError:
        return ()
    now = {f"own:{name}": each.fingerprint for name, each in registry.registered().items()}
    current = [
        each
        for each in found
        if each is not None
        and (not each.network.startswith("own:") or now.get(each.network) in each.versions.split())
    ]
    return tuple(sorted(current, key=lambda each: (each.measured_on, each.key), reverse=True))


def delete(measurements: Iterable[Measurement]) -> None:
    """Those of the same keys; what is gone already, or cannot be removed, stays as it is."""
    for measurement in measurements:
        try:
            _file(measurement).unlink(missing_ok=True)
        except OSError:
            continue


def _file(measurement: Measurement) -> Path:
    digest = hashlib.sha256(json.dumps(measurement.key, allow_nan=False).encode()).hexdigest()
    return folder() / f"{digest[:32]}.json"


def _read(file: Path) -> Measurement | None:
    """None for a file that `keep` did not write, or not to its end."""
    try:
        if file.stat().st_size > _LONGEST:
            return None
        data = json.loads(file.read_bytes())
        found = Measurement(**{name.name: data[name.name] for name in fields(Measurement)})
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return found if _sound(found) else None


def _sound(found: Measurement) -> bool:
    values = {each.name: (getattr(found, each.name), str(each.type)) for each in fields(Measurement)}
    if not all(type(value) in _KINDS[kind] for value, kind in values.values()):  # true is no number here
        return False
    numbers = [getattr(found, name) for name in _POSITIVE]
    others = (found.latency_iqr_ms, found.peak_memory_bytes or 0)
    return (
        all(0 < number < _GREATEST for number in numbers)
        and all(0 <= number < _GREATEST for number in others)
        and found.precision in PRECISIONS
        and _is_time(found.measured_on)
    )


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
