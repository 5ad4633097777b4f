"""Figures of Measure here: how a number grows with the batch, the roofline, time beside MACs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import log10
from typing import TYPE_CHECKING

from explorer.serving.measurements import Measurement
from explorer.ui.kit import charts, formatting, theme
from explorer.ui.kit.bars import Part
from explorer.ui.kit.charts import whiskers
from explorer.ui.kit.curves import DASHES, colours
from explorer.ui.kit.graph_objects import go
from explorer.ui.kit.small_multiples import assembled, facets
from explorer.ui.measure.controls import ENERGY, LATENCY, MEMORY, THROUGHPUT

if TYPE_CHECKING:
    from explorer.analysis.numbers.roofline import Ceilings, KindShare, Timed

_AXES: Mapping[str, str] = {
    THROUGHPUT: "Throughput (images/s)",
    LATENCY: "Time of one batch (ms), median",
    MEMORY: "Peak of tensors (MiB)",
    ENERGY: "Energy as assumed (J an image)",
}


def value(what: str, found: Measurement, watts: float | None) -> float | None:
    """What the chart shows of a measurement; None where there is nothing."""
    if what == LATENCY:
        return found.latency_ms
    if what == MEMORY:
        return found.peak_memory_bytes / 2**20 if found.peak_memory_bytes is not None else None
    if what == ENERGY:
        return found.joules_per_image(watts) if watts else None
    return found.throughput


def half_spread(what: str, found: Measurement, watts: float | None) -> float:
    """Half of the distance between the quartiles, in the unit of the chart."""
    shown = value(what, found, watts)
    if what == MEMORY or shown is None:
        return 0.0
    return shown * found.latency_iqr_ms / found.latency_ms / 2


def by_batch(
    measured: Mapping[str, Sequence[Measurement]], what: str, watts: float | None, *, dark: bool
) -> go.Figure:
    """A curve a network over the batch size; whiskers: half the distance between the quartiles."""
    figure = go.Figure()
    sizes = sorted({found.batch_size for own in measured.values() for found in own})
    tones = colours(len(measured), dark=dark)
    for (title, own), colour, dash in zip(measured.items(), tones, DASHES, strict=False):
        there = [found for found in own if value(what, found, watts) is not None]
        figure.add_scatter(
            name=escape(title),
            x=[found.batch_size for found in there],
            y=[value(what, found, watts) for found in there],
            error_y=whiskers(
                [(value(what, found, watts), half_spread(what, found, watts)) for found in there]
            ),
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 2.5},
            marker={"size": 9},
            customdata=[(f.latency_ms, f.latency_iqr_ms, f.throughput, f.repetitions) for f in there],
            hovertemplate=f"<b>{escape(title)}</b>, batch %{{x}}<br>%{{customdata[0]:.4g}} ms, quartiles "
            "%{customdata[1]:.3g} ms apart, %{customdata[3]} passes<br>%{customdata[2]:.4g} images/s"
            "<extra></extra>",
        )
    figure.update_xaxes(
        title="Batch size (images)", type="log", tickvals=sizes, ticktext=list(map(str, sizes))
    )
    figure.update_yaxes(title=_AXES[what], rangemode="tozero")
    return figure


@dataclass(frozen=True)
class Panel:
    """One network on the roofline."""

    title: str
    operations: Sequence[Timed]


def roofline(panels: Sequence[Panel], ceilings: Ceilings, *, dark: bool) -> go.Figure:
    """A panel a network: MACs a second over MACs a byte, both logarithmic, under slope and roof. The area of
    a point is its share of the time."""
    places = facets(1, len(panels), gap=0.03)
    shown = [[each for each in panel.operations if each.work.macs and each.seconds] for panel in panels]
    every = [each for own in shown for each in own]
    low = min([each.work.intensity for each in every] + [ceilings.ridge / 8])
    high = max([each.work.intensity for each in every] + [ceilings.ridge * 4])
    rates = [each.rate for each in every] + [ceilings.macs_per_second]
    x_range = [log10(low) - 0.15, log10(high) + 0.15]
    y_range = [log10(min(rates)) - 0.2, log10(max(rates)) + 0.3]
    traces, frames, named = [], [], set()
    for panel, own, place in zip(panels, shown, places, strict=True):
        traces.append(_roof(ceilings, x_range, dark=dark) | place.axes)
        seconds = sum(each.seconds for each in panel.operations)
        for kind in dict.fromkeys(each.work.kind for each in own):
            points = [each for each in own if each.work.kind == kind]
            traces.append(
                _points(points, kind, ceilings, seconds, dark=dark)
                | {"legendgroup": kind, "showlegend": kind not in named}
                | place.axes
            )
            named.add(kind)
        x = {
            "type": "log",
            "range": x_range,
            "title": "MACs a byte moved",
            "exponentformat": "power",
            "dtick": 1,
        }
        y = {"type": "log", "range": y_range, "exponentformat": "power", "dtick": 1}
        y |= {"title": "MACs a second"} if place.number == 1 else {"showticklabels": False}
        frames.append((place, x, y))
    titles = [f"<b>{escape(panel.title)}</b>" for panel in panels]
    legend = {"orientation": "h", "yanchor": "top", "y": -0.2, "x": 0.5, "xanchor": "center"}
    legend |= {"itemsizing": "constant"}
    return assembled(traces, frames, titles, showlegend=True, legend=legend)


def _roof(ceilings: Ceilings, x_range: Sequence[float], *, dark: bool) -> dict[str, object]:
    ends = [10 ** x_range[0], ceilings.ridge, 10 ** x_range[1]]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": ends,
        "y": [ceilings.rate(end) for end in ends],
        "line": {"color": theme.TEXT.on(dark=dark), "width": 2},
        "name": "Ceilings, measured",
        "showlegend": False,
        "hovertemplate": "Ceilings<br>%{x:.3g} MACs a byte: at most %{y:.3s}MAC/s<extra></extra>",
    }


def _points(
    points: Sequence[Timed], kind: str, ceilings: Ceilings, seconds: float, *, dark: bool
) -> dict[str, object]:
    name = theme.ROLE_NAMES.get(kind, kind)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [each.work.intensity for each in points],
        "y": [each.rate for each in points],
        "marker": {
            "color": theme.role_colour(kind, dark=dark),
            "size": [6 + 60 * (each.seconds / seconds) ** 0.5 for each in points],
            "opacity": 0.8,
            "line": {"width": 1, "color": theme.BACKGROUND.on(dark=dark)},
        },
        "customdata": [
            (
                escape(each.work.path) or "the network itself",
                formatting.count(each.work.macs),
                formatting.size(each.work.moved_bytes),
                1000 * each.seconds,
                formatting.share(each.seconds, seconds),
                formatting.share(each.rate, ceilings.rate(each.work.intensity)),
            )
            for each in points
        ],
        "hovertemplate": f"<b>%{{customdata[0]}}</b><br>{name}<br>%{{customdata[1]}} MACs, "
        "%{customdata[2]} moved: %{x:.3g} a byte<br>%{customdata[3]:.3g} ms, %{customdata[4]} of the time<br>"
        "%{y:.3s}MAC/s, %{customdata[5]} of the ceiling<extra></extra>",
    }


def kinds(networks: Mapping[str, Sequence[KindShare]], *, dark: bool) -> go.Figure:
    """Two bars a network: where the MACs are, and where the time goes."""
    measures: dict[str, list[Part]] = {}
    for title, own in networks.items():
        for what, amount in (("MACs", lambda each: each.macs), ("time", lambda each: 1e6 * each.seconds)):
            measures[f"{escape(title)}: {what}"] = [
                Part(
                    theme.ROLE_NAMES.get(each.kind, each.kind),
                    round(amount(each)),
                    theme.role_colour(each.kind, dark=dark),
                )
                for each in own
            ]
    figure = charts.shares(
        measures, "Share of the network's MACs, and of its time (hover: MACs, microseconds)"
    )
    figure.update_layout(legend={"yanchor": "top", "y": -0.28, "x": 0.5, "xanchor": "center"})
    return figure
