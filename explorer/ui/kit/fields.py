"""Controls that stand in the link: fields that are not shown, and the visible ones tied to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer.networks import folders

T = TypeVar("T")


def bind_fields(part: str, labels: Mapping[str, str]) -> None:
    """Fields that are not shown, by key, each tied to the parameter of that name in the URL.

    part: of the page, each of which binds its own.
    """
    with st.container(key=f"bound_{part}"):  # the frame's style sheet hides what is called so
        for name, label in labels.items():
            bound_text(label, name)


def get(name: str) -> str:
    """The identifier in the link; "" where the link leaves it to the page."""
    return st.session_state.get(name) or ""


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


def reset(start: Mapping[str, Any]) -> None:
    """A button that puts the controls back. start: of a hidden field that is tied to the URL "", or it would
    stand in the URL of every view.
    """
    st.button(
        "Reset",
        icon=":material/restart_alt:",
        key="lab_reset",
        on_click=lambda: st.session_state.update(start),
        help="All controls of this page back to the start.",
    )


def bound(*names: str) -> None:
    """Tie fields that are not shown to the URL: "sample", "weights", and any of the page's own."""
    bind_fields("page", {name: name.capitalize() for name in names})


def bound_text(label: str, key: str) -> None:
    """A field tied to the URL under its key. A folder that it names by its path gets a name first, also one
    in a list: an address goes to others, and is on the screen.
    """
    if (held := st.session_state.get(key) or "") != (named := _without_paths(held)):
        st.session_state[key] = named
    asked = st.query_params.get(key, "")
    if not held and asked != (named := _without_paths(asked)):
        st.query_params[key] = named
        if (run := get_script_run_ctx()) is not None:
            with run.session_state.query_params() as known:
                known.set_initial_query_params_from_current()  # what the field starts from
    # Without a visible label: the browser parses each of them as Markdown, and nobody sees these.
    st.text_input(label, key=key, bind="query-params", label_visibility="collapsed")


def _without_paths(held: str) -> str:
    if "local-dir:" not in held:
        return held
    named = folders.without_path(held)
    return named if named != held else ",".join(map(folders.without_path, held.split(",")))
