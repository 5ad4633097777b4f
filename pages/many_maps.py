"""Many maps: one photo, up to six heatmaps beside each other."""

import streamlit as st

from explorer.ui.frame import page
from explorer.ui.frame.waiting import wait_for_imports
from explorer.ui.kit import explain, lab
from explorer.ui.many_maps import view
from explorer.ui.picture import weights

here = page.begin()
controls = lab.begin(view.Choices, "sample", "weights")
top = st.columns([5, 2, 2.6, 1.3], vertical_alignment="bottom")
see = controls.draw("see", top[0])
wait_for_imports(st.container())
picture = weights.picture(top[1])
if see == view.NETWORKS:
    method = view.method_at_a_layer(controls, top[2])
else:
    weights_id = weights.weights(top[2], here)
with top[3]:
    controls.reset()

row = st.container()
if see == view.METHODS:
    view.by_method(controls, row, picture, weights_id)
elif see == view.NETWORKS:
    view.by_network(row, picture, method)
elif see == view.LAYERS:
    view.by_layer(controls, row, picture, weights_id)
else:
    view.by_class(controls, row, picture, weights_id)
explain.look_for(view.LOOK_FOR[see])
explain.code(*view.code(see))
