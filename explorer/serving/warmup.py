"""What a server does before its first network: it says how many cores one may take, and does the heavy
imports in the background, whose objects are then taken out of the collector's sight."""

import importlib
import os
import threading
import time
from collections.abc import Sequence

from explorer.serving import housekeeping

HEAVY = ("torch", "torchvision", "timm", "explorer.networks", "explorer.inference.explaining")

_lock = threading.Lock()
_thread: threading.Thread | None = None


def leave_cores_free() -> None:
    """One network takes half of the cores, at least one, unless OMP_NUM_THREADS says otherwise.

    By itself PyTorch lets every pass take all of them. In a hall each pass then waits for the threads of the
    others, and whoever only turns a page waits for all. Called before torch is imported, which reads it once.
    """
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // 2)))


def start(delay_seconds: float = 0.0, modules: Sequence[str] = HEAVY) -> threading.Thread:
    """Imports `modules` once per process in a daemon thread, after a delay that lets a first page out.

    Calls after the first change nothing and give the same thread; `join` it to wait for the end.
    """
    global _thread
    with _lock:
        if _thread is None:
            _thread = threading.Thread(
                target=_warm_up, args=(delay_seconds, tuple(modules)), name="warm-up", daemon=True
            )
            _thread.start()
        return _thread


def _warm_up(delay_seconds: float, modules: Sequence[str]) -> None:
    time.sleep(delay_seconds)
    for name in modules:
        importlib.import_module(name)
    housekeeping.tidy()
