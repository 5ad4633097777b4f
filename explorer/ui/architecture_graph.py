"""The block diagram on the Architecture page: controls in a row, the drawing, the panel of the chosen node.

A fragment: opening a box or choosing a node runs this and not the whole page.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import streamlit as st

from explorer.ui import architecture_choices, architecture_panel, diagram, network_diagram, stage_cards, theme
from explorer.ui import diagram_choices as choices
from explorer.ui.formatting import plain

if TYPE_CHECKING:
    from explorer.analysis.hierarchy import Hierarchy
    from explorer.ui.architecture_view import Sheet, Subject
    from explorer.ui.diagram_choices import View
    from explorer.ui.diagram_drawing import Drawing, Wanted

_GRAPH, _VOLUMES = "network_diagram", "stage_diagram"
_WHOLE_PAGE = "_whole_page"
_EXPORTS = "_diagrams_saved"


@st.fragment
def show(shown: Sheet, about: Subject, arch: str, *, dark: bool) -> None:
    """Graph or volumes. A stage chosen on the volumes filters the layer table, so the page runs again."""
    if st.session_state.pop(_WHOLE_PAGE, False):
        st.rerun()
    choices.bind(arch)
    theme.apply("architecture.css")
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="diagram_controls"):
        drawing = choices.buttons("Drawing", choices.DRAWING, choices.DRAWINGS)
        graph = drawing == "graph"
        wanted = _controls(shown.hierarchy) if graph else None
    if wanted is None:
        _volumes(shown, about)
        return
    left, right = st.columns([3.1, 1], gap="medium")
    with left:
        _graph(shown, about, wanted)
    with right, st.container(key="diagram_panel"):
        _panel(shown, about, arch, dark=dark)


def _controls(hierarchy: Hierarchy) -> Wanted:
    from explorer.analysis.key_ideas import key_ideas
    from explorer.analysis.overlays import OVERLAYS
    from explorer.ui.diagram_drawing import Wanted

    choices.buttons("Level", choices.LEVEL, choices.LEVELS)
    choices.buttons("Direction", choices.FLOW, choices.FLOWS)
    titles = {name: each.title.partition(",")[0].partition(":")[0] for name, each in OVERLAYS.items()}
    overlay = choices.menu("Overlay", choices.OVERLAY, tuple(OVERLAYS), titles, "Colour: role")
    ideas = tuple(key_ideas(hierarchy))
    idea = choices.menu("Key idea", choices.IDEA, ideas, {}, "Key idea: none") if ideas else ""
    view = choices.view(hierarchy)
    return Wanted(view.open, view.inside, view.flow, overlay, idea)


@st.cache_resource(max_entries=256, show_spinner=False)
def _drawing(network: tuple[str, ...], wanted: Wanted, _hierarchy: Hierarchy) -> Drawing:
    from explorer.ui.diagram_drawing import drawing

    return drawing(_hierarchy, wanted)


def _graph(shown: Sheet, about: Subject, wanted: Wanted) -> None:
    from explorer.ui import diagram_drawing

    hierarchy = shown.hierarchy
    view = choices.view(hierarchy)
    kind = choices.once("export")
    file = None
    if kind in ("svg", "png"):
        saved = st.session_state[_EXPORTS] = st.session_state.get(_EXPORTS, 0) + 1
        text = diagram_drawing.standalone(hierarchy, wanted, _heading(hierarchy, view, about))
        name = re.sub(r"[^a-z0-9]+", "-", about.title.lower()).strip("-")
        file = network_diagram.File(str(saved), kind, f"{name}-{view.level}", text)
    network_diagram.draw(
        _drawing(shown.key, wanted, hierarchy),
        network=" ".join(shown.key),
        scene=" ".join((*shown.key, view.level, view.inside, view.flow)),
        selected=view.node,
        crumbs=_crumbs(hierarchy, view, about),
        centre=choices.once("centre"),
        index=diagram_drawing.index(hierarchy) if choices.once("index") else None,
        file=file,
        key=_GRAPH,
        on_ask=lambda: _asked(hierarchy),
    )


def _asked(hierarchy: Hierarchy) -> None:
    asked = st.session_state[_GRAPH].ask
    choices.act(hierarchy, str(asked.get("what", "")), str(asked.get("id", "")))


def _crumbs(hierarchy: Hierarchy, view: View, about: Subject) -> list[tuple[str, str]]:
    """From the whole network to the box one is inside of."""
    way = [*hierarchy.ancestors(view.inside), view.inside]
    return [
        (each, about.title.partition(" · ")[0] if each == hierarchy.root.id else hierarchy.by_id[each].label)
        for each in way
    ]


def _heading(hierarchy: Hierarchy, view: View, about: Subject) -> str:
    return " › ".join(label for _, label in _crumbs(hierarchy, view, about))


def _panel(shown: Sheet, about: Subject, arch: str, *, dark: bool) -> None:
    assert about.reference is not None
    node = shown.hierarchy.by_id.get(choices.view(shown.hierarchy).node)
    if node is not None and node is not shown.hierarchy.root:
        architecture_panel.show(shown.hierarchy, node, about.reference, arch, dark=dark)
        return
    if about.entry is not None:
        st.markdown(f"**What to look for**  \n{plain(about.entry.key)}")
    st.caption(
        "Click a card for its numbers; double-click a box, or its plus, to look inside. "
        "Arrow keys walk, Space opens, Esc goes back, F follows the tensor."
    )


def _volumes(shown: Sheet, about: Subject) -> None:
    """The stages as the papers draw them; a click on one goes to the URL and to the layer table."""
    kinds = stage_cards.kinds_in_use(shown.cards)
    chosen = architecture_choices.stage()
    diagram.draw(
        shown.cards,
        label=f"{about.title}, stage by stage",
        selected=chosen if chosen in shown.stages else None,
        colours={kind: f"light-dark({colour.light}, {colour.dark})" for kind, colour in theme.ROLES.items()},
        legend=[(kind, theme.ROLE_NAMES[kind]) for kind in kinds],
        notes=["Solids: height follows resolution, length follows channels, by square roots"],
        key=_VOLUMES,
        on_choice=_stage_clicked,
    )
    if about.entry is not None:
        st.markdown(f"**What to look for**  {plain(about.entry.key)}")


def _stage_clicked() -> None:
    architecture_choices.choose_stage(st.session_state[_VOLUMES].stage)
    st.session_state[_WHOLE_PAGE] = True
