"""Quiz: one question after the other, none twice until all were asked, answers computed."""

import streamlit as st

from explorer.ui import inference_answer, page, theme
from explorer.ui import quiz_state as quiz
from explorer.ui import quiz_view as view

here = page.begin()
theme.apply("quiz.css")
view.controls()
quiz.bind()
inference_answer.wait_for_imports(st.container())

question = quiz.current()
if question is None:
    view.summary()
else:
    view.question(question)
