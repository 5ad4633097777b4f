"""Choices that belong to the visit and stand in the URL, so that a link reproduces the view.

Streamlit keeps a parameter across pages, and the browser's Back key keeps its meaning, only when the
parameter is bound to a widget of the frame (`app.py`). `arch` is bound to a text field that is not shown: the
URL holds the plain identifier while the visible picker shows names.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from urllib.parse import parse_qs

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer.ui.kit.fields import bind_fields, get

ARCH = "arch"
SIZE = "size"  # side of the input in pixels, on the pages that take one
PRESENT = "present"
DEFAULT_ARCH = "resnet50"
_JUST_CHOSEN = "_just_chosen"
_NOT_UNDERSTOOD = "_not_understood"
_GOING = "_going"
_EMBEDDED = ("embed", "embed_options")  # Streamlit's own parameters, which a script may not set


def arch() -> str:
    """Catalogue id or network reference in the URL; the default when the URL names none."""
    return st.session_state.get(ARCH) or DEFAULT_ARCH


def chosen() -> bool:
    """Whether the visitor chose an architecture, rather than being shown the default."""
    return bool(st.session_state.get(ARCH))


def choose(name: str) -> None:
    """Make `name` the architecture of all pages. Only from a callback: before the bound field is drawn."""
    st.session_state[ARCH] = name.strip()
    st.session_state[_JUST_CHOSEN] = True


def just_chosen() -> bool:
    """Whether this run was started by a choice; true once."""
    return st.session_state.pop(_JUST_CHOSEN, False)


def go(script: str, parameters: Mapping[str, str], arch: str = "") -> None:
    """Have the frame open another page at the next run, with `arch` chosen if one is given. From a callback
    only. A switch in the middle of a page leaves the address behind: the page's own parameters overtake it.
    """
    if arch:
        st.session_state[ARCH] = arch
    st.session_state[_GOING] = (script, dict(parameters))


def going() -> tuple[str, dict[str, str]] | None:
    """Script and parameters of the page that `go` asked for; once. They are the new page's from here on, also
    those that the page being left has a control for, which would be taken off the address with that page.
    """
    asked: tuple[str, dict[str, str]] | None = st.session_state.pop(_GOING, None)
    run = get_script_run_ctx()
    if asked is not None and run is not None:
        with run.session_state.query_params() as known:
            for name in asked[1]:
                if (bound := known.get_binding_for_param(name)) is not None:
                    known.unbind_widget(bound.widget_id)
    return asked


def whole_address() -> None:
    """Give a page that Back or Forward opens all parameters of its address. Before anything is bound to them.

    Streamlit takes away those that the page just left binds as well ("sample", "find"): it cannot tell them
    from the ones that a link would carry over. Here nothing is carried over: the address is the page's own.
    """
    run = get_script_run_ctx()
    if run is None or not is_back_or_forward():
        return
    address = parse_qs(run.query_string, keep_blank_values=True)
    lost = [name for name in address if name not in (*st.query_params, *_EMBEDDED)]
    if not lost:
        return
    with run.session_state.query_params() as known:
        known.populate_from_query_string(run.query_string)
        known.set_initial_query_params_from_current()  # what the page's controls start from
    st.query_params[lost[0]] = address[lost[0]]  # tells the browser, which has dropped them from the address


def is_back_or_forward() -> bool:
    """Whether this run answers one of these keys of the browser."""
    run = get_script_run_ctx()
    return run is not None and run.is_history_navigation


def presenting() -> bool:
    return bool(st.session_state.get(PRESENT))


def bind() -> None:
    """Tie `arch` to the URL. Called once a run by the frame."""
    _restore(ARCH)
    bind_fields("frame", {ARCH: "Architecture"})


def present_switch() -> None:
    _restore(PRESENT)
    st.toggle(
        "Present",
        key=PRESENT,
        bind="query-params",
        help="Larger type for a projector; the side bar and the menu are hidden.",
    )


def not_understood(name: str, asked: str) -> None:
    """Have the frame say that the page cannot use what its link asks for under this name."""
    st.session_state.setdefault(_NOT_UNDERSTOOD, {})[name] = asked


def one_of(name: str, known: Container[str]) -> str:
    """The identifier in the link if it is known; "" where the link names none, or one that is not known,
    which the page then says.
    """
    asked = get(name)
    if asked and asked not in known:
        not_understood(name, asked)
        return ""
    return asked


def all_not_understood() -> dict[str, str]:
    """What was noted in this run, by parameter; once."""
    return st.session_state.pop(_NOT_UNDERSTOOD, {})


def dark() -> bool:
    """Whether the visitor's browser shows the dark theme."""
    return st.context.theme.type == "dark"


def _restore(key: str) -> None:
    """Put a choice of this visit back into a URL that lacks it; only before its widget is drawn.

    The browser drops the parameter when the visitor changes page before it has drawn the widget, and writes
    it again when the value is set anew.
    """
    if st.session_state.get(key) and key not in st.query_params:
        st.session_state[key] = st.session_state[key]
