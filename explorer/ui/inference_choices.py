"""What a link to the Inference page carries beyond the architecture: weights, layer, class, sample, colours.

The plain identifiers are bound to the URL through fields that are not shown, as `state` does it for `arch`:
the visible boxes can then say "↓ IMAGENET1K_V2 · 97.5 MiB" while the link says `weights=torchvision:...`.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any, TypeVar

import streamlit as st

from explorer.ui import state

T = TypeVar("T")
WEIGHTS, LAYER, TARGET, SAMPLE = "weights", "layer", "target", "sample"
OPACITY, COLOURS = "opacity", "cmap"
DEFAULT_OPACITY = 50  # percent
_MOST_CLASSES = 10**6  # more than any network has
_BOUND = {WEIGHTS: "Weights", LAYER: "Layer", TARGET: "Class", SAMPLE: "Sample picture"}
_UNSEEN = '<style>[data-testid="stLayoutWrapper"]:has(> .st-key-bound_inference) { display: none; }</style>'
_SHOWN_ARCH = "_inference_arch"


def bind(arch: str) -> None:
    """Tie the choices to the URL; what was chosen for another architecture is forgotten."""
    if st.session_state.get(_SHOWN_ARCH, arch) != arch:
        st.session_state.update({WEIGHTS: "", LAYER: "", TARGET: ""})
    st.session_state[_SHOWN_ARCH] = arch
    bind_fields(_BOUND)


def bind_fields(labels: Mapping[str, str]) -> None:
    """Fields that are not shown, by key, each tied to the parameter of that name in the URL."""
    st.html(_UNSEEN)
    with st.container(key="bound_inference"):
        for name, label in labels.items():
            state.bound_text(label, name)


def get(name: str) -> str:
    """The identifier in the link; "" where the link leaves it to the page."""
    return st.session_state.get(name) or ""


def one_of(name: str, known: Container[str]) -> str:
    """The identifier in the link if it is known; "" where the link names none, or one that is not known,
    which the page then says.
    """
    asked = get(name)
    if asked and asked not in known:
        state.not_understood(name, asked)
        return ""
    return asked


def whole_number(text: str, least: int, most: int) -> int | None:
    """The number written in decimal digits, if it is one of least (0 or more) to most."""
    digits = text.strip().lstrip("0") or text.strip()[-1:]
    # Counted before they are read: Python refuses to read more than 4,300 of them.
    if not (digits.isascii() and digits.isdigit() and len(digits) <= len(str(most))):
        return None
    return int(digits) if least <= int(digits) <= most else None


def segments(slot: Any, label: str, options: Sequence[T], *, key: str, default: T, **more: Any) -> T:
    """Buttons of which one is always pressed, tied to the URL; the default where a link says "key=" alone.

    more: of `st.segmented_control`.
    """
    pressed: T | None = slot.segmented_control(
        label, options, key=key, default=default, required=True, bind="query-params", **more
    )
    return default if pressed is None else pressed


def number_field(
    slot: Any, label: str, name: str, *, least: int, step: int, most: int | None = None, **options: Any
) -> int | None:
    """A visible field for whole numbers, tied to the URL; None while it is empty.

    Its numbers are floats to Streamlit (1.67), which refuses a link's "inf" or 400 digits as a float and
    fails to make a whole number of it.
    options: of `st.number_input`.
    """
    first = options.pop("value", None)
    found = slot.number_input(
        label,
        min_value=float(least),
        max_value=None if most is None else float(most),
        step=float(step),
        value=None if first is None else float(first),
        format="%.0f",
        key=name,
        bind="query-params",
        **options,
    )
    return None if found is None else round(found)


def target() -> int | None:
    """Index of the class the link asks to explain; None for the likeliest."""
    return whole_number(get(TARGET), 0, _MOST_CLASSES)


def choose_sample(name: str) -> None:
    """From a callback only, as those below: before the bound fields are drawn."""
    st.session_state[SAMPLE] = name


def choose_weights(weights_id: str) -> None:
    """Other weights have other classes and perhaps other layers, so both start afresh."""
    st.session_state.update({WEIGHTS: weights_id, LAYER: "", TARGET: ""})


def choose_layer(path: str, default: str) -> None:
    st.session_state[LAYER] = "" if path == default else path


def choose_target(index: int, likeliest: int) -> None:
    """Explaining the likeliest is left out of the link: with another picture it is another class."""
    st.session_state[TARGET] = "" if index == likeliest else str(index)


def select(
    slot: Any,
    label: str,
    name: str,
    options: Sequence[Any],
    *,
    shown: Any,
    choose: Callable[[Any], None],
    format_func: Callable[[Any], str] = str,
    help: str = "",
) -> None:
    """A select box for the bound field `name`, holding `shown`; a choice goes to `choose`."""
    box = f"{name}_box"
    st.session_state[box] = shown
    slot.selectbox(
        label,
        options,
        key=box,
        format_func=format_func,
        help=help,
        on_change=lambda: choose(st.session_state[box]),
        filter_mode="contains",
    )
