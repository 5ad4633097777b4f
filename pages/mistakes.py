"""Common mistakes with trained networks: each made on purpose, beside the run done right."""

import streamlit as st

from explorer.ui.frame import page
from explorer.ui.frame.waiting import wait_for_imports
from explorer.ui.kit import explain, lab
from explorer.ui.mistakes import view
from explorer.ui.picture import weights

here = page.begin()
controls = lab.begin(view.Choices, "sample", "weights")
row = st.columns([4, 2.2, 3, 3, 1.4], vertical_alignment="bottom")
shown = controls.draw("view", row[0])
wait_for_imports(st.container())
mistake = view.chosen()
if shown != view.COSTS:
    picture = weights.picture(row[1])
    weights_id = weights.weights(row[2], here)
if shown == view.ONE:
    view.menu(row[3], mistake)
with row[4]:
    controls.reset()

if shown == view.ALL:
    view.everything(picture, weights_id, here)
elif shown == view.COSTS:
    view.time_or_parameters(here)
else:
    view.one(picture, weights_id, mistake, here)

explain.look_for(
    "Which mistakes raise no error and even keep the first answer? Those are found late, so look at how far "
    "the whole answer moves and at the picture as the network saw it; try a picture whose colour decides."
)
view.formula(shown, mistake)
view.sources()
