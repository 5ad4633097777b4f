"""What a check of a claim hands back, and checks put together from other checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Basis = Literal["computed", "cited"]


@dataclass(frozen=True)
class Measured:
    """values: in base units (parameters, not millions of them). basis: computed here, or looked up in
    published facts. how: what was measured of what, or who printed it, in words.
    """

    values: tuple[float, ...]
    how: str
    basis: Basis = "computed"


Check = Callable[..., Measured]
WORDS = {"macs": "MACs", "flops": "FLOPs", "params": "parameters", "weight_bytes": "bytes of weights"}
"""What a quantity is called in a sentence; others by their own name."""


def joined(*parts: Measured) -> tuple[Basis, str]:
    """Basis and words of what was made of several: computed only where all are."""
    basis: Basis = "cited" if any(part.basis == "cited" for part in parts) else "computed"
    return basis, "; ".join(dict.fromkeys(part.how for part in parts))


def combined(
    checks: Mapping[str, Check], first: Mapping[str, Any], second: Mapping[str, Any]
) -> tuple[Measured, Measured]:
    """Two checks run, each a table {check = ..., arguments}."""
    one, two = (
        checks[table["check"]](**{name: value for name, value in table.items() if name != "check"})
        for table in (first, second)
    )
    return one, two


def ratio(one: Measured, two: Measured) -> Measured:
    """Value by value; one value below stands for all above."""
    return _each("divided by", lambda a, b: a / b, one, two)


def difference(one: Measured, two: Measured) -> Measured:
    return _each("less", lambda a, b: a - b, one, two)


def saving(one: Measured, two: Measured) -> Measured:
    """How much less the first is, in percent of the second."""
    return _each("saved against", lambda a, b: 100 * (1 - a / b), one, two)


def increase(one: Measured, two: Measured) -> Measured:
    """How much more the first is, in percent of the second."""
    return _each("more than", lambda a, b: 100 * (a / b - 1), one, two)


def _each(word: str, make: Callable[[float, float], float], one: Measured, two: Measured) -> Measured:
    seconds = two.values * len(one.values) if len(two.values) == 1 else two.values
    values = tuple(make(a, b) for a, b in zip(one.values, seconds, strict=True))
    basis, _ = joined(one, two)
    how = one.how if one.how == two.how else f"{one.how}, {word} {two.how}"
    return Measured(values, how, basis)
