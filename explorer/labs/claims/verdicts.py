"""What a claim's check comes to, from nothing but what was printed and what was measured.

One rule for every printed number, of d digits whose last stands for u, and a measured value m:

    exactly    m is the number, as far as double precision can tell.
    rounded    m lies within u / 2 of it: rounding m gives it, ties to either side.
    cut off    m begins with its digits: dropping the rest gives it, 25 for 25.56, 71.5 for 71.592. Two digits
               or more only, for of one digit it would let 1 stand for 1.99; and never to nothing.
    about      m lies within u of it, and the source itself calls the number inexact (see `claims.ABOUT`).
    no         none of these: 66.4 for 66.348, which rounds and cuts off to 66.3.

A 0 without decimals says none, so only nothing at all is it. A bound (above, below, at least, at most,
between) is kept or not. No verdict and no tolerance is written down anywhere; all follow from `verdict`.
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
Match = Literal["exactly", "rounded", "cut off", "about", "no"]
MATCHES: tuple[Match, ...] = ("exactly", "rounded", "cut off", "about", "no")  # the best first

_SCALES = {"k": 1e3, "M": 1e6, "G": 1e9}
_EXACT = 1e-9  # relative: what double precision may lose on the way
_SLACK = 1e-6  # of a unit: so that 0.15, which doubles cannot hold, lies half a tenth from 0.1 and from 0.2


def scale(unit: str) -> float:
    """What one of this unit is: "M parameters" -> 1e6, "%" -> 1."""
    return _SCALES.get(unit.split(" ")[0], 1.0)


def last_digit(printed: Decimal) -> float:
    """What one of a printed number's last digit is: of 25.6 a tenth, of 138 one, of 1.5e1 one."""
    return float(10.0 ** int(printed.as_tuple().exponent))


def match(expected: Expected, measured: Sequence[float]) -> Match:
    """How measured values, in the claim's unit, bear out what was printed; the worst of them decides.

    Raises ValueError where there are not as many of them, or one is not a number.
    """
    if any(math.isnan(value) for value in measured):
        raise ValueError(f"not a number was measured: {list(measured)}")
    if expected.relation == "between":
        low, high = map(float, expected.values)
        if not measured:
            raise ValueError("nothing was measured")
        return "exactly" if all(low <= value <= high for value in measured) else "no"
    if len(measured) != len(expected.values):
        raise ValueError(f"{len(expected.values)} values were printed, {len(measured)} measured")
    found = [_one(expected, *pair) for pair in zip(expected.values, measured, strict=True)]
    return max(found, key=MATCHES.index)


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
    unit = last_digit(printed)
    off, slack = abs(measured - bound), _SLACK * unit
    if math.isclose(measured, bound, rel_tol=_EXACT, abs_tol=_EXACT * unit):
        return "exactly"
    if not bound and unit >= 1:
        return "no"
    if off <= 0.5 * unit + slack:
        return "rounded"
    further = (measured - bound) * math.copysign(1.0, bound)  # from zero, on the number's own side
    if bound and len(printed.as_tuple().digits) > 1 and 0 < further < unit - slack:
        return "cut off"
    return "about" if expected.about and off <= unit + slack else "no"


def verdict(expected: Expected, measured: Sequence[Sequence[float]]) -> Verdict:
    """measured: the values of each way of checking. Where some ways bear the claim out and others do not, it
    depends on the protocol, which the claim does not say.
    """
    matches = [match(expected, values) for values in measured]
    if not matches:
        raise ValueError("nothing was measured")
    if "no" not in matches:
        return "holds" if set(matches) == {"exactly"} else "rounded"
    return "wrong" if set(matches) == {"no"} else "depends on the protocol"
