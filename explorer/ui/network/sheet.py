"""Which network the Architecture page is about, and its trace, with a place kept while it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer import catalogue
from explorer.ui.frame.page import Page
from explorer.ui.frame.waiting import reserve
from explorer.ui.kit.formatting import plain
from explorer.ui.network import choices
from explorer.ui.network import stages as stage_cards

if TYPE_CHECKING:
    import pandas as pd

    from explorer.analysis import ReceptiveField, Stats, Trace
    from explorer.analysis.structure.hierarchy import Hierarchy
    from explorer.analysis.structure.opening import Opening
    from explorer.networks import Reference
    from explorer.ui.volumes.layout import StageCard

_SEEN = "_traced_in_this_visit"
HEIGHT = 900  # pixels kept for headline, diagram and bars while the network is traced


@dataclass(frozen=True)
class Subject:
    """The network on the page: without reference an idea from before networks, without entry any name."""

    reference: Reference | None
    entry: catalogue.Architecture | None
    title: str
    sentence: str

    @property
    def origin(self) -> str:
        """Who belongs to whom, beside the title: family and paper; what stands for them without an entry."""
        if self.entry is None:
            return self.sentence
        return f"{catalogue.FAMILIES[self.entry.family].name} · {self.entry.paper.label}"

    @property
    def own_facts(self) -> bool:
        """Whether the entry's published results are of this very network, not of another size of it."""
        return self.entry is not None and str(self.reference) in self.entry.builders


def subject(here: Page) -> Subject:
    """What the URL means: a catalogued idea, one of its builds, or any network a builder knows."""
    entry = catalogue.architectures().get(here.arch)
    if entry is not None and not entry.builders:
        return Subject(None, entry, f"{entry.name} · {entry.year}", entry.idea)
    return subject_of(here.reference(), entry)


def subject_of(reference: Reference, entry: catalogue.Architecture | None) -> Subject:
    """A network of `entry`, which is looked up where none is given."""
    if entry is None and reference.architecture:
        entry = catalogue.get(reference.architecture)
    if entry is None:
        yours = reference.reason if reference.builder == "own" else ""
        what = f"{yours[:1].upper()}{yours[1:]}" or "Not in the catalogue"
        return Subject(reference, None, reference.title, f"{what}: its numbers come from its own trace.")
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
    fields: Mapping[str, ReceptiveField]
    stats: Stats
    index: stage_cards.StageIndex
    cards: tuple[StageCard, ...]
    layers: pd.DataFrame

    @property
    def stages(self) -> tuple[str, ...]:
        return tuple(stage.name for stage in self.stats.stages)

    @cached_property
    def hierarchy(self) -> Hierarchy:
        from explorer.analysis.structure.hierarchy import hierarchy

        return hierarchy(self.trace, self.fields, self.stats.stages)


def first_ideas(shown: Sheet, about: Subject) -> tuple[str, ...]:
    """Names of the ideas that its diagram points out as it opens."""
    from explorer.analysis.structure.key_ideas import main_ideas

    return main_ideas(about.entry.id if about.entry is not None else "", shown.hierarchy.ideas)


@st.cache_resource(max_entries=256, show_spinner=False)
def _opening(network: tuple[str, ...], ideas: tuple[str, ...], _shown: Sheet) -> Opening:
    from explorer.analysis.structure.opening import opening

    return opening(_shown.hierarchy, [_shown.hierarchy.ideas[name] for name in ideas])


def opening(shown: Sheet, about: Subject) -> Opening:
    """What its diagram unfolds as it opens."""
    return _opening(shown.key, first_ideas(shown, about), shown)


@st.cache_resource(max_entries=48, show_spinner=False)
def _sheet(name: str, image_size: int | None, fingerprint: str, _reference: Reference) -> Sheet:
    from explorer import analysis
    from explorer.analysis.graph.tracing import deployed_form
    from explorer.ui.network import layer_table

    trace = analysis.trace(_reference, image_size)
    fields = analysis.receptive_fields(trace)
    stats = analysis.stats_of(trace, deployed_form(trace, _reference, image_size), fields)
    index = stage_cards.index(trace, stats)
    return Sheet(
        (name, str(image_size or ""), fingerprint),
        trace,
        fields,
        stats,
        index,
        stage_cards.cards(trace, stats),
        layer_table.rows(stats, trace.modules, index),
    )


def sheet(reference: Reference, image_size: int | None) -> Sheet:
    """The network's sheet; the first visitor waits for the trace. Raises ValueError with a sentence."""
    from explorer.analysis.graph.cache import fingerprint  # torch: the shell comes up without it

    # What the name stands for can change under it (a folder's config), so it is part of the key.
    return _sheet(str(reference), image_size, fingerprint(reference), reference)


def own_size(reference: Reference) -> int | None:
    """Side in pixels of the input the network was designed for; None where it cannot be looked at."""
    from explorer import networks

    try:
        return networks.input_spec(reference).image_size
    except ValueError:
        return None


def load(about: Subject, image_size: int | None, place: DeltaGenerator | None = None) -> Sheet | None:
    """The sheet, its place kept meanwhile; a refusal becomes a sentence, and the own size stands in."""
    assert about.reference is not None
    try:
        return waited_for(about.title, about.reference, image_size, place=place)
    except ValueError as refused:
        st.error(plain(str(refused)), icon=":material/error:")
    if image_size is None:
        return None
    st.button("Use its own size", icon=":material/undo:", on_click=choices.forget_size)
    try:
        return waited_for(about.title, about.reference, None, place=place)
    except ValueError:
        return None


def waited_for(
    title: str,
    reference: Reference,
    image_size: int | None,
    height: int = HEIGHT,
    place: DeltaGenerator | None = None,
) -> Sheet:
    """`sheet`, with `height` pixels kept meanwhile in `place`, an `st.empty` (here, if none is given).

    Nothing flickers on later runs: only what this visit has not seen yet gets a placeholder.
    """
    seen = st.session_state.setdefault(_SEEN, set())
    if (str(reference), image_size) in seen:
        return sheet(reference, image_size)
    place = place if place is not None else st.empty()
    what = f"Tracing {title}, once per server: about two seconds, the largest networks up to twenty"
    reserve(place, height, what)
    try:
        made = sheet(reference, image_size)
    finally:
        place.empty()
    seen.add((str(reference), image_size))
    return made
