"""What the figures of several labs share: panels side by side, colours that tell curves apart, log axes."""

import math
from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from explorer.ui.kit import theme

# The families' colours, because they stay apart for every eye; here they tell curves apart and mean nothing.
_APART = ("plain", "residual", "compact", "inception", "attention", "transformer")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


def colours(count: int, *, dark: bool) -> list[str]:
    """Up to six colours for as many curves."""
    return [theme.FAMILIES[_APART[index % len(_APART)]].on(dark=dark) for index in range(count)]


def powers(figure: go.Figure, col: int) -> dict[str, object]:
    """A logarithmic y axis for what panel `col` holds: about eight powers of ten, more marks where it is
    narrow.
    """
    name = "y" if col == 1 else f"y{col}"
    values = [float(y) for trace in figure.data if trace.yaxis == name for y in trace.y if y > 0]
    decades = math.log10(max(values) / min(values)) if values else 0.0
    axis: dict[str, object] = {"type": "log", "exponentformat": "power", "showexponent": "all"}
    return axis | ({"dtick": math.ceil(decades / 8)} if decades > 1.5 else {})


def panels(titles: Sequence[str]) -> go.Figure:
    """Panels in a row with their titles, the legend below."""
    figure = make_subplots(cols=len(titles), subplot_titles=list(titles), horizontal_spacing=0.09)
    figure.update_annotations(font_size=18)
    figure.update_layout(
        margin={"l": 8, "r": 8, "t": 44, "b": 8},
        legend={"orientation": "h", "yanchor": "top", "y": -0.24, "x": 0.5, "xanchor": "center"},
    )
    return figure
