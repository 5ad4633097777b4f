"""Which network the Architecture page is about, and its trace, with a place kept while it is made."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import streamlit as st

from explorer import catalogue
from explorer.ui import architecture_choices as choices
from explorer.ui import stage_cards
from explorer.ui.formatting import plain
from explorer.ui.page import Page

if TYPE_CHECKING:
    import pandas as pd

    from explorer.analysis import Stats, Trace
    from explorer.analysis.hierarchy import Hierarchy
    from explorer.networks import Reference
    from explorer.ui.diagram_layout import Card

_SEEN = "_traced_in_this_visit"
_SHEET_HEIGHT = 620  # pixels kept for headline, diagram and charts while the network is traced


@dataclass(frozen=True)
class Subject:
    """The network on the page: without reference an idea from before networks, without entry any name."""

    reference: Reference | None
    entry: catalogue.Architecture | None
    title: str
    sentence: str

    @property
    def own_facts(self) -> bool:
        """Whether the entry's published results are of this very network, not of another size of it."""
        return self.entry is not None and str(self.reference) in self.entry.builders


def subject(here: Page) -> Subject:
    """What the URL means: a catalogued idea, one of its builds, or any network a builder knows."""
    entry = catalogue.architectures().get(here.arch)
    if entry is not None and not entry.builders:
        return Subject(None, entry, f"{entry.name} · {entry.year}", entry.idea)
    reference = here.reference()
    if entry is None and reference.architecture:
        entry = catalogue.get(reference.architecture)
    if entry is None:
        return Subject(
            reference, None, reference.title, "Not in the catalogue: its numbers come from its own trace."
        )
    names = {str(build): name for name, build in entry.variants.items()}
    name = entry.name if str(reference) in entry.builders else names.get(str(reference), reference.title)
    return Subject(reference, entry, f"{name} · {entry.year}", entry.idea)


def provenance(about: Subject) -> None:
    """One line of small print: family, who builds it and why, the paper."""
    parts = []
    if about.entry is not None:
        parts.append(f"**{plain(catalogue.FAMILIES[about.entry.family].name)}**")
        parts.append(f"[{plain(about.entry.paper.label)}]({about.entry.paper.url})")
    if about.reference is not None:
        reason = f" ({plain(about.reference.reason)})" if about.reference.reason else ""
        parts.append(f"built as `{about.reference.shown.replace('`', '')}`{reason}")
    st.caption(" · ".join(parts))


@dataclass(frozen=True)
class Sheet:
    """All that the page shows of one network at one size, off one trace. Visitors share it: read only."""

    key: tuple[str, ...]  # reference, size, fingerprint: the same for equal sheets
    trace: Trace
    stats: Stats
    index: stage_cards.StageIndex
    cards: tuple[Card, ...]
    layers: pd.DataFrame

    @property
    def stages(self) -> tuple[str, ...]:
        return tuple(stage.name for stage in self.stats.stages)

    @cached_property
    def hierarchy(self) -> Hierarchy:
        from explorer.analysis import receptive_fields
        from explorer.analysis.hierarchy import hierarchy

        return hierarchy(self.trace, receptive_fields(self.trace))

    @cached_property
    def ideas(self) -> tuple[str, ...]:
        """Names of the key ideas that can be pointed out in its diagram."""
        from explorer.analysis.key_ideas import key_ideas

        return tuple(key_ideas(self.hierarchy))


@st.cache_resource(max_entries=48, show_spinner=False)
def _sheet(reference: str, image_size: int | None, fingerprint: str) -> Sheet:
    from explorer import analysis
    from explorer.analysis.tracing import deployed_form
    from explorer.ui import layer_table

    trace = analysis.trace(reference, image_size)
    stats = analysis.stats_of(trace, deployed_form(trace, reference, image_size))
    index = stage_cards.index(trace, stats)
    return Sheet(
        (reference, str(image_size or ""), fingerprint),
        trace,
        stats,
        index,
        stage_cards.cards(trace, stats),
        layer_table.rows(stats, trace.modules, index),
    )


def sheet(reference: Reference, image_size: int | None) -> Sheet:
    """The network's sheet; the first visitor waits for the trace. Raises ValueError with a sentence."""
    from explorer.analysis.trace_cache import fingerprint  # torch: the shell comes up without it

    # What the name stands for can change under it (a folder's config), so it is part of the key.
    return _sheet(str(reference), image_size, fingerprint(reference))


def wait_for_imports() -> None:
    """Until torch and the builders are loaded: seconds for the first visitor of a fresh server, then none."""
    from explorer.serving import warmup

    thread = warmup.start()
    if not thread.is_alive():
        return
    place = st.empty()
    with place.container(), st.spinner("Starting PyTorch, once per server …"):
        st.skeleton(height=_SHEET_HEIGHT)
        thread.join()
    place.empty()


def own_size(reference: Reference) -> int | None:
    """Side in pixels of the input the network was designed for; None where it cannot be looked at."""
    from explorer import networks

    try:
        return networks.input_spec(reference).image_size
    except ValueError:
        return None


def load(about: Subject, image_size: int | None) -> Sheet | None:
    """The sheet, its place kept meanwhile; a refusal becomes a sentence, and the own size stands in."""
    assert about.reference is not None
    try:
        return waited_for(about.title, about.reference, image_size)
    except ValueError as refused:
        st.error(plain(str(refused)), icon=":material/error:")
    if image_size is None:
        return None
    st.button("Use its own size", icon=":material/undo:", on_click=choices.forget_size)
    try:
        return waited_for(about.title, about.reference, None)
    except ValueError:
        return None


def waited_for(
    title: str, reference: Reference, image_size: int | None, height: int = _SHEET_HEIGHT
) -> Sheet:
    """`sheet`, with `height` pixels kept meanwhile. Nothing flickers on later runs: only what this visit has
    not seen yet gets a placeholder.
    """
    seen = st.session_state.setdefault(_SEEN, set())
    if (str(reference), image_size) in seen:
        return sheet(reference, image_size)
    waiting = f"Tracing {plain(title)}: exported once to its graph of operations, then kept"
    place = st.empty()
    try:
        with place.container(), st.spinner(waiting):
            st.skeleton(height=height)
            made = sheet(reference, image_size)
    finally:
        place.empty()
    seen.add((str(reference), image_size))
    return made
