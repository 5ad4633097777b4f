"""Quiz: one question after the other, none twice until all were asked, answers computed."""

import streamlit as st

from explorer.ui.frame import page
from explorer.ui.frame.waiting import wait_for_imports
from explorer.ui.kit import theme
from explorer.ui.quiz import state as quiz
from explorer.ui.quiz import view

here = page.begin()
theme.apply("quiz/page.css")
view.controls()
quiz.bind()
wait_for_imports(st.container())

question = quiz.current()
if question is None:
    view.summary()
else:
    view.question(question)
