"""Plotly figures of several panels, put together from plain values in one go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go


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
            found.append(Facet(len(found) + 1, left, left + wide, max(0.0, top - height * high), top))
        top -= height * high + gap
    return tuple(found)


def assembled(
    traces: Sequence[Mapping[str, Any]],
    frames: Sequence[tuple[Facet, Mapping[str, Any], Mapping[str, Any]]],
    titles: Sequence[str] = (),
    **layout: Any,
) -> go.Figure:
    """One figure of several panels, checked once: Plotly's `make_subplots` and `add_*` check at each call,
    which takes longer than all the rest of a slider's answer.

    frames: panel, its x axis, its y axis. titles: above the first panels.
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
            "font": {"size": 16},
        }
        for (panel, _, _), title in zip(frames, titles, strict=False)
    ]
    notes += layout.pop("annotations", [])
    return go.Figure(
        data=list(traces), layout={"showlegend": False, **places, "annotations": notes, **layout}
    )


def upright(panel: Facet, x: float, colour: str) -> dict[str, Any]:
    """A dotted line through a panel."""
    return {
        "type": "line",
        "x0": x,
        "x1": x,
        "xref": panel.axes["xaxis"],
        "y0": 0,
        "y1": 1,
        "yref": f"{panel.axes['yaxis']} domain",
        "line": {"color": colour, "dash": "dot", "width": 2},
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
