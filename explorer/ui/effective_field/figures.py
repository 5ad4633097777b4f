"""Figures of the effective receptive field. Each takes finished numbers and gives a figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from explorer.ui.kit.graph_objects import go
from explorer.ui.kit.small_multiples import Facet, assembled, facets

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Panel:
    """One effective field. side, theory: pixels, of equal area as the effective one and by theory; origin:
    (row, column) of the unit's centre."""

    title: str
    strength: np.ndarray
    side: float
    theory: float
    origin: tuple[float, float]


def strengths(panels: Sequence[Panel]) -> go.Figure:
    """Maps side by side in one colour scale; solid: square of the effective width, dashed: of theory."""
    traces, frames, shapes = [], [], []
    for panel, facet in zip(panels, facets(1, len(panels), gap=0.05), strict=True):
        height, width = panel.strength.shape
        traces.append(
            {
                "type": "heatmap",
                "z": panel.strength.astype("float32"),
                "x0": 0.5,
                "y0": 0.5,
                "dx": 1,
                "dy": 1,
                "coloraxis": "coloraxis",
                "hovertemplate": "row %{y:.0f}, column %{x:.0f}: %{z:.3f}<extra></extra>",
                **facet.axes,
            }
        )
        shapes += [_square(facet, panel.origin, panel.theory, "dash")]
        shapes += [_square(facet, panel.origin, panel.side, "solid")]
        axis = {"showgrid": False, "constrain": "domain"}
        across = axis | {"title": "Column (px)", "range": [0, width]}
        down = axis | {"range": [height, 0], "scaleanchor": facet.axes["xaxis"]}
        frames.append((facet, across, down | ({"title": "Row (px)"} if facet.number == 1 else {})))
    bar = {"title": {"text": "Strength (largest = 1)", "side": "right"}, "thickness": 14}
    return assembled(
        traces,
        frames,
        [panel.title for panel in panels],
        title_size=16 if len(panels) < 4 else 14,
        shapes=shapes,
        coloraxis={"colorscale": "Viridis", "cmin": 0, "cmax": 1, "colorbar": bar},
        margin={"t": 56},
    )


def _square(facet: Facet, centre: tuple[float, float], side: float, dash: str) -> dict[str, object]:
    (row, column), half = centre, side / 2
    return {
        "type": "rect",
        "x0": column - half,
        "x1": column + half,
        "xref": facet.axes["xaxis"],
        "y0": row - half,
        "y1": row + half,
        "yref": facet.axes["yaxis"],
        "line": {"color": "#FFFFFF", "width": 2.5, "dash": dash},
    }
