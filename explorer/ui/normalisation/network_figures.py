"""Plotly figures of the Normalisation page that look into a network."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.ui.kit import theme
from explorer.ui.kit.graph_objects import go
from explorer.ui.kit.small_multiples import Frame, assembled, bars, facets, vertical_line
from explorer.ui.normalisation.figures import BINS, stages_of

if TYPE_CHECKING:
    from explorer.labs.normalisation.forgotten_eval import Drift
    from explorer.labs.normalisation.networks import Inside
    from explorer.labs.normalisation.places import Block

_CHIP = 0.94  # width of a block's step; the rest is the gap
_MOST_STEPS = 14


def drift(found: Drift, *, dark: bool) -> go.Figure:
    """Probability of the class that evaluation mode names, by situation; the answer stands beside the bar."""
    right, wrong = theme.ACCENT.on(dark=dark), theme.role_colour("merge", dark=dark)
    figure = go.Figure()
    answers = [reply.refused or f"{reply.label} {100 * reply.probability:.0f} %" for reply in found.replies]
    figure.add_bar(
        y=[reply.name for reply in found.replies],
        x=[0.0 if math.isnan(reply.expected) else 100 * reply.expected for reply in found.replies],
        orientation="h",
        marker={
            "color": [right if reply.label == found.expected else wrong for reply in found.replies],
            "opacity": [1.0 if reply.mode == "eval" else 0.72 for reply in found.replies],
        },
        text=answers,
        textposition="outside",
        textfont={"size": 16},
        cliponaxis=False,
        customdata=[(reply.batch, reply.mode) for reply in found.replies],
        hovertemplate="%{y}<br>%{x:.2f} %<br>%{customdata[1]} mode, batch of %{customdata[0]}<extra></extra>",
    )
    figure.update_xaxes(
        title=f"probability of “{found.expected}”, %", range=[0, 118], tickvals=[0, 25, 50, 75, 100]
    )
    figure.update_yaxes(autorange="reversed", showgrid=False, ticksuffix="  ", tickfont={"size": 15})
    figure.update_layout(bargap=0.25)
    return figure


def inside(found: Inside, channel: int, *, dark: bool) -> go.Figure:
    """One channel in its three stages: the map, where there is one, above its histogram."""
    stages = dict(zip(stages_of(dark), (found.before, found.normalised, found.after), strict=True))
    panels = facets(2, 3, gap=0.1, heights=(0.6, 0.4)) if found.grid else facets(1, 3)
    traces: list[dict[str, Any]] = []
    frames: list[Frame] = []
    bare = {"showticklabels": False, "ticks": "", "showgrid": False, "constrain": "domain"}
    for panel, (name, values), colour in zip(
        panels[-3:], stages.items(), stages_of(dark).values(), strict=True
    ):
        each = values[channel]
        edges = np.histogram_bin_edges(each, BINS)
        traces.append(bars(each, edges, colour, name, panel, shares=False))
        positions = {"title": {"text": "positions"}} if panel is panels[-3] else {}
        frames.append((panel, {"title": {"text": "value"}}, positions))
    if found.grid:
        maps: list[Frame] = []
        for panel, values in zip(panels, stages.values(), strict=False):
            traces.append(
                {
                    "type": "heatmap",
                    "z": values[channel].reshape(found.grid),
                    "colorscale": "Viridis",
                    "colorbar": {"x": panel.right - 0.02, "y": 0.73, "len": 0.6, "thickness": 12},
                    "hovertemplate": "row %{y}, column %{x}: %{z:.3f}<extra></extra>",
                    **panel.axes,
                }
            )
            down = bare | {"autorange": "reversed", "scaleanchor": panel.axes["xaxis"]}
            maps.append((panel, bare, down))
        frames = maps + frames
    return assembled(traces, frames, list(stages))


def channels(found: Inside, chosen: int, *, dark: bool) -> go.Figure:
    """All channels of the layer: the mean of this picture's values with its deviation, by stage."""
    numbers = np.arange(1, len(found.before) + 1)
    stages = zip(stages_of(dark).items(), (found.before, found.normalised, found.after), strict=True)
    traces = [
        {
            "type": "scatter",
            "x": numbers,
            "y": values.mean(1),
            "name": name,
            "mode": "markers",
            "marker": {"color": colour, "size": 6},
            "error_y": {"array": values.std(1), "width": 0, "thickness": 1},
            "hovertemplate": "channel %{x}: %{y:.2f} ± %{error_y.array:.2f}<extra>" + name + "</extra>",
        }
        for (name, colour), values in stages
    ]
    (panel,) = facets(1, 1)
    line = vertical_line(panel, chosen + 1, theme.role_colour("merge", dark=dark))
    frame = (panel, {"title": {"text": "channel"}}, {"title": {"text": "mean ± deviation"}})
    return assembled(traces, [frame], shapes=[line], showlegend=True)


def blocks(found: Mapping[str, Block], *, dark: bool) -> go.Figure:
    """One row a network: the steps of its typical block in order, coloured by role; the norms stand out."""
    rows, bases, labels, colours, alpha = [], [], [], [], []
    for name, block in found.items():
        for place, step in enumerate(block.steps[:_MOST_STEPS]):
            rows.append(name)
            bases.append(place)
            labels.append("…" if place == _MOST_STEPS - 1 and len(block.steps) > _MOST_STEPS else step.label)
            colours.append(theme.role_colour(step.kind, dark=dark))
            alpha.append(1.0 if step.kind in ("norm", "merge") else 0.45)
    figure = go.Figure()
    figure.add_bar(
        y=rows,
        x=[_CHIP] * len(rows),
        base=bases,
        orientation="h",
        text=labels,
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        constraintext="inside",
        insidetextfont={"size": 15, "color": [_ink(c, a, dark) for c, a in zip(colours, alpha, strict=True)]},
        marker={"color": colours, "opacity": alpha, "line": {"width": 0}},
        hovertemplate="%{y}: %{text}<extra></extra>",
    )
    longest = max(min(len(block.steps), _MOST_STEPS) for block in found.values())
    for name, block in found.items():
        figure.add_annotation(
            x=longest + 0.2,
            y=name,
            text=f"<b>{block.placement}</b>",
            showarrow=False,
            xanchor="left",
            font={"size": 17},
        )
    figure.update_xaxes(visible=False, range=[0, longest + 2.4])
    figure.update_yaxes(autorange="reversed", showgrid=False, ticks="", showline=False, ticksuffix="  ")
    figure.update_layout(bargap=0.18, margin={"t": 4})
    return figure


def _ink(colour: str, alpha: float, dark: bool) -> str:
    """Of text on a chip that lets the page through."""
    return theme.ink_on(colour) if alpha == 1.0 else theme.TEXT.on(dark=dark)
