"""The quiz page: controls and score, one question in large type, what to say after it, the summary."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import streamlit as st

from explorer.catalogue.quiz import LEVELS, TOPICS, Question, questions
from explorer.labs.quiz.visit import Given
from explorer.ui.frame import links as onward
from explorer.ui.kit.formatting import plain
from explorer.ui.quiz import state as quiz

if TYPE_CHECKING:
    from explorer.labs.quiz.values import Answer

_TYPED = "quiz_typed"
_ICONS = {"right": ":material/check_circle:", "wrong": ":material/cancel:"}


def controls() -> None:
    """Topics and levels, which stand in the link; the score and the way back to the start."""
    topics, levels, score, again = st.columns([7.3, 2.3, 1.8, 1.3], vertical_alignment="center")
    topics.pills(
        "Topics", list(TOPICS.values()), selection_mode="multi", key=quiz.TOPIC, bind="query-params",
        on_change=quiz.go_on, label_visibility="collapsed", wrap=True,
    )  # fmt: skip
    levels.pills(
        "Levels", list(LEVELS.values()), selection_mode="multi", key=quiz.LEVEL, bind="query-params",
        on_change=quiz.go_on, label_visibility="collapsed", wrap=True,
    )  # fmt: skip
    way = quiz.visit()
    right, answered = way.count("right"), way.count("right") + way.count("wrong")
    skipped = f", {way.count('skipped')} skipped" if way.count("skipped") else ""
    score.markdown(f"**{right} of {answered}** right{skipped}", text_alignment="right")
    again.button(
        "Restart", icon=":material/restart_alt:", key="quiz_restart", on_click=quiz.restart, type="tertiary",
        help="Score to zero, and a new order. The score is kept for this visit only.",
    )  # fmt: skip


def question(asked: Question) -> None:
    from explorer.labs.quiz import answering as answers

    st.caption(_place(asked))
    with st.container(key="quiz_text"):
        st.markdown(plain(asked.text))
    with st.spinner("Working the answer out: about two seconds, a measured one up to ten …"):
        found = answers.answer(asked.id)
    given = quiz.visit().of(asked.id)
    if given and given.outcome == "skipped":
        given = None
    _KINDS[asked.kind](asked, found, given)
    if given:
        _verdict(asked, found, given)
    else:
        st.button(
            "Skip", icon=":material/skip_next:", key="quiz_skip", on_click=quiz.skip, args=(asked.id,),
            shortcut="S", type="tertiary",
        )  # fmt: skip


def _place(asked: Question) -> str:
    """ "Question 3 of 12 · Cost · Medium"."""
    pool = quiz.pool()
    kind = f"{TOPICS[asked.topic]} · {LEVELS[asked.level]}"
    if asked.id not in pool:
        return f"From a link · {kind}"
    given = [each.question for each in quiz.visit().given if each.question in pool]
    number = given.index(asked.id) + 1 if asked.id in given else len(given) + 1
    return f"Question {number} of {len(pool)} · {kind}"


def _answered(
    asked: Question, found: Answer, given: str | tuple[str, ...] | tuple[float, ...], text: str
) -> None:
    """From a callback: judge what was said and keep it."""
    from explorer.labs.quiz import answering as answers

    judged = answers.judged(asked, found, given)
    quiz.give(Given(asked.id, "right" if judged.right else "wrong", text, judged.mistake))


def _buttons(asked: Question, found: Answer, given: Given | None) -> None:
    """Options as large buttons, two in a row, which the keys 1 to 4 press."""
    from explorer.labs.quiz import answering as answers

    right = answers.right_text(asked, found)
    options = answers.options(asked, found, quiz.visit().seed)
    with st.container(key="quiz_options"):
        columns = [column for _ in options[::2] for column in st.columns(2)]  # row by row, so that rows align
        for number, (column, text) in enumerate(zip(columns, options, strict=True)):
            outcome = _outcome(text, right, given)
            column.button(
                plain(text),
                key=f"quiz_is_{outcome}_{number}",
                icon=_ICONS.get(outcome),
                shortcut=None if given else str(number + 1),
                disabled=given is not None,
                on_click=_answered,
                args=(asked, found, text, text),
                width="stretch",
                wrap=True,
            )


def _outcome(text: str, right: str, given: Given | None) -> str:
    """What a button shows: nothing before the answer, then the right one and the wrong one that was taken."""
    if given is None:
        return "open"
    if text == right:
        return "right"
    return "wrong" if text == given.text else "other"


def _number(asked: Question, found: Answer, given: Given | None) -> None:
    """A number to type, and Enter; nothing to type once it is answered."""
    if given:
        return
    with st.form("quiz_form", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            f"Your answer{f' in {asked.unit}' if asked.unit else ''}", key=_TYPED, placeholder="A number"
        )
        st.form_submit_button("Check", key="quiz_check", type="primary", on_click=_typed, args=(asked, found))
    if st.session_state.pop("_quiz_no_number", False):
        st.warning("Please type a number, like 73,728 or 3.68.", icon=":material/edit:")


def _typed(asked: Question, found: Answer) -> None:
    from explorer.labs.quiz import answering as answers

    text = st.session_state[_TYPED]
    readings = answers.typed(text, asked.unit)
    if not readings:
        st.session_state["_quiz_no_number"] = True
        return
    said = answers.said(readings[0], asked.unit) if len(readings) == 1 else text.strip()
    _answered(asked, found, readings, said)
    st.session_state[_TYPED] = ""


def _order(asked: Question, found: Answer, given: Given | None) -> None:
    """Names to press one after the other; the last one falls into its place by itself."""
    from explorer.labs.quiz import answering as answers

    if given:
        return
    options = answers.options(asked, found, quiz.visit().seed)
    picked = quiz.picked(asked.id)
    with st.container(key="quiz_options"):
        for number, (column, name) in enumerate(zip(st.columns(len(options)), options, strict=True)):
            place = f"{picked.index(name) + 1} · " if name in picked else ""
            column.button(
                f"{place}{plain(name)}",
                key=f"quiz_pick_{number}",
                type="primary" if name in picked else "secondary",
                disabled=name in picked,
                shortcut=None if name in picked else str(number + 1),
                on_click=_pick,
                args=(asked.id, options, (*picked, name)),
                width="stretch",
                wrap=True,
            )
    with st.container(horizontal=True):
        st.button(
            "Check", key="quiz_check", type="primary", disabled=len(picked) < len(options), shortcut="Enter",
            on_click=_answered, args=(asked, found, picked, " → ".join(picked)),
        )  # fmt: skip
        st.button(
            "Undo", icon=":material/undo:", key="quiz_undo", disabled=not picked, on_click=_pick,
            args=(asked.id, options, ()),
        )  # fmt: skip


def _pick(question: str, options: tuple[str, ...], picked: tuple[str, ...]) -> None:
    left = [name for name in options if name not in picked]
    quiz.pick(question, (*picked, *left) if len(left) == 1 else picked)


_KINDS: Mapping[str, Callable[[Question, Answer, Given | None], None]] = {
    "choice": _buttons,
    "pair": _buttons,
    "number": _number,
    "order": _order,
}


def _verdict(asked: Question, found: Answer, given: Given) -> None:
    """Right or wrong with the value, how it comes about, the lesson, and where to see it."""
    from explorer.labs.quiz import answering as answers

    right = answers.right_text(asked, found)
    told, onward = st.columns([7, 2.4], gap="large")
    with told:
        if given.outcome == "right":
            st.success(f"**Right:** {plain(right)}", icon=_ICONS["right"])
        else:
            said = f"“{plain(given.text)}”"
            slip = f"{said} {plain(given.mistake)}." if given.mistake else f"You said {said}."
            st.error(f"**Answer: {plain(right)}.** {slip}", icon=_ICONS["wrong"])
        if found.working:
            with st.container(key="quiz_working"):
                st.markdown(plain(found.working))
        st.markdown(plain(asked.why))
        st.caption(_provenance(asked, found))
    with onward, st.container(key="quiz_onward"):
        last = quiz.visit().next(quiz.pool()) is None
        st.button(
            "Summary" if last else "Next", icon=":material/arrow_forward:", key="quiz_next", type="primary",
            on_click=quiz.go_on, shortcut="N", width="stretch",
        )  # fmt: skip
        _see(asked)


def _provenance(asked: Question, found: Answer) -> str:
    """Whether the answer was computed or is cited, and from where."""
    cited = [(f"{what}: {fact.source}", fact.url, fact.note) for what, fact in found.cited]
    if asked.source:
        cited.append((asked.source, asked.url, ""))
    lines = [
        (f"[{plain(text)}]({url})" if url else plain(text)) + (f" ({plain(note)})" if note else "")
        for text, url, note in cited
    ]
    if not lines:
        return "From the catalogue." if asked.topic == "history" else "Computed here, when you asked."
    if found.working and not found.cited:
        return f"Computed here. Rule: {'; '.join(lines)}."
    return f"Cited: {'; '.join(lines)}."


def _see(asked: Question) -> None:
    onward.button(asked.see, asked.see_label, f"quiz_see_{asked.id}")


def summary() -> None:
    """The pool is through: how it went by topic, what to look at again."""
    pool, way = quiz.pool(), quiz.visit()
    if not pool:
        st.info("These topics have no question of this level.", icon=":material/filter_alt_off:")
        st.button("All levels", key="quiz_all_levels", on_click=_all_levels)
        return
    right, missed = way.count("right", pool), way.missed(pool)
    with st.container(key="quiz_text"):
        st.markdown(f"{right} of {len(pool)} right" + ("" if missed else ". Nothing to look at again."))
    with st.container(horizontal=True):
        if missed:
            st.button(
                f"Ask the other {len(missed)} again", icon=":material/replay:", key="quiz_again",
                type="primary", on_click=quiz.again, args=(tuple(each.question for each in missed),),
            )  # fmt: skip
        st.button("Start over", icon=":material/restart_alt:", key="quiz_over", on_click=quiz.restart)
    st.table(
        [
            {"Topic": name, "Right": way.count("right", own), "Asked": len(own)}
            for topic, name in TOPICS.items()
            if (own := [each for each in pool if questions()[each].topic == topic])
        ],
        border="horizontal",
        width="content",
    )
    if missed:
        st.markdown("**To look at again**")
        for each in missed:
            _look_again(each)


def _look_again(given: Given) -> None:
    from explorer.labs.quiz import answering as answers

    asked = questions()[given.question]
    text, link = st.columns([7, 3], vertical_alignment="center")
    with st.spinner("Working the answer out: about two seconds, a measured one up to ten …"):
        right = answers.right_text(asked, answers.answer(asked.id))
    said = "skipped" if given.outcome == "skipped" else f"you said “{plain(given.text)}”"
    text.markdown(f"{plain(asked.text)}  \n**{plain(right)}**, {said}")
    with link:
        _see(asked)


def _all_levels() -> None:
    st.session_state[quiz.LEVEL] = []
    quiz.go_on()
