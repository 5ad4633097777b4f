"""Tables of the documents as charts: each row as printed, joined to what is counted and published of it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from explorer.analysis.choosing.candidates import Candidate
from explorer.catalogue.printed_tables import PrintedRow, PrintedTable
from explorer.ui.efficiency.figures import ink, shares
from explorer.ui.kit import theme
from explorer.ui.kit.graph_objects import go


def printed(table: PrintedTable, ours: Sequence[Candidate | None], *, dark: bool) -> go.Figure:
    """The rows as printed, each joined to what is counted and published of the network most like it."""
    figure = go.Figure()
    black, accent = ink(dark), theme.ACCENT.on(dark=dark)
    rows = [
        (row, found)
        for row, found in zip(table.rows, ours, strict=True)
        if table.x in row.values and table.y in row.values
    ]
    pairs = [
        (row, [found.values[compared(name)] for name in (table.x, table.y)])
        for row, found in rows
        if found is not None and all(compared(name) in found.values for name in (table.x, table.y))
    ]
    for row, (x, y) in pairs:
        figure.add_scatter(
            x=[row.values[table.x], x], y=[row.values[table.y], y], mode="lines", hoverinfo="skip",
            line={"color": theme.NEUTRAL.on(dark=dark), "width": 1}, showlegend=False,
        )  # fmt: skip
    figure.add_scatter(
        x=[row.values[table.x] for row, _ in rows],
        y=[row.values[table.y] for row, _ in rows],
        text=[escape(row.name) for row, _ in rows],
        mode="markers+text",
        textposition=_beside_each_other(table, [row for row, _ in rows]),
        name="As printed",
        marker={"symbol": "diamond", "size": 12, "color": black},
        hovertemplate="%{text}, as printed<br>%{x:.4s}, %{y:.4g} %<extra></extra>",
    )
    figure.add_scatter(
        x=[x for _, (x, _) in pairs],
        y=[y for _, (_, y) in pairs],
        text=[escape(row.name) for row, _ in pairs],
        mode="markers",
        name="Counted, and published with the weights"
        if table.x != "printed throughput"
        else "timm's tables, RTX 3090",
        marker={"symbol": "circle", "size": 11, "color": accent},
        hovertemplate="%{text}, here<br>%{x:.4s}, %{y:.4g} %<extra></extra>",
    )
    figure.update_xaxes(title=_PRINTED_TITLES[table.x], type="log", tickformat="~s", dtick="D2")
    figure.update_yaxes(title=_PRINTED_TITLES[table.y])
    figure.update_layout(margin={"t": 8}, dragmode="pan")
    return figure


# Where a name can stand beside its mark: the place, and its centre from the mark in widths and heights of it.
_PLACES = {
    "top center": (0, 1.05),
    "bottom center": (0, -1.05),
    "middle right": (0.65, 0),
    "middle left": (-0.65, 0),
}
_LETTER, _LINE, _MARK = 0.0075, 0.06, 0.012  # as shares of the chart's width and height


def _beside_each_other(table: PrintedTable, rows: Sequence[PrintedRow]) -> list[str]:
    """The first place of each name that covers no mark and no earlier name; above where there is none."""
    across = shares(np.array([row.values[table.x] for row in rows]), True)
    up = shares(np.array([row.values[table.y] for row in rows]), False)
    taken = [(float(x), float(y), _MARK) for x, y in zip(across, up, strict=True)]  # centre and width
    chosen = []
    for row, x, y in zip(rows, across, up, strict=True):
        width = _LETTER * len(row.name)
        boxes = {
            name: (x + right * (width + 0.02), y + above * _LINE, width)
            for name, (right, above) in _PLACES.items()
        }
        free = [name for name, box in boxes.items() if not any(_overlap(box, other) for other in taken)]
        chosen.append(free[0] if free else "top center")
        taken.append(boxes[chosen[-1]])
    return chosen


def _overlap(one: tuple[float, float, float], two: tuple[float, float, float]) -> bool:
    return abs(one[0] - two[0]) < (one[2] + two[2]) / 2 and abs(one[1] - two[1]) < _LINE


_PRINTED_TITLES = {
    "params": "Parameters",
    "macs": "MACs per image",
    "top1": "ImageNet top-1 [%]",
    "printed throughput": "Throughput [images/s]",
}


def compared(measure: str) -> str:
    """The measure that a printed one is set against."""
    return "throughput 3090" if measure == "printed throughput" else measure
