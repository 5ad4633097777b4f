"""Plotly figures of the stats sheet. Each takes finished numbers and gives a figure."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from explorer.ui.kit import formatting
from explorer.ui.kit.bars import Part
from explorer.ui.kit.graph_objects import go
from explorer.ui.kit.theme import ink_on

# A share narrower than this holds no name that could be read.
_LABELLED = 0.07
# Wide enough at the right for the last tick; a name that does not fit is left to the legend, never shrunk.
_COMPACT = {
    "margin": {"l": 0, "r": 40, "t": 4, "b": 0},
    "uniformtext": {"minsize": 11, "mode": "hide"},
    "legend": {"traceorder": "normal"},
}


def shares(measures: Mapping[str, Sequence[Part]], axis_title: str) -> go.Figure:
    """One bar of 100 % for each measure, such as parameters above MACs; the exact amounts on hover.

    Parts of one name share a colour and a place in the legend, whichever bar they are in.
    """
    figure = go.Figure()
    totals = {measure: sum(part.amount for part in parts) for measure, parts in measures.items()}
    names = dict.fromkeys(part.name for parts in measures.values() for part in parts)
    for name in names:
        pieces = {m: part for m, parts in measures.items() for part in parts if part.name == name}
        fractions = [pieces[m].amount / totals[m] if totals[m] else 0.0 for m in pieces]
        figure.add_bar(
            orientation="h",
            name=escape(name),
            y=list(pieces),
            x=[100 * fraction for fraction in fractions],
            marker={"color": next(iter(pieces.values())).colour, "line": {"width": 0}},
            text=[_inside(name, fraction, totals[m]) for m, fraction in zip(pieces, fractions, strict=True)],
            textposition="inside",
            insidetextanchor="middle",
            insidetextfont={"color": ink_on(next(iter(pieces.values())).colour)},
            textangle=0,
            constraintext="inside",
            customdata=[
                (formatting.exact(pieces[m].amount), formatting.share(pieces[m].amount, totals[m]))
                for m in pieces
            ],
            hovertemplate=f"<b>{escape(name)}</b><br>%{{y}}: %{{customdata[0]}} (%{{customdata[1]}})"
            "<extra></extra>",
        )
    figure.update_layout(barmode="stack", bargap=0.28, height=76 + 52 * len(measures), **_COMPACT)
    figure.update_xaxes(title=_title(axis_title), range=[0, 100], dtick=25, ticksuffix=" %", fixedrange=True)
    figure.update_yaxes(autorange="reversed", fixedrange=True, ticksuffix="  ")
    return figure


def _inside(name: str, fraction: float, total: float) -> str:
    return f"{escape(name)} {formatting.share(fraction * total, total)}" if fraction >= _LABELLED else ""


def _title(text: str) -> dict[str, object]:
    return {"text": text, "font": {"size": 13}, "standoff": 4}


def whiskers(found: Sequence[tuple[float | None, float]]) -> dict[str, Any]:
    """Of (value, half of the spread): as far down as up, but not below zero, where nothing was measured."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [half for _, half in found],
        "arrayminus": [min(half, middle or 0.0) for middle, half in found],
    }
