"""Look: one colour a family, one colour a role of operation, the same everywhere, in a light and a dark variant."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

ASSETS = Path(__file__).parent / "assets"


def apply(*, presenting: bool) -> None:
    """Put the frame's styles on the page; with `presenting`, the larger type as well."""
    sheets = ["frame.css", "present.css"] if presenting else ["frame.css"]
    st.html("<style>" + "\n".join((ASSETS / sheet).read_text("utf-8") for sheet in sheets) + "</style>")
