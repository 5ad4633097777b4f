"""Claims in words and short numbers: what was printed, what was measured, for the page and the terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from explorer.catalogue.claims import Expected

if TYPE_CHECKING:
    from explorer.labs.claims.results import Result

_RELATIONS = {"equals": "", "above": "> ", "below": "< ", "at least": "≥ ", "at most": "≤ "}


def printed(value: Decimal) -> str:
    """As the source has it, thousands apart: 70,144 and 0.10; tiny numbers as a power."""
    return f"{value:.0e}" if value and abs(value) < Decimal("1e-4") else f"{value:,f}"


def number(value: float) -> str:
    """Five digits, whole numbers in full: enough to see what a printed digit was rounded from."""
    if value == 0 or (float(value).is_integer() and abs(value) < 1e12):
        return f"{value:,.0f}"
    size = math.floor(math.log10(abs(value)))
    if not -5 <= size <= 8:
        return f"{value:.1e}"
    text = f"{value:,.{max(0, 4 - size)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def expectation(expected: Expected) -> str:
    """ "< 0.5 of VGG-16's MACs", "about 1.5 points", "8 to 9 times", "5; 5; 7; 7 pixels"."""
    texts = [printed(value) for value in expected.values]
    if expected.relation == "between":
        return f"{texts[0]} to {texts[1]}{_unit(expected)}"
    about = "about " if expected.about and expected.relation == "equals" else ""
    return f"{about}{_RELATIONS[expected.relation]}{'; '.join(texts)}{_unit(expected)}"


def measurement(values: Sequence[float], expected: Expected) -> str:
    """ "25.557 M parameters, cut off": the values, and by which rule they bear out what was printed."""
    from explorer.labs.claims.verdicts import match

    how = match(expected, values)
    told = "" if how in ("exactly", "no") else f", {how}"
    return "; ".join(number(value) for value in values) + _unit(expected) + told


def measurements(result: Result) -> list[str]:
    """One text a way, with its protocol where there are several."""
    expected = result.claim.expected
    return [
        measurement(each.values, expected) + (f" ({each.way.protocol})" if each.way.protocol else "")
        for each in result.findings
    ]


def _unit(expected: Expected) -> str:
    return f" {expected.unit}" if expected.unit else ""
