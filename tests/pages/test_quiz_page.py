"""The quiz as a visitor meets it: right, wrong, skipped, through a topic, by link and by nonsense."""

from functools import partial

import pytest
from streamlit.testing.v1 import AppTest

from explorer.catalogue.quiz import questions
from explorer.labs.quiz import answering
from tests.pages import opening

opened = partial(opening.opened, "pages/quiz.py")


@pytest.fixture(scope="module")
def a_visit() -> AppTest:
    return opened()


@pytest.fixture
def at(a_visit):
    """`at("conv_weights")` shows that question, nothing being answered yet, without opening the page anew."""

    def asked(identifier: str) -> AppTest:
        a_visit.button(key="quiz_restart").click().run()
        a_visit.session_state["q"] = identifier
        a_visit.run()
        assert shown(a_visit) == identifier
        return a_visit

    return asked


def press(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception


def says(app: AppTest, *parts: str) -> bool:
    text = " ".join(each.value for each in [*app.markdown, *app.caption, *app.success, *app.error])
    return all(part in text for part in parts)


def shown(app: AppTest) -> str | None:
    """Id of the question on the page; None on the summary."""
    texts = {each.value.replace("\\", "") for each in app.markdown}
    return next((each.id for each in questions().values() if each.text in texts), None)


def options(app: AppTest) -> list[str]:
    return [button.label for button in app.button if (button.key or "").startswith("quiz_is_")]


def answer(app: AppTest, *, right: bool) -> None:
    """Say something to whatever is asked."""
    asked = questions()[shown(app)]
    found = answering.answer(asked.id)
    if asked.kind == "number":
        value = found.right / asked.per
        app.text_input(key="quiz_typed").set_value(f"{value if right else value * 3 + 1:.9g}")
        app.button(key="quiz_check").click().run()
    elif asked.kind == "order":
        for name in found.right if right else found.right[::-1]:
            if button := next((b for b in app.button if b.label == name), None):
                button.click().run()
        app.button(key="quiz_check").click().run()
    else:
        wanted = answering.right_text(asked, found)
        texts = answering.options(asked, found, app.session_state["_quiz_visit"].seed)
        place = next(n for n, text in enumerate(texts) if (text == wanted) == right)
        app.button(key=f"quiz_is_open_{place}").click().run()
    assert not app.exception


def test_a_link_opens_its_question_and_a_right_answer_shows_how_it_comes_about():
    app = opened(q="conv_weights")
    assert shown(app) == "conv_weights"
    assert sorted(options(app)) == ["1,152", "1,728", "24,576", "73,728"]
    press(app, "73,728")
    assert [each.value for each in app.success] == ["**Right:** 73,728"]
    assert says(app, "k² · Cin · Cout = 3² · 64 · 128 = 73,728", "**1 of 1** right", "Computed here")


def test_a_wrong_answer_is_told_which_slip_leads_there_and_the_options_stay_where_they_were(at):
    app = at("conv_weights")
    before = options(app)
    press(app, "24,576")
    assert [each.value for each in app.error] == ["**Answer: 73,728.** “24,576” counts k, not k²."]
    assert options(app) == before
    assert all(button.disabled for button in app.button if (button.key or "").startswith("quiz_is_"))
    app.run()
    assert options(app) == before
    assert says(app, "**0 of 1** right")


def test_a_typed_number_is_judged_in_its_unit(at):
    app = at("reduced_macs")
    app.text_input(key="quiz_typed").set_value("some")
    app.button(key="quiz_check").click().run()
    assert ["Please type a number" in each.value for each in app.warning] == [True]
    app.text_input(key="quiz_typed").set_value("642.3")
    app.button(key="quiz_check").click().run()
    assert ["is the cost without the 1×1" in each.value for each in app.error] == [True]
    assert says(app, "= 86,704,128")


def test_a_cited_answer_says_where_it_is_printed(at):
    app = at("winner_2012_error")
    press(app, "15.3 %")
    assert says(app, "Cited: [AlexNet", "Krizhevsky et al. 2012, table 2")


def test_names_are_put_in_order_by_pressing_them(at):
    app = at("order_ladder")
    for name in ("LeNet-5", "AlexNet"):
        press(app, name)
    press(app, "Undo")
    for name in ("LeNet-5", "AlexNet", "VGG-16"):
        press(app, name)
    assert "4 · ResNet-50" in [button.label for button in app.button]  # the last falls into its place
    press(app, "Check")
    assert says(app, "**Right:** LeNet-5 → AlexNet → VGG-16 → ResNet-50")


def test_through_a_topic_without_a_repeat_to_a_summary_and_the_missed_once_more():
    app = opened(topics="Normalisation", difficulty="Medium")
    pool = {q.id for q in questions().values() if (q.topic, q.level) == ("normalisation", 2)}
    assert len(pool) == 3
    seen = []
    for turn in ("right", "wrong", "skip"):
        seen.append(shown(app))
        assert says(app, f"Question {len(seen)} of 3")
        if turn == "skip":
            app.button(key="quiz_skip").click().run()
            continue
        answer(app, right=turn == "right")
        app.button(key="quiz_next").click().run()
    assert set(seen) == pool
    assert shown(app) is None
    assert says(app, "1 of 3 right", "To look at again", "skipped")
    app.button(key="quiz_again").click().run()
    assert shown(app) in seen[1:]
    assert says(app, "Question 2 of 3")
    app.button(key="quiz_restart").click().run()
    assert shown(app) in pool
    assert says(app, "**0 of 0** right", "Question 1 of 3")


@pytest.mark.parametrize("identifier", ["macs_of_two", "order_turn", "compound", "same_macs"])
def test_each_kind_of_question_can_be_answered_both_ways(at, identifier):
    for right in (True, False):
        app = at(identifier)
        answer(app, right=right)
        assert (len(app.success), len(app.error)) == ((1, 0) if right else (0, 1))


def test_another_topic_asks_a_question_of_it():
    app = opened(q="conv_weights")
    app.button_group(key="topics").set_value(["History"]).run()
    assert questions()[shown(app)].topic == "history"
    assert app.query_params["q"] == shown(app)


def test_no_question_of_that_level_in_those_topics(monkeypatch):
    app = opened(q="conv_weights")
    easy = {key: each for key, each in questions().items() if each.level != 3}
    monkeypatch.setattr("explorer.ui.quiz.state.questions", lambda: easy)
    app.button_group(key="difficulty").set_value(["Hard"]).run()
    assert ["no question of this level" in each.value for each in app.info] == [True]
    app.button(key="quiz_all_levels").click().run()
    assert shown(app) is not None


@pytest.mark.parametrize("q", ["nonsense", "<script>"])
def test_nonsense_in_the_link_gets_a_question(q):
    app = opened(q=q, topics="zzz", difficulty="9")
    first = shown(app)
    assert first is not None
    answer(app, right=True)
    assert says(app, "**1 of 1** right")
    app.button(key="quiz_next").click().run()
    assert shown(app) not in (None, first)


def test_a_new_visit_knows_nothing_of_another():
    one = opened(q="conv_weights")
    press(one, "73,728")
    assert says(opened(q="conv_weights"), "**0 of 0** right")


def test_what_to_see_opens_with_its_network(at):
    app = at("last_map")
    answer(app, right=True)
    press(app, "ResNet-50, stage by stage")
    assert app.session_state["arch"] == "resnet50"
