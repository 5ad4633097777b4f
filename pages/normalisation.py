"""Normalisation: who shares a mean with whom, what that does, and what becomes of it at test time."""

import streamlit as st

from explorer.ui import inference_choices as fields
from explorer.ui import lab, page
from explorer.ui import normalisation_controls as controls
from explorer.ui import normalisation_network_view as networks
from explorer.ui import normalisation_view as numbers

VIEWS = {
    "Axes": numbers.axes,
    "One batch": numbers.one_batch,
    "Statistics": numbers.statistics,
    "Train or eval": networks.train_or_eval,
    "In a network": networks.in_a_network,
    "In blocks": networks.in_blocks,
}

here = page.begin()
lab.bound("sample", "weights", controls.TENSOR, controls.LAYER)
menu, reset = st.columns([9, 1], vertical_alignment="bottom")
view = fields.segments(
    menu, "View", list(VIEWS), default="Axes", key=controls.VIEW, label_visibility="collapsed"
)
with reset:
    lab.reset(controls.START)
VIEWS[view](here)
