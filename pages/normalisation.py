"""Normalisation: who shares a mean with whom, what that does, and what becomes of it at test time."""

import streamlit as st

from explorer.ui.frame import page
from explorer.ui.kit import fields, lab
from explorer.ui.normalisation import networks, numbers
from explorer.ui.normalisation.controls import Choices

VIEWS = {
    "Axes": numbers.axes,
    "One batch": numbers.one_batch,
    "Statistics": numbers.statistics,
    "Train or eval": networks.train_or_eval,
    "In a network": networks.in_a_network,
    "In blocks": networks.in_blocks,
}

here = page.begin()
controls = lab.begin(Choices)
menu, reset = st.columns([9, 1], vertical_alignment="bottom")
view = fields.segments(menu, "View", list(VIEWS), default="Axes", key="nview", label_visibility="collapsed")
with reset:
    controls.reset()
VIEWS[view](controls, here)
