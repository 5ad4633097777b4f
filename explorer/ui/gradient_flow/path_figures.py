"""Plotly figures of paths through residual networks, of the claim about skips, of activations."""

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.labs.gradients.activations import ACTIVATIONS, GREATEST, chain, typical_slope
from explorer.labs.gradients.paths import Paths
from explorer.labs.gradients.skip_claim import Trials
from explorer.ui.kit import theme
from explorer.ui.kit.panels import DASHES, colours, panels, powers


def lengths(found: Paths, *, dark: bool) -> go.Figure:
    """How many paths, what one carries, what all of a length carry: over the number of blocks passed."""
    figure = panels(("How many paths are that long", "Gradient of one such path", "Gradient of all together"))
    x = np.arange(len(found.share))
    many, one, all_ = colours(3, dark=dark)
    total = max(found.together.sum(), np.finfo(float).tiny)
    hover = "%{x} blocks: %{y:.3g}<extra></extra>"
    figure.add_bar(x=x, y=100 * found.share, marker_color=many, row=1, col=1, hovertemplate=hover)
    figure.add_scatter(
        x=x,
        y=np.where(found.of_one > 0, found.of_one, np.nan),
        mode="lines+markers",
        line={"color": one, "width": 3},
        row=1,
        col=2,
        hovertemplate=hover,
    )
    figure.add_bar(x=x, y=100 * found.together / total, marker_color=all_, row=1, col=3, hovertemplate=hover)
    figure.update_xaxes(title="blocks passed through")
    figure.update_yaxes(title="share of all paths (%)", col=1)
    figure.update_yaxes(title="‖gradient‖ at the first block", col=2, **powers(figure, 2))
    figure.update_yaxes(title="share of what is carried (%)", col=3)
    figure.update_layout(showlegend=False, bargap=0.15)
    return figure


def claim(found: Trials, scale: float, erase: float, scales: Sequence[float], *, dark: bool) -> go.Figure:
    """Left: in how many trials the gradient got shorter, by the branch's strength. Right: by how much."""
    figure = panels(("How often the gradient gets shorter", "By how much, at the chosen strength"))
    shorter, chosen = colours(2, dark=dark)[::-1]
    figure.add_scatter(
        x=list(scales),
        y=[100 * found.shrunk(each, erase) for each in scales],
        mode="lines+markers",
        line={"color": shorter, "width": 3},
        hovertemplate="strength %{x:.3g}: %{y:.3g} % of trials<extra></extra>",
        row=1,
        col=1,
    )
    figure.add_scatter(
        x=[scale],
        y=[100 * found.shrunk(scale, erase)],
        mode="markers",
        marker={"size": 16, "color": chosen},
        hoverinfo="skip",
        row=1,
        col=1,
    )
    factors = found.with_skip(scale, erase)
    trials, edges = np.histogram(factors, _bins_from_one(factors))
    figure.add_bar(
        x=(edges[1:] + edges[:-1]) / 2,
        y=trials,
        width=np.diff(edges),
        marker={"color": chosen, "line": {"width": 0}},
        hovertemplate="%{x:.4g}: %{y} trials<extra></extra>",
        row=1,
        col=2,
    )
    line = {"dash": "dot", "width": 2, "color": theme.TEXT.on(dark=dark)}
    figure.add_vline(x=1, line=line, row=1, col=2)
    for text, side in (("shorter ", "right"), (" longer", "left")):
        figure.add_annotation(
            text=text,
            font={"size": 15},
            x=1,
            xanchor=side,
            yref="y domain",
            y=1,
            yanchor="top",
            showarrow=False,
            row=1,
            col=2,
        )
    figure.update_xaxes(title="strength of the branch", col=1, type="log", dtick=1, exponentformat="none")
    figure.update_yaxes(title="trials (%)", range=[-3, 103], col=1)
    figure.update_xaxes(title="gradient before the block ÷ behind it", col=2)
    figure.update_yaxes(title="trials", range=[0, 1.2 * trials.max()], col=2)
    figure.update_layout(showlegend=False, bargap=0.02)
    return figure


def _bins_from_one(factors: np.ndarray) -> np.ndarray:
    """Edges of some forty equal bins, one of them at 1, so that no bin holds both shorter and longer."""
    least, most = min(float(factors.min()), 1.0), max(float(factors.max()), 1.0)
    width = max((most - least) / 40, 1e-12)
    below, above = math.ceil((1 - least) / width), math.floor((most - 1) / width) + 1
    return 1 + width * np.arange(-below, above + 1)


def functions(depth: int, *, dark: bool) -> go.Figure:
    """The functions, their derivatives, and the product of `depth` greatest derivatives."""
    import torch

    figure = panels(("f(z)", "Its derivative f′(z)", "Greatest derivative, multiplied layer by layer"))
    z = torch.linspace(-5, 5, 401, dtype=torch.float64)
    chained = np.arange(0, depth + 1)
    for (name, each), colour, dash in zip(
        ACTIVATIONS.items(), colours(len(ACTIVATIONS), dark=dark), DASHES, strict=True
    ):
        parts = (
            (z.numpy(), each.value(z).numpy()),
            (z.numpy(), each.derivative(z).numpy()),
            (chained, np.array([chain(GREATEST[name], int(n)) for n in chained])),
        )
        for col, (x, y) in enumerate(parts, start=1):
            figure.add_scatter(
                x=x,
                y=y,
                name=name,
                legendgroup=name,
                showlegend=col == 1,
                line={"color": colour, "width": 3, "dash": dash},
                hovertemplate=f"<b>{name}</b> %{{x:.3g}}: %{{y:.3g}}<extra></extra>",
                row=1,
                col=col,
            )
    figure.update_xaxes(title="z", col=1)
    figure.update_xaxes(title="z", col=2)
    figure.update_xaxes(title="layers", col=3)
    figure.update_yaxes(range=[-1.5, 4], col=1)
    figure.update_yaxes(title="product", col=3, **powers(figure, 3))
    return figure


def slopes_table(depth: int) -> list[dict[str, object]]:
    """One row a function: greatest derivative, its typical size, and both over `depth` layers."""
    return [
        {
            "function": name,
            "greatest f′": GREATEST[name],
            "typical f′": typical_slope(name),
            f"greatest^{depth}": chain(GREATEST[name], depth),
            f"typical^{depth}": chain(typical_slope(name), depth),
        }
        for name in ACTIVATIONS
    ]
