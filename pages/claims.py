"""Claims: what the sources say in numbers, checked by computing or by looking up, each verdict defended."""

import streamlit as st

from explorer.ui import claims_running as running
from explorer.ui import claims_view as view
from explorer.ui import inference_answer, page

here = page.begin()
inference_answer.wait_for_imports(st.container())
counts, bar, button, csv = st.columns([7.6, 2.6, 1.2, 1], vertical_alignment="center")
view.summary(counts)
shown, wanted = view.filters()
opened = view.chosen(shown)
running.controls(bar, button)
view.download(csv, shown)
left, right = st.columns([7, 5], gap="medium")
with left:
    view.table(shown, opened, here)
with right:
    if opened:
        view.one(opened)
running.round_(claim.id for claim in wanted)
