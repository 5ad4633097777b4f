"""Figures of the effective receptive field. Each takes finished numbers and gives a figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import plotly.graph_objects as go
from plotly.subplots import make_subplots

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
    titles = [panel.title for panel in panels]
    figure = make_subplots(rows=1, cols=len(panels), horizontal_spacing=0.05, subplot_titles=titles)
    figure.update_annotations(font={"size": 16 if len(panels) < 4 else 14})
    for at, panel in enumerate(panels, start=1):
        height, width = panel.strength.shape
        figure.add_heatmap(
            z=panel.strength.astype("float32"), x0=0.5, y0=0.5, dx=1, dy=1, coloraxis="coloraxis",
            row=1, col=at,
            hovertemplate="row %{y:.0f}, column %{x:.0f}: %{z:.3f}<extra></extra>",
        )  # fmt: skip
        for side, dash in ((panel.theory, "dash"), (panel.side, "solid")):
            _square(figure, panel.origin, side, dash, at)
        axis = {"showgrid": False, "constrain": "domain", "row": 1, "col": at}
        figure.update_xaxes(title="Column (px)", range=[0, width], **axis)
        figure.update_yaxes(
            title="Row (px)" if at == 1 else None, range=[height, 0],
            scaleanchor="x" if at == 1 else f"x{at}", **axis,
        )  # fmt: skip
    figure.update_layout(
        coloraxis={
            "colorscale": "Viridis",
            "cmin": 0,
            "cmax": 1,
            "colorbar": {"title": {"text": "Strength (largest = 1)", "side": "right"}, "thickness": 14},
        },
        showlegend=False,
        margin={"t": 56},
    )
    return figure


def _square(figure: go.Figure, centre: tuple[float, float], side: float, dash: str, at: int) -> None:
    (row, column), half = centre, side / 2
    line = {"color": "#FFFFFF", "width": 2.5, "dash": dash}
    figure.add_shape(
        type="rect",
        x0=column - half,
        x1=column + half,
        y0=row - half,
        y1=row + half,
        line=line,
        row=1,
        col=at,
    )
