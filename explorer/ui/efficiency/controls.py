"""The controls of the efficiency page: axes, filters, words; all in the link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import streamlit as st

from explorer.analysis.choosing.filters import Narrowing
from explorer.catalogue import FAMILIES
from explorer.catalogue.network_names import TRAINING_DATA
from explorer.catalogue.printed_tables import printed_tables
from explorer.ui.efficiency.figures import BY_FAMILY, BY_STORY, BY_YEAR, NO_FAMILY, Axes
from explorer.ui.frame import state
from explorer.ui.kit import fields
from explorer.ui.network.candidates import ALL_MEASURES, Data

X, Y, BUBBLE, COLOUR, TABLE = "ex", "ey", "ebubble", "ecolour", "etable"
WORDS, PATTERN, FAMILY, YEARS, PIXELS = "efind", "epattern", "efamily", "eyears", "epixels"
PICTURES, PUBLISHER, X_SCALE, Y_SCALE = "epictures", "epublisher", "exscale", "eyscale"
RECIPE, MARKED, TESTS = "erecipe", "emarked", "etests"

NONE = "none"
AUTO, LOG, LINEAR = "Auto", "Log", "Linear"
EVERYTHING = "all"
PUBLISHERS: Mapping[str, str] = MappingProxyType(
    {"timm's tables": "timm", "torchvision": "torchvision", "Papers": "paper"}
)
_FAMILIES: Mapping[str, str] = MappingProxyType(
    {**{each.name: each.id for each in FAMILIES.values() if each.id != "handcrafted"}, NO_FAMILY: ""}
)
FIRST_YEAR, LAST_YEAR = 2012, 2026
SMALLEST, LARGEST = 64, 1024
START: Mapping[str, Any] = MappingProxyType(
    {
        TABLE: "",
        X: "",
        Y: "",
        BUBBLE: "",
        COLOUR: "",
        WORDS: "",
        PATTERN: False,
        FAMILY: [],
        YEARS: (FIRST_YEAR, LAST_YEAR),
        PIXELS: (SMALLEST, LARGEST),
        PICTURES: [],
        PUBLISHER: ["timm's tables", "torchvision"],
        TESTS: False,
        X_SCALE: AUTO,
        Y_SCALE: AUTO,
        RECIPE: "",
        MARKED: "",
    }
)
MOST_MARKED = 12


_WIDTHS = (2.1, 2.1, 2.2, 1.9, 1.6, 2.0, 1.9, 1.7)
# Choices whose menus show names and whose links carry identifiers, with what an empty one stands for.
_FIRST: Mapping[str, str] = MappingProxyType(
    {TABLE: EVERYTHING, X: "macs", Y: "top1", BUBBLE: NONE, COLOUR: BY_STORY}
)
_NAMED: Mapping[str, str] = MappingProxyType(
    {TABLE: "Show", X: "Across", Y: "Up", BUBBLE: "Bubble", COLOUR: "Colour"}
)


@dataclass(frozen=True)
class Choices:
    """table: id of a printed table to show instead of everything, or ""."""

    table: str
    axes: Axes
    narrowing: Narrowing


def row(data: Data) -> Choices:
    """The compact row on top of the chart."""
    fields.bound(*_NAMED, RECIPE, MARKED)
    tables = {EVERYTHING: "All weights", **{name: each.title for name, each in printed_tables().items()}}
    everything = state.one_of(TABLE, printed_tables()) == ""
    slots = st.columns(_WIDTHS if everything else (6, 8.3, 1.7), vertical_alignment="bottom")
    table = _menu(
        slots[0], TABLE, tables, "All published weights, or a table of the documents as printed, beside ours."
    )
    with slots[-1]:
        fields.reset(START)
    if not everything:
        return Choices(table, Axes("macs", "top1", True, False, ""), Narrowing())
    measures = {name: ALL_MEASURES[name].title for name in data.measures()}
    x, y = _menu(slots[1], X, measures), _menu(slots[2], Y, measures)
    bubble = _menu(slots[3], BUBBLE, {NONE: "Equal dots", **measures}, "The area of a dot.")
    colour = _menu(slots[4], COLOUR, {BY_STORY: "The story", BY_FAMILY: "Family", BY_YEAR: "Year"})
    words = slots[5].text_input(
        "Find", key=WORDS, bind="query-params", placeholder="resnet50 a1", icon=":material/search:"
    )
    with slots[6].popover("Filter", icon=":material/filter_alt:", width="stretch"):
        narrowing = _filters(words)
        x_scale, y_scale = _scale("Scale across", X_SCALE), _scale("Scale up", Y_SCALE)
    axes = Axes(x, y, _log(x, x_scale), _log(y, y_scale), "" if bubble == NONE else bubble, colour)
    return Choices("", axes, narrowing)


def _menu(slot: Any, name: str, options: Mapping[str, str], help: str = "") -> str:
    """The chosen identifier; the first choice where a link asks for what is not to be had here."""
    shown = state.one_of(name, options) or _FIRST[name]
    fields.select(
        slot,
        _NAMED[name],
        name,
        list(options),
        shown=shown,
        choose=lambda chosen: st.session_state.update({name: "" if chosen == _FIRST[name] else chosen}),
        format_func=options.__getitem__,
        help=help,
    )
    return shown


def _filters(words: str) -> Narrowing:
    families = st.multiselect(
        "Family",
        list(_FAMILIES),
        key=FAMILY,
        bind="query-params",
        placeholder="All",
    )
    pictures = st.pills(
        "Trained on", TRAINING_DATA, key=PICTURES, bind="query-params", selection_mode="multi",
        help="From the tags of the weights: pictures beyond ImageNet-1k, or a teacher network. None: all.",
    )  # fmt: skip
    publisher = st.pills(
        "Published by", list(PUBLISHERS), key=PUBLISHER, bind="query-params", selection_mode="multi",
        default=START[PUBLISHER],
        help="Printed results of papers follow protocols of their own: several crops, several scales.",
    )  # fmt: skip
    years = st.slider(
        "Year of the architecture", FIRST_YEAR, LAST_YEAR, START[YEARS], key=YEARS, bind="query-params"
    )
    pixels = st.slider(
        "Image size [pixels]", SMALLEST, LARGEST, START[PIXELS], step=32, key=PIXELS, bind="query-params"
    )
    tests = st.toggle(
        "timm's test networks too", key=TESTS, bind="query-params",
        help="`test_convnext` and the like: toys on which timm tests its code.",
    )  # fmt: skip
    pattern = st.toggle(
        "Find by regular expression", key=PATTERN, bind="query-params", help="RE2 syntax, case ignored."
    )
    return Narrowing(
        families=frozenset(_FAMILIES[name] for name in families),
        years=None if years == START[YEARS] else years,
        image_sizes=None if pixels == START[PIXELS] else pixels,
        training_data=frozenset(pictures),
        published_by=frozenset(PUBLISHERS[name] for name in publisher),
        for_tests=tests,
        words=words,
        regular_expression=pattern,
    )


def _scale(label: str, key: str) -> str:
    return fields.segments(st, label, [AUTO, LOG, LINEAR], default=START[key], key=key)


def _log(measure: str, scale: str) -> bool:
    return ALL_MEASURES[measure].log if scale == AUTO else scale == LOG


def marked() -> tuple[str, ...]:
    """Ids of the selected candidates, in the order of selection."""
    return tuple(filter(None, (st.session_state.get(MARKED) or "").split(",")))[:MOST_MARKED]


def mark(ids: Sequence[str]) -> None:
    """One id goes if it was there and comes if it was not; several come. From a callback only."""
    before = list(marked())
    if len(ids) == 1 and ids[0] in before:
        before.remove(ids[0])
    else:
        before += [each for each in ids if each not in before]
    if len(before) > MOST_MARKED:
        st.toast(
            f"{len(before):,} dots would be selected; the first {MOST_MARKED} are.",
            icon=":material/filter_list:",
        )
    st.session_state[MARKED] = ",".join(before[:MOST_MARKED])
