"""Below the drawing on the Architecture page: layers, published results, weights, memory, story.

A fragment: choosing a tab or a filter runs this part and not the whole page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from explorer.ui.architecture import memory as memory_panel
from explorer.ui.architecture import weights as weights_panel
from explorer.ui.frame import first_picture
from explorer.ui.network import choices, layer_table, notes

if TYPE_CHECKING:
    from explorer.ui.network.sheet import Sheet, Subject

_HEIGHT = 480  # pixels of the table of layers with its filters


@st.fragment
def show(sheet: Sheet, subject: Subject, arch: str, *, dark: bool) -> None:
    assert subject.reference is not None
    layers, results, weights, memory, story = st.tabs(
        ["Layers", "Published results", "Weights", "Memory", "Story"], key=choices.TAB, bind="query-params"
    )
    # Only what is open: a hidden tab costs the server and the browser as much as one that is seen.
    if layers.open:
        with layers:
            if first_picture.stands():
                layer_table.show(sheet.layers, sheet.stages, f"{subject.reference.title}-layers.csv")
            else:
                first_picture.wait(_HEIGHT)
    if results.open:
        with results:
            notes.results(subject.entry, of_another_size=not subject.own_facts)
    if weights.open:
        with weights:
            weights_panel.show(subject.reference, arch)
    if memory.open:
        with memory:
            memory_panel.show(sheet.trace, dark=dark)
    if story.open:
        with story:
            notes.story(subject.entry)
