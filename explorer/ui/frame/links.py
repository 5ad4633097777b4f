"""A button that leads to another page of the app, given as its address: "gradient_flow?arch=resnet50"."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import streamlit as st

from explorer.ui.frame import state
from explorer.ui.frame.navigation import ENTRIES


def split(address: str) -> tuple[str, dict[str, str]]:
    """(script, parameters) of an address; "" is the start page."""
    parts = urlsplit(address)
    return f"pages/{parts.path.strip('/') or 'timeline'}.py", dict(parse_qsl(parts.query))


def title(address: str) -> str:
    """What the navigation calls the page; ValueError for an address of none."""
    script, _ = split(address)
    found = [entry.title for entry in ENTRIES if entry.script == script]
    if not found:
        raise ValueError(f"{address!r} is no page of this app")
    return found[0]


def architecture(network: str, label: str, key: str, pixels: int | None = None) -> None:
    """To the page of a network, which becomes the chosen one. pixels: side of its input, None for its own."""
    button(architecture_address(network, pixels), label, key, ":material/account_tree:")


def architecture_address(network: str, pixels: int | None = None) -> str:
    return address("architecture", **{state.ARCH: network, state.SIZE: pixels})


def address(page: str, **choices: str | int | None) -> str:
    """The page with what was chosen; a choice that is None or "" is left to the page."""
    chosen = {name: value for name, value in choices.items() if value not in (None, "")}
    return f"{page}?{urlencode(chosen)}"


def button(address: str, label: str, key: str, icon: str = ":material/visibility:", **more: Any) -> None:
    """The one way from page to page. more: of `st.button`.

    No st.page_link: its parameters do not arrive where the page left knows them too, and its network would
    stand beside the one that is chosen, which then stays.
    """
    script, choices = split(address)
    arch = choices.pop(state.ARCH, "")
    options: dict[str, Any] = {"type": "tertiary", "wrap": True} | more
    if st.button(label, icon=icon, key=key, on_click=state.go, args=(script, choices, arch), **options):
        st.rerun()  # reached in a fragment alone, which runs without the frame that opens the page
