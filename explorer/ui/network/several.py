"""Which networks are compared: two to four names in the URL, chosen from one list or typed.

A name is a network's, or that of weights of it, and may end in the side of its input: "resnet50",
"timm:efficientnet_b1.ra4_e3600_r240_in1k@288", "torchvision:ResNet50_Weights.IMAGENET1K_V1@224".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer import catalogue
from explorer.analysis.choosing.candidates import MEASURES, Candidate
from explorer.catalogue.network_names import ONLY_IMAGENET_1K
from explorer.ui.frame import picker, state
from explorer.ui.frame.page import Page
from explorer.ui.kit import fields
from explorer.ui.kit.formatting import plain
from explorer.ui.network import candidates
from explorer.ui.network import choices as architecture_choices
from explorer.ui.network import sheet as architecture_view
from explorer.ui.network.sheet import Sheet, Subject

if TYPE_CHECKING:
    from explorer.analysis.comparing.comparison import Compared
    from explorer.networks import Reference

NETWORKS = "networks"
MOST = 4
_BOX, _FOLLOWED = "compare_networks_box", "_compare_followed"
_LAST, _HELD = "_compare_last", "_compare_held"
# One block each apart by seven years at nearly the same cost: what differs is worth looking at.
_PAIR = ("resnet50", "convnext_t")
_TABLE_HEIGHT = 480  # pixels kept while a network is traced


@dataclass(frozen=True)
class Asked:
    """What one name of the link stands for. network: the name without a size; weights: their id, "" for none
    in particular; pixels: side of the input, None for the network's own.
    """

    network: str
    reference: Reference
    weights: str = ""
    pixels: int | None = None


@dataclass(frozen=True)
class Chosen:
    """One of the networks. name: as the link has it; title: short, for a column."""

    name: str
    asked: Asked
    about: Subject
    sheet: Sheet
    title: str

    @property
    def pixels(self) -> int:
        return int(self.sheet.trace.input_shape[-1])

    @property
    def another_size(self) -> int | None:
        """Side of the input, None where it is the network's own."""
        assert self.about.reference is not None
        return None if self.pixels == architecture_view.own_size(self.about.reference) else self.pixels

    def compared(self) -> Compared:
        """With what is published of it."""
        from explorer.analysis.comparing.comparison import Compared, published

        year = self.about.entry.year if self.about.entry is not None else None
        entry = self.about.entry if self.about.own_facts else None
        reference = str(self.about.reference)
        builders = entry.builders if entry is not None else (reference,)
        tabled = [
            each
            for each in candidates.here().candidates
            if each.reference in (reference, *builders) and each.image_size == self.pixels
        ]
        in_paper, best = published(entry, [*_facts_of_weights(reference), *_accuracies(tabled)])
        if self.asked.weights:
            best = _fact_of(self.asked.weights, self.pixels)
        return Compared(self.sheet.stats, self.sheet.trace, year, in_paper, best, _speeds(tabled))


def _accuracies(tabled: Sequence[Candidate]) -> list[catalogue.Fact]:
    """Top-1 of timm's tables, of weights trained on ImageNet-1k alone where there are such."""
    of_timm = [each for each in tabled if each.published_by == "timm" and "top1" in each.values]
    alike = [each for each in of_timm if each.training_data == ONLY_IMAGENET_1K]
    return [_fact(each) for each in alike or of_timm]


def _speeds(tabled: Sequence[Candidate]) -> dict[str, catalogue.Fact]:
    """Published throughputs: of the network at this size, whatever weights it has."""
    from explorer.analysis.comparing.comparison import SPEEDS

    return {
        name: catalogue.Fact(
            each.values[name], MEASURES[name].unit, MEASURES[name].source, f"at {each.image_size} px"
        )
        for name in SPEEDS
        for each in tabled
        if name in each.values
    }


def _fact(of: Candidate) -> catalogue.Fact:
    return catalogue.Fact(of.values["top1"], "%", f"{of.published_by} {of.name}", of.protocol)


def _fact_of(weights: str, pixels: int) -> catalogue.Fact | None:
    """Top-1 published of these weights at this size; None where nobody published one."""
    alike = (each for each in candidates.here().candidates if each.weights == weights)
    found = next((each for each in alike if each.image_size == pixels and "top1" in each.values), None)
    return None if found is None else _fact(found)


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
    fields.bound(NETWORKS, *more)
    # The first run after a change of page does not take the value.
    if held and not again and not fields.get(NETWORKS):
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
    known, twice, unknown = _sorted_out(asked)
    valid = known[:MOST]
    st.session_state[_LAST] = ",".join(valid)
    st.session_state[_BOX] = valid or list(_default(here, pair))
    slot.multiselect(
        "Networks",
        list(dict.fromkeys([*filter(_buildable, picker.options()), *st.session_state[_BOX]])),
        key=_BOX,
        format_func=_label,
        max_selections=MOST,
        accept_new_options=True,
        on_change=lambda: st.session_state.update({NETWORKS: ",".join(map(_meant, st.session_state[_BOX]))}),
        help=about,
    )
    if unknown:
        state.not_understood(NETWORKS, ",".join(unknown))
    if twice:
        st.caption(f"Named twice, shown once: {plain(', '.join(twice))}.")
    if len(known) > MOST:
        st.caption(f"The link names {len(known)}; {MOST} fit, so the first {MOST} are shown.")
    return tuple(st.session_state[_BOX])


def load(names: Sequence[str], image_size: int | None) -> list[Chosen]:
    """Traced, each at its own size or all at one; what cannot be traced is said and left out."""
    found = []
    for name in names:
        asked = meant(name)
        if asked is None:
            continue
        about = architecture_view.subject_of(asked.reference, catalogue.architectures().get(asked.network))
        sheet = _sheet(about, image_size or asked.pixels)
        if sheet is not None:
            found.append(Chosen(name, asked, about, sheet, _title(asked, about)))
    titles = [each.title for each in found]
    return [
        replace(each, title=f"{each.title} at {each.pixels} px") if titles.count(each.title) > 1 else each
        for each in found
    ]


def _title(asked: Asked, about: Subject) -> str:
    label = picker.options().get(asked.network, "") or about.title
    title = label.partition(" · ")[0]
    member = asked.weights.partition("_Weights.")[2]  # torchvision's; a name of timm's holds its tag
    return f"{title} {member}".strip()


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
    return [each.strip() for each in fields.get(NETWORKS).split(",") if each.strip()]


def _default(here: Page, pair: tuple[str, str]) -> tuple[str, ...]:
    """The picker's network when one was chosen, beside what it came from; else the pair."""
    if not state.chosen() or meant(here.arch) is None:
        return pair
    came_from = here.entry.came_from if here.entry is not None else ()
    beside = (*filter(_buildable, came_from), *pair)
    return here.arch, next(name for name in beside if name not in (here.arch, here.entry and here.entry.id))


def _buildable(name: str) -> bool:
    known = catalogue.architectures()
    return name not in known or bool(known[name].builders)


def meant(name: str) -> Asked | None:
    """What a name stands for; None where no builder has it."""
    network, at, size = name.rpartition("@")
    pixels = fields.whole_number(size, 1, architecture_choices.LARGEST) if at else None
    # What stands behind the @ of a hub's name is a revision, and a folder may be called anything.
    if pixels is None or name.startswith(("hf-hub:", "hf_hub:", "local-dir:")):
        network, pixels = name, None
    if found := _network(network):
        return Asked(*found, pixels)
    return None


def _network(name: str) -> tuple[str, Reference, str] | None:
    """(network, its reference, id of the weights or "") of a name without a size."""
    from explorer import networks

    try:
        reference = networks.resolve(name)
    except ValueError:
        try:
            entry = networks.entry_of(name)
        except ValueError:
            return None
        return str(entry.reference), entry.reference, entry.id
    tagged = reference.builder == "timm" and "." in reference.name
    return name, reference, str(reference) if tagged else ""


def _meant(typed: str) -> str:
    return typed if meant(typed) else picker.listed(typed)


def _label(name: str) -> str:
    return picker.options().get(name) or " at ".join(name.rsplit("@", 1)) + (" px" if "@" in name else "")


def _sorted_out(names: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """(names of different networks, those that stand for one of them, those that no builder knows)."""

    known: dict[tuple[str, str, int | None], str] = {}
    twice, unknown = [], []
    for name in names:
        asked = meant(name)
        if asked is None:
            unknown.append(name)
            continue
        key = str(asked.reference), asked.weights, asked.pixels
        if key in known:
            twice.append(name)
        known.setdefault(key, name)
    return list(known.values()), twice, unknown
