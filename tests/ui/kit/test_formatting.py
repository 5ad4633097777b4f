"""Three significant digits on screen, whatever the size; text of strangers stays text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.ui.kit import formatting

GAP = "\u00a0"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (7, "7"),
        (999, "999"),
        (61_706, "61.7 k"),
        (999_600, "1.00 M"),
        (25_557_032, "25.6 M"),
        (138_357_544, "138 M"),
        (4_089_184_256, "4.09 G"),
        (9.996, "10.0"),
        (0.004_169, "0.00417"),
    ],
)
def test_counts(value, text):
    assert formatting.count(value) == text.replace(" ", GAP)


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0 B"), (800, "800 B"), (102_228_128, "97.5 MiB"), (2**30, "1.00 GiB")]
)
def test_sizes_are_binary(value, text):
    assert formatting.size(value) == text.replace(" ", GAP)


@given(st.integers(1000, 10**14))
def test_a_count_is_within_half_a_percent_of_the_number_in_three_digits(value):
    number, unit = formatting.count(value).split(GAP)
    factor = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}[unit]
    assert float(number) * factor == pytest.approx(value, rel=0.005)
    assert len(number.replace(".", "")) == 3


def test_exact_numbers_keep_every_digit():
    assert formatting.exact(25_557_032) == "25,557,032"


@pytest.mark.parametrize(
    ("part", "text"), [(0, "0 %"), (0.0001, "< 0.1 %"), (89.36, "89.4 %"), (99.97, "100 %"), (100, "100 %")]
)
def test_a_trace_of_something_is_not_nothing(part, text):
    assert formatting.share(part, 100) == text.replace(" ", GAP)


def test_shapes_read_in_the_order_of_the_tensor():
    assert formatting.shape((1, 256, 56, 48)) == "256 × 56 × 48"
    assert formatting.shape((1, 56, 48, 96)) == "56 × 48 × 96"  # channels last, inside ConvNeXt
    assert formatting.shape((1, 197, 768)) == "197 × 768"
    assert formatting.shape((1, 1000)) == "1000"


def test_markdown_and_html_lose_their_meaning():
    assert formatting.plain("a*b_c <b>[x](y)</b>") == r"a\*b\_c \<b\>\[x\](y)\</b\>"
    assert formatting.plain("# ResNet-50: 3.8") == r"\# ResNet-50\: 3.8"
    assert formatting.plain("1. first\nline") == r"1\. first line"


def test_equal_names_of_two_classes_are_told_apart():
    labels = {134: "crane", 517: "crane", 1: "goldfish"}
    assert formatting.distinct(labels) == {134: "crane (134)", 517: "crane (517)", 1: "goldfish"}


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (2, "a few seconds left"),
        (14, f"about 15{GAP}s left"),
        (89, f"about 90{GAP}s left"),
        (250, f"about 4{GAP}min left"),
    ],
)
def test_what_is_left_is_said_roughly(seconds: float, said: str):
    assert formatting.time_left(seconds) == said


def test_what_is_left_follows_from_the_pace_so_far():
    assert formatting.left_at_this_pace(3, through=2, left=10) == f", about 15{GAP}s left"
    assert formatting.left_at_this_pace(3, through=0.1, left=10) == ""
