"""The heavy imports, done in the background, and their objects then taken out of the collector's sight."""

import importlib
import threading
import time
from collections.abc import Sequence

from explorer.serving import housekeeping

HEAVY = ("torch", "torchvision", "timm", "explorer.networks", "explorer.inference.explaining")

_lock = threading.Lock()
_thread: threading.Thread | None = None


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
