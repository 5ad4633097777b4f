"""What a claim's check comes to, from nothing but what was printed and what was measured.

A printed number stands for an interval: half a unit of its last digit to both sides, or the tolerance that
the claim's data states. No verdict is written down anywhere; all follow from `verdict`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from explorer.catalogue.claims import Expected

Verdict = Literal["holds", "rounded", "depends on the protocol", "wrong"]
VERDICTS: tuple[Verdict, ...] = ("holds", "rounded", "depends on the protocol", "wrong")
ERROR = "error"  # of a check that could not run; never a verdict on a claim
Match = Literal["exactly", "rounded", "no"]

_SCALES = {"k": 1e3, "M": 1e6, "G": 1e9}
_EXACT = 1e-9  # relative: what double precision may lose on the way


def scale(unit: str) -> float:
    """What one of this unit is: "M parameters" -> 1e6, "%" -> 1."""
    return _SCALES.get(unit.split(" ")[0], 1.0)


def allowed(expected: Expected, printed: Decimal) -> float:
    """How far a value may be off a printed one: the stated tolerance, else half a unit of its last digit."""
    if expected.tolerance is not None:
        return expected.tolerance
    return 0.5 * 10.0 ** int(printed.as_tuple().exponent)


def match(expected: Expected, measured: Sequence[float]) -> Match:
    """Whether measured values, in the claim's unit, bear out what was printed; the worst of them decides.

    Raises ValueError where there are not as many of them, or one is not a number.
    """
    if len(measured) != len(expected.values):
        raise ValueError(f"{len(expected.values)} values were printed, {len(measured)} measured")
    if any(math.isnan(value) for value in measured):
        raise ValueError(f"not a number was measured: {list(measured)}")
    found = [_one(expected, *pair) for pair in zip(expected.values, measured, strict=True)]
    if "no" in found:
        return "no"
    return "rounded" if "rounded" in found else "exactly"


def _one(expected: Expected, printed: Decimal, measured: float) -> Match:
    bound = float(printed)
    if expected.relation != "equals":
        kept = {
            "above": measured > bound,
            "below": measured < bound,
            "at least": measured >= bound,
            "at most": measured <= bound,
        }
        return "exactly" if kept[expected.relation] else "no"
    if math.isclose(measured, bound, rel_tol=_EXACT, abs_tol=_EXACT * allowed(expected, printed)):
        return "exactly"
    near = abs(measured - bound) <= allowed(expected, printed) * (1 + 1e-6)
    return "rounded" if near else "no"


def verdict(expected: Expected, measured: Sequence[Sequence[float]]) -> Verdict:
    """measured: the values of each way of checking. Where some ways bear the claim out and others do not, it
    depends on the protocol, which the claim does not say.
    """
    matches = [match(expected, values) for values in measured]
    if not matches:
        raise ValueError("nothing was measured")
    if "no" not in matches:
        return "rounded" if "rounded" in matches else "holds"
    return "wrong" if set(matches) == {"no"} else "depends on the protocol"
