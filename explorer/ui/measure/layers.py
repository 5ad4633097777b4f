"""Where the time goes inside a network: every operation under this device's ceilings, and time by kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.serving.measurements import Setting
from explorer.ui.frame.page import Page
from explorer.ui.kit import explain, formatting, once, theme
from explorer.ui.kit.figure import show_figure
from explorer.ui.measure import running
from explorer.ui.measure.controls import titles
from explorer.ui.measure.running import Job, Task
from explorer.ui.network.several import Chosen

if TYPE_CHECKING:
    from explorer.analysis.numbers.roofline import KindShare, Timed
    from explorer.inference.layer_measurements import LayerTimes
    from explorer.serving.benchmark import Bench, Progress
    from explorer.serving.ceilings import Measured

_KEPT = 16  # networks
_HEIGHT, _TALL = 420, 620  # pixels; the taller for a projector
_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


@dataclass(frozen=True)
class Profile:
    """One network's operations with their times. pass_ms: of a pass without hooks."""

    title: str
    batch_size: int
    operations: tuple[Timed, ...]
    pass_ms: float

    @property
    def by_kind(self) -> tuple[KindShare, ...]:
        from explorer.analysis.numbers import roofline

        return roofline.by_kind(self.operations)


def show(
    chosen: Sequence[Chosen], job: Job, bar_slot: DeltaGenerator, button_slot: DeltaGenerator, here: Page,
    draw: Callable[[Sequence[Profile], Measured, Page], None],
) -> None:  # fmt: skip
    """`draw` with what has been measured in this visit; before that, the way to begin."""
    from explorer.serving import ceilings

    place = st.empty()
    if job.running:
        place.skeleton(height=_HEIGHT)
        running.carry_out(
            job,
            _measure,
            bar_slot,
            button_slot,
            before=lambda progress: ceilings.measure(job.setting, progress),
        )
    device = ceilings.kept(job.setting)
    profiles = _profiles(chosen, job, device) if device else []
    if device and profiles:
        with place.container():
            draw(profiles, device, here)
        running.start_button(button_slot, job, "Measure again", primary=False, key="measure_again")
    else:
        place.empty()
        with place.container():
            running.invite(
                "The layers of these networks are not timed yet: a few passes each, and once the ceilings of "
                "this machine.",
                job,
                _HEIGHT,
            )
    running.notes(job)


def _times() -> once.Kept[tuple[Task, Setting], LayerTimes]:
    return once.kept("layer_times", _KEPT)


def _measure(on_it: Bench, task: Task, progress: Progress) -> None:
    _times()[task, on_it.setting] = on_it.layer_times(task.batch_size, running.limits(), progress)


def _profiles(chosen: Sequence[Chosen], job: Job, device: Measured) -> list[Profile]:
    from explorer.analysis.numbers import roofline

    found = []
    for network, title, task in zip(chosen, titles(chosen), job.tasks, strict=True):
        times = _times().get((task, job.setting))
        if times is not None:
            trace = network.sheet.trace
            works = roofline.works(trace, task.batch_size, _BYTES[job.setting.precision])
            operations = roofline.timed(trace, works, times.own, device.ceilings)
            found.append(Profile(title, task.batch_size, operations, 1000 * times.pass_seconds))
    return found


def eager(setting: Setting) -> Setting:
    """Layers are timed by hooks, which a compiled network has none of."""
    return replace(setting, compiled=False)


def roofline(profiles: Sequence[Profile], device: Measured, here: Page) -> None:
    """Each operation by MACs a byte and MACs a second."""
    from explorer.ui.measure import figures

    best = device.ceilings
    st.markdown(
        f"This device multiplies at most **{formatting.count(best.macs_per_second)}MAC/s** and moves at most "
        f"**{formatting.count(best.bytes_per_second)}B/s**: an operation with fewer than "
        f"**{formatting.three_digits(best.ridge)} MACs a byte** waits for memory."
    )
    panels = [figures.Panel(_titled(profile), profile.operations) for profile in profiles]
    show_figure(figures.roofline(panels, best, dark=here.dark), here, "measure_roofline", _tall(here))
    explain.look_for(
        "Points are operations with MACs, as large as their share of the time. Which lie left of the bend? "
        "Depthwise convolutions do few MACs for each byte, so the slope holds them down however fast the "
        "device multiplies. Points above the slope found their input in a cache; far above the roof, the "
        "library multiplies less than the definition asks for, or the ceiling was measured on a busy "
        "machine: measure again, and it rises."
    )
    st.caption(
        f"Ceilings: the best of all runs so far, products of {device.matrix_side}² matrices in "
        f"{device.precision} and copies of {formatting.size(device.copied_bytes)}, "
        f"{formatting.plain(device.machine)}, last measured {device.measured_on[:10]}. Bytes are computed "
        "from the trace: input, output and weights, each once."
    )
    _operations(profiles, device)


def kinds(profiles: Sequence[Profile], device: Measured, here: Page) -> None:
    """Share of MACs against share of time."""
    from explorer.ui.measure import figures

    shares = {_titled(profile): profile.by_kind for profile in profiles}
    height = 130 + 92 * len(shares)
    show_figure(figures.kinds(shares, dark=here.dark), here, "measure_kinds", height + 60 * here.presenting)
    st.markdown("  \n".join(_verdict(profile) for profile in profiles))
    explain.look_for(
        "Which colours are wide in time and narrow in MACs? Normalisation, activation and merging count no "
        "MAC at all and still move every byte; depthwise convolutions are cheap in MACs and slow for each. "
        "That is why a tenth of the MACs is not a tenth of the time."
    )
    rows = [
        {
            "Network": title,
            "Kind": theme.ROLE_NAMES.get(each.kind, each.kind),
            "Operations": each.operations,
            "MACs (%)": 100 * each.macs_share,
            "Time (%)": 100 * each.time_share,
            "ms": 1000 * each.seconds,
            "GMAC/s": each.rate / 1e9,
            "MACs a byte": each.intensity,
        }
        for title, own in shares.items()
        for each in own
    ]
    with st.expander("The numbers", icon=":material/table:"):
        _table(rows)
        st.caption(
            "Times are medians over a few passes, one module at a time, which is slower than a pass without "
            "looking: "
            + "; ".join(
                f"{formatting.plain(p.title)} {formatting.three_digits(p.pass_ms)} ms without, "
                f"{formatting.three_digits(1000 * sum(each.seconds for each in p.operations))} ms in modules"
                for p in profiles
            )
            + ". A module with several operations has its time split by what each needs at the very least."
        )


def _verdict(profile: Profile) -> str:
    """One line: the kind with most MACs beside its time, and what has none."""
    own = profile.by_kind
    most = max(own, key=lambda each: each.macs)
    free = sum(each.time_share for each in own if not each.macs)
    name = theme.ROLE_NAMES.get(most.kind, most.kind)
    return (
        f"**{formatting.plain(profile.title)}**: {name.lower()} does {formatting.share(most.macs_share, 1)} "
        f"of the MACs in {formatting.share(most.time_share, 1)} of the time; {formatting.share(free, 1)} of "
        "the time goes to operations without a MAC."
    )


def _operations(profiles: Sequence[Profile], device: Measured) -> None:
    with st.expander("Table of operations", icon=":material/table:"):
        _table(
            [
                {
                    "Network": profile.title,
                    "Layer": each.work.path,
                    "Kind": theme.ROLE_NAMES.get(each.work.kind, each.work.kind),
                    "MACs": each.work.macs,
                    "Bytes moved": each.work.moved_bytes,
                    "MACs a byte": each.work.intensity,
                    "ms": 1000 * each.seconds,
                    "GMAC/s": each.rate / 1e9 if each.seconds else None,
                    "Of its least time (%)": _attained(each, device),
                }
                for profile in profiles
                for each in profile.operations
            ]
        )


def _attained(each: Timed, device: Measured) -> float | None:
    least = device.ceilings.least_seconds(each.work.macs, each.work.moved_bytes)
    return 100 * least / each.seconds if each.seconds else None


def _table(rows: Sequence[Mapping[str, object]]) -> None:
    table = pd.DataFrame(rows)
    digits = {
        name: st.column_config.NumberColumn(format="%.3g")
        for name in table.columns
        if table[name].dtype.kind == "f"
    }
    st.dataframe(table, hide_index=True, height=360, width="stretch", column_config=digits, placeholder="–")


def _titled(profile: Profile) -> str:
    return f"{profile.title}, batch {profile.batch_size}"


def _tall(here: Page) -> int:
    return _TALL if here.presenting else _HEIGHT
