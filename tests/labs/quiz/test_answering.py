"""Answers against values written down by hand, options of which one is right, and no repeats."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.catalogue.quiz import questions
from explorer.labs.quiz import answering
from explorer.labs.quiz.numbers import through_blocks
from explorer.labs.quiz.values import Answer, Slip, number, shown
from explorer.labs.quiz.visit import Given, Visit

ALL = tuple(questions().values())

# By hand, or as printed: the papers, the sources' worked examples, torchvision's meta.
BY_HAND = {
    "conv_weights": 3 * 3 * 64 * 128,
    "conv_macs": 9 * 64 * 64 * 56 * 56,
    "reduced_macs": 8_192 * 784 + 102_400 * 784,
    "times_cheaper": 642_252_800 / 86_704_128,
    "vgg_linear": 100 * 123_642_856 / 138_357_544,
    "alexnet_first_linear": 9216 * 4096 + 4096,
    "flops": 2 * 1_814_073_344,
    "weight_file": pytest.approx(4 * 11_689_512, rel=1e-3),
    "bytes_with_adam": 16,
    "wider": 4,
    "larger_picture": "Parameters × 1, MACs × 4",
    "three_3x3": 7,
    "six_3x3": 13,
    "saving_7x7": pytest.approx(44.898, abs=1e-3),
    "resnet_stem": 11,
    "dilated": 15,
    "sees_no_further": "1×1",
    "middle_and_corner": 49,
    "field_of_two": "ResNet-50",
    "jump": 32,
    "last_map": 7,
    "alexnet_first_map": 55,
    "same_padding": 3,
    "worked_example": pytest.approx(3.6833, abs=1e-4),
    "which_variance": 5,
    "undo": "γ = 2.24, β = 5",
    "running_mean": pytest.approx(5 * (1 - 0.9**3)),
    "needs_batch": "Batch norm",
    "group_means": 8 * 32,
    "values_a_mean": 32 * 56 * 56,
    "learned_by_norm": 128,
    "frozen_norm": "The running mean and variance",
    "path_count": 65_536,
    "sigmoid_chain": pytest.approx(0.25**10),
    "through_ten": pytest.approx(1.1**10),
    "at_least_one": pytest.approx(0.5**9),
    "projections": 4,
    "bottleneck": 69_632,
    "dense_connections": 78,
    "dense_width": 224,
    "separable": 67_840,
    "separable_saving": pytest.approx(589_824 / 67_840),
    "grouped": 4_608,
    "cardinality": 70_144,
    "gate": 32_768,
    "compound": pytest.approx(1.2 * 1.21 * 1.3225),
    "params_of_two": "ResNet-18",
    "macs_of_two": "SqueezeNet 1.0",
    "squeezed": pytest.approx(61_100_840 / 1_248_424),
    "smaller_and_better": "EfficientNet-B4",
    "softmax": pytest.approx(84.38, abs=0.01),
    "pixel": pytest.approx(1.307, abs=1e-3),
    "crop": 76.5625,
    "recipe": pytest.approx(4.728),
    "dropout": 1.25,
    "smoothing": pytest.approx(0.91),
    "guessing": 99.5,
    "many_crops": 50,
    "winner_2012_error": 15.3,
    "winner_2014": "GoogLeNet",
    "below_people": "2015",
    "fall_2012": pytest.approx(10.5),
    "order_ladder": ("LeNet-5", "AlexNet", "VGG-16", "ResNet-50"),
    "order_handmade": ("SVM", "SIFT", "HOG", "SURF", "Fisher vectors"),
    "parent_densenet": "ResNet-50",
    "who_scales": "GoogLeNet (Inception v1)",
}


@pytest.mark.parametrize("identifier", BY_HAND)
def test_answers_are_what_one_gets_by_hand(identifier):
    assert answering.answer(identifier).right == BY_HAND[identifier]


@pytest.mark.parametrize("question", ALL, ids=lambda question: question.id)
def test_of_the_options_just_one_is_right_and_the_right_one_is_among_them(question):
    found = answering.answer(question.id)
    right, options = answering.right_text(question, found), answering.options(question, found, seed=7)
    if question.kind == "number":
        assert isinstance(found.right, int | float)
        assert options == ()
        assert answering.judged(question, found, (found.right / question.per,)).right
    elif question.kind == "order":
        assert set(options) == set(found.right)
        assert options != found.right
        assert answering.judged(question, found, found.right).right
        assert not answering.judged(question, found, options).right
    else:
        assert len(set(options)) == len(options) == (4 if question.kind == "choice" else 2)
        assert [text for text in options if answering.judged(question, found, text).right] == [right]
    assert options == answering.options(question, found, seed=7)


@pytest.mark.parametrize("question", ALL, ids=lambda question: question.id)
def test_a_computed_answer_shows_how_and_names_the_slip_behind_each_wrong_one(question):
    found = answering.answer(question.id)
    if not question.computed:
        return
    assert found.working
    for text in answering.options(question, found, 1) if question.kind in ("choice", "pair") else ():
        judged = answering.judged(question, found, text)
        assert judged.right or judged.mistake, text
    if question.kind == "number":
        for slip in found.slips:  # a slip within the tolerance would count as right
            judged = answering.judged(question, found, (slip.value / question.per,))
            assert not judged.right, slip
            assert judged.mistake, slip
        assert any(slip.mistake for slip in found.slips)


def test_what_the_catalogue_says_is_cited():
    for identifier in ("winner_2012_error", "fall_2012", "below_people", "recipe", "smaller_and_better"):
        cited = answering.answer(identifier).cited
        assert cited
        assert all(fact.source for _, fact in cited)


def test_the_order_of_options_is_another_one_for_other_visits():
    question = questions()["conv_macs"]
    found = answering.answer(question.id)
    assert len({answering.options(question, found, seed) for seed in range(40)}) > 10


def test_every_row_of_the_table_is_asked_for():
    assert set(answering.ANSWERS) == {question.answer for question in ALL if question.computed}


def test_a_choice_with_too_few_wrong_options_is_refused(monkeypatch):
    one = Answer(
        1, "", (Slip(1.0, "is the same"), Slip(2, "is one"), Slip(2.0001, "looks the same"), Slip(3, ""))
    )
    monkeypatch.setattr(answering, "ANSWERS", {"layer_weights": lambda **_: one})
    with pytest.raises(ValueError, match="conv_weights has 2 wrong options, not 3"):
        answering.answer_to(questions()["conv_weights"])


@pytest.mark.parametrize(
    ("text", "unit", "values"),
    [
        ("73,728", "", (73728, 73.728)),  # one comma before three digits: nobody knows which
        ("1,355", "", (1355, 1.355)),
        ("1.355", "", (1355, 1.355)),
        ("1,355,000", "", (1355000,)),
        ("1.355.000", "", (1355000,)),
        ("1'355", "", (1355,)),
        ("1,355.25", "", (1355.25,)),
        ("1.355,25", "", (1355.25,)),
        ("0,250", "", (0.25,)),
        ("3.68", "", (3.68,)),
        ("3,68", "", (3.68,)),
        (" −0.5 ", "", (-0.5,)),
        ("67 840", "", (67840,)),
        ("1\u202f355", "", (1355,)),
        ("99.5 %", "%", (99.5,)),
        ("99,5", "%", (99.5,)),
        ("1.3 M", "", (1.3e6,)),
        ("25,6 M", "M", (25.6,)),
        ("25.6 M", "M parameters", (25.6,)),
        ("25.6 M parameters", "M parameters", (25.6,)),
        ("224 pixels", "pixels", (224,)),
        ("9.54e-7", "", (9.54e-7,)),
        ("9.54 × 10⁻⁷", "", (9.54e-7,)),
        ("9,54*10^-7", "", (9.54e-7,)),
        *(
            (odd, "", ())
            for odd in ("", "about ten", "nan", "inf", "1,2,3", "1e400", "1_000", "--1", "9" * 5000)
        ),
    ],
)
def test_numbers_are_understood_as_people_type_them(text: str, unit: str, values: tuple[float, ...]):
    assert answering.typed(text, unit) == pytest.approx(values)


def test_a_number_with_two_readings_is_right_if_one_of_them_is():
    question, found = questions()["reduced_macs"], answering.answer("reduced_macs")
    for right in (found.right / question.per, 1.355):
        both = (1000 * right, right)
        one = replace(found, right=right * question.per)
        assert answering.judged(question, one, both).right
        assert answering.judged(question, one, both[::-1]).right
        assert not answering.judged(question, one, (1000 * right,)).right


def test_a_typed_number_may_be_off_by_the_tolerance_and_names_the_slip():
    question, found = questions()["reduced_macs"], answering.answer("reduced_macs")
    # As printed, rounded before adding.
    assert answering.judged(question, found, (86.4,)) == answering.Judged(True)
    assert answering.judged(question, found, (642.3,)).mistake == "is the cost without the 1×1"
    assert answering.judged(question, found, (3.14,)) == answering.Judged(False)


@pytest.mark.parametrize(
    ("value", "text"),
    [(73728, "73,728"), (3.6833, "3.68"), (0.5, "0.5"), (9.5367e-7, "9.54 × 10⁻⁷"), (-0.00195, "−0.00195")],
)
def test_numbers_read_as_people_write_them(value, text):
    assert number(value) == text


def test_an_option_carries_its_unit():
    assert shown(86_704_128, "M MACs", 1e6) == "86.7 M MACs"
    assert shown(89.36, "%") == "89.4\u00a0%"


def test_a_skip_is_no_floor():
    """001 says that behind a skip the gradient is at least as large; a branch against it shrinks it."""
    assert through_blocks(-0.5, 9).right == pytest.approx(0.5**9)
    assert through_blocks(0.0, 9).right == 1


# ---- the way through -------------------------------------------------------------------------------------

IDS = tuple(questions())
pools = st.sets(st.sampled_from(IDS), min_size=1)
outcomes = st.sampled_from(["right", "wrong", "skipped"])


@given(st.integers(0, 2**32 - 1), pools, st.data())
def test_no_question_comes_twice_until_the_pool_is_through(seed, pool, data):
    visit, seen = Visit(seed), []
    while (now := visit.next(pool)) is not None:
        seen.append(now)
        visit = visit.with_answer(Given(now, data.draw(outcomes)))
    assert Counter(seen) == Counter(pool)
    assert tuple(seen) == visit.order(pool)


@given(st.integers(0, 2**32 - 1), st.lists(pools, min_size=1, max_size=6), st.data())
def test_nor_when_the_topics_change_on_the_way(seed, choices, data):
    visit, seen = Visit(seed), []
    for pool in choices:
        for _ in range(data.draw(st.integers(0, 12))):
            if (now := visit.next(pool)) is None:
                assert pool <= set(seen)
                break
            assert now in pool
            seen.append(now)
            visit = visit.with_answer(Given(now, data.draw(outcomes)))
    assert len(set(seen)) == len(seen)


@given(st.integers(0, 2**32 - 1), pools, pools)
def test_two_questions_keep_their_order_in_every_pool(seed, one, other):
    visit = Visit(seed)
    both = one & other
    assert [q for q in visit.order(one) if q in both] == [q for q in visit.order(other) if q in both]


def test_an_answer_stays_but_what_was_skipped_may_still_be_answered():
    visit = Visit(1).with_answer(Given("a", "wrong")).with_answer(Given("a", "right"))
    assert (visit.count("wrong"), visit.count("right")) == (1, 0)
    visit = visit.with_answer(Given("b", "skipped")).with_answer(Given("b", "right"))
    assert (visit.count("skipped"), visit.count("right")) == (0, 1)
    assert [each.question for each in visit.missed(("a", "b"))] == ["a"]
    assert visit.next(("a", "b")) is None
    assert visit.without(["a"]).next(("a", "b")) == "a"


def test_another_seed_is_another_order():
    assert len({Visit(seed).order(IDS)[:3] for seed in range(30)}) > 25
