"""What was measured on this machine of the networks compared: like set beside like."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from explorer.serving import measurements
from explorer.serving.measurements import Measurement
from explorer.ui.frame import links
from explorer.ui.frame.page import Page
from explorer.ui.kit import explain, formatting, theme
from explorer.ui.kit.figure import show_figure
from explorer.ui.network import choices
from explorer.ui.network.several import Chosen
from explorer.ui.side_by_side.view import ratio

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


RUN = "run"


@dataclass(frozen=True)
class Run:
    """Measurements of several networks, all else alike. of: by network, None where none was made."""

    of: tuple[Measurement | None, ...]

    @property
    def one(self) -> Measurement:
        return next(each for each in self.of if each is not None)

    @property
    def known(self) -> int:
        return sum(each is not None for each in self.of)

    @property
    def title(self) -> str:
        """How it was run, in one line."""
        run = self.one
        how = [
            run.precision,
            *(["channels last"] if run.channels_last else []),
            *(["compiled"] if run.compiled else []),
        ]
        return f"batch {run.batch_size} on {run.where}, {', '.join(how)}"


def runs(kept: Iterable[Measurement], networks: Sequence[tuple[Collection[str], int]]) -> tuple[Run, ...]:
    """kept: the latest first, of which the latest of a kind counts. networks: of each its references and the
    side of its input. Runs that hold most networks come first, of those the smallest batch."""
    found: dict[tuple[object, ...], list[Measurement | None]] = {}
    for measured in kept:
        for place, (references, image_size) in enumerate(networks):
            if measured.network in references and measured.image_size == image_size:
                alike = (
                    measured.device, measured.machine, measured.threads, measured.batch_size, measured.setting
                )  # fmt: skip
                row = found.setdefault(alike, [None] * len(networks))
                row[place] = row[place] or measured
    made = [Run(tuple(row)) for row in found.values()]
    return tuple(sorted(made, key=lambda run: (-run.known, run.one.batch_size)))


def references(of: Chosen) -> tuple[str, ...]:
    """Of this network and of its twins by other builders, which compute the same."""
    own = str(of.about.reference)
    untagged = [own.partition(".")[0]] if own.startswith("timm:") else []
    return (own, *untagged, *(of.about.entry.builders if of.about.own_facts and of.about.entry else ()))


def show(chosen: Sequence[Chosen], here: Page) -> None:
    """One run as bars, all as a table; without any, where to measure."""
    found = runs(measurements.kept(), [(references(each), each.pixels) for each in chosen])
    if not found:
        names = " or ".join(f"{formatting.plain(each.title)} at {each.pixels} px" for each in chosen)
        st.info(f"Nothing is measured on this machine of {names}.", icon=":material/timer:")
        _link(chosen, primary=True)
        return
    titles = {run.title: run for run in found}
    menu, button = st.columns([8, 3], vertical_alignment="bottom")
    run = titles[menu.selectbox("Run", list(titles), key=RUN, bind="query-params")]
    with button:
        _link(chosen, primary=False)
    show_figure(_figure(run, chosen, dark=here.dark), here, "compare_measured", 90 + 62 * len(chosen))
    missing = [each.title for each, measured in zip(chosen, run.of, strict=True) if measured is None]
    if missing:
        st.caption(f"Not measured like this: {formatting.plain(', '.join(missing))}.")
    explain.look_for(
        "Do the bars stand in the order of the MACs? Where not, the work is of a kind that this machine does "
        "slowly: depthwise convolutions and wide maps move many bytes for few multiplications."
    )
    table = frame(found, chosen)
    numbers = {name: st.column_config.NumberColumn(format="%.3g") for name in table.columns[1:]}
    st.dataframe(
        table, hide_index=True, width="stretch", placeholder="–", column_config=numbers, alt="All runs here"
    )


def _link(chosen: Sequence[Chosen], *, primary: bool) -> None:
    names = ",".join(each.name for each in chosen)
    label = "Measure them on this machine" if primary else "Measure more"
    address = links.address("measure", networks=names, size=choices.chosen_size())
    links.button(address, label, "compare_to_measure", ":material/timer:")


def _figure(run: Run, chosen: Sequence[Chosen], *, dark: bool) -> Figure:
    from explorer.ui.kit.charts import whiskers
    from explorer.ui.kit.graph_objects import go

    first = run.of[0]
    there = [(each, measured) for each, measured in zip(chosen, run.of, strict=True) if measured is not None]
    families = [each.about.entry.family if each.about.entry else "" for each, _ in there]
    colours = [theme.family_colour(family, dark=dark) for family in families]
    figure = go.Figure()
    figure.add_bar(
        orientation="h",
        y=[escape(each.title) for each, _ in there],
        x=[measured.latency_ms for _, measured in there],
        error_x={
            **whiskers([(measured.latency_ms, measured.latency_iqr_ms / 2) for _, measured in there]),
            "color": theme.TEXT.on(dark=dark),
        },
        marker={"color": colours},
        insidetextfont={"color": [theme.ink_on(colour) for colour in colours]},
        text=[_said(measured, first) for _, measured in there],
        textposition="inside",
        insidetextanchor="start",
        textangle=0,
        customdata=[(measured.throughput, measured.day, measured.repetitions) for _, measured in there],
        hovertemplate="<b>%{y}</b><br>%{x:.4g} ms a batch, median of %{customdata[2]}"
        "<br>%{customdata[0]:.4g} images/s<br>measured %{customdata[1]}<extra></extra>",
    )
    figure.update_xaxes(title="Time of one batch (ms), median; whisker: half the distance of the quartiles")
    figure.update_yaxes(autorange="reversed", ticksuffix="  ")
    return figure


def _said(measured: Measurement, first: Measurement | None) -> str:
    said = f"{formatting.three_digits(measured.latency_ms)} ms"
    if first is None or measured is first:
        return said
    return f"{said}, {ratio(first.latency_ms, measured.latency_ms)}"


def frame(found: Sequence[Run], chosen: Sequence[Chosen]) -> pd.DataFrame:
    """A row a run, of each network its latency, throughput and memory; missing where none was made."""
    lines = []
    for run in found:
        line: dict[str, object] = {"run": run.title}
        for each, measured in zip(chosen, run.of, strict=True):
            peak = measured.peak_memory_bytes if measured else None
            line[f"{each.title} (ms)"] = measured.latency_ms if measured else None
            line[f"{each.title} (images/s)"] = measured.throughput if measured else None
            line[f"{each.title} (MiB)"] = peak / 2**20 if peak else None
        lines.append(line)
    return pd.DataFrame(lines)
