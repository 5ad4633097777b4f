"""Gradient flow: how far a gradient gets in a random network, and by which ways."""

import streamlit as st

from explorer.ui.frame import page
from explorer.ui.frame.waiting import wait_for_imports
from explorer.ui.gradient_flow import view
from explorer.ui.gradient_flow.controls import Choices, rows
from explorer.ui.kit import lab

here = page.begin()
choices = rows(lab.begin(Choices))
wait_for_imports(st.container())
view.SHOW[choices.view](choices, here)
