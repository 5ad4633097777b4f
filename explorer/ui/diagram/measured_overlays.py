"""Overlays of the block diagram that have to be measured: the network runs on this machine, on a picture.

What was measured stays in the visit: the numbers tell of the visitor's picture, and nobody else gets them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import streamlit as st

from explorer.ui.diagram import panel
from explorer.ui.kit import once
from explorer.ui.picture import current as pictures

if TYPE_CHECKING:
    from explorer.analysis import Trace
    from explorer.analysis.numbers.overlays import Overlay
    from explorer.networks import Network, Reference, WeightsEntry
    from explorer.ui.diagram.drawing import Drawing, Wanted
    from explorer.ui.network.sheet import Sheet
    from explorer.ui.picture.current import Picture

# Name in the link -> title in the menu. The first needs no picture, but a network runs on something.
TIME = "time"
TITLES: Mapping[str, str] = MappingProxyType(
    {
        TIME: "Time per layer, measured",
        "mean": "Your picture: mean",
        "standard deviation": "Your picture: deviation",
        "zeros": "Your picture: zeros",
        "dead channels": "Your picture: dead channels",
    }
)
OF_PICTURE = TITLES.keys() - {TIME}
_PASSES = 3


def overlay(name: str, shown: Sheet, reference: Reference) -> Overlay:
    """The measured overlay of that name. Raises ValueError or RuntimeError."""
    from explorer import networks

    entry = panel.own_weights(reference) or networks.entry_of(f"random:{reference}")
    picture = pictures.in_hand()
    about_picture = "" if name == TIME else picture.digest

    def compute() -> Mapping[str, Overlay]:
        with st.spinner("Measuring on this machine: some seconds …"):
            return _measure(name, shown.trace, entry, picture)

    return once.once("overlays", (*shown.key, entry.id, about_picture), compute)[name]


def drawing(shown: Sheet, wanted: Wanted, measured: Overlay) -> Drawing:
    """As `drawing.drawing`, kept in the visit too, since a click on a node draws it again."""
    from explorer.ui.diagram import drawing as diagram_drawing

    return once.once(
        "measured_drawings",
        (shown.key, wanted, measured),
        lambda: diagram_drawing.drawing(shown.hierarchy, wanted, measured),
    )


def _measure(name: str, trace: Trace, entry: WeightsEntry, picture: Picture) -> Mapping[str, Overlay]:
    from explorer.serving import pool

    done = pool.shared().run(entry.id, lambda network: _run(name, trace, network, picture))
    weights = "random weights" if entry.untrained else entry.label
    of = weights if name == TIME else f"{picture.title}, {weights}"
    return {key: replace(each, title=f"{each.title} ({of})") for key, each in done.value.items()}


def _run(name: str, trace: Trace, network: Network, picture: Picture) -> Mapping[str, Overlay]:
    from explorer.inference import layer_measurements
    from explorer.inference.preprocessing import prepare

    height, width = trace.input_shape[2:]
    spec = network.input.at(height) if height == width else network.input
    x = prepare(picture.image, spec).x.to(next(network.model.parameters()).device)
    if name == TIME:
        return {TIME: layer_measurements.layer_times(network, x, passes=_PASSES, warm_up=1).overlay(trace)}
    return layer_measurements.layer_activations(network, x).overlays(trace)
