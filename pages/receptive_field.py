"""Receptive field: how far a unit sees by theory, by gradient, on your picture, and in a stack you build."""

import streamlit as st

from explorer.ui import effective_field_view, inference_answer, lab, page, window_stack_view
from explorer.ui import inference_choices as fields
from explorer.ui import receptive_field_notes as notes
from explorer.ui import receptive_field_view as view

here = page.begin()
lab.bound(*view.BOUND)
row = st.columns([4.4, 2.2, 2.2, 1.2], vertical_alignment="bottom")
shown = fields.segments(
    row[0], "View", view.VIEWS, default=view.GROWTH, key=view.VIEW, label_visibility="collapsed"
)
with row[3]:
    lab.reset(view.START)
picture = lab.picture(row[2]) if shown == view.PICTURE else None
inference_answer.wait_for_imports(st.container())

if shown == view.BUILDER:
    window_stack_view.show(here)
elif shown == view.EFFECTIVE:
    own = None if here.entry and not here.entry.builders else here.reference()
    effective_field_view.show(own, row[1], row[2], here)
else:
    found = view.traced(here, row[1])
    if found is None:
        st.stop()
    subject, sheet = found
    if picture is None:
        view.growth(subject, sheet, here)
    else:
        view.picture(subject, sheet, picture, here)
    view.table(sheet)

view.formula(shown)
notes.published()
notes.sources()
