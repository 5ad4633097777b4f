"""Presentation: type that grows with the window, and controls that fold into one button.

The style sheet `presentation.css` says how large a rem is on which screen; all type of pages and components
is in rem. Charts count in pixels, and a row of panels has no room on a phone. So the browser reports its
window (`Window`): `theme.style` draws charts for its rem, `small_multiples.stacked` sets panels one below
the other. It also reports when its colours change under the open page, which runs again then.
"""

from __future__ import annotations

import streamlit as st

from explorer.ui.frame import state
from explorer.ui.kit import components, theme
from explorer.ui.kit.figure import Window

CONTROLS = "controls_shown"
_WINDOW = "window_of_the_browser"
_NARROW = "(max-width: 899.9px)"  # there a page that is not presented folds its controls too
_PHONE = 640  # pixels; from here on Streamlit sets columns one below the other


# One rem wide, so that an observer sees when the style sheet arrives and when the window changes. It tells
# only what differs from what the server knows, so most visits never hear of it.
_ruler = components.declare(
    "ruler",
    css="",
    html='<i style="display: block; width: 1rem"></i>',
    js="""
export default ({ parentElement, data, setStateValue }) => {
  const ruler = parentElement.querySelector("i");
  const narrow = matchMedia(`(max-width: ${data.phone_px - 0.1}px)`);
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  const told = { rem: data.rem, phone: data.phone, dark: data.dark };
  const tell = (name, value) => { if (value !== told[name]) setStateValue(name, (told[name] = value)); };
  let asDrawn = true; // Streamlit has not changed its colours under what it has drawn
  const look = () => {
    const rem = Math.round(10 * ruler.getBoundingClientRect().width) / 10;
    if (rem && data.rem !== null) tell("rem", rem);
    tell("phone", narrow.matches);
    // Streamlit changes its own colours and runs nothing: charts have theirs from the server.
    if (!asDrawn) tell("dark", getComputedStyle(ruler).colorScheme === "dark");
  };
  let wait;
  let takeBack = () => {};
  const changed = () => {
    clearTimeout(wait);
    takeBack();
    // A window that is being dragged tells its size once.
    wait = setTimeout(() => { takeBack = history.onceStaying(look, { anywhere: true }); }, 150); // history.js
  };
  const recoloured = () => { asDrawn = false; changed(); };
  const watcher = new ResizeObserver(changed);
  watcher.observe(ruler);
  narrow.addEventListener("change", changed);
  scheme.addEventListener("change", recoloured);
  return () => {
    clearTimeout(wait);
    takeBack();
    watcher.disconnect();
    narrow.removeEventListener("change", changed);
    scheme.removeEventListener("change", recoloured);
  };
};
""",
)


def draw() -> None:
    """Style sheets, and the ruler. After the switch, which reads the URL."""
    theme.apply("frame/folding.css", "all" if state.presenting() else _NARROW)
    if state.presenting():
        theme.apply("frame/presentation.css")
    shown = window()
    rem = (shown.rem if shown.known else 0.0) if state.presenting() else None  # else nobody asks for it
    data = {"rem": rem, "phone": shown.phone, "phone_px": _PHONE, "dark": state.dark()}
    with st.container(key="ruler"):
        _ruler(key=_WINDOW, data=data, on_rem_change=_run, on_phone_change=_run, on_dark_change=_run)


def _run() -> None:
    """The run that a callback belongs to is all that is wanted."""


def window() -> Window:
    """What the browser has told; a usual one until then."""
    told = st.session_state.get(_WINDOW) or {}
    rem = told.get("rem") if state.presenting() else theme.REM
    return Window(rem or theme.REM, bool(told.get("phone")), known=bool(rem))


def controls_button() -> None:
    """Shows the controls again. The style sheet reads it: no page knows that its controls fold."""
    st.toggle("Controls", key=CONTROLS, help="Show the controls of the page and the network's name.")
