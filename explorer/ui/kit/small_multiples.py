"""Plotly figures of several panels, put together from plain values in one go."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.ui.kit.graph_objects import go

# Of panels one below the other, in pixels: between two of them, for the ticks and the title of an axis and
# the title of the next panel; and what a figure keeps for its margins and its legend.
_BETWEEN, _AROUND = 112, 120
_LEGEND = 56  # pixels of two lines of it
_TITLE_LETTERS = 34  # of a panel's title on a phone; a longer one takes a second line


@dataclass(frozen=True)
class Facet:
    """One of several panels of a figure. left to top: its place, from 0 to 1."""

    number: int
    left: float
    right: float
    bottom: float
    top: float

    @property
    def suffix(self) -> str:
        return "" if self.number == 1 else str(self.number)

    @property
    def same_x(self) -> dict[str, Any]:
        """For the x axis of a panel above this one, which has its numbers."""
        return {"matches": self.axes["xaxis"], "showticklabels": False}

    @property
    def same_y(self) -> dict[str, Any]:
        """For the y axis of a panel beside this one, which has its numbers."""
        return {"matches": self.axes["yaxis"], "showticklabels": False}

    @property
    def axes(self) -> dict[str, str]:
        """For a trace that stands in it."""
        return {"xaxis": f"x{self.suffix}", "yaxis": f"y{self.suffix}"}


def facets(rows: int, columns: int, gap: float = 0.08, heights: Sequence[float] = ()) -> tuple[Facet, ...]:
    """Panels from the top left, row by row; heights: of the rows, adding up to 1."""
    heights = heights or [1 / rows] * rows
    wide, high = (1 - gap * (columns - 1)) / columns, 1 - gap * (rows - 1)
    found: list[Facet] = []
    top = 1.0
    for height in heights:
        for column in range(columns):
            left = column * (wide + gap)
            right, bottom = min(1.0, left + wide), max(0.0, top - height * high)  # not by rounding outside
            found.append(Facet(len(found) + 1, left, right, bottom, top))
        top -= height * high + gap
    return tuple(found)


Frame = tuple[Facet, Mapping[str, Any], Mapping[str, Any]]
"""A panel, its x axis, its y axis."""


def assembled(
    traces: Sequence[Mapping[str, Any]],
    frames: Sequence[Frame],
    titles: Sequence[str] = (),
    *,
    title_size: int = 16,
    **layout: Any,
) -> go.Figure:
    """One figure of several panels, checked once: Plotly's `make_subplots` and `add_*` check at each call,
    which takes longer than all the rest of a slider's answer.

    titles: above the first panels.
    """
    places: dict[str, Any] = {}
    for panel, x, y in frames:
        places[f"xaxis{panel.suffix}"] = {
            "domain": [panel.left, panel.right],
            "anchor": panel.axes["yaxis"],
            **x,
        }
        places[f"yaxis{panel.suffix}"] = {
            "domain": [panel.bottom, panel.top],
            "anchor": panel.axes["xaxis"],
            **y,
        }
    notes = [
        {
            "text": title,
            "x": (panel.left + panel.right) / 2,
            "y": panel.top,
            "xref": "paper",
            "yref": "paper",
            "xanchor": "center",
            "yanchor": "bottom",
            "showarrow": False,
            "font": {"size": title_size},
        }
        for (panel, _, _), title in zip(frames, titles, strict=False)
    ]
    notes += layout.pop("annotations", [])
    return go.Figure(
        data=list(traces), layout={"showlegend": False, **places, "annotations": notes, **layout}
    )


def row(
    traces: Sequence[Mapping[str, Any]], frames: Sequence[Frame], titles: Sequence[str], **layout: Any
) -> go.Figure:
    """Curves in panels side by side, the legend below."""
    legend = {"orientation": "h", "yanchor": "top", "y": -0.24, "x": 0.5, "xanchor": "center"}
    looks = {"showlegend": True, "legend": legend, "margin": {"l": 8, "r": 8, "t": 44, "b": 8}}
    return assembled(traces, frames, titles, title_size=18, **looks | layout)


def vertical_line(panel: Facet, x: float, colour: str, width: float = 2) -> dict[str, Any]:
    """A dotted line through a panel."""
    return {
        "type": "line",
        "x0": x,
        "x1": x,
        "xref": panel.axes["xaxis"],
        "y0": 0,
        "y1": 1,
        "yref": f"{panel.axes['yaxis']} domain",
        "line": {"color": colour, "dash": "dot", "width": width},
    }


def horizontal_line(panel: Facet, y: float, colour: str, width: float, dash: str = "solid") -> dict[str, Any]:
    """A line across a panel."""
    return {
        "type": "line",
        "x0": 0,
        "x1": 1,
        "xref": f"{panel.axes['xaxis']} domain",
        "y0": y,
        "y1": y,
        "yref": panel.axes["yaxis"],
        "line": {"color": colour, "dash": dash, "width": width},
    }


def bars(
    values: np.ndarray, edges: np.ndarray, colour: str, name: str, panel: Facet, *, shares: bool
) -> dict:
    """A histogram counted here, so that the browser gets bars and not thousands of values."""
    counts, _ = np.histogram(values, edges)
    return {
        "type": "bar",
        "x": (edges[:-1] + edges[1:]) / 2,
        "y": 100 * counts / values.size if shares else counts,
        "width": float(edges[1] - edges[0]),
        "marker": {"color": colour, "line": {"width": 0}},
        "hovertemplate": ("%{x:.2f}: %{y:.1f} %" if shares else "%{x:.2f}: %{y}") + f"<extra>{name}</extra>",
        **panel.axes,
    }


def stacked(figure: go.Figure, height: int) -> tuple[go.Figure, int]:
    """A figure whose panels stand side by side, with its columns one below the other, and its height then.

    Any figure of several columns may come, whoever made it; another one comes back as it is.
    """
    layout = figure.layout.to_plotly_json()
    columns = _columns(layout)
    if len(columns) < 2:
        return figure, height
    whole = round(0.75 * height * len(columns))
    room = whole - _AROUND
    high = (1 - _BETWEEN / room * (len(columns) - 1)) / len(columns)
    bottoms = {left: 1 - high - at * (high + _BETWEEN / room) for at, left in enumerate(columns)}

    def down(left: float, y: float) -> float:
        """Where height `y` of the column that began at `left` stands now."""
        return bottoms[left] + y * high

    made = go.Figure(figure)
    lefts = {}  # by x axis
    for name, axis in layout.items():
        if name.startswith("xaxis"):
            lefts[name.replace("axis", "")] = axis["domain"][0]
            title = made.layout[name].title
            if title.text:
                title.update(text="<br>".join(textwrap.wrap(title.text, _TITLE_LETTERS)), font={"size": 14})
            made.layout[name].domain = (0, 1)
    for name, axis in layout.items():
        if name.startswith("yaxis"):
            left = lefts[axis["anchor"]]
            made.layout[name].domain = tuple(max(0.0, down(left, end)) for end in axis["domain"])
            if "matches" in axis:  # its numbers stood at the left of the row
                made.layout[name].showticklabels = True
    for note in made.layout.annotations:
        if note.xref == "paper" and note.yref == "paper":
            left = max((each for each in columns if each <= note.x + 1e-9), default=columns[0])
            note.update(x=(note.x - left) / (columns[left] - left), y=down(left, note.y))
            note.update(text="<br>".join(textwrap.wrap(note.text, _TITLE_LETTERS)), font={"size": 16})
    for trace in made.data:
        if trace.type == "heatmap" and trace.showscale is not False and not trace.coloraxis:
            left, bar = lefts[trace.xaxis or "x"], trace.colorbar
            middle, length = (0.5, 1) if bar.y is None else (bar.y, bar.len or 1)
            bar.update(x=1.01, y=down(left, middle), yanchor="middle", len=length * high, lenmode="fraction")
    if (below := made.layout.legend.y) is not None and below < 0:
        # Below the last panel it would be a screen away from the first.
        made.layout.legend.update(yref="container", y=1, yanchor="top")
        made.layout.margin.t = (made.layout.margin.t or 0) + _LEGEND
    return made, whole


def _columns(layout: Mapping[str, Any]) -> dict[float, float]:
    """Left end -> right end of each column of panels, from the left."""
    domains = [axis.get("domain") for name, axis in layout.items() if name.startswith("xaxis")]
    if None in domains:
        return {}
    return dict(sorted(tuple(domain) for domain in domains))
