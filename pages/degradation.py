"""Degradation: plain and residual twins of two depths, really trained, training and test error."""

import streamlit as st

from explorer.labs import degradation
from explorer.ui import degradation_view as view
from explorer.ui import inference_choices as fields
from explorer.ui import lab, page

here = page.begin()
with st.container(horizontal=True, vertical_alignment="center"):
    what = fields.segments(
        st, "Show", view.WHAT, key="dshow", default=view.START["dshow"], label_visibility="collapsed"
    )
    lab.reset(view.START)
view.show(degradation.read(), what, here)
view.beside()
