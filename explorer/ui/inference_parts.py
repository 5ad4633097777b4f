"""How the Inference page's own parts come to the browser: html, css and js, pictures as data."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

from explorer.ui import components, theme

if TYPE_CHECKING:
    from PIL import Image
    from streamlit.components.v2.types import ComponentRenderer

_FOLDER = theme.ASSETS / "inference"


def component(name: str) -> ComponentRenderer:
    """The component whose files are named `name`; call once a process, when a module is imported."""
    html, css, js = (
        (_FOLDER / file).read_text("utf-8") for file in (f"{name}.html", "style.css", f"{name}.js")
    )
    return components.declare(f"inference_{name}", html=html, css=css, js=js)


def data_url(image: Image.Image, *, lossless: bool) -> str:
    """`image` in a form that travels inside a message."""
    kind, options = ("png", {"compress_level": 4}) if lossless else ("jpeg", {"quality": 88})
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"
