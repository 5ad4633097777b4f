"""Measurements started from the page: in this visit's own run of the script, so that a click on Stop, another
choice, or leaving ends them between two passes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from time import perf_counter
from typing import TYPE_CHECKING, Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.catalogue.writing import WriteError
from explorer.serving.measurements import Setting
from explorer.ui.kit import theme
from explorer.ui.kit.formatting import left_at_this_pace, plain

if TYPE_CHECKING:
    from explorer.networks import Reference
    from explorer.serving.benchmark import Bench, Limits, Progress

_JOB, _DONE, _NOTES = "_measure_job", "_measure_done", "_measure_notes"
# A pass cannot be stopped, so a long one is refused; strangers get less of a server's time.
_SLOWEST_PASS, _SLOWEST_HOSTED = 30.0, 5.0


@dataclass(frozen=True)
class Task:
    """One network (the side of its input, None for its own) with one batch size."""

    reference: Reference
    title: str
    image_size: int | None
    batch_size: int


@dataclass(frozen=True)
class Job:
    """What one press of the button asks for; tasks of one network at one size stand together."""

    view: str
    setting: Setting
    tasks: tuple[Task, ...]

    @property
    def running(self) -> bool:
        """Whether the visitor started it and has not chosen anything else since."""
        if st.session_state.get(_JOB) != self:
            st.session_state.pop(_JOB, None)
        return _JOB in st.session_state


def limits() -> Limits:
    from explorer.serving.benchmark import Limits

    return Limits(slowest_pass=_SLOWEST_HOSTED if os.environ.get("EXPLORER_HOSTED") else _SLOWEST_PASS)


def start_button(slot: DeltaGenerator, job: Job, label: str, *, primary: bool, key: str) -> None:
    slot.button(
        label, icon=":material/timer:", type="primary" if primary else "secondary", key=key,
        on_click=_start, args=(job,), disabled=not job.tasks, width="stretch",
    )  # fmt: skip


def invite(sentence: str, job: Job, height: int) -> None:
    """In the place of a result, as tall as it will be: what is missing, and the button."""
    with (
        theme.growing("measure_invited", height),
        st.container(
            border=True, height="stretch", horizontal_alignment="center", vertical_alignment="center"
        ),
    ):
        st.markdown(sentence, width="content")
        start_button(st.container(width="content"), job, "Measure", primary=True, key="measure_first")


def carry_out(
    job: Job,
    do: Callable[[Bench, Task, Progress], None],
    bar_slot: DeltaGenerator,
    button_slot: DeltaGenerator,
    drawn: Callable[[], None] = lambda: None,
    before: Callable[[Progress], object] = lambda progress: None,
) -> None:
    """`before`, then `do` for every task that is not done yet; `drawn` after each. What cannot be measured is
    noted, and the rest goes on."""
    from explorer.serving.benchmark import Busy

    bar, button = bar_slot.empty(), button_slot.empty()
    button.button("Stop", icon=":material/stop:", key="measure_stop", on_click=_stop, width="stretch")
    done: set[Hashable] = st.session_state.setdefault(_DONE, set())

    started, already = perf_counter(), len(done)

    def report(task: Task | None) -> Progress:
        what = f"{plain(task.title)}, batch {task.batch_size}" if task else "This machine"

        def show(share: float, text: str) -> None:
            through = len(done) + share if task else 0.0
            seconds = perf_counter() - started
            left = left_at_this_pace(seconds, through - already, len(job.tasks) - through)
            bar.progress(through / len(job.tasks), f"{what}: {text}{left}")

        return show

    bar.progress(0.0, "Starting …")
    try:
        before(report(None))
    except WriteError as error:
        _note(job, _unkept(error))
    except (ValueError, RuntimeError) as refused:
        _note(job, str(refused))
        done.update(job.tasks)
    try:
        for _, own in groupby(job.tasks, key=lambda task: (task.reference, task.image_size)):
            _one_network(job, [task for task in own if task not in done], do, report, done, drawn)
    except Busy as busy:
        _note(job, str(busy))
    finally:
        bar.empty()
        button.empty()
    st.session_state.pop(_JOB, None)


def _one_network(
    job: Job,
    tasks: Sequence[Task],
    do: Callable[[Bench, Task, Progress], None],
    report: Callable[[Task], Progress],
    done: set[Hashable],
    drawn: Callable[[], None],
) -> None:
    from explorer.serving.benchmark import Busy, CannotMeasure, bench

    if not tasks:
        return
    report(tasks[0])(0.0, "building")
    try:
        with bench(tasks[0].reference, job.setting, tasks[0].image_size) as on_it:
            for task in tasks:
                try:
                    do(on_it, task, report(task))
                except CannotMeasure as refused:
                    _note(job, str(refused))
                except WriteError as error:
                    _note(job, _unkept(error))
                done.add(task)
                drawn()
    except Busy:
        raise
    except (ValueError, RuntimeError, OSError) as refused:
        _note(job, str(refused))
        done.update(tasks)


def notes(job: Job) -> None:
    """What the last run of this job could not do."""
    for sentence in st.session_state.get(_NOTES, {}).get(job, ()):
        st.warning(plain(sentence), icon=":material/info:")


def _note(job: Job, sentence: str) -> None:
    kept: Mapping[Any, Sequence[str]] = st.session_state.get(_NOTES, {})
    sentences = (*kept.get(job, ()), f"{sentence[0].upper()}{sentence[1:].rstrip('.')}.")
    st.session_state[_NOTES] = {job: tuple(dict.fromkeys(sentences))}


def _unkept(error: WriteError) -> str:
    """The file's name without its folder: a visitor learns nothing of the host's disk."""
    return (
        f"what was measured lasts as long as this visit, because {error.path.name} cannot be written: "
        f"{error.reason}"
    )


def _start(job: Job) -> None:
    st.session_state.update({_JOB: job, _DONE: set(), _NOTES: {}})


def _stop() -> None:
    st.session_state.pop(_JOB, None)
