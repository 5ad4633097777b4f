"""Lengths whose squares are no numbers, against what mathematics says of them."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explorer.labs.lengths import norm, norms, rms, unit

DOUBLE = torch.float64


@pytest.mark.parametrize("size", [5e-324, 1e-300, 1e-200, 1.0, 1e200, 1e307])
def test_three_and_four_make_five(size: float):
    x = torch.tensor([[3.0, 0.0], [0.0, -4.0]], dtype=DOUBLE) * size
    assert norm(x) == pytest.approx(5 * size, rel=1e-15)
    assert rms(x) == pytest.approx(2.5 * size, rel=1e-15, abs=5e-324)
    assert norms(x).tolist() == [3 * size, 4 * size]


@pytest.mark.parametrize("size", [1e-44, 1e-30, 1e30, 3e37])
def test_single_precision_neither(size: float):
    x = torch.tensor([3.0, -4.0]) * size
    assert norm(x) == pytest.approx(math.hypot(*x.tolist()), rel=1e-15)


def test_large_and_small_entries_together():
    x = torch.tensor([1e-200, 1e200], dtype=DOUBLE)
    assert norm(x) == 1e200
    assert rms(x) == pytest.approx(1e200 / math.sqrt(2))
    assert norms(x[:, None]).tolist() == [1e-200, 1e200]  # each row by its own scale


@given(
    st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=20),
    st.integers(-300, 290).filter(lambda power: power % 7 == 0),
)
def test_every_length_is_pythons_own(values: list[float], power: int):
    x = torch.tensor(values, dtype=DOUBLE) * 10.0**power
    exact = math.hypot(*x.tolist())
    assert norm(x) == pytest.approx(exact, rel=1e-14, abs=1e-323)
    assert rms(x) == pytest.approx(exact / math.sqrt(len(values)), rel=1e-14, abs=1e-323)


def test_a_million_equal_numbers_of_single_precision():
    assert rms(torch.full((1000, 1000), 0.1)) == pytest.approx(float(torch.tensor(0.1)), rel=1e-12)


def test_zero_infinite_and_no_number():
    rows = torch.tensor(
        [[0.0, 0.0], [1.0, math.inf], [-math.inf, 1e308], [math.inf, math.nan], [0.0, math.nan]]
    )
    found = norms(rows.double()).tolist()
    assert found[:3] == [0.0, math.inf, math.inf]
    assert all(map(math.isnan, found[3:]))
    assert norms(torch.zeros(2, 0)).tolist() == [0.0, 0.0]
    assert norm(torch.zeros(0)) == 0.0
    assert math.isnan(rms(torch.zeros(0)))


@pytest.mark.parametrize("size", [5e-324, 1e-200, 1e200, 1e308])
def test_a_unit_vector_has_length_one(size: float):
    found = unit(torch.tensor([[1.0], [-1.0]], dtype=DOUBLE) * size)
    assert found.shape == (2, 1)
    assert found.flatten().tolist() == pytest.approx([math.sqrt(0.5), -math.sqrt(0.5)])


def test_what_has_no_direction_stays():
    assert unit(torch.zeros(3)).tolist() == [0.0, 0.0, 0.0]
    assert unit(torch.tensor([math.inf, 1.0])).tolist() == [math.inf, 1.0]
    assert unit(torch.tensor([math.nan, 1.0])).isnan().any()


def test_gradients_do_not_flow_through_a_length():
    assert norms(torch.ones(1, 2, requires_grad=True)).requires_grad is False
