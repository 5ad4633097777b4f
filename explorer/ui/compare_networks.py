"""Which networks are compared: two to four names in the URL, chosen from one list or typed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer import catalogue
from explorer.ui import architecture_view, lab, picker, state
from explorer.ui import inference_choices as choices
from explorer.ui.architecture_view import Sheet, Subject
from explorer.ui.formatting import plain
from explorer.ui.page import Page

if TYPE_CHECKING:
    from explorer.analysis.comparison import Compared

NETWORKS = "networks"
MOST = 4
_BOX, _FOLLOWED = "compare_networks_box", "_compare_followed"
_LAST, _HELD = "_compare_last", "_compare_held"
# One block each apart by seven years at nearly the same cost: what differs is worth looking at.
_PAIR = ("resnet50", "convnext_t")
_TABLE_HEIGHT = 480  # pixels kept while a network is traced


@dataclass(frozen=True)
class Chosen:
    """One of the networks. name: as the link has it; title: short, for a column."""

    name: str
    about: Subject
    sheet: Sheet

    @property
    def title(self) -> str:
        label = picker.options().get(self.name, "") or self.about.title
        return label.partition(" · ")[0]

    @property
    def pixels(self) -> int:
        return int(self.sheet.trace.input_shape[-1])

    def compared(self) -> Compared:
        """With what is published of it."""
        from explorer.analysis.comparison import Compared, published

        entry = self.about.entry if self.about.own_facts else None
        facts = [fact for fact in _facts_of_weights(str(self.about.reference)) if fact is not None]
        year = self.about.entry.year if self.about.entry is not None else None
        return Compared(self.sheet.stats, self.sheet.trace, year, *published(entry, facts))


@st.cache_data(max_entries=256, show_spinner=False)
def _facts_of_weights(reference: str) -> list[catalogue.Fact]:
    """Top-1 that builders publish with their weights of this network."""
    from explorer import networks

    return [entry.facts["top1"] for entry in networks.weights_of(reference) if "top1" in entry.facts]


def bind(here: Page, *more: str) -> None:
    """Tie the list, and fields of further names, to the URL. Who picks another network above the page wants
    it compared: it takes the first place."""
    again = st.session_state.pop(_HELD, "")
    held = again or st.session_state.get(NETWORKS, st.session_state.get(_LAST, ""))
    if NETWORKS not in st.query_params:  # back from another page, which has dropped it from the URL
        st.session_state[NETWORKS] = held
    before = st.session_state.get(_FOLLOWED, here.arch)
    st.session_state[_FOLLOWED] = here.arch
    listed = _listed()
    if listed and before != here.arch and here.arch not in listed:
        others = [name for name in listed if name != before]
        st.session_state[NETWORKS] = ",".join([here.arch, *others][: max(2, len(listed))])
    lab.bound(NETWORKS, *more)
    # The first run after a change of page does not take the value.
    if held and not again and not choices.get(NETWORKS):
        st.session_state[_HELD] = held
        st.rerun()


_HELP = (
    "Two to four: of the catalogue, or any name that timm or torchvision knows, typed. All differences are "
    "against the first."
)


def menu(
    slot: DeltaGenerator, here: Page, pair: tuple[str, str] = _PAIR, about: str = _HELP
) -> tuple[str, ...]:
    """The names of the link that mean a network, else a pair that teaches."""
    asked = _listed()
    known = _different([name for each in asked if (name := _known(each))])
    valid = list(known[:MOST])
    st.session_state[_LAST] = ",".join(valid)
    st.session_state[_BOX] = valid or list(_default(here, pair))
    labels = picker.options()
    slot.multiselect(
        "Networks",
        list(dict.fromkeys([*(name for name in labels if _buildable(name)), *st.session_state[_BOX]])),
        key=_BOX,
        format_func=lambda name: labels.get(name, name),
        max_selections=MOST,
        accept_new_options=True,
        on_change=lambda: st.session_state.update({NETWORKS: ",".join(map(_meant, st.session_state[_BOX]))}),
        help=about,
    )
    if len(known) < len(asked):
        st.caption("A name that no builder knows, or that stood there twice, was left out.")
    if len(known) > MOST:
        st.caption(f"The link names {len(known)}; {MOST} fit, so the first {MOST} are shown.")
    return tuple(st.session_state[_BOX])


def load(names: Sequence[str], here: Page, image_size: int | None) -> list[Chosen]:
    """Traced, each at its own size or all at one; what cannot be traced is said and left out."""
    found = []
    for name in names:
        about = architecture_view.subject(replace(here, arch=name, entry=picker.entry_of(name)))
        sheet = _sheet(about, image_size)
        if sheet is not None:
            found.append(Chosen(name, about, sheet))
    return found


def _sheet(about: Subject, image_size: int | None) -> Sheet | None:
    assert about.reference is not None
    own = architecture_view.own_size(about.reference)
    sizes = [image_size if image_size != own else None, None]
    for size in dict.fromkeys(sizes):
        try:
            return architecture_view.waited_for(about.title, about.reference, size, _TABLE_HEIGHT)
        except ValueError as refused:
            instead = " It is shown at its own size." if size else ""
            st.warning(f"{plain(about.title)}: {plain(str(refused))}{instead}", icon=":material/help:")
    return None


def _listed() -> list[str]:
    return [each.strip() for each in choices.get(NETWORKS).split(",") if each.strip()]


def _default(here: Page, pair: tuple[str, str]) -> tuple[str, ...]:
    """The picker's network when one was chosen, beside what it came from; else the pair."""
    if not state.chosen() or not _known(here.arch):
        return pair
    came_from = here.entry.came_from if here.entry is not None else ()
    beside = (*filter(_buildable, came_from), *pair)
    return here.arch, next(name for name in beside if name not in (here.arch, here.entry and here.entry.id))


def _buildable(name: str) -> bool:
    known = catalogue.architectures()
    return name not in known or bool(known[name].builders)


def _meant(typed: str) -> str:
    return typed if _known(typed) else picker.listed(typed)


def _known(name: str) -> str:
    """The name itself, "" where no builder has it."""
    from explorer import networks

    try:
        networks.resolve(name)
    except ValueError:
        return ""
    return name


def _different(names: Sequence[str]) -> list[str]:
    """Two names of one network count once."""
    from explorer import networks

    found: dict[str, str] = {}
    for name in names:
        found.setdefault(str(networks.resolve(name)), name)
    return list(found.values())
