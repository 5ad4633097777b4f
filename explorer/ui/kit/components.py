"""How the project's own parts come to the browser: html, css and js declared once, data apart from them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer


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
