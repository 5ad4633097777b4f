"""The page's font inside a saved drawing: opened alone, its words are as wide as they were laid out.

Source Sans comes with Streamlit and stands under the SIL Open Font License 1.1: documents may embed it.
"""

from __future__ import annotations

from base64 import b64encode
from functools import lru_cache
from io import BytesIO
from pathlib import Path

import streamlit as st

FAMILY = "Source Sans"
_FILES = Path(st.__file__).parent / "static" / "static" / "media"


_USUAL = frozenset(map(chr, range(0x20, 0x7F))) | frozenset("×·→½−–…")  # one font serves most drawings


def face(text: str) -> str:
    """A CSS `@font-face` rule of Source Sans, all weights, with the characters of `text`; about 20 kB."""
    return _face("".join(sorted(_USUAL | set(text))))


@lru_cache(maxsize=16)
def _face(characters: str) -> str:
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont

    (file,) = _FILES.glob("SourceSansVF-Upright*.woff2")
    font = TTFont(file)
    options = Options(layout_features=["kern", "tnum", "locl", "ccmp", "mark"], notdef_outline=True)
    options.hinting = False
    subsetter = Subsetter(options)
    subsetter.populate(text=characters)
    subsetter.subset(font)
    font.flavor = "woff2"
    packed = BytesIO()
    font.save(packed)
    data = b64encode(packed.getvalue()).decode()
    return (
        f'@font-face{{font-family:"{FAMILY}";font-weight:200 900;'
        f'src:url(data:font/woff2;base64,{data}) format("woff2")}}'
    )
