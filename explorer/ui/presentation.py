"""Presentation: type that grows with the window, and controls that fold into one button.

The style sheet `present.css` says how large a rem is on which screen; all type of pages and components is
in rem. Charts count in pixels, so the browser reports its rem, and `theme.style` draws them for it.
"""

from __future__ import annotations

import streamlit as st

from explorer.ui import components, state, theme

CONTROLS = "controls_shown"
_REM = "rem_of_the_browser"
_NARROW = "(max-width: 899.9px)"  # there a page that is not presented folds its controls too
_SMALLEST_REM = 20.6  # of present.css, until the browser has told its own

# One rem wide, so that an observer sees when the style sheet arrives and when the window changes.
_ruler = components.declare(
    "ruler",
    css="",
    html='<i style="display: block; width: 1rem"></i>',
    js="""
export default ({ parentElement, data, setStateValue }) => {
  const ruler = parentElement.querySelector("i");
  let told = data.rem;
  let wait;
  const watcher = new ResizeObserver(() => {
    clearTimeout(wait);
    wait = setTimeout(() => { // a window that is being dragged tells its size once
      const rem = Math.round(10 * ruler.getBoundingClientRect().width) / 10 || told;
      if (rem !== told) setStateValue("rem", (told = rem));
    }, 150);
  });
  watcher.observe(ruler);
  return () => watcher.disconnect();
};
""",
)


def draw() -> None:
    """Style sheets, and the ruler of a presentation. After the switch, which reads the URL."""
    theme.apply("folding.css", "all" if state.presenting() else _NARROW)
    if state.presenting():
        theme.apply("present.css")
        with st.container(key="ruler"):
            _ruler(key=_REM, data={"rem": rem()}, on_rem_change=lambda: None)


def rem() -> float:
    """Pixels of one rem in the visitor's browser."""
    if not state.presenting():
        return theme.REM
    return (st.session_state.get(_REM) or {}).get("rem") or _SMALLEST_REM


def controls_button() -> None:
    """Shows the controls again. The style sheet reads it: no page knows that its controls fold."""
    st.toggle("Controls", key=CONTROLS, help="Show the controls of the page and the network's name.")
