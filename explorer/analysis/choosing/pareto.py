"""The Pareto frontier of two quantities: what nothing else beats in both.

Pareto dominance as in Kung, Luccio and Preparata 1975, https://doi.org/10.1145/321906.321910: after sorting
by the first quantity one pass over the second suffices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Better = Literal["less", "more"]


@dataclass(frozen=True)
class Frontier:
    """on: bool [n], whether a point is on the frontier; False where a coordinate is missing.

    dominated_by: int [n], for a point that is not on it one that is, at least as good in both and better in
    one: the one with the best second quantity; -1 for points on the frontier and incomplete ones.
    """

    on: np.ndarray
    dominated_by: np.ndarray


def frontier(
    x: Sequence[float] | np.ndarray,
    y: Sequence[float] | np.ndarray,
    better: tuple[Better, Better] = ("less", "more"),
) -> Frontier:
    """Of the points (x[i], y[i]); NaN means missing. Equal points dominate neither of each other.

    better: which way each quantity is good, say "less" parameters and "more" accuracy. Raises ValueError if
    x and y differ in length.
    """
    cost = _as_cost(x, better[0])
    other = _as_cost(y, better[1])
    if cost.shape != other.shape:
        raise ValueError(f"{cost.size} values of the first quantity, {other.size} of the second")
    on = np.zeros(cost.size, bool)
    dominated_by = np.full(cost.size, -1)
    known = np.flatnonzero(~np.isnan(cost) & ~np.isnan(other))
    best = -1  # on the frontier, with the best second quantity of all so far
    for point in known[np.lexsort((other[known], cost[known]))]:
        if best < 0 or other[point] < other[best] or _equal(cost, other, point, best):
            on[point] = True
            best = point
        else:
            dominated_by[point] = best
    return Frontier(on, dominated_by)


def _as_cost(values: Sequence[float] | np.ndarray, better: Better) -> np.ndarray:
    given = np.asarray(values, float)
    return given if better == "less" else -given


def _equal(cost: np.ndarray, other: np.ndarray, one: int, two: int) -> bool:
    return bool(cost[one] == cost[two] and other[one] == other[two])
