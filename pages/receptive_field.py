"""Receptive field: how far a unit sees by theory, by gradient, on your picture, and in a stack you build."""

import streamlit as st

from explorer.ui.effective_field import view as effective_field_view
from explorer.ui.frame import page
from explorer.ui.frame.waiting import wait_for_imports
from explorer.ui.kit import lab
from explorer.ui.kit.ending import end
from explorer.ui.picture import weights
from explorer.ui.receptive_field import notes, stack, view

here = page.begin()
controls = lab.begin(view.Choices, "sample")
row = st.columns([4.4, 2.2, 2.2, 1.2], vertical_alignment="bottom")
shown = controls.draw("view", row[0])
with row[3]:
    controls.reset()
picture = weights.picture(row[2]) if shown == view.PICTURE else None
wait_for_imports(st.container())

if shown == view.BUILDER:
    stack.show(controls, here)
elif shown == view.EFFECTIVE:
    own = None if here.entry and not here.entry.builders else here.reference()
    effective_field_view.show(own, controls, row[1], row[2], here)
else:
    found = view.traced(here, row[1])
    if found is None:
        end()
    subject, sheet = found
    if picture is None:
        view.growth(subject, sheet, here)
    else:
        view.picture(subject, sheet, picture, controls, here)
    view.table(sheet)

view.formula(shown)
notes.published()
notes.sources()
