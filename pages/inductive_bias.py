"""Inductive bias: the picture shifted and shuffled, two networks side by side."""

import streamlit as st

from explorer.ui.frame import page
from explorer.ui.frame.waiting import wait_for_imports
from explorer.ui.inductive_bias import answers, notes, view
from explorer.ui.kit import explain, lab
from explorer.ui.picture import weights

here = page.begin()
controls = lab.begin(view.Choices, "sample", "weights")
top = st.columns([5.4, 2, 3, 3, 1.4], vertical_alignment="bottom")
shown = controls.draw("view", top[0])
with top[4]:
    controls.reset()
both = None
if shown == view.POOLING:
    answers.pooling(here)
else:
    wait_for_imports(st.container())
    picture = weights.picture(top[1])
    weights_id = weights.weights(top[2], here)
    rival_id = view.rival(top[3], weights_id)
    row = st.columns([3, 3, 3, 3], vertical_alignment="bottom")
    if shown == view.SHUFFLE:
        grid, deal = controls.draw("patches", row[0]), controls.draw("deal", row[1])
    both = view.watched(picture, weights_id, view.LAYER), view.watched(picture, rival_id, view.RIVAL_LAYER)
    if shown == view.MAP:
        view.layer_menu(row[0], both[0], view.LAYER, "Layer")
        view.layer_menu(row[1], both[1], view.RIVAL_LAYER, "Layer of the other")
        dx, dy = controls.draw("right", row[2]), controls.draw("down", row[3])
        view.feature_maps(picture, both, dx, dy, here)
    elif shown == view.ANSWER:
        answers.answers(both, here)
    else:
        answers.shuffle(picture, both, grid, deal, here)
explain.look_for(notes.look_for(shown, both))
notes.formula(shown)
notes.sources()
