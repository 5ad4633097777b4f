"""The two ceilings of a device, measured and kept: multiply-adds a second in a large matrix product, bytes a
second in a copy that no cache holds. Each is the best of all runs so far: whatever else the machine does can
only make one slower, so a ceiling measured on a busy machine rises when it is measured again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from time import perf_counter

import torch

from explorer.analysis.numbers.roofline import Ceilings
from explorer.catalogue.cache_folder import cache_folder
from explorer.catalogue.writing import WriteError, write_whole
from explorer.inference.layer_measurements import synchroniser
from explorer.serving.benchmark import Progress, alone, check
from explorer.serving.measurements import Setting
from explorer.training.machine import hardware

# Long enough to be the device's best and not the call's overhead, short enough for a processor.
_MATRIX_SIDES = {"cpu": 1536, "mps": 4096, "cuda": 8192}
_COPIED_BYTES = {"cpu": 2**27, "mps": 2**28, "cuda": 2**30}
_RUNS = 12
_unwritten: dict[Path, Measured] = {}  # what the disk did not take, for the life of this process


@dataclass(frozen=True)
class Measured:
    """matrix_side: of the square product, copied_bytes: of the tensor copied; measured_on: ISO, UTC."""

    ceilings: Ceilings
    machine: str
    precision: str
    matrix_side: int
    copied_bytes: int
    measured_on: str


def of(setting: Setting, progress: Progress = lambda share, text: None) -> Measured:
    """What is kept for this machine, device, number of threads, precision and version of torch; measured now
    where nothing is. Raises what `measure` raises."""
    check(setting)
    return kept(setting) or measure(setting, progress)


def kept(setting: Setting) -> Measured | None:
    """None where there is none yet, or none that can be read."""
    if found := _unwritten.get(_file(setting)):
        return found
    try:
        data = json.loads(_file(setting).read_bytes())
        found = Measured(**{**data, "ceilings": Ceilings(**data["ceilings"])})
        numbers = (found.ceilings.macs_per_second, found.ceilings.bytes_per_second)
        return found if all(number > 0 and isfinite(number) for number in numbers) else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def measure(setting: Setting, progress: Progress = lambda share, text: None) -> Measured:
    """Measured now, and kept; where an earlier run was faster, that ceiling stays.

    Raises CannotMeasure, and Busy where something else is being measured; WriteError where the disk does not
    take what was found, which then lasts as long as this process.
    """
    check(setting)
    before = kept(setting)
    device = torch.device(setting.device)
    side, copied = _MATRIX_SIDES[device.type], _COPIED_BYTES[device.type]
    with alone("what this machine can do at best"), torch.inference_mode():
        seconds = _best(_product(setting, side), device, lambda share: progress(share / 2, "matrix product"))
        macs_per_second = side**3 / seconds
        seconds = _best(_copy(setting, copied), device, lambda share: progress(0.5 + share / 2, "copy"))
        bytes_per_second = 2 * copied / seconds  # as many are written as are read
    if before is not None:
        macs_per_second = max(macs_per_second, before.ceilings.macs_per_second)
        bytes_per_second = max(bytes_per_second, before.ceilings.bytes_per_second)
    found = Measured(
        ceilings=Ceilings(macs_per_second, bytes_per_second),
        machine=hardware(device),
        precision=setting.precision,
        matrix_side=side,
        copied_bytes=copied,
        measured_on=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    file = _file(setting)
    try:
        write_whole(file, json.dumps(asdict(found), indent=1, allow_nan=False).encode())
    except WriteError:
        _unwritten[file] = found
        raise
    _unwritten.pop(file, None)
    return found


def _product(setting: Setting, side: int) -> Callable[[], object]:
    dtype = getattr(torch, setting.precision)
    a = torch.randn(side, side).to(setting.device, dtype)
    b = torch.randn(side, side).to(setting.device, dtype)
    out = torch.empty_like(a)
    return lambda: torch.mm(a, b, out=out)


def _copy(setting: Setting, copied: int) -> Callable[[], object]:
    source = torch.ones(copied, dtype=torch.uint8, device=setting.device)
    target = torch.zeros_like(source)
    return lambda: target.copy_(source)


def _best(run: Callable[[], object], device: torch.device, progress: Callable[[float], None]) -> float:
    """Seconds of the fastest run, the first not counted."""
    wait, times = synchroniser(device), []
    for number in range(_RUNS + 1):
        wait()
        started = perf_counter()
        run()
        wait()
        times.append(perf_counter() - started)
        progress(number / _RUNS)
    return min(times[1:])


def _file(setting: Setting) -> Path:
    device = torch.device(setting.device)
    key = (str(device), hardware(device), setting.precision, torch.get_num_threads(), torch.__version__)
    digest = hashlib.sha256(json.dumps(key, allow_nan=False).encode()).hexdigest()
    return cache_folder("ceilings") / f"{digest[:32]}.json"
