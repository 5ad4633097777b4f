"""Efficiency: what every set of weights costs and how good it is, and which of them nothing else beats."""

import streamlit as st

from explorer.ui.efficiency import controls, view
from explorer.ui.frame import page
from explorer.ui.frame.waiting import wait_for_imports
from explorer.ui.network import candidates

here = page.begin()
wait_for_imports(st.container())
files = st.session_state.get(view.FILES) or ()
data = view.from_files(files) if files else candidates.here()
view.about_files(data if files else None)
first = st.container(key="efirst")
with first, st.container(key="econtrols"):
    choices = controls.row(data)
view.show(data, choices, here, first)
view.sources(data)
