"""What the answer to a question is made of: the right value, how it comes about, and where slips lead."""

from __future__ import annotations

import math
from dataclasses import dataclass

from explorer.catalogue import Fact

Value = float | str | tuple[str, ...]
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Slip:
    """A plausible mistake: the value that one gets by it, and what it is, as in "that counts k, not k²"."""

    value: float | str
    mistake: str


@dataclass(frozen=True)
class Answer:
    """right: a number, the right option, or names in their order. working: a line that leads there.

    slips: wrong options, the likeliest first. cited: published figures behind it, with what each says; none
    where all was computed here.
    """

    right: Value
    working: str
    slips: tuple[Slip, ...] = ()
    cited: tuple[tuple[str, Fact], ...] = ()


def number(value: float) -> str:
    """Whole numbers in full, others with three digits: 73,728; 3.68; 0.5; 9.54 × 10⁻⁷."""
    if float(value).is_integer():
        text = f"{int(value):,}"
    elif 1e-3 <= abs(value) < 1e6:
        text = f"{value:,.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    else:
        exponent = math.floor(math.log10(abs(value)))
        text = f"{value / 10**exponent:.2f} × 10{raised(exponent)}"
    return text.replace("-", "−")


def raised(exponent: int) -> str:
    return str(exponent).translate(_RAISED)


def shown(value: float | str, unit: str = "", per: float = 1.0) -> str:
    """An option as it stands on its button."""
    if isinstance(value, str):
        return value
    text = number(value / per if per != 1 else value)
    return f"{text}{'' if unit == '%' else ' '}{unit}".strip().replace("%", "\u00a0%")
