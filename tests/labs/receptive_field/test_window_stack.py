"""Stacks of windows against closed forms and the sources' worked examples."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.labs.receptive_field.window_stack import (
    DILATIONS,
    KERNELS,
    STRIDES,
    WIDEST,
    Window,
    field_size,
    gaps,
    jump,
    parse,
    read_places,
    weights,
)

windows = st.builds(Window, st.sampled_from(KERNELS), st.sampled_from(STRIDES), st.sampled_from(DILATIONS))
stacks = st.lists(windows, min_size=1, max_size=5).filter(lambda stack: field_size(stack) <= WIDEST)


@pytest.mark.parametrize(("layers", "one"), [(2, 5), (3, 7), (4, 9), (5, 11)])
def test_stacked_3x3_see_like_one_larger_window(layers: int, one: int) -> None:
    """Sources 001 and 002: L layers see 2 L + 1; 18 C2 against 25 C2, 27 C2 against 49 C2."""
    assert field_size([Window(3)] * layers) == 2 * layers + 1 == field_size([Window(one)])
    assert weights([Window(3)] * layers, 1) == 9 * layers
    assert weights([Window(one)], 1) == one**2


def test_the_sources_savings() -> None:
    """001 says "28% fewer" for two 3x3: 1 - 18/25. For three it is 44.9 %: 1 - 27/49."""
    two, five = weights([Window(3)] * 2, 64), weights([Window(5)], 64)
    assert (two, five) == (18 * 64**2, 25 * 64**2)
    assert 1 - two / five == pytest.approx(0.28)
    three, seven = weights([Window(3)] * 3, 64), weights([Window(7)], 64)
    assert (three, seven) == (110_592, 200_704)
    assert 1 - three / seven == pytest.approx(0.449, abs=5e-4)


def test_source_002_drops_the_brackets_of_a_square() -> None:
    """It prints "72C2 = 49C2" (7 squared, flattened): 72 C2 would be 1.47 times as much."""
    assert weights([Window(7)], 1) == 49 != 72


def test_dilation_widens_without_weights_and_leaves_holes() -> None:
    doubled = parse("3,3d2,3d4")
    assert (field_size(doubled), weights(doubled, 1), gaps(doubled)) == (15, 27, 0)
    same = parse("3d2,3d2,3d2")
    assert (field_size(same), gaps(same)) == (13, 6)


def test_a_stride_counts_for_all_layers_after_it() -> None:
    assert field_size(parse("7s2,3s2")) == 11
    assert jump(parse("7s2,3s2")) == 4
    assert field_size(parse("7s2,3s2,3")) == 19


def test_a_1x1_sees_nothing_more() -> None:
    assert field_size(parse("3,1,3")) == 5


def test_places_of_two_3x3() -> None:
    assert read_places(parse("3,3")) == ((-2, -1, 0, 1, 2), (-1, 0, 1), (0,))


@given(stacks)
def test_the_places_span_the_field(stack: list[Window]) -> None:
    places = read_places(stack)[0]
    assert places[-1] - places[0] + 1 == field_size(stack)
    assert gaps(stack) >= 0


@given(stacks)
def test_a_stack_survives_the_link(stack: list[Window]) -> None:
    assert parse(",".join(map(str, stack))) == tuple(stack)


@pytest.mark.parametrize("text", ["", "three", "3,,3", "4", "3s3", "3d9", "3d2s2", "0", ",".join(["3"] * 13)])
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no stack"):
        parse(text)


def test_a_field_too_wide_to_draw_is_refused() -> None:
    with pytest.raises(ValueError, match="sees 1491 pixels"):
        parse("11s4,11s4,11s4,11d2")
