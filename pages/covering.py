"""Cover it up: paint over the photo and see what the answer hangs on."""

import streamlit as st

from explorer.ui.covering import view
from explorer.ui.frame import page
from explorer.ui.frame.waiting import wait_for_imports
from explorer.ui.kit import explain, lab
from explorer.ui.picture import weights

here = page.begin()
controls = lab.begin(view.Choices, "sample", "weights")
row = st.columns([2, 2.6, 2.4, 1.3], vertical_alignment="bottom")
wait_for_imports(st.container())
picture = weights.picture(row[0])
weights_id = weights.weights(row[1], here)
controls.draw("much", row[2])
with row[3]:
    controls.reset()
buttons = st.container(horizontal=True, key="covers")
view.show(controls.chosen(), picture, weights_id, buttons)
explain.look_for(
    "Cover what Grad-CAM names, then as much anywhere: only where the first harms the answer more was the "
    "map right. Then cover all but the thing: how little is enough? And is the grey itself an answer?"
)
explain.code(*view.code())
