"""The garbage collector's full rounds, done when nobody waits.

Streamlit can collect after every script run, which walks all that the server has cached: with 25
architectures seen a run took 155 ms in place of 20, and thirty visitors waited 16 s. That is switched off
(`.streamlit/config.toml`). Instead what lives is set aside (`gc.freeze`) in a quiet moment, so that every
round walks only what is new. Once the server is deserted, one round over everything takes the cycles that
visitors have left behind after they were set aside: it stops the whole process for seconds.
"""

import gc
import threading
import time

QUIET_SECONDS = 5.0
"""Without a request for so long, nobody waits for tens of milliseconds."""
DESERTED_SECONDS = 60.0
"""Without a request for so long, nobody is about to come back in the next seconds, as a reader does."""

_lock = threading.Lock()
_served_at = 0.0
_thread: threading.Thread | None = None


def served() -> None:
    """A visitor is being served: the next quiet moment begins later. Starts the watch once a process."""
    global _served_at, _thread
    _served_at = time.monotonic()
    with _lock:
        if _thread is None:
            _thread = threading.Thread(target=_watch, name="housekeeping", daemon=True)
            _thread.start()


def set_aside() -> None:
    """A round over what is new; what is left of it is out of the sight of the following ones."""
    gc.collect()
    gc.freeze()


def tidy() -> None:
    """One full round over everything; what is left is out of the sight of the following ones."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _watch() -> None:
    set_aside_at = tidied_at = 0.0
    while True:
        quiet = time.monotonic() - _served_at
        if quiet >= QUIET_SECONDS and _served_at > set_aside_at:
            set_aside_at = time.monotonic()
            set_aside()
        elif quiet >= DESERTED_SECONDS and _served_at > tidied_at:
            tidied_at = time.monotonic()
            tidy()
        else:
            time.sleep(QUIET_SECONDS - quiet if quiet < QUIET_SECONDS else QUIET_SECONDS)
