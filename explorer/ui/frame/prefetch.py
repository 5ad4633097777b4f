"""Large scripts of Streamlit's front end, which the home page asks for before a page needs them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import streamlit as st

from explorer.ui.kit import theme

_STATIC = Path(st.__file__).parent / "static"
# Elements of Streamlit's front end whose scripts are megabytes: charts 4.7, tables 1.3.
_LARGE = ("PlotlyChart", "DataFrame")


def later() -> None:
    """Ask the browser to fetch them once it is idle, into its own cache. Nothing is drawn."""
    names = json.dumps(chunks(_STATIC / "manifest.json"))
    script = theme.asset("frame/prefetch.js").replace("NAMES", names)
    st.html(f"<script>{script}</script>", unsafe_allow_javascript=True)


@cache
def chunks(manifest: Path) -> tuple[str, ...]:
    """Files of these large elements, relative to Streamlit's static folder, without what every page loads.

    manifest: Vite's list of them, https://vite.dev/guide/backend-integration. () where it is missing or says
    something else: a page then fetches for itself.
    """
    try:
        listed = json.loads(manifest.read_text("utf-8"))
        start = _with_imports(listed, [key for key, each in listed.items() if each.get("isEntry")])
        large = [key for key, each in listed.items() if each.get("name") in _LARGE]
        wanted = _with_imports(listed, large)
        return tuple(listed[key]["file"] for key in wanted if key not in start)
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        return ()


def _with_imports(listed: dict, keys: list[str]) -> dict[str, None]:
    """The entries of these keys and all that they import, in order."""
    found: dict[str, None] = {}
    waiting = list(reversed(keys))
    while waiting:
        key = waiting.pop()
        if key not in found:
            found[key] = None
            waiting += reversed(listed[key].get("imports", []))
    return found
