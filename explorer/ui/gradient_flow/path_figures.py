"""Plotly figures of paths through residual networks, of the claim about skips, of activations."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from explorer.labs.gradients.activations import ACTIVATIONS, GREATEST, chain, typical_slope
from explorer.labs.gradients.paths import Paths
from explorer.labs.gradients.skip_claim import Trials
from explorer.ui.kit import theme
from explorer.ui.kit.curves import DASHES, colours, powers
from explorer.ui.kit.graph_objects import go
from explorer.ui.kit.small_multiples import facets, row, vertical_line


def lengths(found: Paths, *, dark: bool) -> go.Figure:
    """How many paths, what one carries, what all of a length carry: over the number of blocks passed."""
    panels = facets(1, 3, gap=0.09)
    x = np.arange(len(found.share))
    many, one, all_ = colours(3, dark=dark)
    total = max(found.together.sum(), np.finfo(float).tiny)
    looks = (
        {"type": "bar", "y": 100 * found.share, "marker": {"color": many}},
        {
            "type": "scatter",
            "y": np.where(found.of_one > 0, found.of_one, np.nan),
            "mode": "lines+markers",
            "line": {"color": one, "width": 3},
        },
        {"type": "bar", "y": 100 * found.together / total, "marker": {"color": all_}},
    )
    hover = {"x": x, "hovertemplate": "%{x} blocks: %{y:.3g}<extra></extra>"}
    traces = [{**look, **hover, **panel.axes} for panel, look in zip(panels, looks, strict=True)]
    heights = (
        {"title": "share of all paths (%)"},
        {"title": "‖gradient‖ at the first block", **powers(traces, panels[1])},
        {"title": "share of what is carried (%)"},
    )
    across = {"title": "blocks passed through"}
    frames = [(panel, across, height) for panel, height in zip(panels, heights, strict=True)]
    titles = ("How many paths are that long", "Gradient of one such path", "Gradient of all together")
    return row(traces, frames, titles, showlegend=False, bargap=0.15)


def claim(found: Trials, scale: float, erase: float, scales: Sequence[float], *, dark: bool) -> go.Figure:
    """Left: in how many trials the gradient got shorter, by the branch's strength. Right: by how much."""
    left, right = facets(1, 2, gap=0.09)
    shorter, chosen = colours(2, dark=dark)[::-1]
    factors = found.with_skip(scale, erase)
    trials, edges = np.histogram(factors, _bins_from_one(factors))
    traces = [
        {
            "type": "scatter",
            "x": list(scales),
            "y": [100 * found.shrunk(each, erase) for each in scales],
            "mode": "lines+markers",
            "line": {"color": shorter, "width": 3},
            "hovertemplate": "strength %{x:.3g}: %{y:.3g} % of trials<extra></extra>",
            **left.axes,
        },
        {
            "type": "scatter",
            "x": [scale],
            "y": [100 * found.shrunk(scale, erase)],
            "mode": "markers",
            "marker": {"size": 16, "color": chosen},
            "hoverinfo": "skip",
            **left.axes,
        },
        {
            "type": "bar",
            "x": (edges[1:] + edges[:-1]) / 2,
            "y": trials,
            "width": np.diff(edges),
            "marker": {"color": chosen, "line": {"width": 0}},
            "hovertemplate": "%{x:.4g}: %{y} trials<extra></extra>",
            **right.axes,
        },
    ]
    notes = [
        {
            "text": text,
            "font": {"size": 15},
            "xref": right.axes["xaxis"],
            "x": 1,
            "xanchor": side,
            "yref": f"{right.axes['yaxis']} domain",
            "y": 1,
            "yanchor": "top",
            "showarrow": False,
        }
        for text, side in (("shorter ", "right"), (" longer", "left"))
    ]
    strength = {"title": "strength of the branch", "type": "log", "dtick": 1, "exponentformat": "none"}
    counts = {"title": "trials", "range": [0, 1.2 * trials.max()]}
    return row(
        traces,
        [
            (left, strength, {"title": "trials (%)", "range": [-3, 103]}),
            (right, {"title": "gradient before the block ÷ behind it"}, counts),
        ],
        ("How often the gradient gets shorter", "By how much, at the chosen strength"),
        annotations=notes,
        shapes=[vertical_line(right, 1, theme.TEXT.on(dark=dark))],
        showlegend=False,
        bargap=0.02,
    )


def _bins_from_one(factors: np.ndarray) -> np.ndarray:
    """Edges of some forty equal bins, one of them at 1, so that no bin holds both shorter and longer."""
    least, most = min(float(factors.min()), 1.0), max(float(factors.max()), 1.0)
    width = max((most - least) / 40, 1e-12)
    below, above = math.ceil((1 - least) / width), math.floor((most - 1) / width) + 1
    return 1 + width * np.arange(-below, above + 1)


def functions(depth: int, *, dark: bool) -> go.Figure:
    """The functions, their derivatives, and the product of `depth` greatest derivatives."""
    import torch

    panels = facets(1, 3, gap=0.09)
    z = torch.linspace(-5, 5, 401, dtype=torch.float64)
    chained = np.arange(0, depth + 1)
    traces: list[dict[str, Any]] = []
    for (name, each), colour, dash in zip(
        ACTIVATIONS.items(), colours(len(ACTIVATIONS), dark=dark), DASHES, strict=True
    ):
        parts = (
            (z.numpy(), each.value(z).numpy()),
            (z.numpy(), each.derivative(z).numpy()),
            (chained, np.array([chain(GREATEST[name], int(n)) for n in chained])),
        )
        traces += [
            {
                "type": "scatter",
                "x": x,
                "y": y,
                "name": name,
                "legendgroup": name,
                "showlegend": panel.number == 1,
                "line": {"color": colour, "width": 3, "dash": dash},
                "hovertemplate": f"<b>{name}</b> %{{x:.3g}}: %{{y:.3g}}<extra></extra>",
                **panel.axes,
            }
            for panel, (x, y) in zip(panels, parts, strict=True)
        ]
    value, derivative, product = panels
    frames = [
        (value, {"title": "z"}, {"range": [-1.5, 4]}),
        (derivative, {"title": "z"}, {}),
        (product, {"title": "layers"}, {"title": "product", **powers(traces, product)}),
    ]
    titles = ("f(z)", "Its derivative f′(z)", "Greatest derivative, multiplied layer by layer")
    return row(traces, frames, titles)


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
