"""Plotly figures of the Normalisation page. Each takes finished numbers and gives a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.ui.kit import theme
from explorer.ui.kit.graph_objects import go
from explorer.ui.kit.small_multiples import (
    Facet,
    Frame,
    assembled,
    bars,
    facets,
    horizontal_line,
    vertical_line,
)

if TYPE_CHECKING:
    from explorer.labs.normalisation.tensors import Noise, Steps

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

    panels: title -> [N, C, h, w]. mark: of `tensors.shared`. rows: the pictures' names.
    """
    n, c, h, w = mark.shape
    where = tiles(mark.astype(float))
    ground, ink = theme.SURFACE.on(dark=dark), theme.NEUTRAL.on(dark=dark)
    colours: dict[int, object] = {0: [[0, ground], [1, ink]], 1: "Oranges", 2: "Viridis"}
    marks = [each for each in colours if (mark == each).any()]
    bare = {"showgrid": False, "ticks": "", "showline": False}
    across = bare | {
        "title": {"text": "channel"},
        "tickvals": [j * (w + 1) + (w - 1) / 2 for j in range(c)],
        "ticktext": [str(j + 1) for j in range(c)],
    }
    down = bare | {"autorange": "reversed", "tickvals": [i * (h + 1) + (h - 1) / 2 for i in range(n)]}
    names = ([escape(row) for row in rows], [""] * n)
    traces: list[dict[str, Any]] = []
    frames = []
    for panel, maps, shown in zip(facets(1, 2, gap=0.12), panels.values(), names, strict=True):
        values = tiles(maps).astype(np.float32)
        frames.append((panel, across, down | {"ticktext": shown}))
        traces += [
            {
                "type": "heatmap",
                "z": np.where(where == each, values, np.nan),
                "zmin": float(maps.min()),
                "zmax": float(maps.max()),
                "colorscale": colours[each],
                "showscale": each == 2,
                "colorbar": {"x": panel.right + 0.005, "thickness": 14},
                "hovertemplate": "value %{z:.3f}<extra></extra>",
                "hoverongaps": False,
                **panel.axes,
            }
            for each in marks
        ]
    return assembled(traces, frames, list(panels))


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
    thread = {"color": theme.LINE.on(dark=dark), "width": 2}
    traces: list[dict[str, Any]] = [
        {"type": "scatter", "x": each, "y": list(rows), "mode": "lines", "line": thread, "hoverinfo": "skip"}
        for each in zip(*rows.values(), strict=True)
    ]
    traces += [
        {
            "type": "scatter",
            "x": values,
            "y": [name] * len(values),
            "mode": "markers+text",
            "marker": {"color": colour, "size": 18},
            "text": [f"{value:.4g}" if name == "raw" else f"{value:.2f}" for value in values],
            "textposition": "top center",
            "textfont": {"size": 18},
            "hovertemplate": "%{x:.6f}<extra>" + name + "</extra>",
        }
        for (name, values), colour in zip(rows.items(), stages_of(dark).values(), strict=True)
    ]
    (panel,) = facets(1, 1)
    down = {"range": [2.3, -0.5], "showgrid": False, "ticksuffix": "  "}  # room for the uppermost numbers
    line = vertical_line(panel, 0, theme.NEUTRAL.on(dark=dark))
    return assembled(traces, [(panel, {"title": {"text": "value"}}, down)], shapes=[line])


def histograms(values: Mapping[str, np.ndarray], *, dark: bool) -> go.Figure:
    """One histogram under the other on one axis of values; in each, mean and deviation of what it shows.

    The axis leaves out the outermost 0.1 % at each end.
    """
    ends = [_ends(each) for each in values.values()]
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    traces, frames, notes, shapes = [], [], [], []
    panels = facets(len(values), 1, gap=0.09)
    for panel, (name, each), colour in zip(panels, values.items(), stages_of(dark).values(), strict=True):
        traces.append(bars(each, edges, colour, name, panel, shares=True))
        across: dict[str, Any] = {"range": [edges[0], edges[-1]], "showticklabels": panel is panels[-1]}
        if panel is panels[-1]:
            across["title"] = {"text": "value"}
        frames.append((panel, across, {"nticks": 3, "title": {"text": "share, %"}}))
        shapes.append(vertical_line(panel, 0, theme.NEUTRAL.on(dark=dark)))
        mean = round(float(each.mean()), 2) + 0.0
        notes.append(
            {
                "text": f"<b>{name}</b>  mean {mean:.2f}, deviation {each.std():.2f}",
                "x": 1,
                "xref": "paper",
                "xanchor": "right",
                "y": panel.top,
                "yref": "paper",
                "yanchor": "top",
                "showarrow": False,
                "font": {"size": 17},
            }
        )
    return assembled(traces, frames, annotations=notes, shapes=shapes)


def _ends(values: np.ndarray) -> tuple[float, float]:
    """Near enough from 4,096 of the values, evenly taken: it only sets the width of the axis."""
    low, high = np.quantile(values[:: max(1, values.size // 4096)], (0.001, 0.999))
    return float(low), float(high)


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
    left, right = facets(1, 2, gap=0.1)
    marks = {
        "size": [18 if size == chosen else 11 for size in noise.sizes],
        "color": [strong if size == chosen else accent for size in noise.sizes],
    }
    series: Sequence[tuple[Facet, str, Sequence[float], dict[str, Any]]] = (
        (left, "pictures drawn whole", noise.by_picture, {"line": {"color": accent, "width": 3}}),
        (
            left,
            "positions independent",
            noise.independent,
            {"line": {"color": grey, "width": 3, "dash": "dash"}},
        ),
        (left, "measured", noise.mean_error, {"marker": marks}),
        (right, "mean of each batch", batches, {"marker": {"color": grey, "size": 6}}),
        (right, "running mean", running, {"line": {"color": accent, "width": 4}}),
        (right, "expected", expected, {"line": {"color": strong, "width": 2, "dash": "dot"}}),
    )
    count = list(range(1, len(batches) + 1))
    traces = [
        {
            "type": "scatter",
            "x": noise.sizes if panel is left else count,
            "y": values,
            "name": name,
            "mode": "lines" if "line" in look else "markers",
            "hovertemplate": "%{x}: %{y:.3f}<extra>" + name + "</extra>",
            **look,
            **panel.axes,
        }
        for panel, name, values, look in series
    ]
    frames: list[Frame] = [
        (
            left,
            {"title": {"text": "pictures in the batch"}, "type": "log", "tickvals": list(noise.sizes)},
            {
                "title": {"text": "error of the batch mean, in σ"},
                "type": "log",
                "tickvals": _TICKS,
                "exponentformat": "none",
            },
        ),
        (right, {"title": {"text": "batches seen in training mode"}}, {"title": {"text": "mean"}}),
    ]
    return assembled(
        traces,
        frames,
        ["One batch: how far off its mean is", "Running mean, batch by batch"],
        shapes=[horizontal_line(right, truth, grey, width=1)],
        showlegend=True,
        legend={"orientation": "h", "y": -0.22, "yanchor": "top"},
    )
