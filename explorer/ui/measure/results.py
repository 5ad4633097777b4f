"""Latency, throughput and memory of whole networks: what is kept of this machine, and measuring more."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import count
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.catalogue.writing import WriteError
from explorer.serving import measurements
from explorer.serving.measurements import Measurement
from explorer.ui.frame.page import Page
from explorer.ui.kit import explain, formatting
from explorer.ui.kit.figure import show_figure
from explorer.ui.measure import controls, running
from explorer.ui.measure.controls import Choices, titles
from explorer.ui.measure.running import Job, Task
from explorer.ui.network.several import Chosen

if TYPE_CHECKING:
    from explorer.serving.benchmark import Bench, Progress

_UNWRITTEN = "_measure_unwritten"
_FIRST = (
    "measured_on",
    "network",
    "batch_size",
    "latency_ms",
    "latency_iqr_ms",
    "throughput",
    "peak_memory_bytes",
)
_HEIGHT, _TALL = 340, 380  # pixels in a window 720 high; the taller in a presentation, the words too


def show(
    chosen: Sequence[Chosen], job: Job, choices: Choices,
    bar_slot: DeltaGenerator, button_slot: DeltaGenerator, here: Page,
) -> None:  # fmt: skip
    """The chart beside its numbers; before anything is measured, the way to begin."""
    what = controls.plot(st.container(), choices.watts)
    place, drawings, kept = st.empty(), count(), _all()
    table = found(chosen, choices, kept)

    def draw(table: Mapping[str, Sequence[Measurement]]) -> None:
        if not any(table.values()):
            place.skeleton(height=_HEIGHT)
            return
        with place.container():
            _draw(table, what, choices, here, f"measure_by_batch_{next(drawings)}")

    if any(table.values()) or job.running:
        draw(table)
    else:
        names = " and ".join(formatting.plain(each.title) for each in chosen)
        says = f"Nothing is measured yet of {names} with these choices on this machine."
        with place.container():
            running.invite(says, job, _HEIGHT)
    running.notes(job)
    explain.look_for(
        "Does throughput grow with the batch? It does as long as weights and overhead are shared by more "
        "images, and stops where the device is full. Whiskers much taller than a marker say that something "
        "else was running: measure again on a quiet machine."
    )
    _everything(kept, table)
    if job.running:  # last, so that the rest of the page stands while it goes on
        running.carry_out(job, _measure, bar_slot, button_slot, lambda: draw(found(chosen, choices, _all())))
        st.rerun()
    if any(table.values()):
        running.start_button(button_slot, job, "Measure again", primary=False, key="measure_again")


def found(
    chosen: Sequence[Chosen], choices: Choices, kept: Sequence[Measurement]
) -> Mapping[str, tuple[Measurement, ...]]:
    """By title of the network, what was measured just so on this very machine, by batch size."""
    from explorer.serving.benchmark import runs_on

    here = (choices.setting, *runs_on(choices.setting))
    like_this = [each for each in kept if (each.setting, each.machine, each.threads) == here]
    table: dict[str, tuple[Measurement, ...]] = {}
    for network, title in zip(chosen, titles(chosen), strict=True):
        own = [
            each
            for each in like_this
            if (each.network, each.image_size) == (str(network.about.reference), network.pixels)
            and each.batch_size in choices.batch_sizes
        ]
        table[title] = tuple(sorted(own, key=lambda each: each.batch_size))
    return table


def _all() -> tuple[Measurement, ...]:
    """What is kept, and what this visit measured where the disk would not take it."""
    return (*st.session_state.get(_UNWRITTEN, {}).values(), *measurements.kept())


def _measure(on_it: Bench, task: Task, progress: Progress) -> None:
    measured = on_it.measure(task.batch_size, running.limits(), progress)
    try:
        measurements.keep(measured)
    except WriteError:
        st.session_state.setdefault(_UNWRITTEN, {})[measured.key] = measured
        raise


def _draw(
    table: Mapping[str, Sequence[Measurement]], what: str, choices: Choices, here: Page, key: str
) -> None:
    """key: another for each drawing of one run."""
    from explorer.ui.measure import figures

    left, right = st.columns([7, 5], gap="medium")
    with left:
        made = figures.by_batch(table, what, choices.watts, dark=here.dark)
        show_figure(made, here, key, _TALL if here.presenting else _HEIGHT)
    with right:
        _numbers(table, choices)


def _numbers(table: Mapping[str, Sequence[Measurement]], choices: Choices) -> None:
    rows = [
        {
            "Network": title,
            "Batch": each.batch_size,
            "Median ms": each.latency_ms,
            "IQR ms": each.latency_iqr_ms,
            "images/s": each.throughput,
            "MiB": each.peak_memory_bytes / 2**20 if each.peak_memory_bytes is not None else None,
            **({"J/image": each.joules_per_image(choices.watts)} if choices.watts else {}),
        }
        for title, own in table.items()
        for each in own
    ]
    number = st.column_config.NumberColumn
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        width="stretch",
        column_config={
            "Median ms": number(format="%.4g", help="Time of one batch."),
            "IQR ms": number(format="%.3g", help="Between the quartiles of the passes."),
            "images/s": number(format="%.4g", help="Batch size by median time."),
            "MiB": number(format="%.4g", help="Peak memory of tensors, weights and input included."),
            "J/image": number(format="%.3g", help="At the power you assume; nothing here measures power."),
        },
        alt="Measured latency, spread, throughput and peak memory",
    )


def _everything(every: Sequence[Measurement], shown: Mapping[str, Sequence[Measurement]]) -> None:
    """All that this machine keeps, by date, to take away and to delete."""
    with st.expander(f"Kept on this machine: {len(every)} measurements", icon=":material/table:"):
        if not every:
            st.caption("Nothing yet. What is measured stays here for everyone who uses this installation.")
            return
        table = pd.DataFrame([asdict(each) for each in every])
        st.dataframe(
            table, hide_index=True, width="stretch", height=min(300, 38 + 35 * len(table)),
            column_order=dict.fromkeys([*_FIRST, *table.columns]),
            column_config={
                name: st.column_config.NumberColumn(format="%.4g")
                for name in ("latency_ms", "latency_iqr_ms", "throughput")
            },
            alt="Every measurement kept on this machine",
        )  # fmt: skip
        st.caption(
            "Medians of single passes after warm-up, each begun and ended with the device idle, random "
            f"weights, under inference mode; memory: {every[0].memory_note}. float32 as torch runs it by "
            "default: on NVIDIA GPUs convolutions may use TF32. What is measured stays here for everyone who "
            "uses this installation."
        )
        with st.container(horizontal=True):
            st.download_button(
                "CSV", table.to_csv(index=False).encode(), "measured-here.csv", "text/csv",
                icon=":material/download:", on_click="ignore",
            )  # fmt: skip
            if not os.environ.get(
                "EXPLORER_HOSTED"
            ):  # there the others' measurements are not for one to delete
                own = [each for rows in shown.values() for each in rows]
                _delete_button("Delete those shown above", own, "measure_delete_shown")
                _delete_button("Delete all", every, "measure_delete_all")


def _delete_button(label: str, which: Sequence[Measurement], key: str) -> None:
    st.button(
        label, icon=":material/delete:", key=key, on_click=_delete, args=(tuple(which),), disabled=not which
    )


def _delete(which: Sequence[Measurement]) -> None:
    measurements.delete(which)
    for each in which:
        st.session_state.get(_UNWRITTEN, {}).pop(each.key, None)
