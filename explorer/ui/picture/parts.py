"""How the parts around a picture come to the browser: html, css and js, pictures as data."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

from explorer.ui.kit import components, theme

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image
    from streamlit.components.v2.types import ComponentRenderer

_TINY = 97  # a view smaller than this is enlarged so much that its pixels should show


def component(room: str, name: str, *, own_style: bool = False) -> ComponentRenderer:
    """The component whose files lie in that room, named `name`; call once a process, on a module's import.

    own_style: it has a style sheet beside the one of all parts.
    """
    html, js = (theme.asset(f"{room}/browser/{name}.{kind}") for kind in ("html", "js"))
    css = theme.asset("picture/browser/style.css")
    if own_style:
        css += theme.asset(f"{room}/browser/{name}.css")
    return components.declare(f"inference_{name}", html=html, css=css, js=js)


def data_url(image: Image.Image, *, lossless: bool) -> str:
    """`image` in a form that travels inside a message."""
    kind, options = ("png", {"compress_level": 4}) if lossless else ("jpeg", {"quality": 88})
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def is_tiny(view: np.ndarray) -> bool:
    return max(view.shape[:2]) < _TINY
