"""How a page ends before its last line.

`st.stop()` stops Streamlit's whole run. What Streamlit does when a run ends well is then left undone: the
fragments of the page before stay alive, and one that a slow browser asks for late is drawn into this page,
which the browser's script does not survive.
"""

from __future__ import annotations

from typing import NoReturn


class Ended(Exception):  # noqa: N818 nothing went wrong
    """The page has shown all that it has to show; the frame catches it."""


def end() -> NoReturn:
    """In place of `st.stop()`, in a page or in what it calls; in a fragment only where that catches it, as
    `explain.folded` does.
    """
    raise Ended
