"""The block diagram on the Architecture page: controls in a row, the drawing, the panel of the chosen node.

Fragments: opening a box or choosing a node runs the drawing and not the whole page.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.ui.diagram import choices, measured_overlays
from explorer.ui.diagram import component as network_diagram
from explorer.ui.diagram import panel as architecture_panel
from explorer.ui.families import view as block_gallery
from explorer.ui.kit import theme
from explorer.ui.kit.fields import get
from explorer.ui.kit.formatting import plain
from explorer.ui.network import choices as architecture_choices
from explorer.ui.network import sheet, stages
from explorer.ui.picture import weights
from explorer.ui.side_by_side import view as side_by_side
from explorer.ui.volumes import component as diagram

if TYPE_CHECKING:
    from explorer.analysis.numbers.overlays import Overlay
    from explorer.analysis.structure.hierarchy import Hierarchy
    from explorer.ui.diagram.choices import View
    from explorer.ui.diagram.drawing import Drawing, Wanted
    from explorer.ui.network.sheet import Sheet, Subject

_GRAPH, _VOLUMES = "network_diagram", "stage_diagram"
_EXPORTS = "_diagrams_saved"


def show(shown: Sheet, about: Subject, arch: str, *, dark: bool) -> None:
    """One of the drawings. Outside the graph the whole page runs: a stage chosen filters the table."""
    choices.bind(arch, sheet.opening(shown, about))
    theme.apply("architecture/page.css")
    drawing = choices.one_of(choices.DRAWING, choices.DRAWINGS)
    if drawing == "graph":
        _with_controls(shown, about, arch, dark=dark)
        return
    with _row():
        choices.buttons("Drawing", choices.DRAWING, choices.DRAWINGS)
        if drawing == "beside":
            side_by_side.controls(about, arch)
    if drawing == "beside":
        side_by_side.show(shown, about, arch)
    elif drawing == "families":
        block_gallery.show()
    else:
        _volumes(shown, about)


@st.fragment
def _with_controls(shown: Sheet, about: Subject, arch: str, *, dark: bool) -> None:
    choices.bind_controls()
    with _row():
        if choices.buttons("Drawing", choices.DRAWING, choices.DRAWINGS) != "graph":
            st.rerun()
        _controls(shown, about)
    _diagram(shown, about, arch, dark=dark)


def _row() -> DeltaGenerator:
    return st.container(horizontal=True, vertical_alignment="center", gap="small", key="diagram_controls")


@st.fragment
def _diagram(shown: Sheet, about: Subject, arch: str, *, dark: bool) -> None:
    """By itself, because a click has to be answered at once: every widget that is drawn again costs time."""
    choices.bind_drawing()
    view = choices.view(shown.hierarchy)
    node = shown.hierarchy.by_id.get(view.node)
    left, right = st.columns([4, 1], gap="medium")
    panel = right.container(key="diagram_panel")
    with panel:
        if node is not None:
            architecture_panel.text(shown.hierarchy, node)
        else:
            _advice(about)
    with left:
        _graph(shown, about, view)
    if node is not None and about.reference is not None:
        with panel:
            architecture_panel.more(shown.hierarchy, node, about.reference, arch, dark=dark)


def _controls(shown: Sheet, about: Subject) -> None:
    from explorer.analysis.numbers.overlays import OVERLAYS

    choices.buttons("Level", choices.LEVEL, choices.LEVELS, choices.first_level(shown.hierarchy))
    choices.buttons("Direction", choices.FLOW, choices.FLOWS)
    titles = {name: each.title.partition(",")[0].partition(":")[0] for name, each in OVERLAYS.items()}
    titles |= measured_overlays.TITLES
    choices.menu("Overlay", choices.OVERLAY, tuple(titles), titles, "Colour: role")
    first = sheet.first_ideas(shown, about)
    others = [name for name in shown.hierarchy.ideas if first != (name,)]
    if first:
        nothing, options = f"Lit: {' + '.join(first)}", [*others, choices.NO_IDEA]
    else:
        nothing, options = "Lit: nothing", others
    if options:
        choices.menu("Key idea", choices.IDEA, options, {choices.NO_IDEA: "Lit: nothing"}, nothing)
    if get(choices.OVERLAY) in measured_overlays.OF_PICTURE:
        weights.picture(st.container(width=210))


@st.cache_resource(max_entries=256, show_spinner=False)
def _drawing(network: tuple[str, ...], wanted: Wanted, _hierarchy: Hierarchy) -> Drawing:
    from explorer.ui.diagram.drawing import drawing

    return drawing(_hierarchy, wanted)


def _graph(shown: Sheet, about: Subject, view: View) -> None:
    from explorer.ui.diagram import drawing as diagram_drawing

    hierarchy = shown.hierarchy
    wanted = diagram_drawing.Wanted(
        view.open,
        view.inside,
        view.flow,
        get(choices.OVERLAY),
        choices.lit(shown.hierarchy.ideas, sheet.first_ideas(shown, about)),
    )
    measured = _measured(wanted.overlay, shown, about)
    kind = choices.once("export")
    file = None
    if kind in ("svg", "png"):
        saved = st.session_state[_EXPORTS] = st.session_state.get(_EXPORTS, 0) + 1
        text = diagram_drawing.standalone(
            hierarchy, wanted, _heading(hierarchy, view, about), measured=measured
        )
        name = re.sub(r"[^a-z0-9]+", "-", about.title.lower()).strip("-")
        file = network_diagram.File(str(saved), kind, f"{name}-{view.level}", text)
    made = (
        measured_overlays.drawing(shown, wanted, measured)
        if measured
        else _drawing(shown.key, wanted, hierarchy)
    )
    network_diagram.draw(
        made,
        held=network_diagram.held(_GRAPH) == made.digest,
        network=" ".join(shown.key),
        scene=" ".join((*shown.key, view.level, view.inside, view.flow)),
        selected=view.node,
        start=view.centre,
        crumbs=_crumbs(hierarchy, view, about),
        centre=choices.once("centre"),
        index=diagram_drawing.index(hierarchy) if choices.once("index") else None,
        file=file,
        key=_GRAPH,
        on_ask=lambda: _asked(hierarchy),
    )


def _measured(name: str, shown: Sheet, about: Subject) -> Overlay | None:
    """None for what needs no measuring, and after a sentence where this network cannot be run here."""
    if name not in measured_overlays.TITLES or about.reference is None:
        return None
    try:
        return measured_overlays.overlay(name, shown, about.reference)
    except (ValueError, RuntimeError) as refused:
        st.warning(f"Not measured: {plain(str(refused))}", icon=":material/timer_off:")
        return None


def _asked(hierarchy: Hierarchy) -> None:
    asked = network_diagram.asked(_GRAPH)
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


def _advice(about: Subject) -> None:
    """What stands in the panel while no node is chosen."""
    if about.entry is not None:
        st.markdown(f"**What to look for**  \n{plain(about.entry.key)}")
    st.caption(
        "Click a card for its numbers; double-click a box, or its plus, to look inside. "
        "Arrow keys walk, Space opens, Esc goes back, F follows the tensor."
    )


def _volumes(shown: Sheet, about: Subject) -> None:
    """The stages as the papers draw them; a click on one goes to the URL and to the layer table."""
    kinds = stages.kinds_in_use(shown.cards)
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
