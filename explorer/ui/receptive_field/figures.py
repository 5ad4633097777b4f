"""Figures of the receptive field lab: growth by layer, the field on a picture, strengths, a stack of windows.

Each takes finished numbers and gives a Plotly figure; colours by role as in `theme`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from explorer.ui.kit import formatting, theme
from explorer.ui.kit.graph_objects import go
from explorer.ui.kit.small_multiples import assembled, facets, horizontal_line, vertical_line

if TYPE_CHECKING:
    import numpy as np

    from explorer.labs.receptive_field.theory import LayerField
    from explorer.labs.receptive_field.window_stack import Window

_LEGEND = {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "itemsizing": "constant"}
_AROUND = 0.35  # of the picture, shown on each side where a field leaves it
# Nothing is drawn where nothing is seen, so that the picture stays in sight.
_GLOW = [
    [0.0, "rgba(68,1,84,0)"],
    [0.05, "rgba(68,1,84,0.35)"],
    [0.3, "rgba(49,104,142,0.6)"],
    [0.65, "rgba(53,183,121,0.75)"],
    [1.0, "rgba(253,231,37,0.95)"],
]


def growth(
    layers: Sequence[LayerField],
    image: tuple[int, int],
    marks: Mapping[str, LayerField],
    *,
    dark: bool,
    narrow: bool = False,
) -> go.Figure:
    """Size by layer above, jump below; `marks` are named layers, such as where the whole image is seen.

    narrow: on a phone, where their names run along their lines.
    Hollow points are of units that depend on more than that, through a gate or attention.
    """
    above, below = facets(2, 1, gap=0.06, heights=(0.74, 0.26))
    numbers = [layer.number for layer in layers]
    text, ground = theme.TEXT.on(dark=dark), theme.BACKGROUND.on(dark=dark)
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "x": numbers,
            "y": [max(la.size for la in layers[: n + 1]) for n in range(len(layers))],
            "mode": "lines",
            "line": {"color": theme.NEUTRAL.on(dark=dark), "width": 2},
            "hoverinfo": "skip",
            "showlegend": False,
            **above.axes,
        }
    ]
    kinds = dict.fromkeys(layer.kind for layer in layers)
    for kind in kinds:
        of_kind = [layer for layer in layers if layer.kind == kind]
        traces.append(
            {
                "type": "scatter",
                "x": [layer.number for layer in of_kind],
                "y": [layer.size for layer in of_kind],
                "mode": "markers",
                "name": theme.ROLE_NAMES.get(kind, kind),
                "marker": {
                    "color": theme.role_colour(kind, dark=dark),
                    "size": 10,
                    "symbol": ["circle-open" if la.field.global_from else "circle" for la in of_kind],
                    "line": {"width": 2},
                },
                "cliponaxis": False,
                "customdata": [_about(layer) for layer in of_kind],
                "hovertemplate": "%{customdata}<extra></extra>",
                **above.axes,
            }
        )
    traces.append(
        {
            "type": "scatter",
            "x": numbers,
            "y": [layer.jump for layer in layers],
            "mode": "lines",
            "line": {"color": theme.ACCENT.on(dark=dark), "width": 2.5, "shape": "hv"},
            "showlegend": False,
            "hovertemplate": "layer %{x}: jump %{y} px<extra></extra>",
            **below.axes,
        }
    )
    shapes = [horizontal_line(above, max(image), text, width=1.5, dash="dash")]
    name = {"showarrow": False, "font": {"size": 14}, "bgcolor": ground}
    notes: list[dict[str, Any]] = [
        name
        | {
            "text": f"the image: {max(image)} px",
            "xref": f"{above.axes['xaxis']} domain",
            "x": 0,
            "xanchor": "left",
            "yref": above.axes["yaxis"],
            "y": max(image),
            "yanchor": "bottom",
        }
    ]
    for place, (mark, layer) in enumerate(marks.items()):
        early = layer.number < numbers[-1] / 2  # where the curve is low, so that the name stands above it
        shapes += [vertical_line(panel, layer.number, text, width=1.5) for panel in (above, below)]
        if narrow:  # the curve rises: free are the upper left and the lower right
            last = layer.number > 0.9 * numbers[-1]
            where = {"textangle": -90, "y": 0.98 if early else 0.02, "yanchor": "top" if early else "bottom"}
            side = "right" if last else "left"
        else:
            where = {"y": 0.8 - 0.12 * place if early else 0.06 + 0.12 * place}
            side = "left" if early else "right"
        notes.append(
            name
            | {
                "text": escape(mark),
                "xref": above.axes["xaxis"],
                "x": layer.number,
                "xanchor": side,
                "xshift": 4 if side == "left" else -4,
                "yref": f"{above.axes['yaxis']} domain",
                **where,
            }
        )
    ticks = sorted({layer.jump for layer in layers})
    jumps = {"title": "Jump (px)", "type": "log", "tickvals": ticks, "ticktext": [f"{t:g}" for t in ticks]}
    return assembled(
        traces,
        [
            (above, below.same_x, {"title": "Field (pixels)", "rangemode": "tozero"}),
            (below, {"title": "Layer, in the order of execution"}, jumps),
        ],
        annotations=notes,
        shapes=shapes,
        showlegend=len(kinds) > 1,
        legend=_LEGEND,
    )


def _about(layer: LayerField) -> str:
    height, width = layer.field.size
    size = f"{height:g}" if height == width else f"{height:g} × {width:g}"
    kernel = " × ".join(map(str, layer.kernel))
    beyond = layer.field.beyond
    return (
        f"<b>{layer.number} · {escape(layer.label)}</b><br>{kernel} window, stride {layer.stride[0]}"
        f"<br>sees {size} px, jump {layer.jump:g} px, map {formatting.shape(layer.output_shape)}"
        + (f"<br>{escape(beyond)}" if beyond else "")
    )


def on_picture(
    picture_url: str,
    image: tuple[int, int],
    field: tuple[float, float, float, float],
    strength: np.ndarray | None,
    *,
    dark: bool,
) -> go.Figure:
    """The picture as the network gets it, dark outside one unit's field; `field` is (top, left, bottom,
    right) in pixels. strength [H, W], 0-1, shines over it.
    """
    (height, width), (top, left, bottom, right) = image, field
    figure = go.Figure()
    figure.add_layout_image(
        source=picture_url, x=0, y=0, sizex=width, sizey=height, xref="x", yref="y", sizing="stretch",
        layer="below", xanchor="left", yanchor="top",
    )  # fmt: skip
    figure.add_scatter(
        x=[0, width], y=[0, height], mode="markers", opacity=0, hoverinfo="skip", showlegend=False
    )
    if strength is not None:
        figure.add_heatmap(
            z=strength, x0=0.5, y0=0.5, dx=1, dy=1, zmin=0, zmax=1, colorscale=_GLOW, zsmooth=False,
            colorbar={"title": {"text": "Strength", "side": "right"}, "thickness": 14, "len": 0.8},
            hovertemplate="row %{y:.0f}, column %{x:.0f}: %{z:.3f}<extra></extra>",
        )  # fmt: skip
    inner = max(0, top), max(0, left), min(height, bottom), min(width, right)
    if strength is None:
        whole = f"M0,0 L{width},0 L{width},{height} L0,{height} Z"
        hole = (
            f"M{inner[1]},{inner[0]} L{inner[3]},{inner[0]} L{inner[3]},{inner[2]} L{inner[1]},{inner[2]} Z"
        )
        figure.add_shape(
            type="path",
            path=f"{whole} {hole}",
            fillrule="evenodd",
            fillcolor="rgba(0,0,0,0.62)",
            line={"width": 0},
        )
    accent = "#FFFFFF" if strength is not None else theme.ACCENT.on(dark=True)
    figure.add_shape(type="rect", x0=left, y0=top, x1=right, y1=bottom, line={"color": "#000000", "width": 5})
    figure.add_shape(type="rect", x0=left, y0=top, x1=right, y1=bottom, line={"color": accent, "width": 3})
    _frame(figure, image, field, dark=dark)
    return figure


def _frame(
    figure: go.Figure, image: tuple[int, int], field: tuple[float, float, float, float], *, dark: bool
) -> None:
    """Axes in pixels, square, with some room around the picture where a field leaves it; the rest is cut."""
    (height, width), (top, left, bottom, right) = image, field
    outline = {"color": theme.NEUTRAL.on(dark=dark), "width": 1, "dash": "dot"}
    figure.add_shape(type="rect", x0=0, y0=0, x1=width, y1=height, line=outline)
    axis = {"showgrid": False, "constrain": "domain"}
    across, down = _room(left, right, width), _room(top, bottom, height)
    figure.update_xaxes(title="Column (pixel of the input)", range=across, **axis)
    figure.update_yaxes(title="Row (pixel)", range=down[::-1], scaleanchor="x", **axis)


def _room(first: float, last: float, extent: int) -> tuple[float, float]:
    margin = 0.02 * extent
    low = max(min(-margin, first - margin), -_AROUND * extent)
    return low, min(max(extent + margin, last + margin), (1 + _AROUND) * extent)


def cone(stack: Sequence[Window], places: Sequence[Sequence[int]], *, dark: bool) -> go.Figure:
    """Along one axis: what the top unit reads, layer by layer down to the pixels (`read_places`)."""
    figure = go.Figure()
    jumps = [1]
    for window in stack:
        jumps.append(jumps[-1] * window.stride)
    x, y = [], []
    for level, window in enumerate(stack, start=1):
        reach = window.kernel // 2
        for place in places[level]:
            for tap in range(-reach, reach + 1):
                below = window.stride * place + window.dilation * tap
                x += [place * jumps[level], below * jumps[level - 1], None]
                y += [level, level - 1, None]
    lines = {"color": theme.LINE.on(dark=dark), "width": 1.5}
    figure.add_scatter(x=x, y=y, mode="lines", line=lines, hoverinfo="skip", showlegend=False)
    many = len(places[0])
    size = 15 if many <= 24 else 9 if many <= 60 else 5
    for level, at in enumerate(places):
        kind = "input" if level == 0 else "spatial" if stack[level - 1].kernel > 1 else "pointwise"
        figure.add_scatter(
            x=[place * jumps[level] for place in at],
            y=[level] * len(at),
            mode="markers",
            marker={
                "color": theme.ACCENT.on(dark=dark) if level == 0 else theme.role_colour(kind, dark=dark),
                "size": size,
                "symbol": "square" if level == 0 else "circle",
            },
            hovertemplate="pixel %{x}<extra></extra>" if level == 0 else f"layer {level}<extra></extra>",
            showlegend=False,
        )
    names = ["the image", *(_named(window) for window in stack)]
    figure.update_yaxes(
        tickvals=list(range(len(names))), ticktext=names, showgrid=False, range=[-0.4, len(stack) + 0.4]
    )
    figure.update_xaxes(title="Pixels from the middle", showgrid=False, range=None)
    figure.update_layout(margin={"t": 8})
    return figure


def _named(window: Window) -> str:
    extra = f", stride {window.stride}" if window.stride > 1 else ""
    extra += f", dilation {window.dilation}" if window.dilation > 1 else ""
    return f"{window.kernel}×{window.kernel}{extra}"


def weigh(rows: Mapping[str, tuple[int, int]], *, dark: bool) -> go.Figure:
    """Weights of stacks with the same field: name -> (weights, multiple of C2)."""
    figure = go.Figure()
    first = next(iter(rows))
    colours = [(theme.ACCENT if name == first else theme.NEUTRAL).on(dark=dark) for name in rows]
    figure.add_bar(
        orientation="h",
        y=list(rows),
        x=[weights for weights, _ in rows.values()],
        text=[f"{multiple} C² = {formatting.exact(weights)}" for weights, multiple in rows.values()],
        textposition="auto",
        insidetextanchor="end",
        insidetextfont={"size": 16, "color": [theme.ink_on(colour) for colour in colours]},
        outsidetextfont={"size": 16},
        marker={
            "color": colours,
            "line": {"width": 0},
        },
        hovertemplate="%{y}: %{text}<extra></extra>",
        showlegend=False,
    )
    figure.update_xaxes(title="Weights, without biases", rangemode="tozero")
    figure.update_yaxes(autorange="reversed", ticksuffix="  ")
    figure.update_layout(margin={"t": 8}, bargap=0.35)
    return figure
