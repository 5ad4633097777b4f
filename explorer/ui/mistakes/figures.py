"""Figures of the page on common mistakes. Each takes finished numbers and gives a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from explorer.ui.kit import theme
from explorer.ui.kit.formatting import count, exact, share, three_digits
from explorer.ui.kit.graph_objects import go
from explorer.ui.kit.small_multiples import assembled, facets

if TYPE_CHECKING:
    from explorer.labs.mistakes.comparing import Comparison, Mistake
    from explorer.labs.mistakes.cost_of_networks import Cost

_TOP = 5
_LETTERS = 22  # of a class name on an axis


def answers(found: Comparison, *, dark: bool) -> tuple[go.Figure, go.Figure]:
    """The right run's values and the wrong run's as bars, of the same classes in the same order: those that
    are largest in either. The right run's likeliest class in the accent.
    """
    rows = found.largest(_TOP)
    names = [name for name, *_ in rows]
    chosen = found.right.label(found.index)
    right = [value for _, value, _ in rows]
    wrong = [value for _, _, value in rows]
    return (
        _bars(names, right, chosen, shares=True, dark=dark),
        _bars(names, wrong, chosen, shares=found.wrong.are_probabilities, dark=dark),
    )


def _bars(
    names: Sequence[str], values: Sequence[float], chosen: str, *, shares: bool, dark: bool
) -> go.Figure:
    """shares: probabilities from 0 to 100 %."""
    colours = [(theme.ACCENT if name == chosen else theme.NEUTRAL).on(dark=dark) for name in names]
    figure = go.Figure(
        go.Bar(
            orientation="h",
            x=values,
            # Two classes may share a name: the place keeps them apart.
            y=list(range(len(names))),
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
        tickvals=list(range(len(names))),
        ticktext=[f"{_short(name)}  " for name in names],
        autorange="reversed",
        ticks="",
    )
    return figure


def overview(found: Mapping[str, Comparison], mistakes: Mapping[str, Mistake], *, dark: bool) -> go.Figure:
    """One bar a mistake: how far the whole answer moves, and what is said then. No bar goes below zero, so no
    mistake looks like a gain.
    """
    kept, lost = theme.ACCENT.on(dark=dark), theme.NEUTRAL.on(dark=dark)
    rows = [(mistakes[key], each) for key, each in found.items()]
    figure = go.Figure()
    for name, same, colour in (("same answer", True, kept), ("another answer", False, lost)):
        own = [(mistake, each) for mistake, each in rows if each.same_answer == same]
        figure.add_bar(
            orientation="h",
            name=name,
            y=[mistake.title for mistake, _ in own],
            x=[each.total_variation or 0.0 for _, each in own],
            text=[f" {_says(each)}" for _, each in own],
            textposition="outside",
            cliponaxis=False,
            marker={"color": colour, "line": {"width": 0}},
            customdata=[_by_crop(each) for _, each in own],
            hovertemplate="%{y}: %{customdata}<extra></extra>",
        )
    figure.update_layout(
        bargap=0.25,
        barmode="overlay",
        margin={"l": 0, "r": 8, "t": 36, "b": 0},
        legend={"orientation": "h", "y": 1.06, "x": 1, "xanchor": "right"},
    )
    title = "How far the whole answer moves (total variation, mean over five crops of the picture)"
    figure.update_xaxes(title=title, range=[0, 1.45], tickvals=[0, 0.25, 0.5, 0.75, 1], tickformat=".0%")
    figure.update_yaxes(
        categoryorder="array", categoryarray=[m.title for m, _ in rows][::-1], ticks="", ticksuffix="  "
    )
    return figure


def _says(each: Comparison) -> str:
    if each.wrong.failure:
        return "stops with an error"
    if each.total_variation is None:
        return f"no probabilities: the largest is {three_digits(float(each.wrong.values.max()))}"
    said = "" if each.same_answer else f", says {escape(_short(each.wrong.label(each.wrong.top)))}"
    return f"{share(each.total_variation, 1)}{said}"


def _by_crop(each: Comparison) -> str:
    """ "12 % of the whole picture, 3 to 40 % of its corners"."""
    if not each.moved:
        return "nothing to compare"
    whole, *corners = each.moved
    least, most = share(min(corners), 1), share(max(corners), 1)
    return f"{share(whole, 1)} on the whole picture, {least} to {most} on its corners"


def costs(measured: Sequence[Cost], *, dark: bool) -> go.Figure:
    """Parameters, MACs and time of the same networks, each with its own axis."""
    names = [each.name.partition(":")[2] for each in measured]
    columns: tuple[tuple[str, list[float], list[str], str | None], ...] = (
        (
            "parameters",
            [each.params for each in measured],
            [count(each.params) for each in measured],
            "linear",
        ),
        ("MACs", [each.macs for each in measured], [count(each.macs) for each in measured], "spatial"),
        (
            "milliseconds, median",
            [each.latency_ms or 0 for each in measured],
            [f"{three_digits(each.latency_ms or 0)} ms" for each in measured],
            None,
        ),
    )
    traces, frames = [], []
    panels = facets(1, 3, gap=0.04)
    for panel, (unit, values, texts, role) in zip(panels, columns, strict=True):
        colour = theme.role_colour(role, dark=dark) if role else theme.ACCENT.on(dark=dark)
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "x": values,
                "y": names,
                "text": [f" {each}" for each in texts],
                "textposition": "outside",
                "cliponaxis": False,
                "marker": {"color": colour, "line": {"width": 0}},
                "customdata": [exact(each) if role else three_digits(each) for each in values],
                "hovertemplate": "%{y}: %{customdata}<extra></extra>",
                **panel.axes,
            }
        )
        across = {"title": unit, "range": [0, 1.45 * max(values)], "nticks": 4, "tickformat": "~s"}
        down = {"autorange": "reversed", "ticks": "", "ticksuffix": "  "}
        frames.append((panel, across, down if panel.number == 1 else down | panels[0].same_y))
    titles = ("Parameters", "MACs", "Time of one picture")
    margin = {"l": 0, "r": 8, "t": 36, "b": 0}
    return assembled(traces, frames, titles, bargap=0.35, margin=margin)


def _short(name: str) -> str:
    return name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1].rstrip()}…"
