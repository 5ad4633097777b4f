"""Plotly figures of the gradient labs. Each takes finished numbers and gives a figure."""

import math
from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
import plotly.graph_objects as go

from explorer.labs.gradients.flow import SMALLEST_FLOAT32, Flow, Jacobians, products
from explorer.ui.kit import theme
from explorer.ui.kit.panels import DASHES, colours, panels, powers

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
    figure = panels(titles)
    for (name, flow), colour, dash in zip(
        found.items(), colours(len(found), dark=dark), cycle(DASHES), strict=False
    ):
        if weights:
            layers = tuple(range(1, flow.design.depth + 1))
            left, right = flow.weight_gradient_norm, 100 * flow.asleep
        else:
            layers, left, right = flow.layers, flow.gradient_norm, flow.activation_rms
        _band(figure, 1, name, layers, _above_zero(left), colour, dash)
        _band(figure, 2, name, layers, right if weights else _above_zero(right), colour, dash)
    figure.update_xaxes(title=_LAYER, range=[0, max(flow.design.depth for flow in found.values())])
    figure.update_yaxes(title="‖gradient‖", col=1, **powers(figure, 1))
    if weights:
        figure.update_yaxes(title="share of units (%)", range=[0, 102], col=2)
    else:
        figure.update_yaxes(title="root mean square", col=2, **powers(figure, 2))
    _float32(figure, [trace for trace in figure.data if trace.yaxis == "y"], col=1)
    return figure


def _above_zero(values: np.ndarray) -> np.ndarray:
    """A logarithmic axis has no zero: what is exactly zero leaves a gap."""
    return np.where(values > 0, values, np.nan)


def _band(
    figure: go.Figure,
    col: int,
    name: str,
    layers: Sequence[int],
    values: np.ndarray,
    colour: str,
    dash: str,
) -> None:
    """Median over the seeds [seeds, layers] as a line, least to greatest as a band."""
    seen = ~np.isnan(values).any(axis=0)
    x, shown = np.array(layers)[seen], values[:, seen]
    if not len(x):
        return
    faint = f"rgba({int(colour[1:3], 16)},{int(colour[3:5], 16)},{int(colour[5:], 16)},0.18)"
    figure.add_scatter(
        x=np.concatenate([x, x[::-1]]),
        y=np.concatenate([shown.max(axis=0), shown.min(axis=0)[::-1]]),
        fill="toself",
        fillcolor=faint,
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
        legendgroup=name,
        row=1,
        col=col,
    )
    figure.add_scatter(
        x=x,
        y=np.median(shown, axis=0),
        name=name,
        mode="lines+markers" if len(x) < 4 else "lines",
        line={"color": colour, "width": 3, "dash": dash},
        showlegend=col == 1,
        legendgroup=name,
        hovertemplate=f"<b>{name}</b><br>layer %{{x}}: %{{y:.3g}}<extra></extra>",
        row=1,
        col=col,
    )


def _float32(figure: go.Figure, traces: Sequence[go.Scatter], col: int) -> None:
    """A line at the smallest number of single precision, where a curve comes near it."""
    lowest = min((float(np.min(trace.y)) for trace in traces if len(trace.y)), default=1.0)
    if lowest < 1e-36:
        line = {"dash": "dot", "width": 2, "color": theme.NEUTRAL.light}
        figure.add_hline(y=SMALLEST_FLOAT32, line=line, row=1, col=col)
        figure.add_annotation(
            text="below this line: zero in float32",
            font={"size": 14},
            xref="x domain",
            x=1,
            xanchor="right",
            y=math.log10(SMALLEST_FLOAT32),  # a logarithmic axis places shapes by value, texts by exponent
            yanchor="top",
            showarrow=False,
            row=1,
            col=col,
        )


def jacobian_products(found: Jacobians, *, dark: bool) -> go.Figure:
    """What the blocks from each layer to the end multiply a gradient by: the bound, the mean, the truth; and
    the factors themselves.
    """
    figure = panels(("Product from the last layer back", "Factor of each block"))
    layers = [*range(0, found.design.depth, 2), found.design.depth]
    rows = {
        "greatest singular values: the bound": found.spectral,
        "root mean square of all singular values": found.mean_gain,
        "the loss's gradient": found.gradient,
    }
    for (name, factors), colour, dash in zip(
        rows.items(), colours(3, dark=dark), ("dash", "dot", "solid"), strict=True
    ):
        line = {"color": colour, "width": 3, "dash": dash}
        hover = f"<b>{name}</b><br>layer %{{x}}: %{{y:.3g}}<extra></extra>"
        for col, x, y in ((1, layers, products(factors)), (2, layers[:-1], factors)):
            figure.add_scatter(
                x=x,
                y=_above_zero(y),
                name=name,
                line=line,
                mode="lines+markers" if len(x) < 4 else "lines",
                showlegend=col == 1,
                legendgroup=name,
                hovertemplate=hover,
                row=1,
                col=col,
            )
    figure.update_xaxes(title=_LAYER)
    figure.update_yaxes(title="times the gradient at the end", col=1, **powers(figure, 1))
    figure.update_yaxes(title="factor", col=2, rangemode="tozero")
    return figure
