"""What visitors leave behind goes; what lives is not walked over again."""

import gc
import threading
import tomllib
import weakref
from pathlib import Path

import pytest

from explorer.serving import housekeeping

CONFIG = Path(__file__).parents[2] / ".streamlit" / "config.toml"


class Visit:
    """Garbage that only a collector finds: it refers to itself."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def thawed():
    yield
    gc.unfreeze()


def test_a_cycle_goes_even_if_it_was_set_aside_while_it_lived() -> None:
    visit = Visit()
    gone = weakref.ref(visit)
    housekeeping.tidy()
    del visit
    gc.collect()
    assert gone() is not None  # set aside: an ordinary round does not look there
    housekeeping.tidy()
    assert gone() is None


def test_after_it_there_is_little_left_to_walk_over() -> None:
    housekeeping.tidy()
    assert len(gc.get_objects()) < gc.get_freeze_count() / 10


def test_what_is_new_is_set_aside_without_a_look_at_the_rest() -> None:
    visit = Visit()
    gone = weakref.ref(visit)
    housekeeping.set_aside()
    del visit
    housekeeping.set_aside()
    assert gone() is not None
    assert len(gc.get_objects()) < gc.get_freeze_count() / 10


def test_it_waits_for_a_quiet_moment_and_with_all_of_it_until_nobody_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[str] = []
    ended = threading.Event()
    monkeypatch.setattr(housekeeping, "QUIET_SECONDS", 0.05)
    monkeypatch.setattr(housekeeping, "DESERTED_SECONDS", 0.2)

    def noted(what: str) -> None:
        # A watch that an earlier test's visit began still runs in this process.
        if threading.current_thread() is housekeeping._thread:
            done.append(what)
            if what == "tidied":
                ended.set()

    monkeypatch.setattr(housekeeping, "set_aside", lambda: noted("set aside"))
    monkeypatch.setattr(housekeeping, "tidy", lambda: noted("tidied"))
    monkeypatch.setattr(housekeeping, "_thread", None)
    housekeeping.served()
    assert ended.wait(10)
    assert done == ["set aside", "tidied"]
    first = housekeeping._thread
    housekeeping.served()
    assert housekeeping._thread is first


def test_streamlit_does_not_collect_after_every_run() -> None:
    assert tomllib.loads(CONFIG.read_text())["runner"]["postScriptGC"] is False
