"""How the project's own parts come to the browser: html, css and js declared once, data apart from them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer


def buttons(tools: Iterable[tuple[str, str, str]], attribute: str = "data-do") -> str:
    """As HTML. tools: of each its name, what it shows (HTML), and what it does, to be hovered or heard."""
    return "".join(
        f'<button type="button" {attribute}="{name}" title="{told}" aria-label="{told}">{shown}</button>'
        for name, shown, told in tools
    )


def declare(name: str, *, html: str, css: str, js: str) -> ComponentRenderer:
    """Call once a process, when a module is imported.

    Its data must be JSON. Streamlit writes NaN and Infinity, at which the browser's script would stop; here
    they raise ValueError, as whatever else is none of JSON's values raises TypeError.
    """
    mount = st.components.v2.component(name, html=html, css=css, js=js)

    def draw(*, data: Any = None, **options: Any) -> Any:
        json.dumps(data, allow_nan=False)
        return mount(data=data, **options)

    return draw
