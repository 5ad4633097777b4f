"""What stands under a figure: what to look for, and the code that made its numbers."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import streamlit as st


def look_for(sentences: str) -> None:
    """Two sentences under the figure; Markdown."""
    st.markdown(f":material/visibility: **What to look for.** {sentences}")


@st.fragment
def code(*functions: Callable[..., Any]) -> None:
    """The code that made the numbers above, folded away: the very functions, not a copy of them.

    Shown once it is opened: the highlighter weighs 1.5 MB, which the first drawing need not wait for.
    """
    folded = st.expander(
        "The formula as code",
        key=f"code_{functions[0].__name__}",
        icon=":material/code:",
        on_change="rerun",
    )
    if folded.open:
        for function in functions:
            folded.code(inspect.getsource(function), language="python")
