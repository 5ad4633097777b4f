"""Plotly figures of the Normalisation page. Each takes finished numbers and gives a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from explorer.ui import theme

if TYPE_CHECKING:
    from explorer.labs.normalisation import Noise, Steps

BINS = 60
_TICKS = [digit * 10.0**power for power in range(-5, 1) for digit in (1, 2, 5)]


def tiles(maps: np.ndarray) -> np.ndarray:
    """[N, C, h, w] -> one picture [N (h + 1) - 1, C (w + 1) - 1] with NaN between the maps."""
    n, c, h, w = maps.shape
    canvas = np.full((n * (h + 1) - 1, c * (w + 1) - 1), np.nan)
    for i in range(n):
        for j in range(c):
            canvas[i * (h + 1) : i * (h + 1) + h, j * (w + 1) : j * (w + 1) + w] = maps[i, j]
    return canvas


def axes(panels: Mapping[str, np.ndarray], mark: np.ndarray, rows: Sequence[str], *, dark: bool) -> go.Figure:
    """Maps of N pictures (down) by C channels (across) per panel; in colour the cells of one statistic.

    panels: title -> [N, C, h, w]. mark: as `labs.normalisation.shared` gives it. rows: the pictures' names.
    """
    figure = make_subplots(1, len(panels), subplot_titles=list(panels), horizontal_spacing=0.09)
    n, c, h, w = mark.shape
    where = tiles(mark.astype(float))
    ground, ink = theme.SURFACE.on(dark=dark), theme.NEUTRAL.on(dark=dark)
    colours: dict[int, object] = {0: [[0, ground], [1, ink]], 1: "Oranges", 2: "Viridis"}
    for column, maps in enumerate(panels.values(), 1):
        values = tiles(maps)
        low, high = float(maps.min()), float(maps.max())
        for level, scale in colours.items():
            if not (where == level).any():
                continue
            figure.add_heatmap(
                z=np.where(where == level, values, np.nan).astype(np.float32),
                zmin=low,
                zmax=high,
                colorscale=scale,
                showscale=level == 2,
                colorbar={
                    "x": column / len(panels) - (0.045 if column < len(panels) else 0),
                    "thickness": 14,
                },
                hovertemplate="value %{z:.3f}<extra></extra>",
                hoverongaps=False,
                row=1,
                col=column,
            )
    figure.update_xaxes(
        title="channel",
        tickvals=[j * (w + 1) + (w - 1) / 2 for j in range(c)],
        ticktext=[str(j + 1) for j in range(c)],
        showgrid=False,
        ticks="",
        showline=False,
    )
    figure.update_yaxes(autorange="reversed", showgrid=False, ticks="", showline=False)
    places = [i * (h + 1) + (h - 1) / 2 for i in range(n)]
    figure.update_yaxes(tickvals=places, ticktext=[escape(row) for row in rows], row=1, col=1)
    figure.update_yaxes(tickvals=places, ticktext=[""] * n, row=1, col=2)
    figure.update_annotations(font_size=16)
    return figure


def stages_of(dark: bool) -> Mapping[str, str]:
    """Colour of the three stages, the same in every figure of the page."""
    return {
        "raw": theme.NEUTRAL.on(dark=dark),
        "normalised": theme.role_colour("norm", dark=dark),
        "after γ and β": theme.ACCENT.on(dark=dark),
    }


def few_numbers(steps: Steps, *, dark: bool) -> go.Figure:
    """Each number on three lines: raw, normalised, after gamma and beta; a thread joins its three places."""
    rows = dict(zip(stages_of(dark), (steps.values, steps.normalised, steps.output), strict=True))
    figure = go.Figure()
    for each in zip(*rows.values(), strict=True):
        figure.add_scatter(
            x=each,
            y=list(rows),
            mode="lines",
            line={"color": theme.LINE.on(dark=dark), "width": 2},
            hoverinfo="skip",
            showlegend=False,
        )
    for (name, values), colour in zip(rows.items(), stages_of(dark).values(), strict=True):
        figure.add_scatter(
            x=values,
            y=[name] * len(values),
            mode="markers+text",
            marker={"color": colour, "size": 18},
            text=[f"{value:.4g}" if name == "raw" else f"{value:.2f}" for value in values],
            textposition="top center",
            textfont={"size": 18},
            hovertemplate="%{x:.6f}<extra>" + name + "</extra>",
            showlegend=False,
        )
    figure.add_vline(x=0, line={"color": theme.NEUTRAL.on(dark=dark), "dash": "dot"})
    figure.update_xaxes(title="value")
    figure.update_yaxes(autorange="reversed", showgrid=False, ticksuffix="  ")
    return figure


def histograms(values: Mapping[str, np.ndarray], *, dark: bool) -> go.Figure:
    """One histogram under the other on one axis of values; in each, mean and deviation of what it shows.

    Counted here, so the browser gets bars and not thousands of values; the axis leaves out the outermost
    0.1 % at each end.
    """
    figure = make_subplots(len(values), 1, shared_xaxes=True, vertical_spacing=0.09)
    ends = [np.quantile(each, (0.001, 0.999)) for each in values.values()]
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    low, high = (low, high) if high > low else (low - 1, high + 1)
    for row, ((name, each), colour) in enumerate(
        zip(values.items(), stages_of(dark).values(), strict=True), 1
    ):
        counts, edges = np.histogram(each, np.linspace(low, high, BINS + 1))
        figure.add_bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=100 * counts / each.size,
            width=edges[1] - edges[0],
            marker={"color": colour, "line": {"width": 0}},
            hovertemplate="%{x:.2f}: %{y:.1f} %<extra>" + name + "</extra>",
            showlegend=False,
            row=row,
            col=1,
        )
        figure.add_annotation(
            text=f"<b>{name}</b>  mean {round(float(each.mean()), 2) + 0.0:.2f}, deviation {each.std():.2f}",
            x=1,
            xref="paper",
            xanchor="right",
            y=1.05,
            yref=f"y{row if row > 1 else ''} domain",
            showarrow=False,
            font={"size": 17, "color": theme.TEXT.on(dark=dark)},
        )
        figure.add_vline(x=0, line={"color": theme.NEUTRAL.on(dark=dark), "dash": "dot"}, row=row, col=1)
    figure.update_xaxes(range=[low, high])
    figure.update_xaxes(title="value", row=len(values), col=1)
    figure.update_yaxes(nticks=3)
    figure.update_yaxes(title="share of values, %", row=2, col=1)
    return figure


def statistics(
    noise: Noise,
    chosen: int,
    batches: Sequence[float],
    running: Sequence[float],
    expected: Sequence[float],
    truth: float,
    *,
    dark: bool,
) -> go.Figure:
    """Left: noise of the batch mean by batch size. Right: the running mean against the batches' own."""
    accent, grey = theme.ACCENT.on(dark=dark), theme.NEUTRAL.on(dark=dark)
    strong = theme.role_colour("merge", dark=dark)
    figure = make_subplots(
        1,
        2,
        subplot_titles=["One batch: how far off its mean is", "Running mean, batch by batch"],
        horizontal_spacing=0.1,
    )
    for name, values, line in (
        ("measured", noise.mean_error, None),
        ("if pictures are drawn whole", noise.by_picture, {"color": accent, "width": 3}),
        (
            "if every position were independent",
            noise.independent,
            {"color": grey, "width": 3, "dash": "dash"},
        ),
    ):
        figure.add_scatter(
            x=noise.sizes,
            y=values,
            name=name,
            mode="lines" if line else "markers",
            line=line,
            marker={
                "size": [18 if size == chosen else 11 for size in noise.sizes],
                "color": [strong if size == chosen else accent for size in noise.sizes],
            },
            hovertemplate="batch of %{x}: %{y:.3f} σ<extra>" + name + "</extra>",
            row=1,
            col=1,
        )
    steps = list(range(1, len(batches) + 1))
    for name, series, mode, look in (
        ("mean of each batch", batches, "markers", {"marker": {"color": grey, "size": 6}}),
        ("running mean", running, "lines", {"line": {"color": accent, "width": 4}}),
        ("expected", expected, "lines", {"line": {"color": strong, "width": 2, "dash": "dot"}}),
    ):
        figure.add_scatter(
            x=steps,
            y=series,
            name=name,
            mode=mode,
            **look,
            row=1,
            col=2,
            hovertemplate="batch %{x}: %{y:.3f}<extra>" + name + "</extra>",
        )
    figure.add_hline(y=truth, line={"color": grey, "width": 1}, row=1, col=2)
    figure.update_xaxes(title="pictures in the batch", type="log", tickvals=list(noise.sizes), row=1, col=1)
    figure.update_yaxes(
        title="error of the batch mean, in σ",
        type="log",
        tickvals=_TICKS,
        exponentformat="none",
        row=1,
        col=1,
    )
    figure.update_xaxes(title="batches seen in training mode", row=1, col=2)
    figure.update_yaxes(title="mean", row=1, col=2)
    figure.update_annotations(font_size=16)
    figure.update_layout(legend={"orientation": "h", "y": -0.22, "yanchor": "top"})
    return figure
