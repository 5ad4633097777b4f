"""Inference: the picture on the left, what the network makes of it on the right."""

import streamlit as st

from explorer.ui.frame import page
from explorer.ui.frame.waiting import start_meanwhile, wait_for_imports
from explorer.ui.inference import answer as core
from explorer.ui.inference import controls, number, proof, saving, through, view
from explorer.ui.kit.ending import end
from explorer.ui.picture import choices
from explorer.ui.picture import current as pictures

here = page.begin()
choices.bind(here.arch)
waiting = not core.answered_before()
row = controls.row(waiting=waiting)
picture = pictures.current()
pictures.menu(row.picture, picture)
pictures.paste(row.paste, picture)

if picture is None:
    pictures.invite()
    start_meanwhile()
    end()

left, right = st.columns([3, 9], gap="medium")
headline = right.container(key="inference_headline")
place = left.empty() if waiting else left
if waiting:
    with place:
        view.picture(picture, None, key="picture_waiting")
wait_for_imports(headline)
with headline:  # where an unknown name is said
    who = core.lookers(here)
controls.weights(row, who)
question = core.Question(picture, choices.layer(), choices.target(), choices.method(), choices.opened())
answer = core.obtain(question, who, headline)

with place:
    view.picture(picture, answer)
if answer is None:
    controls.without_answer(row)
    end()

with left:
    view.asks(answer)
controls.layer(row, answer)
controls.target(row, answer)
controls.method(row, answer)
headline.markdown(view.headline(answer, controls.name(here.entry, who, answer.entry)))
if sentence := view.not_taken(answer, who):
    headline.caption(sentence)
with right:
    view.what_it_can_know(answer, picture)
    flow, rest = st.columns([17, 8], gap="small")
    with flow:
        through.view(question, answer)
    with rest:
        view.answer_bars(answer)
        view.maps(answer)
    proof.view(question, answer, here)
    saving.menu(question, answer)
    st.caption(view.timings(answer))
    st.markdown(view.what_to_look_for(answer))
number.view(question, answer)
