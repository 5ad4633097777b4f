"""Waiting for what a fresh server must load first."""

from __future__ import annotations

from threading import Thread

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def start_meanwhile() -> Thread:
    """Begin the heavy imports, once a process; the visitor may still be choosing a picture."""
    from explorer.serving import warmup

    return warmup.start()


def wait_for_imports(place: DeltaGenerator) -> None:
    """Until torch and timm are there: 0 s as a rule, some seconds for the first visitor of a fresh server."""
    thread = start_meanwhile()
    if thread.is_alive():
        with place, st.spinner("Starting PyTorch, once per server: about five seconds …"):
            thread.join()
