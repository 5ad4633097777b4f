"""Whose weights look at the picture: trained ones that lie on this machine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.ui.frame import state
from explorer.ui.frame.page import Page
from explorer.ui.kit import fields
from explorer.ui.kit.formatting import plain
from explorer.ui.picture import choices
from explorer.ui.picture import current as pictures
from explorer.ui.picture.current import Picture

if TYPE_CHECKING:
    from explorer.networks import Reference, WeightsEntry

_WHERE_WEIGHTS_LIE = ("EXPLORER_WEIGHTS", "TORCH_HOME", "HF_HOME")


def picture(slot: DeltaGenerator, otherwise: str = "chelsea") -> Picture:
    """The visitor's picture, shared with the Inference page, or a sample until there is one; `slot` takes the
    menu of sources. Ctrl+V brings another here too. Needs "sample" among the `bound` fields.
    """
    shown = pictures.current(otherwise)
    assert shown is not None
    pictures.menu(slot, shown)
    pictures.paste(st.container(key="paste"), shown)  # unseen: the button is the Inference page's
    return shown


def weights(slot: DeltaGenerator, here: Page, label: str = "Network") -> str:
    """Id of the trained weights chosen among those on this machine: the link's, else the best of the network
    that the visitor chose, else the best there are. Needs "weights" among the `bound` fields.
    """
    from explorer import networks

    reference = here.reference() if state.chosen() else None
    entries = {entry.id: entry for entry in trained_here(reference)}
    chosen = state.one_of(choices.WEIGHTS, entries) or next(iter(entries))
    fields.select(
        slot,
        label,
        choices.WEIGHTS,
        list(entries),
        shown=chosen,
        choose=lambda identifier: st.session_state.update({choices.WEIGHTS: identifier}),
        format_func=lambda identifier: named(entries[identifier]),
        help="Trained weights that lie on this machine; more come through the Inference page.",
    )
    if reference and not fields.get(choices.WEIGHTS) and not networks.fits(entries[chosen], reference):
        slot.caption(f"No weights of {plain(reference.name)} are on this machine, so another is shown.")
    return chosen


def trained_here(reference: Reference | None = None) -> tuple[WeightsEntry, ...]:
    """All trained weights on this machine that need no download, those of `reference` first.

    Looked up anew after half a minute: asking every builder takes longer than the rest of a slider's answer.
    """
    places = tuple(os.environ.get(name, "") for name in _WHERE_WEIGHTS_LIE)
    return _trained_here(str(reference or ""), places, reference)


@st.cache_resource(ttl=30, max_entries=64, show_spinner=False)
def _trained_here(
    name: str, places: tuple[str, ...], _reference: Reference | None
) -> tuple[WeightsEntry, ...]:
    """places: values of _WHERE_WEIGHTS_LIE, which decide what is found."""
    from explorer import networks

    own = networks.weights_of(_reference) if _reference else ()
    found = {entry.id: entry for entry in (*own, *networks.on_this_machine()) if entry.on_this_machine}
    return tuple(found.values())


def named(entry: WeightsEntry) -> str:
    """ "resnet50 · IMAGENET1K_V2"; a label that names the network by itself stands alone."""
    labelled = entry.reference.builder in ("zoo", "local-dir", "folder", "own") or entry.id.startswith("box:")
    if labelled and not entry.untrained:
        return entry.label
    return f"{entry.reference.name} · {entry.label}"


def short(entry: WeightsEntry) -> str:
    """The network of these weights, to be called so in a sentence."""
    return named(entry).partition(" · ")[0]
