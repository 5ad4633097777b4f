"""A button that leads to another page of the app, given as its address: "gradient_flow?arch=resnet50"."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

import streamlit as st

from explorer.ui import architecture_choices, state
from explorer.ui.page import ENTRIES


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
    size = {architecture_choices.SIZE: pixels} if pixels else {}
    return f"architecture?{urlencode({state.ARCH: network, **size})}"


def button(address: str, label: str, key: str, icon: str = ":material/visibility:") -> None:
    script, choices = split(address)
    arch = choices.pop(state.ARCH, "")
    # No st.page_link: it would put its network beside the one that is chosen, which then stays.
    st.button(
        label,
        icon=icon,
        key=key,
        type="tertiary",
        on_click=state.go,
        args=(script, choices, arch),
        wrap=True,
    )
