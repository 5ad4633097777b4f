"""What a link to the Inference page carries beyond the architecture: weights, layer, class, method, sample,
colours.

The plain identifiers are bound to the URL through fields that are not shown, as `state` does it for `arch`:
the visible boxes can then say "↓ IMAGENET1K_V2 · 97.5 MiB" while the link says `weights=torchvision:...`.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from explorer.ui.frame import state
from explorer.ui.kit.fields import bind_fields, get, whole_number

WEIGHTS, LAYER, TARGET, SAMPLE, METHOD = "weights", "layer", "target", "sample", "method"
CELL, OPENED = "cell", "opened"
OPACITY, COLOURS = "opacity", "cmap"
DEFAULT_OPACITY = 50  # percent
_MOST_CLASSES = 10**6  # more than any network has
_BOUND = {
    WEIGHTS: "Weights",
    LAYER: "Layer",
    TARGET: "Class",
    SAMPLE: "Sample picture",
    METHOD: "Method",
    OPENED: "Opened stage",
}
_SHOWN_ARCH = "_inference_arch"


def bind(arch: str) -> None:
    """Tie the choices to the URL; what was chosen for another architecture is forgotten."""
    if st.session_state.get(_SHOWN_ARCH, arch) != arch:
        st.session_state.update({WEIGHTS: "", LAYER: "", TARGET: "", CELL: "", OPENED: ""})
    st.session_state[_SHOWN_ARCH] = arch
    bind_fields("inference", _BOUND)


def layer() -> str:
    """Path of the layer the link asks for; "" for the network's usual one."""
    return get(LAYER)


def opened() -> str:
    """The stage or the block that the link opens; "" for none."""
    return get(OPENED)


def target() -> int | None:
    """Index of the class the link asks to explain; None for the likeliest."""
    return whole_number(get(TARGET), 0, _MOST_CLASSES)


def method() -> str:
    """The attribution method the link asks for, else the first there is. Imports torch."""
    from explorer.inference import METHODS

    return state.one_of(METHOD, METHODS) or next(iter(METHODS))


def cell(shape: tuple[int, ...]) -> tuple[int, int, int] | None:
    """(channel, row, column) that the link names as 37.3.5; None where maps of this shape have none such."""
    parts = get(CELL).split(".")
    if len(parts) != len(shape):
        return None
    numbers = [whole_number(part, 0, count - 1) for part, count in zip(parts, shape, strict=True)]
    found = [each for each in numbers if each is not None]
    return (found[0], found[1], found[2]) if len(found) == len(shape) == 3 else None


def choose_sample(name: str) -> None:
    """From a callback only, as those below: before the bound fields are drawn."""
    st.session_state[SAMPLE] = name


def choose_weights(weights_id: str) -> None:
    """Other weights have other classes and perhaps other layers, so both start afresh."""
    st.session_state.update({WEIGHTS: weights_id, LAYER: "", TARGET: "", CELL: "", OPENED: ""})


def choose_layer(path: str, default: str) -> None:
    """Another layer has other maps, and none of its cells is chosen."""
    st.session_state.update({LAYER: "" if path == default else path, CELL: ""})


def open_stage(name: str) -> None:
    """A stage, or a block of one; "" closes it."""
    st.session_state[OPENED] = name


def choose_target(index: int, likeliest: int) -> None:
    """Explaining the likeliest is left out of the link: with another picture it is another class."""
    st.session_state[TARGET] = "" if index == likeliest else str(index)


def choose_method(name: str, usual: str) -> None:
    st.session_state[METHOD] = "" if name == usual else name


def choose_cell(numbers: Sequence[int] | None) -> None:
    """A cell of the feature maps, (channel, row, column); None for the strongest."""
    st.session_state[CELL] = ".".join(map(str, numbers or ()))
