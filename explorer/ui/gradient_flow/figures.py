"""Plotly figures of the gradient labs. Each takes finished numbers and gives a figure."""

import math
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np

from explorer.labs.gradients.flow import SMALLEST_FLOAT32, Flow, Jacobians, products
from explorer.ui.kit import theme
from explorer.ui.kit.curves import DASHES, colours, powers
from explorer.ui.kit.graph_objects import go
from explorer.ui.kit.small_multiples import Facet, facets, horizontal_line, row

_LAYER = "layer (3×3 convolutions after the stem)"


def flows(found: Mapping[str, Flow], *, weights: bool, dark: bool) -> go.Figure:
    """Gradient on the left and what flows forward on the right, a curve with a band of all seeds for each
    network. weights: of the convolutions' weights, beside the units that are asleep; else of the activations.
    """
    titles = (
        ("Gradient of the loss at each layer's weights", "Dead or saturated units")
        if weights
        else ("Gradient of the loss, going back from the right", "Size of the activations, from the left")
    )
    panels = left, right = facets(1, 2, gap=0.09)
    traces: list[dict[str, Any]] = []
    for (name, flow), colour, dash in zip(
        found.items(), colours(len(found), dark=dark), cycle(DASHES), strict=False
    ):
        if weights:
            layers = tuple(range(1, flow.design.depth + 1))
            values = _above_zero(flow.weight_gradient_norm), 100 * flow.asleep
        else:
            layers = flow.layers
            values = _above_zero(flow.gradient_norm), _above_zero(flow.activation_rms)
        for panel, each in zip(panels, values, strict=True):
            traces += _band(panel, name, layers, each, colour, dash)
    across = {"title": _LAYER, "range": [0, max(flow.design.depth for flow in found.values())]}
    going_back = {"title": "‖gradient‖", **powers(traces, left)}
    if weights:
        forward: dict[str, Any] = {"title": "share of units (%)", "range": [0, 102]}
    else:
        forward = {"title": "root mean square", **powers(traces, right)}
    shapes, notes = _float32(left, traces)
    frames = [(left, across, going_back), (right, across, forward)]
    return row(traces, frames, titles, shapes=shapes, annotations=notes)


def _above_zero(values: np.ndarray) -> np.ndarray:
    """A logarithmic axis has no zero: what is exactly zero leaves a gap."""
    return np.where(values > 0, values, np.nan)


def _band(
    panel: Facet, name: str, layers: Sequence[int], values: np.ndarray, colour: str, dash: str
) -> list[dict[str, Any]]:
    """Median over the seeds [seeds, layers] as a line, least to greatest as a band."""
    seen = ~np.isnan(values).any(axis=0)
    x, shown = np.array(layers)[seen], values[:, seen]
    if not len(x):
        return []
    faint = f"rgba({int(colour[1:3], 16)},{int(colour[3:5], 16)},{int(colour[5:], 16)},0.18)"
    return [
        {
            "type": "scatter",
            "x": np.concatenate([x, x[::-1]]),
            "y": np.concatenate([shown.max(axis=0), shown.min(axis=0)[::-1]]),
            "fill": "toself",
            "fillcolor": faint,
            "line": {"width": 0},
            "mode": "lines",
            "hoverinfo": "skip",
            "showlegend": False,
            "legendgroup": name,
            **panel.axes,
        },
        {
            "type": "scatter",
            "x": x,
            "y": np.median(shown, axis=0),
            "name": name,
            "mode": "lines+markers" if len(x) < 4 else "lines",
            "line": {"color": colour, "width": 3, "dash": dash},
            "showlegend": panel.number == 1,
            "legendgroup": name,
            "hovertemplate": f"<b>{name}</b><br>layer %{{x}}: %{{y:.3g}}<extra></extra>",
            **panel.axes,
        },
    ]


def _float32(
    panel: Facet, traces: Sequence[Mapping[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A line at the smallest number of single precision with its name, where a curve comes near it."""
    own = (each["y"] for each in traces if each["yaxis"] == panel.axes["yaxis"])
    if min((float(np.min(y)) for y in own if len(y)), default=1.0) >= 1e-36:
        return [], []
    note = {
        "text": "below this line: zero in float32",
        "font": {"size": 14},
        "xref": f"{panel.axes['xaxis']} domain",
        "x": 1,
        "xanchor": "right",
        "yref": panel.axes["yaxis"],
        "y": math.log10(SMALLEST_FLOAT32),  # a logarithmic axis places shapes by value, texts by exponent
        "yanchor": "top",
        "showarrow": False,
    }
    return [horizontal_line(panel, SMALLEST_FLOAT32, theme.NEUTRAL.light, width=2, dash="dot")], [note]


def jacobian_products(found: Jacobians, *, dark: bool) -> go.Figure:
    """What the blocks from each layer to the end multiply a gradient by: the bound, the mean, the truth; and
    the factors themselves.
    """
    left, right = facets(1, 2, gap=0.09)
    layers = [*range(0, found.design.depth, 2), found.design.depth]
    rows = {
        "greatest singular values: the bound": found.spectral,
        "root mean square of all singular values": found.mean_gain,
        "the loss's gradient": found.gradient,
    }
    traces = [
        {
            "type": "scatter",
            "x": x,
            "y": _above_zero(y),
            "name": name,
            "line": {"color": colour, "width": 3, "dash": dash},
            "mode": "lines+markers" if len(x) < 4 else "lines",
            "showlegend": panel is left,
            "legendgroup": name,
            "hovertemplate": f"<b>{name}</b><br>layer %{{x}}: %{{y:.3g}}<extra></extra>",
            **panel.axes,
        }
        for (name, factors), colour, dash in zip(
            rows.items(), colours(3, dark=dark), ("dash", "dot", "solid"), strict=True
        )
        for panel, x, y in ((left, layers, products(factors)), (right, layers[:-1], factors))
    ]
    across = {"title": _LAYER}
    product = {"title": "times the gradient at the end", **powers(traces, left)}
    frames = [(left, across, product), (right, across, {"title": "factor", "rangemode": "tozero"})]
    return row(traces, frames, ("Product from the last layer back", "Factor of each block"))
