"""Degradation: plain and residual twins of two depths, really trained, training and test error."""

import streamlit as st

from explorer.labs import degradation
from explorer.ui.degradation import view
from explorer.ui.frame import page
from explorer.ui.kit import fields

here = page.begin()
with st.container(horizontal=True, vertical_alignment="center"):
    what = fields.segments(
        st, "Show", view.WHAT, key="dshow", default=view.START["dshow"], label_visibility="collapsed"
    )
    fields.reset(view.START)
view.show(degradation.read(), what, here)
view.beside()
