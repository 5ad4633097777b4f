"""The efficiency chart as a Streamlit component: described here in values, painted as SVG in the browser.

Not Plotly: its script of 4.7 MB and its two drawings of every dot at its mount took 2.2 s of each visit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from typing import Any

from explorer.ui.efficiency.figures import Axis, Dot, Name, Scatter
from explorer.ui.efficiency.labels import NARROWER, ROOMY
from explorer.ui.kit import components, theme

# Name, icon (of the font Material Symbols) and what it does: what dragging means, and deeds.
_DRAG = (
    ("box", "select", "Drag a box around dots to select them"),
    ("lasso", "lasso_select", "Drag a line around dots to select them"),
    ("pan", "drag_pan", "Drag to move the chart; a double click shows all of it"),
    ("zoom", "search", "Drag a box to enlarge it; a double click shows all of it"),
)
_DO = (
    ("in", "zoom_in", "Larger (Ctrl and the wheel, key +)"),
    ("out", "zoom_out", "Smaller (Ctrl and the wheel, key -)"),
    ("all", "zoom_out_map", "All of it (key 0)"),
    ("png", "image", "Save the chart as PNG, twice its size"),
    ("svg", "draw", "Save the chart as SVG"),
)
_SCRIPTS = ("axes", "drawing", "pointer", "start")  # each needs those before it; together they are one script


def _icons(tools: Sequence[tuple[str, str, str]], attribute: str) -> str:
    shown = [(name, f'<span aria-hidden="true">{icon}</span>', told) for name, icon, told in tools]
    return components.buttons(shown, attribute)


_component = components.declare(
    "efficiency_chart",
    html='<div class="scatter"><ul class="legend"></ul><div class="place">'
    f'<div class="tools">{_icons(_DRAG, "data-drag")}{_icons(_DO, "data-do")}</div>'
    '<div class="tip" role="tooltip" hidden></div></div><p class="said" aria-live="polite"></p></div>',
    css=theme.asset("efficiency/component.css"),
    js="\n".join(
        [theme.asset("kit/saving.js"), *(theme.asset(f"efficiency/browser/{name}.js") for name in _SCRIPTS)]
    ),
)


def draw(made: Scatter, *, key: str, on_dots: Callable[[], None]) -> None:
    """Paint it. Ids of the dots that the visitor clicked or framed, the topmost first, stand in
    `st.session_state[key].dots` when `on_dots` is called.
    """
    _component(
        key=key,
        data={
            "label": _said(made),
            "x": asdict(made.x),
            "y": asdict(made.y),
            # By column: a third of the text that objects would be.
            "dots": {each.name: [getattr(dot, each.name) for dot in made.dots] for each in fields(Dot)},
            "frontier": made.frontier,
            "names": [_name(each) for each in made.names],
            "windows": [plot.window for plot in (ROOMY, *NARROWER)],
            "arrow": asdict(made.arrow) if made.arrow else None,
            "legend": [asdict(each) for each in made.legend],
        },
        on_dots_change=on_dots,
    )


def _name(each: Name) -> dict[str, Any]:
    label = each.label
    return {
        "x": each.x,
        "y": each.y,
        "text": label.text,
        "right": label.right,
        "up": label.up,
        "size": label.size,
        "far": label.far,
        "story": each.of_story,
        "hidden": [plot.window for plot in label.hidden],
    }


def _said(made: Scatter) -> str:
    """The chart in words, for who does not see it."""
    unbeaten = sum(dot.rimmed for dot in made.dots)
    story = ", ".join(each.label.text for each in made.names if each.of_story)
    return (
        f"{len(made.dots):,} sets of weights: {_axis(made.x)} across, {_axis(made.y)} up. "
        f"{unbeaten:,} are on the Pareto frontier.{f' Named are {story}.' if story else ''} "
        "Arrow keys go from dot to dot, Enter selects."
    )


def _axis(axis: Axis) -> str:
    return f"{axis.title}{', logarithmic,' if axis.log else ''}"
