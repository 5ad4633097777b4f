"""Waiting: for what a fresh server must load first, and in the place of what is being computed."""

from __future__ import annotations

from html import escape
from threading import Thread

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.ui.kit import theme

_STARTING = "Starting PyTorch, once per server: about five seconds"


def start_meanwhile() -> Thread:
    """Begin the heavy imports, once a process; the visitor may still be choosing a picture."""
    from explorer.serving import warmup

    return warmup.start()


def wait_for_imports(place: DeltaGenerator, height: int | None = None) -> None:
    """Until torch and timm are there: 0 s as a rule, some seconds for the first visitor of a fresh server.

    height: pixels that `place`, an empty one, keeps meanwhile for what will stand there.
    """
    thread = start_meanwhile()
    if not thread.is_alive():
        return
    if height is None:
        with place, st.spinner(f"{_STARTING} …"):
            thread.join()
    else:
        reserve(place, height, _STARTING)
        thread.join()
        place.empty()


def reserve(place: DeltaGenerator, height: int, sentence: str) -> None:
    """Say in an emptied place what is being done, and keep its height in pixels."""
    theme.apply("frame/waiting.css")
    place.html(f'<div class="waiting" role="status" style="height: {height}px">{escape(sentence)} …</div>')
