"""What stands under a figure: what to look for, and the code that made its numbers."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import streamlit as st

from explorer.ui.kit.ending import Ended


def look_for(sentences: str) -> None:
    """Two sentences under the figure; Markdown."""
    st.markdown(f":material/visibility: **What to look for.** {sentences}")


@st.fragment
def folded(title: str, fill: Callable[[], None], *, key: str, icon: str = ":material/menu_book:") -> None:
    """What `fill` draws, folded away under its title and drawn once it is opened.

    What nobody opens costs neither server nor browser: a table weighs 1.3 MB of script, code 1.5 MB.
    """
    place = st.expander(title, key=key, icon=icon, on_change="rerun")
    if place.open:
        with place, suppress(Ended):  # what cannot be filled ends here, and not the page
            fill()


def code(*functions: Callable[..., Any]) -> None:
    """The code that made the numbers above, folded away: the very functions, not a copy of them."""

    def fill() -> None:
        for function in functions:
            st.code(inspect.getsource(function), language="python")

    folded("The formula as code", fill, key=f"code_{functions[0].__name__}", icon=":material/code:")
