"""The frontier against the definition, point by point."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.analysis.choosing.pareto import frontier

# Few different values, so that ties and equal points are common.
COORDINATE = st.one_of(st.integers(-3, 3).map(float), st.just(float("nan")), st.floats(-1e6, 1e6))
POINTS = st.lists(st.tuples(COORDINATE, COORDINATE), max_size=40)
BETTER = st.tuples(st.sampled_from(["less", "more"]), st.sampled_from(["less", "more"]))


def beats(one, two, better) -> bool:
    """At least as good in both, better in one; nothing beats or is beaten where a number is missing."""
    signs = [1 if each == "less" else -1 for each in better]
    pairs = [(sign * a, sign * b) for sign, a, b in zip(signs, one, two, strict=True)]
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


@settings(max_examples=1000, deadline=None)
@given(POINTS, BETTER)
def test_the_frontier_is_what_nothing_beats(points, better):
    x, y = ([each[axis] for each in points] for axis in (0, 1))
    found = frontier(x, y, better)
    for place, point in enumerate(points):
        known = not np.isnan(point).any()
        assert found.on[place] == (known and not any(beats(other, point, better) for other in points))
        if known and not found.on[place]:
            who = found.dominated_by[place]
            assert found.on[who]
            assert beats(points[who], point, better)
        else:
            assert found.dominated_by[place] == -1


def test_less_parameters_and_more_accuracy():
    found = frontier([25.6, 60.2, 5.3, 28.6], [76.1, 78.3, 77.7, 82.5])
    assert found.on.tolist() == [False, False, True, True]
    assert found.dominated_by.tolist() == [2, 3, -1, -1]


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="3 values of the first quantity, 2 of the second"):
        frontier([1, 2, 3], [1, 2])


@pytest.mark.parametrize(
    ("across", "up"),
    [
        ("macs", "top1"),
        ("params", "real top1"),
        ("throughput 3090", "top1"),
        ("activations", "throughput 5090"),
    ],
)
def test_on_everything_published_it_is_what_nothing_beats(shared_timm, monkeypatch, across, up):
    from explorer.analysis.choosing.candidates import MEASURES, candidates
    from explorer.catalogue import published_files

    monkeypatch.setenv("EXPLORER_TABLES", str(shared_timm))
    everything = candidates(published_files.here().rows)
    x, y = (np.array([each.values.get(name, np.nan) for each in everything]) for name in (across, up))
    better = (MEASURES[across].better, MEASURES[up].better)
    cost, other = (values if way == "less" else -values for values, way in zip((x, y), better, strict=True))
    as_good = (cost[:, None] <= cost) & (other[:, None] <= other)  # [i, j]: i is as good as j in both
    one_better = (cost[:, None] < cost) | (other[:, None] < other)
    beaten = (as_good & one_better).any(axis=0)
    known = ~np.isnan(x) & ~np.isnan(y)
    found = frontier(x, y, better)
    assert known.sum() > 1000
    assert np.array_equal(found.on, known & ~beaten)
    for place in np.flatnonzero(known & beaten):
        who = found.dominated_by[place]
        assert found.on[who]
        assert (as_good & one_better)[who, place]
