"""What lies below the fold comes when the first picture stands.

A table or a chart makes the browser fetch and start megabytes of script (a data frame 1.3, Plotly 4.7) before
it draws anything that came in the same run. A part of the page in a fragment of its own waits until the
browser is idle and then asks for itself; from then on, in this visit, everything comes at once.

Who has just acted may be leaving the page. Streamlit would answer a fragment of the page left after the page
come to, and the browser then empties that; so the part asks when nobody has acted for a while (`history.js`).
"""

from __future__ import annotations

import streamlit as st

from explorer.ui.kit import components

STANDS = "_first_picture_stands"
_component = components.declare(
    "first_picture",
    html="<div></div>",
    css="",
    js="""export default function ({ setTriggerValue }) {
  const idle = window.requestIdleCallback ?? ((call) => setTimeout(call, 200));
  let over = false;
  let takeBack = () => {};
  const ask = () => setTriggerValue("idle", true);
  const wait = () => idle(() => { if (!over) takeBack = history.onceStaying(ask); }, { timeout: 3000 });
  requestAnimationFrame(() => requestAnimationFrame(wait)); // what came with this run is painted
  return () => { over = true; takeBack(); };
}""",
)


def stands() -> bool:
    """Whether this visit's browser has drawn a first picture."""
    return st.session_state.get(STANDS, False)


def wait(height: int) -> None:
    """Keep `height` pixels, and have the fragment around this run again once the browser is idle."""
    st.skeleton(height=height)
    _component(key="first_picture", data=None, on_idle_change=lambda: st.session_state.update({STANDS: True}))
