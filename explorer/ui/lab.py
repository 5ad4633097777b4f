"""What every lab page has: controls in the link, the way back to the start, what to look for, the code."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.ui import inference_choices as choices
from explorer.ui import inference_picture as pictures
from explorer.ui import state, theme
from explorer.ui.formatting import plain
from explorer.ui.inference_picture import Picture
from explorer.ui.page import Page

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from explorer.networks import Reference, WeightsEntry

_WHERE_WEIGHTS_LIE = ("EXPLORER_WEIGHTS", "TORCH_HOME", "HF_HOME")
_ONLY_HOVER = {"displayModeBar": False, "scrollZoom": False}


def reset(start: Mapping[str, Any]) -> None:
    """A button that puts the controls back. start: of a hidden field that is tied to the URL "", or it would
    stand in the URL of every view.
    """
    st.button(
        "Reset",
        icon=":material/restart_alt:",
        key="lab_reset",
        on_click=lambda: st.session_state.update(start),
        help="All controls of this page back to the start.",
    )


def picture(slot: DeltaGenerator, otherwise: str = "chelsea") -> Picture:
    """The visitor's picture, shared with the Inference page, or a sample until there is one; `slot` takes the
    menu of sources. Needs "sample" among the `bound` fields.
    """
    shown = pictures.current(otherwise)
    assert shown is not None
    pictures.menu(slot, shown)
    return shown


def weights(slot: DeltaGenerator, here: Page, label: str = "Network") -> str:
    """Id of the trained weights chosen among those on this machine: the link's, else the best of the network
    that the visitor chose, else the best there are. Needs "weights" among the `bound` fields.
    """
    from explorer import networks

    reference = here.reference() if state.chosen() else None
    entries = {entry.id: entry for entry in trained_here(reference)}
    chosen = choices.one_of(choices.WEIGHTS, entries) or next(iter(entries))
    choices.select(
        slot,
        label,
        choices.WEIGHTS,
        list(entries),
        shown=chosen,
        choose=lambda identifier: st.session_state.update({choices.WEIGHTS: identifier}),
        format_func=lambda identifier: named(entries[identifier]),
        help="Trained weights that lie on this machine; more come through the Inference page.",
    )
    if reference and not choices.get(choices.WEIGHTS) and not networks.fits(entries[chosen], reference):
        slot.caption(f"No weights of {plain(reference.name)} are on this machine, so another is shown.")
    return chosen


def trained_here(reference: Reference | None = None) -> tuple[WeightsEntry, ...]:
    """All trained weights on this machine that need no download, those of `reference` first.

    Looked up anew after half a minute: asking every builder takes longer than the rest of a slider's answer.
    """
    places = tuple(os.environ.get(name, "") for name in _WHERE_WEIGHTS_LIE)
    return _trained_here(str(reference) if reference else "", places)


@st.cache_resource(ttl=30, max_entries=64, show_spinner=False)
def _trained_here(reference: str, places: tuple[str, ...]) -> tuple[WeightsEntry, ...]:
    """places: values of _WHERE_WEIGHTS_LIE, which decide what is found."""
    from explorer import networks

    own = networks.weights_of(reference) if reference else ()
    found = {entry.id: entry for entry in (*own, *networks.on_this_machine()) if entry.on_this_machine}
    return tuple(found.values())


def named(entry: WeightsEntry) -> str:
    """ "resnet50 · IMAGENET1K_V2"; a label that names the network by itself stands alone."""
    if entry.reference.builder in ("zoo", "local-dir", "folder") or entry.id.startswith("box:"):
        return entry.label
    return f"{entry.reference.name} · {entry.label}"


def short(entry: WeightsEntry) -> str:
    """The network of these weights, to be called so in a sentence."""
    return named(entry).partition(" · ")[0]


def bound(*names: str) -> None:
    """Tie fields that are not shown to the URL: "sample", "weights", and any of the page's own."""
    choices.bind_fields({name: name.capitalize() for name in names})


def look_for(sentences: str) -> None:
    """Two sentences under the figure; Markdown."""
    st.markdown(f":material/visibility: **What to look for.** {sentences}")


@st.fragment
def code(*functions: Callable[..., Any]) -> None:
    """The code that made the numbers above, folded away: the very functions, not a copy of them.

    Shown once it is opened: the highlighter weighs 1.5 MB, which the first drawing need not wait for.
    """
    folded = st.expander(
        "The formula as code",
        key=f"code_{functions[0].__name__}",
        icon=":material/code:",
        on_change="rerun",
    )
    if folded.open:
        for function in functions:
            folded.code(inspect.getsource(function), language="python")


def figure(made: Figure, here: Page, key: str, height: int | None = None, **options: Any) -> None:
    """A Plotly figure in the app's colours, as wide as its place.

    On a phone its panels stand one below the other.
    height: pixels in a window 720 high; in a higher one, as on a projector, it grows with the window.
    options: of `st.plotly_chart`; without a `config` the figure answers to hovering alone.
    """
    from explorer.ui.facets import stacked

    if not here.window.known:
        st.skeleton(height=height)
        return
    if here.window.phone and height:
        made, height = stacked(made, height)
    made = theme.style(made, dark=here.dark, rem=here.window.rem)
    options = {"config": _ONLY_HOVER} | options
    if not height:
        st.plotly_chart(made, key=key, theme=None, width="stretch", **options)
        return
    made.update_layout(height=height)
    with theme.growing(f"{key}_place", height):
        st.plotly_chart(made, key=key, theme=None, width="stretch", height="stretch", **options)
