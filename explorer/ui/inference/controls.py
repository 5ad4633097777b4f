"""The Inference page's one row of controls: picture, weights, layer, class, method, colours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from explorer.ui.frame import state
from explorer.ui.kit import fields
from explorer.ui.kit.formatting import distinct, share, size
from explorer.ui.picture import choices
from explorer.ui.picture import weights as lab

if TYPE_CHECKING:
    from explorer.catalogue import Architecture
    from explorer.networks import WeightsEntry
    from explorer.ui.inference.answer import Lookers, ShownExplanation

_BOXES = ("Weights", "Layer", "Class", "Method")
_WEIGHTS_HELP = (
    "✓ is on this machine, ↓ is downloaded first. Untrained: random numbers, to compare with. "
    "Last, other networks that need no download."
)
_LAYER_HELP = (
    "Where the heatmap and the feature maps are taken. Early layers see fine detail, late ones things."
)
_CLASS_HELP = "The class whose evidence the heatmap shows. Type to search all of them."
_METHOD_HELP = (
    "How the map is made; what each asks stands under the picture. ◔ takes many passes, up to minutes for a "
    "large network."
)
_COLOURS_HELP = "All three are perceptually uniform: equal steps in value look equal."


@dataclass(frozen=True)
class Slots:
    """Places in the row, from left to right; boxes that wait for an answer keep theirs."""

    picture: Any
    paste: Any
    weights: Any
    layer: Any
    target: Any
    method: Any


def row(*, waiting: bool) -> Slots:
    """Draw what depends on nothing, colour map and opacity, and keep the places of the rest.

    waiting: no answer has been shown yet, so the boxes that need one are drawn empty; later the former ones
    stay until the new ones come.
    """
    from explorer.inference import COLORMAPS

    columns = st.columns([3.1, 1.4, 4.2, 3.6, 3.7, 2.7, 2.3, 2.3], gap="small", vertical_alignment="bottom")
    columns[6].selectbox(
        "Colours",
        list(COLORMAPS),
        key=choices.COLOURS,
        bind="query-params",
        help=_COLOURS_HELP,
        filter_mode=None,
    )
    columns[7].slider(
        "Opacity",
        0,
        100,
        choices.DEFAULT_OPACITY,
        5,
        format="%d %%",
        key=choices.OPACITY,
        bind="query-params",
    )
    boxes = [
        _reserved(column, label) if waiting else column
        for column, label in zip(columns[2:6], _BOXES, strict=True)
    ]
    return Slots(columns[0], columns[1], *boxes)


def _reserved(column: Any, label: str) -> Any:
    slot = column.empty()
    slot.selectbox(label, (), key=f"reserved {label}", placeholder="…", disabled=True)
    return slot


def weights(row: Slots, who: Lookers) -> None:
    """The network's own weights, then those of other networks that need no download."""
    others = {each.id: each for each in who.others}
    labels = distinct(
        {each.id: _weights_label(each) for each in who.entries}
        | {each.id: f"✓ {lab.named(each)}" for each in others.values()}
    )

    def choose(identifier: str) -> None:
        if identifier in others:
            state.choose(str(others[identifier].reference))
        else:
            choices.choose_weights(identifier)

    fields.select(
        row.weights,
        "Weights",
        choices.WEIGHTS,
        list(labels),
        shown=who.asked.id if who.asked else None,
        choose=choose,
        format_func=labels.__getitem__,
        help=_WEIGHTS_HELP,
    )


def without_answer(row: Slots) -> None:
    """Layer, class and method have nothing to offer, but keep their places."""
    for slot, label in ((row.layer, "Layer"), (row.target, "Class"), (row.method, "Method")):
        slot.selectbox(label, (), key=f"no {label}", placeholder="…", disabled=True)


def layer(row: Slots, answer: ShownExplanation) -> None:
    fields.select(
        row.layer,
        "Layer",
        choices.LAYER,
        answer.layers,
        shown=answer.explanation.layer,
        choose=partial(choices.choose_layer, default=answer.default_layer),
        help=_LAYER_HELP,
    )


def target(row: Slots, answer: ShownExplanation) -> None:
    """The likeliest first, then every other class by number."""
    explained = answer.explanation.explained
    if explained is None:
        row.target.selectbox("Class", (), key="no Class", placeholder="none", disabled=True)
        return
    top = {each.index: each for each in (*answer.explanation.predictions, explained)}
    labels = distinct(dict(enumerate(answer.labels)) | {i: p.label for i, p in top.items()})
    likeliest = answer.explanation.predictions[0].index

    def text(index: int) -> str:
        return f"{labels[index]} · {share(top[index].probability, 1)}" if index in top else labels[index]

    fields.select(
        row.target,
        "Class",
        choices.TARGET,
        [*top, *(index for index in labels if index not in top)],
        shown=answer.explanation.target,
        choose=partial(choices.choose_target, likeliest=likeliest),
        format_func=text,
        help=_CLASS_HELP,
    )


def method(row: Slots, answer: ShownExplanation) -> None:
    """An embedding has no class score, which most of them follow."""
    from explorer.inference import METHODS

    if answer.explanation.explained is None:
        row.method.selectbox("Method", (), key="no Method", placeholder="none", disabled=True)
        return
    fields.select(
        row.method,
        "Method",
        choices.METHOD,
        list(METHODS),
        shown=answer.explanation.method,
        choose=partial(choices.choose_method, usual=next(iter(METHODS))),
        format_func=lambda name: f"{name} ◔" if METHODS[name].long else name,
        help=_METHOD_HELP,
    )


def name(architecture: Architecture | None, who: Lookers, used: WeightsEntry) -> str:
    """What to call the network that answers: the chosen one as the catalogue does, else as its weights."""
    return architecture.name if architecture and state.chosen() and used == who.asked else lab.short(used)


def _weights_label(entry: WeightsEntry) -> str:
    if entry.untrained:
        return "Random weights (untrained)"
    if entry.on_this_machine:
        return f"✓ {entry.label}"
    return f"↓ {entry.label}" + (f" · {size(entry.bytes)}" if entry.bytes else "")
