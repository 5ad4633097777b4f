"""What a link to the Architecture page carries beyond the architecture: image size, stage, table filter, tab.

The stage stands in the URL through a field that is not shown, because two controls choose it: a click on the
diagram and the list above the layer table.
"""

from __future__ import annotations

import streamlit as st

from explorer.ui.frame.state import SIZE
from explorer.ui.kit import fields

STAGE, FIND, KIND, TAB = "stage", "find", "kind", "view"
ALL_KINDS = "All kinds"
LARGEST = 2048  # pixels; beyond it the numbers only grow
_SHOWN_ARCH = "_architecture_arch"


def bind(arch: str) -> None:
    """Tie the hidden choice to the URL. What was chosen for another architecture is forgotten."""
    if st.session_state.get(_SHOWN_ARCH, arch) != arch:
        st.session_state.update({STAGE: "", FIND: "", KIND: ALL_KINDS, SIZE: None})
    st.session_state[_SHOWN_ARCH] = arch
    fields.bind_fields("architecture", {STAGE: "Stage"})


def stage() -> str:
    """Id of the chosen stage; "" for the whole network."""
    return st.session_state.get(STAGE) or ""


def choose_stage(identifier: str) -> None:
    """From a callback only. Choosing the chosen stage again goes back to the whole network."""
    st.session_state[STAGE] = "" if identifier == stage() else identifier


def forget_size() -> None:
    """Back to the network's own image size; from a callback only."""
    st.session_state[SIZE] = None


def chosen_size() -> int | None:
    """What stands in the visible field of a page that has one; None while it is empty."""
    held = st.session_state.get(SIZE)
    return None if held is None else round(held)


def image_size(own: int | None) -> int | None:
    """The size chosen in the visible field; None while it is the network's own, `own` pixels."""
    chosen = fields.number_field(
        st,
        "Image size",
        SIZE,
        least=1,
        most=LARGEST,
        step=32,
        placeholder=f"Image: {own} px" if own else "Image: its own",
        label_visibility="collapsed",
        icon=":material/straighten:",
    )
    return None if chosen == own else chosen
