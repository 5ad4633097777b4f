"""Compare: two to four networks by their numbers, stages, layers, fields of view and measured speed."""

import streamlit as st

from explorer.ui import architecture_choices, compare_measured, compare_networks, inference_answer, lab, page
from explorer.ui import compare_view as view
from explorer.ui import inference_choices as fields

here = page.begin()
compare_networks.bind(here)
inference_answer.wait_for_imports(st.container())
top = st.columns([7.6, 2.4, 1.2], vertical_alignment="bottom")
names = compare_networks.menu(top[0], here)
with top[1]:
    size = architecture_choices.image_size(None)
with top[2]:
    lab.reset(view.START)
row = st.columns([6, 6], vertical_alignment="center")
shown = fields.segments(
    row[0], "View", view.VIEWS, default=view.NUMBERS, key=view.VIEW, label_visibility="collapsed"
)
chosen = compare_networks.load(names, here, size)
if len(chosen) < 2:
    st.info("Add a second network above: two to four can be compared.", icon=":material/info:")
if not chosen:
    st.stop()
with row[1]:
    view.links(chosen)

if shown == view.NUMBERS:
    view.numbers(chosen)
elif shown == view.DIAGRAM:
    view.diagram(chosen)
elif shown == view.LAYERS:
    view.layers(chosen)
elif shown == view.FIELD:
    view.field(chosen, here)
else:
    compare_measured.show(chosen, here)
