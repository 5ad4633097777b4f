"""Claims: what the sources say in numbers, checked by computing or by looking up, each verdict defended."""

import streamlit as st

from explorer.ui.claims import running, view
from explorer.ui.frame import page
from explorer.ui.kit import theme

here = page.begin()
theme.apply("claims/page.css")
with st.container(key="claims_head"):
    counts, bar, button, csv = st.columns([7.6, 2.6, 1.2, 1], vertical_alignment="center")
view.summary(counts)
shown, wanted = view.filters()
opened = view.chosen(shown)
bar = bar.empty()
running.controls(bar, button)
view.download(csv, shown)
left, right = st.columns([7, 5], gap="medium")
with left, st.container(key="claims_list", height="stretch"):
    view.table(shown, opened, here)
with right:
    if opened:
        view.one(opened)
running.one_round(bar, (claim.id for claim in wanted))
