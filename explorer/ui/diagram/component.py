"""The block diagram as a Streamlit component: laid out and painted in Python, handled in the browser.

What the browser sends is one trigger, `ask`: {"what": a deed of `choices.act`, "id": a node, "held":
the digest of the drawing it has}. A drawing may be a megabyte: it is not sent again to a browser that has it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from explorer.ui.diagram.svg import variables
from explorer.ui.kit import components, theme

if TYPE_CHECKING:
    from explorer.ui.diagram.drawing import Drawing

_BUTTONS = (
    ("follow", "Follow", "Follow the tensor through the chosen node (key f)"),
    ("svg", "SVG", "Save the drawing as SVG"),
    ("png", "PNG", "Save the drawing as PNG, twice its size"),
)
_ZOOM = (
    ("out", "−", "Smaller"),
    ("in", "+", "Larger"),
    ("whole", "Fit", "Fit all of it"),
    ("start", "1:1", "1:1, readable"),
    ("full", "Full", "Full screen, for a projector; Esc leaves it"),
)

_FIND = theme.Colour("#D9480F", "#FF9F5A")  # what the search found: no role and no family has this colour


# A class needs those before it; together they are one script.
_SCRIPTS = ("drawing", "camera", "pointer", "minimap", "search", "flow", "view", "start")

_component = components.declare(
    "network_diagram",
    html='<div class="network"><div class="bar"><nav class="crumbs" aria-label="Where you are"></nav>'
    '<div class="find"><input type="search" placeholder="Find: text, kind, /regex/" '
    'aria-label="Find a layer by text, kind or regular expression">'
    '<span class="hits" aria-live="polite"></span></div>'
    f'<div class="tools">{components.buttons(_ZOOM)}</div>'
    f'<div class="tools">{components.buttons(_BUTTONS)}</div></div>'
    '<div class="canvas"><div class="trail" aria-live="polite"></div>'
    '<div class="hint">Click the drawing, then scroll to zoom</div>'
    '<aside class="facts" aria-label="Chosen node" hidden></aside></div><ul class="legend"></ul>'
    '<div class="tip" role="tooltip" hidden></div></div>',
    css=theme.asset("diagram/svg.css") + theme.asset("diagram/component.css"),
    js="\n".join(
        [theme.asset("kit/saving.js"), *(theme.asset(f"diagram/browser/{name}.js") for name in _SCRIPTS)]
    ),
)


@dataclass(frozen=True)
class File:
    """For the visitor to save; `token` tells one wish from the next."""

    token: str
    kind: str
    name: str
    svg: str


def asked(key: str) -> Mapping[str, Any]:
    """What the visitor did that led to this run; empty in a run for another reason."""
    return (st.session_state.get(key) or {}).get("ask") or {}


def held(key: str) -> str:
    """Digest of the drawing in the visitor's browser, where this run knows."""
    return str(asked(key).get("held") or "")


def draw(
    drawing: Drawing,
    *,
    held: bool = False,
    network: str,
    scene: str,
    selected: str,
    start: str = "",
    crumbs: Sequence[tuple[str, str]],
    centre: str = "",
    index: Sequence[tuple[str, str, str]] | None = None,
    file: File | None = None,
    notes: Sequence[str] = (),
    key: str,
    on_ask: Callable[[], None],
) -> None:
    """Show a drawing; a deed of the visitor's stands in `st.session_state[key].ask` when `on_ask` is called.

    start: id of the box that the reader's eye should fall on first, "" for the first of all. held: the
    browser has this drawing already. network, scene: while they stay the same the browser keeps its search
    index, its pan and zoom. index: every node as (id, id of the box around it, its words), once the search
    wants it.
    """
    from explorer.analysis.diagram.boxes import SMALLEST  # torch: the shell comes up without it

    _component(
        key=key,
        data={
            "digest": drawing.digest,
            "drawing": None if held else _drawing(drawing),
            "legend": [list(each) for each in drawing.legend],
            "scale": vars(drawing.scale) if drawing.scale else None,
            "network": network,
            "scene": scene,
            "selected": selected,
            "start": start,
            "word": SMALLEST,
            "crumbs": [list(each) for each in crumbs],
            "centre": centre,
            "index": [list(each) for each in index] if index is not None else None,
            "file": vars(file) if file else None,
            "notes": list(notes),
            "colours": {**variables(None), "find": f"light-dark({_FIND.light}, {_FIND.dark})"},
        },
        on_ask_change=on_ask,
    )


def _drawing(drawing: Drawing) -> dict[str, Any]:
    return {
        "svg": drawing.svg,
        "width": drawing.width,
        "height": drawing.height,
        "tips": drawing.tips,
        "around": drawing.around,
    }
