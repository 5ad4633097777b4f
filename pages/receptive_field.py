"""Receptive field: how far a unit sees by theory, by gradient, on your picture, and in a stack you build."""

import streamlit as st

from explorer.ui.effective_field import view as effective_field_view
from explorer.ui.frame import page
from explorer.ui.frame.waiting import wait_for_imports
from explorer.ui.kit import fields
from explorer.ui.kit.ending import end
from explorer.ui.picture import weights
from explorer.ui.receptive_field import notes, stack, view

here = page.begin()
fields.bound(*view.BOUND)
row = st.columns([4.4, 2.2, 2.2, 1.2], vertical_alignment="bottom")
shown = fields.segments(
    row[0], "View", view.VIEWS, default=view.GROWTH, key=view.VIEW, label_visibility="collapsed"
)
with row[3]:
    fields.reset(view.START)
picture = weights.picture(row[2]) if shown == view.PICTURE else None
wait_for_imports(st.container())

if shown == view.BUILDER:
    stack.show(here)
elif shown == view.EFFECTIVE:
    own = None if here.entry and not here.entry.builders else here.reference()
    effective_field_view.show(own, row[1], row[2], here)
else:
    found = view.traced(here, row[1])
    if found is None:
        end()
    subject, sheet = found
    if picture is None:
        view.growth(subject, sheet, here)
    else:
        view.picture(subject, sheet, picture, here)
    view.table(sheet)

view.formula(shown)
notes.published()
notes.sources()
