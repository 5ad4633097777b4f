"""Gradient flow: how far a gradient gets in a random network, and by which ways."""

import streamlit as st

from explorer.ui.frame import page
from explorer.ui.frame.waiting import wait_for_imports
from explorer.ui.gradient_flow import controls, view

here = page.begin()
choices = controls.rows()
wait_for_imports(st.container())
view.SHOW[choices.view](choices, here)
