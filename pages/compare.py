"""Compare: two to four networks by their numbers, stages, layers, fields of view and measured speed."""

import streamlit as st

from explorer.ui.compare import measured, view
from explorer.ui.frame import page
from explorer.ui.frame.waiting import wait_for_imports
from explorer.ui.kit.ending import end
from explorer.ui.kit.fields import reset, segments
from explorer.ui.network import choices, several

here = page.begin()
several.bind(here)
wait_for_imports(st.container())
top = st.columns([7.6, 2.4, 1.2], vertical_alignment="bottom")
names = several.menu(top[0], here)
with top[1]:
    size = choices.image_size(None)
with top[2]:
    reset(view.START)
row = st.columns([6, 6], vertical_alignment="center")
shown = segments(
    row[0], "View", view.VIEWS, default=view.NUMBERS, key=view.VIEW, label_visibility="collapsed"
)
chosen = several.load(names, size)
if len(chosen) < 2:
    st.info("Add a second network above: two to four can be compared.", icon=":material/info:")
if not chosen:
    end()
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
    measured.show(chosen, here)
