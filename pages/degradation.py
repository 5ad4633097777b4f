"""Degradation: plain and residual twins of two depths, really trained, training and test error."""

import streamlit as st

from explorer.labs import degradation
from explorer.ui.degradation import view
from explorer.ui.frame import page
from explorer.ui.kit import lab

here = page.begin()
controls = lab.begin(view.Choices)
with st.container(horizontal=True, vertical_alignment="center"):
    controls.draw("what")
    controls.reset()
view.show(degradation.read(), controls.chosen().what, here)
view.beside()
