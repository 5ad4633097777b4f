"""Figures of the page on inductive bias. Each takes finished numbers and gives a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from explorer.ui.kit import theme
from explorer.ui.kit.formatting import share
from explorer.ui.kit.graph_objects import go
from explorer.ui.kit.small_multiples import Frame, assembled, facets

if TYPE_CHECKING:
    from explorer.labs.inductive_bias.shifts import Sweep

# The two networks of the page, by place: the convolutional one, the rival.
_COLOURS = (theme.ACCENT, theme.FAMILIES["transformer"])
_SHIFT = "Shift to the right, input pixels"


def colour(place: int, *, dark: bool) -> str:
    """Of the first or the second network, wherever it is drawn on this page."""
    return _COLOURS[place].on(dark=dark)


def equivariance(sweeps: Mapping[str, Sweep], chosen: int, *, dark: bool) -> go.Figure:
    """Relative error of the moved map by shift; a ring where theory says zero. chosen: the shift now."""
    figure = go.Figure()
    for place, (name, swept) in enumerate(sweeps.items()):
        own = colour(place, dark=dark)
        errors = [each.error for each in swept.equivariance]
        figure.add_scatter(
            x=swept.shifts,
            y=errors,
            name=escape(name),
            mode="lines+markers",
            line={"color": own, "width": 3},
            marker={"size": 7},
            hovertemplate="%{x} pixels: error %{y:.2g}<extra></extra>",
        )
        exact = [(x, y) for x, y, e in zip(swept.shifts, errors, swept.equivariance, strict=True) if e.exact]
        figure.add_scatter(
            x=[x for x, _ in exact],
            y=[y for _, y in exact],
            mode="markers",
            showlegend=False,
            cliponaxis=False,
            marker={"symbol": "circle-open", "size": 16, "color": own, "line": {"width": 3}},
            hovertemplate="a whole number of strides: %{y:.1g}<extra></extra>",
        )
    if chosen >= 0:
        figure.add_vline(x=chosen, line={"color": theme.TEXT.on(dark=dark), "width": 1, "dash": "dot"})
    figure.update_xaxes(title=_SHIFT)
    figure.update_yaxes(title=_upright("Relative error of the map"), rangemode="tozero", tickformat=".0%")
    figure.update_layout(margin={"l": 0, "r": 12, "t": 8, "b": 0}, legend=_ABOVE)
    return figure


_ROUNDING = 1e-6  # of float32 sums in another order; less is no change
_ABOVE = {"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0}


def invariance(
    sweeps: Mapping[str, Sweep], labels: Sequence[tuple[str, ...]], trained: Sequence[bool], *, dark: bool
) -> go.Figure:
    """Above: the probability of the unshifted picture's class; below: how far all scores have moved."""
    above, below = facets(2, 1, gap=0.09, heights=(0.6, 0.4))
    traces: list[dict[str, Any]] = []
    for place, (name, swept) in enumerate(sweeps.items()):
        own, top = colour(place, dark=dark), swept.top
        line = {"color": own, "width": 3, "dash": "solid" if trained[place] else "dot"}
        kept = [float(row[top[0]]) for row in swept.probabilities]
        other = [at for at, index in enumerate(top) if index != top[0] and trained[place]]
        traces += [
            {
                "type": "scatter",
                "x": swept.shifts,
                "y": kept,
                "name": escape(name),
                "mode": "lines+markers",
                "line": line,
                "marker": {"size": 6},
                "hovertemplate": "%{x} pixels: %{y:.3f}<extra></extra>",
                **above.axes,
            },
            {
                "type": "scatter",
                "x": [swept.shifts[at] for at in other],
                "y": [kept[at] for at in other],
                "mode": "markers",
                "name": f"{escape(name)}: another class is likelier",
                "showlegend": bool(other),
                "marker": {"symbol": "x", "size": 13, "color": own},
                "text": [_label(labels[place], top[at]) for at in other],
                "hovertemplate": "%{x} pixels: %{text}<extra></extra>",
                **above.axes,
            },
            {
                "type": "scatter",
                "x": swept.shifts,
                "y": swept.change,
                "showlegend": False,
                "mode": "lines",
                "line": line,
                "hovertemplate": "%{x} pixels: %{y:.3f}<extra></extra>",
                **below.axes,
            },
        ]
    chance = {"title": _upright("Probability"), "range": [0, 1.02], "tickformat": ".0%"}
    moved = {"title": _upright("Scores moved"), "rangemode": "tozero", "tickformat": ".0%"}
    frames: list[Frame] = [(above, below.same_x, chance), (below, {"title": _SHIFT}, moved)]
    margin = {"l": 0, "r": 12, "t": 8, "b": 0}
    return assembled(traces, frames, showlegend=True, margin=margin, legend=_ABOVE)


def shuffles(
    grids: Sequence[int], changes: Mapping[str, tuple[int, Sequence[float]]], chosen: int, *, dark: bool
) -> go.Figure:
    """Change of all scores by grid. changes: by name the network's place and the values; a name that ends in
    "without positions" is drawn dotted."""
    figure = go.Figure()
    for name, (place, values) in changes.items():
        dash = "dot" if name.endswith("without positions") else "solid"
        figure.add_scatter(
            x=[f"{grid} × {grid}" for grid in grids],
            y=[max(each, _ROUNDING) for each in values],
            name=escape(name),
            mode="lines+markers",
            line={"color": colour(place, dark=dark), "width": 3, "dash": dash},
            marker={"size": 8},
            hovertemplate="%{x}: %{y:.2g}<extra></extra>",
        )
    figure.add_vline(
        x=list(grids).index(chosen), line={"color": theme.TEXT.on(dark=dark), "width": 1, "dash": "dot"}
    )
    figure.update_xaxes(title="Patches", type="category")
    ticks = {_ROUNDING: "rounding", 1e-4: "0.01 %", 1e-2: "1 %", 1: "100 %"}
    figure.update_yaxes(
        title=_upright("Scores moved, relative"),
        type="log",
        tickvals=list(ticks),
        ticktext=list(ticks.values()),
    )
    figure.update_layout(margin={"l": 0, "r": 12, "t": 8, "b": 0}, legend={**_ABOVE, "orientation": "v"})
    return figure


def answer(
    probabilities: Sequence[float], labels: tuple[str, ...], kept: int, place: int, *, dark: bool
) -> go.Figure:
    """The likeliest classes; `kept`, the class of the picture as it was, in the network's colour."""
    order = sorted(range(len(probabilities)), key=lambda index: -probabilities[index])[:5]
    own, other = colour(place, dark=dark), theme.NEUTRAL.on(dark=dark)
    fills = [own if index == kept else other for index in order]
    figure = go.Figure(
        go.Bar(
            orientation="h",
            x=[probabilities[index] for index in order],
            y=list(range(len(order))),
            text=[share(probabilities[index], 1) for index in order],
            insidetextfont={"color": [theme.ink_on(fill) for fill in fills]},
            marker={"color": fills, "line": {"width": 0}},
            customdata=[_label(labels, index) for index in order],
            hovertemplate="%{customdata}: %{x:.4f}<extra></extra>",
        )
    )
    figure.update_xaxes(range=[0, 1.05], tickformat=".0%", title="Probability")
    figure.update_yaxes(
        tickvals=list(range(len(order))),
        ticktext=[f"{_label(labels, index)[:22]}  " for index in order],
        autorange="reversed",
        ticks="",
    )
    figure.update_layout(margin={"l": 0, "r": 8, "t": 4, "b": 0}, bargap=0.3, showlegend=False)
    return figure


def pooling(rows: Mapping[str, Sequence[Sequence[float]]], *, dark: bool) -> go.Figure:
    """Pooled signals as steps. rows: by name, one list of values for each shift."""
    panels = facets(1, len(rows), gap=0.2 / len(rows))
    traces, frames = [], []
    tones = (theme.ACCENT, theme.FAMILIES["transformer"])
    for panel, signals in zip(panels, rows.values(), strict=True):
        for shift, values in enumerate(signals):
            traces.append(
                {
                    "type": "scatter",
                    "x": list(range(len(values) + 1)),
                    "y": [*values, values[-1]],
                    "mode": "lines",
                    "name": "as it is" if shift == 0 else "shifted by one",
                    "showlegend": panel.number == 1,
                    "line": {
                        "shape": "hv",
                        "width": 4,
                        "color": tones[shift].on(dark=dark),
                        "dash": ("solid", "dot")[shift],
                    },
                    **panel.axes,
                }
            )
        first = {"range": [-0.08, 1.12], "title": "Value"}
        down = first if panel.number == 1 else panels[0].same_y
        frames.append((panel, {"title": "Position", "dtick": 1}, down))
    titles = [escape(name) for name in rows]
    margin, legend = {"l": 0, "r": 12, "t": 64, "b": 0}, {**_ABOVE, "y": 1.14}
    return assembled(traces, frames, titles, showlegend=True, margin=margin, legend=legend)


def _upright(text: str) -> dict[str, object]:
    """Title of a vertical axis, clear of the figures beside it in large type too."""
    return {"text": text, "standoff": 18}


def _label(labels: tuple[str, ...], index: int) -> str:
    from explorer.networks.labels import output_name

    return escape(output_name(labels, index))
