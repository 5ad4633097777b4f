"""The frame around every page: navigation, head row with the shared picker, and how every page begins.

On a fresh server Streamlit runs `pages/x.py` for a deep link without `app.py`, because it finds a `pages`
folder beside it and has not yet met `st.navigation`. `begin()` notices that no frame was drawn, declares the
navigation and asks for a rerun, which then goes through `app.py` with page and query string kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import RerunException

from explorer import catalogue
from explorer.home import ASSETS
from explorer.serving import housekeeping, warmup
from explorer.ui.frame import picker, presentation, state
from explorer.ui.frame.navigation import ENTRIES, Entry
from explorer.ui.kit import figure, theme
from explorer.ui.kit.ending import Ended
from explorer.ui.kit.formatting import plain

TITLE = "CNN Architecture Explorer"
LOGO = ASSETS / "logo.svg"
CONTROLS = "_controls_of_this_visit"
_HEAD = "_head_of_this_run"
_NOTICE = "_notice_of_this_run"
_ANSWERED = "_answered_page"  # the last one that ran to its end
_QUOTED = 40  # characters of a parameter that are repeated
_HANDED_OVER = "_handed_over"


@dataclass(frozen=True)
class Page:
    """What a page script works with. `arch` is what the URL names, `entry` its catalogue entry."""

    arch: str
    entry: catalogue.Architecture | None
    presenting: bool
    dark: bool
    window: figure.Window
    _head: DeltaGenerator

    def title(self, title: str, sentence: str = "") -> None:
        """Replace the title that the navigation gave, say by an architecture's name; "" removes it."""
        _write_head(self._head, title, sentence)

    def reference(self):
        """The network reference of `arch`; an unknown name is said and the default used. Imports torch."""
        return picker.reference(self.arch)


def configure() -> None:
    """Title and icon of the browser's tab, the whole width for the page; no network takes all cores."""
    warmup.leave_cores_free()
    st.set_page_config(page_title=TITLE, page_icon=str(LOGO), layout="wide")


def navigation() -> st.Page:
    """Declare all pages; the one the visitor asked for."""
    sections: dict[str, list[st.Page]] = {}
    for entry in ENTRIES:
        sections.setdefault(entry.section, []).append(_declared(entry, at_home=entry is ENTRIES[0]))
    # Streamlit gives the page at the root no other address; who types its name opens it all the same.
    sections[ENTRIES[0].section].append(_declared(ENTRIES[0], visibility="hidden"))
    return st.navigation(sections, position="top")


def _declared(
    entry: Entry, *, at_home: bool = False, visibility: Literal["visible", "hidden"] = "visible"
) -> st.Page:
    return st.Page(
        entry.script,
        title=entry.title,
        icon=entry.icon,
        help=entry.sentence,
        default=at_home,
        url_path="" if at_home else None,
        visibility=visibility,
    )


def frame() -> st.Page:
    """Everything around a page, drawn by `app.py` on each run; the page to run inside it."""
    current = navigation()
    at_home = current.title == ENTRIES[0].title
    state.whole_address()
    with st.container(key="controls"):
        style, script = theme.asset("frame/page.css"), theme.asset("frame/history.js")
        st.html(f"<style>{style}</style><script>{script}</script>", unsafe_allow_javascript=True)
        # The story comes first: the start page asks for its controls when it stands.
        if not at_home or has_controls() or st.query_params:
            add_controls()
            _controls(current)
    head = st.container(key="head").empty()
    _write_head(head, current.title, current.help)
    st.session_state[_HEAD] = head
    st.session_state[_NOTICE] = st.empty()
    if (elsewhere := state.going()) is not None:
        st.switch_page(elsewhere[0], query_params=elsewhere[1])
    if state.just_chosen() and at_home:  # before the page: what it would draw is not looked at any more
        st.switch_page(ENTRIES[1].script, query_params={})  # the bound parameters travel along
    return current


def has_controls() -> bool:
    """Whether the frame's controls have been drawn in this visit, or are drawn in this run."""
    return st.session_state.get(CONTROLS, False)


def add_controls() -> None:
    """From a callback: the run that it belongs to draws them, and all later ones."""
    st.session_state[CONTROLS] = True


def _controls(current: st.Page) -> None:
    state.bind()
    choice, switch = st.columns([7, 3], vertical_alignment="center")
    with choice:
        choosing = next(entry.choosing for entry in ENTRIES if entry.title == current.title)
        picker.draw(empty=choosing and not state.chosen())
    with switch, st.container(horizontal=True, horizontal_alignment="right", key="switches"):
        presentation.controls_button()
        state.present_switch()
    presentation.draw()


def run(current: st.Page) -> None:
    """The page inside its frame. What its link asks for and it cannot use is said under the title: what the
    page noted itself, and what Streamlit took out of the address because no widget can hold it.
    """
    state.all_not_understood()
    asked = {name: st.query_params.get_all(name) for name in st.query_params}
    # Later a value that is no longer the address's is one that the visitor chose.
    by_link = st.session_state.get(_ANSWERED) != current.title or state.is_back_or_forward()
    answered = True
    try:
        current.run()
    except RerunException:
        answered = False
        raise
    except Ended:
        pass
    finally:  # also where the page stopped early
        if answered:
            st.session_state[_ANSWERED] = current.title
        refused = {name: texts for name, texts in asked.items() if by_link and _refused(name, texts)}
        noted = {name: ", ".join(texts) for name, texts in refused.items()} | state.all_not_understood()
        if noted:
            said = ", ".join(f"`{name}` = “{plain(_shortened(text))}”" for name, text in noted.items())
            st.session_state[_NOTICE].warning(
                f"The link asks for more than this page can use; left out: {said}.",
                icon=":material/link_off:",
            )


def _refused(name: str, texts: list[str]) -> bool:
    """Whether a widget of this page holds another value than its parameter asked for."""
    if name not in st.session_state or st.query_params.get_all(name) == texts or not any(texts):
        return False
    held = st.session_state[name]
    values = held if isinstance(held, list | tuple) else [] if held is None else [held]
    return len(values) != len(texts) or not all(map(_same, texts, values))


def _same(text: str, value: object) -> bool:
    """Whether a parameter says this value, as people write it: "TRUE", "2.0", "training"."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(text) == value
        except ValueError:
            return False
    return text.strip().casefold() == str(value).casefold()


def _shortened(text: str) -> str:
    shown = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text[:_QUOTED])
    return shown if len(text) <= _QUOTED else f"{shown}…"


def begin() -> Page:
    """First line of every page: what the visitor chose, after making sure that the frame stands around it."""
    housekeeping.served()
    head = st.session_state.pop(_HEAD, None)
    if head is None:
        _hand_over_to_navigation()
    st.session_state.pop(_HANDED_OVER, None)
    name = state.arch()
    entry = picker.entry_of(name)
    return Page(name, entry, state.presenting(), state.dark(), presentation.window(), head)


def _hand_over_to_navigation() -> None:
    if st.session_state.pop(_HANDED_OVER, False):
        raise RuntimeError("This page was run without app.py twice in a row; start the app with app.py.")
    st.session_state[_HANDED_OVER] = True
    configure()  # before the navigation, whose icon would become the favicon, fetched from elsewhere
    navigation()
    st.rerun()


def _write_head(head: DeltaGenerator, title: str, sentence: str) -> None:
    if not title:
        head.empty()
        return
    with head.container(gap=None):
        st.title(title, anchor=False)
        if sentence:
            st.caption(sentence)
