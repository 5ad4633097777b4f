"""The visitor's way through the quiz, kept in the visit alone: which questions, which one now, what was said.

The link holds the question and the topics, nothing of the score. Everything here that changes something is
for callbacks: the bound field `q` may only be set before it is drawn.
"""

from __future__ import annotations

import secrets

import streamlit as st

from explorer.catalogue.quiz import LEVELS, TOPICS, Question, questions
from explorer.labs.quiz.visit import Given, Visit
from explorer.ui.frame import state
from explorer.ui.kit import fields

QUESTION, TOPIC, LEVEL = "q", "topics", "difficulty"  # of no other page: what is chosen travels along
_VISIT, _LAST, _PICKED = "_quiz_visit", "_quiz_last", "_quiz_picked"


def visit() -> Visit:
    """Of this visitor; begun at the first look, with a shuffle of its own."""
    return st.session_state.setdefault(_VISIT, Visit(secrets.randbits(32)))


def pool() -> tuple[str, ...]:
    """Ids of the questions of the chosen topics and levels; nothing chosen is everything."""
    topics = st.session_state.get(TOPIC) or TOPICS.values()
    levels = st.session_state.get(LEVEL) or LEVELS.values()
    return tuple(
        each.id
        for each in questions().values()
        if TOPICS[each.topic] in topics and LEVELS[each.level] in levels
    )


def current() -> Question | None:
    """The link's question, else the one before the visitor left, else the next; None once all were given.

    A link that names no question, or none that there is, gets one all the same.
    """
    asked = st.session_state.get(QUESTION) or ""
    if asked not in questions():
        asked = _instead() or ""
    st.session_state[_LAST] = asked
    return questions().get(asked)


def _instead() -> str | None:
    last = st.session_state.get(_LAST)
    return last if last in pool() else visit().next(pool())


def bind() -> None:
    """Tie the question to the link; one that names none, or nonsense, then names the one that is shown.

    The link itself can be written only while the field is not yet tied to it; later a callback changes both.
    Going back in the browser writes nothing, or there would be no way back.
    """
    if QUESTION not in st.session_state and st.query_params.get(QUESTION) not in questions():
        if asked := st.query_params.get(QUESTION):
            state.not_understood(QUESTION, asked)
        st.session_state[QUESTION] = _instead() or ""
        st.query_params[QUESTION] = st.session_state[QUESTION]
    fields.bind_fields("quiz", {QUESTION: "Question"})


def picked(question: str) -> tuple[str, ...]:
    """Names put in order so far."""
    return st.session_state.get(_PICKED, {}).get(question, ())


def pick(question: str, names: tuple[str, ...]) -> None:
    st.session_state[_PICKED] = {question: names}


def give(given: Given) -> None:
    """An answer to the question in it, which is shown again with what there is to say."""
    st.session_state.pop(_PICKED, None)
    st.session_state[_VISIT] = visit().with_answer(given)
    st.session_state[QUESTION] = given.question


def go_on() -> None:
    """To the next question of the pool, or to the summary."""
    st.session_state[_LAST] = None
    st.session_state[QUESTION] = visit().next(pool()) or ""


def skip(question: str) -> None:
    give(Given(question, "skipped"))
    go_on()


def again(asked: tuple[str, ...]) -> None:
    """These come once more."""
    st.session_state[_VISIT] = visit().without(asked)
    go_on()


def restart() -> None:
    """Score and order anew; the chosen topics stay."""
    st.session_state[_VISIT] = Visit(secrets.randbits(32))
    go_on()
