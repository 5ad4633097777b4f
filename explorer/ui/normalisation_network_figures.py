"""Plotly figures of the Normalisation page that look into a network."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from explorer.ui import theme
from explorer.ui.normalisation_figures import BINS, stages_of

if TYPE_CHECKING:
    from explorer.labs.forgotten_eval import Drift
    from explorer.labs.norm_places import Block
    from explorer.labs.normalisation_networks import Inside

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
    panels = dict(zip(stages_of(dark), (found.before, found.normalised, found.after), strict=True))
    rows = 2 if found.grid else 1
    figure = make_subplots(
        rows,
        3,
        subplot_titles=list(panels),
        vertical_spacing=0.08,
        horizontal_spacing=0.07,
        row_heights=[0.58, 0.42] if rows == 2 else None,
    )
    for column, ((name, values), colour) in enumerate(
        zip(panels.items(), stages_of(dark).values(), strict=True), 1
    ):
        each = values[channel]
        if found.grid:
            figure.add_heatmap(
                z=each.reshape(found.grid),
                colorscale="Viridis",
                row=1,
                col=column,
                colorbar={
                    "x": column / 3 - (0.035, 0.018, 0.0)[column - 1],
                    "y": 0.72,
                    "len": 0.56,
                    "thickness": 12,
                },
                hovertemplate="row %{y}, column %{x}: %{z:.3f}<extra></extra>",
            )
        counts, edges = np.histogram(each, BINS)
        figure.add_bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=counts,
            width=edges[1] - edges[0],
            marker={"color": colour, "line": {"width": 0}},
            showlegend=False,
            row=rows,
            col=column,
            hovertemplate="%{x:.2f}: %{y}<extra>" + name + "</extra>",
        )
        figure.update_xaxes(title="value", row=rows, col=column)
    if found.grid:
        figure.update_xaxes(showticklabels=False, ticks="", showgrid=False, constrain="domain", row=1)
        for column in (1, 2, 3):
            anchor = "x" if column == 1 else f"x{column}"
            figure.update_yaxes(
                autorange="reversed",
                showticklabels=False,
                ticks="",
                showgrid=False,
                scaleanchor=anchor,
                constrain="domain",
                row=1,
                col=column,
            )
    figure.update_yaxes(title="positions", row=rows, col=1)
    figure.update_annotations(font_size=16)
    return figure


def channels(found: Inside, chosen: int, *, dark: bool) -> go.Figure:
    """All channels of the layer: the mean of this picture's values with its deviation, by stage."""
    figure = go.Figure()
    numbers = np.arange(1, len(found.before) + 1)
    panels = zip(stages_of(dark).items(), (found.before, found.normalised, found.after), strict=True)
    for (name, colour), values in panels:
        figure.add_scatter(
            x=numbers,
            y=values.mean(1),
            name=name,
            mode="markers",
            marker={"color": colour, "size": 6},
            error_y={"array": values.std(1), "width": 0, "thickness": 1},
            hovertemplate="channel %{x}: %{y:.2f} ± %{error_y.array:.2f}<extra>" + name + "</extra>",
        )
    figure.add_vline(x=chosen + 1, line={"color": theme.role_colour("merge", dark=dark), "width": 2})
    figure.update_xaxes(title="channel")
    figure.update_yaxes(title="mean ± deviation")
    return figure


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
    figure.update_layout(bargap=0.22)
    return figure


def _ink(colour: str, alpha: float, dark: bool) -> str:
    """Of text on a chip that lets the page through."""
    return theme.ink_on(colour) if alpha == 1.0 else theme.TEXT.on(dark=dark)
