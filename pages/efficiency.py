"""Efficiency: what every set of weights costs and how good it is, and which of them nothing else beats."""

import streamlit as st

from explorer.ui import efficiency_controls as controls
from explorer.ui import efficiency_data, inference_answer, page, prefetch
from explorer.ui import efficiency_view as view

here = page.begin()
prefetch.chart()
inference_answer.wait_for_imports(st.container())
files = st.session_state.get(view.FILES) or ()
data = view.from_files(files) if files else efficiency_data.here()
view.about_files(data if files else None)
first = st.container(key="efirst")
with first, st.container(key="econtrols"):
    choices = controls.row(data)
view.show(data, choices, here, first)
view.sources(data)
