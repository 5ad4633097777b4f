"""What a link says of the block diagram: level, open boxes, the box one is in, direction, overlay, node.

All of it stands in the URL through fields that are not shown, as `network.choices` does it for the
stage. A link that says nothing of level and boxes opens with the network's `Opening`: the stages, and its key
idea unfolded. `open` names only the boxes that differ from what the level opens, so that links stay short.
What a network does not know (a link for another one, a mistyped id) is said and left out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from explorer.ui.frame import state
from explorer.ui.kit import fields
from explorer.ui.picture.choices import SAMPLE

if TYPE_CHECKING:
    from explorer.analysis.structure.hierarchy import Hierarchy, Node
    from explorer.analysis.structure.opening import Opening

DRAWING, LEVEL, OPEN, INSIDE, FLOW = "drawing", "level", "open", "inside", "flow"
OVERLAY, IDEA, NODE = "overlay", "idea", "node"
# Value in the URL -> name of the button. The default stays out of the URL: the first, or `usual_level`.
DRAWINGS: Mapping[str, str] = {
    "graph": "Graph",
    "volumes": "Volumes",
    "beside": "Side by side",
    "families": "Families",
}
LEVELS: Mapping[str, str] = {"stage": "Stages", "block": "Blocks", "op": "Operations"}
FLOWS: Mapping[str, str] = {  # `drawing.FLOWS`
    "rows": ":material/wrap_text:",
    "right": ":material/arrow_forward:",
    "down": ":material/arrow_downward:",
}
MOST_VISIBLE = 60  # nodes; beyond it one goes into a box instead of opening it in place
# What the page chooses, what the controls do, and what is chosen in the drawing: each part runs by itself.
_BY_PAGE = {DRAWING: "Drawing"}
_BY_CONTROLS = {
    FLOW: "Direction",
    OVERLAY: "Overlay",
    IDEA: "Key idea",
    SAMPLE: "Sample picture",
}
# The level is among them, because the first deed in the drawing settles it.
_IN_THE_DRAWING = {LEVEL: "Level", OPEN: "Open boxes", INSIDE: "Inside of", NODE: "Node"}
_OF_ONE_NETWORK = (OPEN, INSIDE, IDEA, NODE)
_SHOWN_ARCH = "_diagram_arch"
_ONCE = "_diagram_once"
_OPENING = "_diagram_opening"
NO_IDEA = "none"  # where an idea is lit as the drawing opens, and the visitor wants none


def bind(arch: str, opening: Opening) -> None:
    """Tie the kind of drawing to the URL; what was chosen in another network is forgotten, looks are not.

    opening: what the drawing unfolds where the link does not say.
    """
    st.session_state[_OPENING] = opening
    if st.session_state.get(_SHOWN_ARCH, arch) != arch:
        st.session_state.update(dict.fromkeys(_OF_ONE_NETWORK, ""))
    st.session_state[_SHOWN_ARCH] = arch
    fields.bind_fields("drawing", _BY_PAGE)


def bind_controls() -> None:
    fields.bind_fields("controls", _BY_CONTROLS)


def bind_drawing() -> None:
    """Tie what is chosen in the drawing to the URL."""
    fields.bind_fields("diagram", _IN_THE_DRAWING)


def one_of(name: str, known: Mapping[str, Any], default: str = "") -> str:
    """The choice; the default (else the first known) where the link says nothing or nonsense."""
    return state.one_of(name, known) or default or next(iter(known))


def usual_level(hierarchy: Hierarchy) -> str:
    """Block by block, as the papers draw it; stage by stage where that is more than a screenful."""
    inside = [len(child.children) if child.kind == "stage" else 1 for child in hierarchy.root.children]
    return "block" if sum(inside) <= MOST_VISIBLE else "stage"


@dataclass(frozen=True)
class View:
    """What is looked at: open boxes, the box one is inside of, direction, the chosen node ("" for none).

    centre: id of the box to begin with, "" for the first; other than that only as the page opens."""

    level: str
    open: frozenset[str]
    inside: str
    flow: str
    node: str
    centre: str = ""


def view(hierarchy: Hierarchy) -> View:
    """The link's view of this network."""
    known = hierarchy.by_id
    if first := _opening():
        node = state.one_of(NODE, known)
        opened = (first.open | frozenset(hierarchy.ancestors(node)[1:])) & known.keys()
        return View("stage", frozenset(opened), hierarchy.root.id, one_of(FLOW, FLOWS), node, first.centre)
    level = one_of(LEVEL, LEVELS, first_level(hierarchy))
    asked = fields.get(OPEN).split()
    if unknown := [each for each in asked if each not in known]:
        state.not_understood(OPEN, " ".join(unknown))
    inside = known.get(state.one_of(INSIDE, known))
    return View(
        level=level,
        open=_base(hierarchy, level) ^ frozenset(each for each in asked if _box(hierarchy, each)),
        inside=inside.id if inside is not None and inside.children else hierarchy.root.id,
        flow=one_of(FLOW, FLOWS),
        node=state.one_of(NODE, known),
    )


def first_level(hierarchy: Hierarchy) -> str:
    """The level where the link names none. Links that name boxes alone mean the usual one."""
    opening: Opening | None = st.session_state.get(_OPENING)
    named_boxes = fields.get(OPEN) or fields.get(INSIDE)
    if opening is not None and opening.open and (fields.get(LEVEL) or not named_boxes):
        return "stage"
    return usual_level(hierarchy)


def _opening() -> Opening | None:
    """What the page opens with; None once the link or the visitor has said what to open."""
    opening: Opening | None = st.session_state.get(_OPENING)
    if opening is None or not opening.open or any(fields.get(name) for name in (LEVEL, OPEN, INSIDE)):
        return None
    return opening


def lit(ideas: Collection[str], first: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the ideas to point out. first: those of the network that the page opens with."""
    asked = state.one_of(IDEA, (*ideas, NO_IDEA))
    return first if not asked else () if asked == NO_IDEA else (asked,)


def act(hierarchy: Hierarchy, what: str, identifier: str) -> None:
    """What the visitor did to the drawing; from a callback only. Unknown ids and deeds are ignored."""
    deed = _DEEDS.get(what)
    if deed is not None and (identifier in hierarchy.by_id or what in _WITHOUT_NODE or not identifier):
        deed(hierarchy, identifier)


def once(name: str) -> str:
    """A wish that holds for one run: "centre" a node, the "index" of the search, an "export"."""
    return st.session_state.get(_ONCE, {}).pop(name, "")


def _wish(name: str, value: str) -> None:
    st.session_state.setdefault(_ONCE, {})[name] = value


def _select(hierarchy: Hierarchy, identifier: str) -> None:
    st.session_state[NODE] = identifier


def _open(hierarchy: Hierarchy, identifier: str) -> None:
    """In place where the screen has room, else by going inside; everything is wanted at operation level."""
    from explorer.analysis.diagram.cut import cut

    now = view(hierarchy)
    if not _box(hierarchy, identifier):
        return
    wanted = now.open | {identifier}
    if now.level != "op" and len(cut(hierarchy, wanted, now.inside).nodes) > MOST_VISIBLE:
        st.session_state[INSIDE] = identifier
    else:
        _keep_open(hierarchy, now, wanted)


def _close(hierarchy: Hierarchy, identifier: str) -> None:
    """What was opened inside it closes with it."""
    now = view(hierarchy)
    inside = {each.id for each in hierarchy.by_id[identifier].walk()} if identifier else set()
    _keep_open(hierarchy, now, now.open - (inside - _base(hierarchy, now.level)) - {identifier})


def _go_inside(hierarchy: Hierarchy, identifier: str) -> None:
    st.session_state[INSIDE] = "" if identifier == hierarchy.root.id else identifier


def _up(hierarchy: Hierarchy, _: str) -> None:
    around = hierarchy.ancestors(view(hierarchy).inside)
    if around:
        _go_inside(hierarchy, around[-1])


def _reveal(hierarchy: Hierarchy, identifier: str) -> None:
    """Open what is around a node; where that is too much at once, go into the box it lies in."""
    from explorer.analysis.diagram.cut import cut, opened

    now = view(hierarchy)
    around = hierarchy.ancestors(identifier)
    inside = now.inside if now.inside in around else hierarchy.root.id
    wanted = now.open | opened(hierarchy, identifier)
    if now.level != "op" and len(cut(hierarchy, wanted, inside).nodes) > MOST_VISIBLE:
        inside, wanted = around[-1], now.open
    _go_inside(hierarchy, inside)
    _keep_open(hierarchy, now, wanted)
    st.session_state[NODE] = identifier
    _wish("centre", identifier)


def _keep_open(hierarchy: Hierarchy, now: View, wanted: frozenset[str]) -> None:
    order = {identifier: number for number, identifier in enumerate(hierarchy.by_id)}
    if now.centre:  # from here on the link says what is open
        st.session_state[LEVEL] = now.level
    differing = _base(hierarchy, now.level) ^ wanted
    st.session_state[OPEN] = " ".join(sorted(differing, key=lambda each: order[each]))


_DEEDS: Mapping[str, Callable[[Any, str], None]] = {
    "select": _select,
    "open": _open,
    "close": _close,
    "focus": _go_inside,
    "up": _up,
    "reveal": _reveal,
    "again": lambda _, __: None,  # the browser lost the drawing; any run sends it
    "index": lambda _, __: _wish("index", "yes"),
    "export": lambda _, kind: _wish("export", kind),
}
_WITHOUT_NODE = ("up", "again", "index", "export")


def _base(hierarchy: Hierarchy, level: str) -> frozenset[str]:
    from explorer.analysis.diagram.cut import at_level

    return at_level(hierarchy, level)


def _box(hierarchy: Hierarchy, identifier: str) -> bool:
    node: Node | None = hierarchy.by_id.get(identifier)
    return node is not None and bool(node.children) and node is not hierarchy.root


def choose(name: str, value: str, default: str) -> None:
    """From a callback only. Another level starts afresh: its own boxes, and the whole network."""
    st.session_state[name] = "" if value == default else value
    if name == LEVEL:
        st.session_state.update({OPEN: "", INSIDE: ""})


def buttons(label: str, name: str, known: Mapping[str, str], default: str = "") -> str:
    """A row of buttons for a bound field; the value chosen."""
    box, default = f"{name}_buttons", default or next(iter(known))
    st.session_state[box] = one_of(name, known, default)
    st.segmented_control(
        label,
        list(known),
        key=box,
        required=True,
        format_func=lambda value: known[value],
        label_visibility="collapsed",
        on_change=lambda: choose(name, st.session_state[box], default),
    )
    return one_of(name, known, default)


def menu(label: str, name: str, options: Sequence[str], titles: Mapping[str, str], nothing: str) -> None:
    """A menu for a bound field whose first entry is `nothing`."""
    box = f"{name}_menu"
    st.session_state[box] = state.one_of(name, options)
    st.selectbox(
        label,
        ["", *options],
        key=box,
        format_func=lambda value: titles.get(value, value) if value else nothing,
        label_visibility="collapsed",
        on_change=lambda: choose(name, st.session_state[box] or "", ""),
        width=210,
    )
