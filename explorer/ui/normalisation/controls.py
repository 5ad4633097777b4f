"""What the views of the Normalisation page share: first values, controls, answers kept in the visit."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st

from explorer.ui.kit import fields, once

if TYPE_CHECKING:
    from PIL import Image
    from streamlit.delta_generator import DeltaGenerator

    from explorer.networks import Network

T = TypeVar("T")

VIEW, TENSOR, LAYER = "nview", "ntensor", "nlayer"
NUMBERS, NORMAL, FROM_LAYER = "Numbers", "Normal", "A layer"

# The one place of first values; a key is the name in the link.
START: Mapping[str, Any] = MappingProxyType(
    {
        "nkind": "Batch",
        TENSOR: "",
        "ngroups": 2,
        "npic": 1,
        "nchan": 3,
        "nsource": NUMBERS,
        "nvalues": "2, 4, 6, 8",
        "gamma": 2.0,
        "beta": 1.0,
        "npopulation": NORMAL,
        "nbatch": 16,
        "momentum": 0.1,
        "ncompany": 4,
        "ndropout": False,
        LAYER: "",
        "nmap": 1,
        "weights": "",
        "sample": "",
    }
)


def ask(weights_id: str, key: tuple[Hashable, ...], look: Callable[[Network], T]) -> T:
    """`look` at the loaded network, or what it gave for this key before in this visit."""
    return once.ask("normalisation", weights_id, key, look, "Looking into the network: about two seconds …")


def choice(slot: DeltaGenerator, label: str, key: str, options: Sequence[str], *, named: bool = True) -> str:
    """One of a few words, side by side. named: whether the label is shown."""
    return fields.segments(
        slot,
        label,
        options,
        default=START[key],
        key=key,
        label_visibility="visible" if named else "collapsed",
    )


def slider(
    slot: DeltaGenerator, label: str, key: str, low: T, high: T, step: Any = None, help: str = ""
) -> T:
    """A number; what one layer's channels allowed and another's do not goes back to the first value."""
    here: Any = st.session_state.get(key, low)
    least: Any = low
    most: Any = high
    first = min(START[key], most)
    if not least <= here <= most:
        st.session_state[key] = first
    return slot.slider(label, least, most, first, step, key=key, bind="query-params", help=help or None)


def steps(slot: DeltaGenerator, label: str, key: str, options: Sequence[int], help: str = "") -> int:
    """A number of a few that each mean a doubling."""
    return slot.select_slider(label, options, START[key], key=key, bind="query-params", help=help or None)


def menu(
    slot: DeltaGenerator, label: str, field: str, options: Mapping[str, str], shown: str, help: str = ""
) -> None:
    """options: value in the link -> what the menu says."""
    fields.select(
        slot,
        label,
        field,
        list(options),
        shown=shown,
        choose=lambda value: st.session_state.update({field: value}),
        format_func=lambda value: options[value],
        help=help,
    )


def norm_layers(weights_id: str) -> Mapping[str, str]:
    """Path -> kind of the network's norm layers; found once a visit."""
    from explorer.labs.normalisation import networks

    return ask(weights_id, ("layers",), lambda network: networks.norm_layers(network.model))


@st.cache_resource(show_spinner=False)
def samples() -> Mapping[str, Image.Image]:
    """Title -> picture of the samples; they are everyone's."""
    from explorer.inference import SAMPLES, decode

    return {sample.title: decode(sample.load()) for sample in SAMPLES.values()}
