"""Figures of the page on common mistakes. Each takes finished numbers and gives a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from explorer.ui import theme
from explorer.ui.formatting import count, exact, share, three_digits

if TYPE_CHECKING:
    from explorer.labs.cost_of_networks import Cost
    from explorer.labs.mistaken_runs import Run
    from explorer.labs.mistakes import Comparison, Mistake

_TOP = 5
_LETTERS = 22  # of a class name on an axis


def answer(run: Run, chosen: str, *, shares: bool, dark: bool) -> go.Figure:
    """The five largest values as bars, probabilities from 0 to 100 %. chosen: the right run's likeliest name,
    drawn in the accent.
    """
    order = run.values.argsort()[::-1][:_TOP]
    names = [run.label(int(index)) for index in order]
    values = [float(run.values[index]) for index in order]
    colours = [(theme.ACCENT if name == chosen else theme.NEUTRAL).on(dark=dark) for name in names]
    figure = go.Figure(
        go.Bar(
            orientation="h",
            x=values,
            # Two classes may share a name: the place keeps them apart.
            y=list(range(len(order))),
            text=[share(each, 1) if shares else three_digits(each) for each in values],
            textposition="auto",
            insidetextfont={"color": [theme.ink_on(each) for each in colours]},
            marker={"color": colours, "line": {"width": 0}},
            customdata=names,
            hovertemplate="%{customdata}: %{x:.5f}<extra></extra>",
        )
    )
    ends = [0, 1.05] if shares else [1.15 * min([0.0, *values]), 1.15 * max([0.0, *values])]
    figure.update_layout(bargap=0.3, showlegend=False, margin={"l": 0, "r": 8, "t": 4, "b": 0})
    title = "Probability" if shares else "Value read as probability"
    figure.update_xaxes(title=title, range=ends, tickformat=".0%" if shares else None)
    figure.update_yaxes(
        tickvals=list(range(len(order))),
        ticktext=[f"{_short(name)}  " for name in names],
        autorange="reversed",
        ticks="",
    )
    return figure


def overview(
    found: Mapping[str, Comparison], mistakes: Mapping[str, Mistake], *, dark: bool, right_name: str
) -> go.Figure:
    """One bar a mistake: what is left for the right run's likeliest class, and what is said instead."""
    kept, lost = theme.ACCENT.on(dark=dark), theme.NEUTRAL.on(dark=dark)
    rows = [(mistakes[key], each) for key, each in found.items()]
    figure = go.Figure()
    for name, same, colour in (("same answer", True, kept), ("another answer", False, lost)):
        own = [(mistake, each) for mistake, each in rows if each.same_answer == same]
        figure.add_bar(
            orientation="h",
            name=name,
            y=[mistake.title for mistake, _ in own],
            x=[_left(mistake, each) for mistake, each in own],
            text=[f" {_says(mistake, each)}" for mistake, each in own],
            textposition="outside",
            cliponaxis=False,
            marker={"color": colour, "line": {"width": 0}},
            hovertemplate="%{y}: %{x:.4f}<extra></extra>",
        )
    right = next(iter(found.values())).right
    figure.add_vline(
        x=float(right.values[right.top]),
        line={"color": theme.TEXT.on(dark=dark), "width": 2, "dash": "dash"},
        layer="below",
        annotation={"text": f"done right {share(float(right.values[right.top]), 1)}", "yanchor": "bottom"},
        annotation_position="top",
    )
    figure.update_layout(
        bargap=0.25,
        barmode="overlay",
        margin={"l": 0, "r": 8, "t": 54, "b": 0},
        legend={"orientation": "h", "y": 1.06, "x": 1, "xanchor": "right"},
    )
    title = f"Probability of “{escape(right_name)}”"
    figure.update_xaxes(title=title, range=[0, 1.45], tickvals=[0, 0.25, 0.5, 0.75, 1], tickformat=".0%")
    figure.update_yaxes(
        categoryorder="array", categoryarray=[m.title for m, _ in rows][::-1], ticks="", ticksuffix="  "
    )
    return figure


def _left(mistake: Mistake, each: Comparison) -> float:
    """What is left of the right class; 0 where there is no answer or no probability to speak of."""
    if each.wrong.failure:
        return 0.0
    if mistake.shares:
        return float(each.wrong.values[each.index])
    # Of another list the same name may stand elsewhere; a score is no probability.
    names = [each.wrong.label(index) for index in range(len(each.wrong.values))]
    wanted = each.right.label(each.index)
    if not are_shares(each.wrong.values) or wanted not in names:
        return 0.0
    return float(each.wrong.values[names.index(wanted)])


def _says(mistake: Mistake, each: Comparison) -> str:
    if each.wrong.failure:
        return "stops with an error"
    value = float(each.wrong.values[each.wrong.top])
    if not are_shares(each.wrong.values):
        return f"no probability: reads {three_digits(value)}"
    shown = share(value, 1)
    return shown if each.same_answer else f"{escape(_short(each.wrong.label(each.wrong.top)))} {shown}"


def are_shares(values: np.ndarray) -> bool:
    """Whether these numbers can be probabilities at all."""
    return bool(values.min() >= 0) and abs(float(values.sum()) - 1) < 1e-3


def costs(measured: Sequence[Cost], *, dark: bool) -> go.Figure:
    """Parameters, MACs and time of the same networks, each with its own axis."""
    from plotly.subplots import make_subplots

    figure = make_subplots(
        rows=1,
        cols=3,
        shared_yaxes=True,
        horizontal_spacing=0.04,
        subplot_titles=("Parameters", "MACs", "Time of one picture"),
    )
    names = [each.name.partition(":")[2] for each in measured]
    columns: tuple[tuple[list[float], list[str], str | None], ...] = (
        ([each.params for each in measured], [count(each.params) for each in measured], "linear"),
        ([each.macs for each in measured], [count(each.macs) for each in measured], "spatial"),
        (
            [each.latency_ms or 0 for each in measured],
            [f"{three_digits(each.latency_ms or 0)} ms" for each in measured],
            None,
        ),
    )
    for place, (values, texts, role) in enumerate(columns, start=1):
        colour = theme.role_colour(role, dark=dark) if role else theme.ACCENT.on(dark=dark)
        figure.add_bar(
            orientation="h",
            x=values,
            y=names,
            text=[f" {each}" for each in texts],
            textposition="outside",
            cliponaxis=False,
            marker={"color": colour, "line": {"width": 0}},
            customdata=[exact(each) if role else three_digits(each) for each in values],
            hovertemplate="%{y}: %{customdata}<extra></extra>",
            row=1,
            col=place,
        )
        figure.update_xaxes(range=[0, 1.45 * max(values)], nticks=4, tickformat="~s", row=1, col=place)
    for place, title in enumerate(("parameters", "MACs", "milliseconds, median"), start=1):
        figure.update_xaxes(title=title, row=1, col=place)
    figure.update_layout(showlegend=False, bargap=0.35, margin={"l": 0, "r": 8, "t": 36, "b": 0})
    figure.update_yaxes(autorange="reversed", ticks="", ticksuffix="  ")
    return figure


def _short(name: str) -> str:
    return name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1].rstrip()}…"
