"""The Inference page's one row of controls: picture, weights, layer, class, colours."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from explorer.ui import inference_choices as choices
from explorer.ui import state
from explorer.ui.formatting import share, size

if TYPE_CHECKING:
    from explorer.catalogue import Architecture
    from explorer.networks import WeightsEntry
    from explorer.ui.inference_answer import Answer

_BOXES = ("Weights", "Layer", "Class")
_WEIGHTS_HELP = "✓ is on this machine, ↓ is downloaded first. Untrained: random numbers, to compare with."
_LAYER_HELP = (
    "Where the heatmap and the feature maps are taken. Early layers see fine detail, late ones things."
)
_CLASS_HELP = "The class whose evidence the heatmap shows. Type to search all of them."
_COLOURS_HELP = "All three are perceptually uniform: equal steps in value look equal."


@dataclass(frozen=True)
class Row:
    """Places in the row, from left to right; boxes that wait for an answer keep theirs."""

    picture: Any
    paste: Any
    weights: Any
    layer: Any
    target: Any


def row(*, waiting: bool) -> Row:
    """Draw what depends on nothing, colour map and opacity, and keep the places of the rest.

    waiting: no answer has been shown yet, so the boxes that need one are drawn empty; later the former ones
    stay until the new ones come.
    """
    from explorer.inference import COLORMAPS

    columns = st.columns([3.2, 1.4, 4.4, 4, 4, 2.4, 2.6], gap="small", vertical_alignment="bottom")
    columns[5].selectbox(
        "Colours",
        list(COLORMAPS),
        key=choices.COLOURS,
        bind="query-params",
        help=_COLOURS_HELP,
        filter_mode=None,
    )
    columns[6].slider(
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
        for column, label in zip(columns[2:5], _BOXES, strict=True)
    ]
    return Row(columns[0], columns[1], *boxes)


def _reserved(column: Any, label: str) -> Any:
    slot = column.empty()
    slot.selectbox(label, (), key=f"reserved {label}", placeholder="…", disabled=True)
    return slot


def weights(row: Row, entries: tuple[WeightsEntry, ...], chosen: WeightsEntry | None) -> None:
    labels = distinct({entry.id: _weights_label(entry) for entry in entries})
    choices.select(
        row.weights,
        "Weights",
        choices.WEIGHTS,
        list(labels),
        shown=chosen.id if chosen else None,
        choose=choices.choose_weights,
        format_func=labels.__getitem__,
        help=_WEIGHTS_HELP,
    )


def without_answer(row: Row) -> None:
    """Layer and class have nothing to offer, but keep their places."""
    for slot, label in ((row.layer, "Layer"), (row.target, "Class")):
        slot.selectbox(label, (), key=f"no {label}", placeholder="…", disabled=True)


def layer(row: Row, answer: Answer) -> None:
    choices.select(
        row.layer,
        "Layer",
        choices.LAYER,
        answer.layers,
        shown=answer.explanation.layer,
        choose=partial(choices.choose_layer, default=answer.default_layer),
        help=_LAYER_HELP,
    )


def target(row: Row, answer: Answer) -> None:
    """The likeliest first, then every other class by number."""
    top = {each.index: each for each in (*answer.explanation.predictions, answer.explanation.explained)}
    labels = distinct(dict(enumerate(answer.labels)) | {i: p.label for i, p in top.items()})
    likeliest = answer.explanation.predictions[0].index

    def text(index: int) -> str:
        return f"{labels[index]} · {share(top[index].probability, 1)}" if index in top else labels[index]

    choices.select(
        row.target,
        "Class",
        choices.TARGET,
        [*top, *(index for index in labels if index not in top)],
        shown=answer.explanation.target,
        choose=partial(choices.choose_target, likeliest=likeliest),
        format_func=text,
        help=_CLASS_HELP,
    )


def ways_out(entries: tuple[WeightsEntry, ...], chosen: WeightsEntry | None) -> None:
    """Buttons for what needs no download: this network's other weights, other networks, untrained last."""
    from explorer.networks import on_this_machine

    here = [entry for entry in entries if entry.on_this_machine and entry != chosen]
    others = [entry for entry in on_this_machine() if entry not in entries]
    st.markdown("**Works at once, without a download**")
    st.caption("Small networks that this project trained on CIFAR-10 come with the app.")
    with st.container(horizontal=True):
        for place, entry in enumerate(sorted((*here, *others), key=lambda each: each.untrained)):
            own = entry in here
            st.button(
                _weights_label(entry) if entry.untrained else entry.label,
                key=f"use {entry.id}",
                on_click=choices.choose_weights if own else state.choose,
                args=(entry.id if own else str(entry.reference),),
                type="secondary" if place or state.chosen() else "primary",
            )


def name(architecture: Architecture | None, entry: WeightsEntry) -> str:
    """What to call the network in a sentence: as the catalogue does, else as its weights are called."""
    return architecture.name if architecture else entry.label.partition(" · ")[0]


def _weights_label(entry: WeightsEntry) -> str:
    if entry.untrained:
        return "Random weights (untrained)"
    if entry.on_this_machine:
        return f"✓ {entry.label}"
    return f"↓ {entry.label}" + (f" · {size(entry.bytes)}" if entry.bytes else "")


def distinct(labels: dict[Any, str]) -> dict[Any, str]:
    """Equal texts told apart by their key: ImageNet's "crane" is a bird and a machine."""
    times = Counter(labels.values())
    return {key: f"{text} ({key})" if times[text] > 1 else text for key, text in labels.items()}
