"""Gradient flow: how far a gradient gets in a random network, and by which ways."""

import streamlit as st

from explorer.ui import gradient_flow_controls as controls
from explorer.ui import gradient_flow_view as view
from explorer.ui import inference_answer as core
from explorer.ui import page

here = page.begin()
choices = controls.rows()
core.wait_for_imports(st.container())
view.SHOW[choices.view](choices, here)
