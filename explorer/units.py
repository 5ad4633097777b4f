"""Numbers as people read them: three significant digits and a prefix."""

import math
from collections.abc import Iterable

GAP = "\u00a0"  # number and unit never part at the end of a line
_COUNT_UNITS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_BYTE_UNITS = ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))


def three_digits(value: float) -> str:
    """`value` with three significant digits and no exponent: 25.6, 4.09, 138, 0.00417."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else str(value)
    rounded = float(f"{value:.2e}")
    return f"{rounded:.{max(0, 2 - math.floor(math.log10(abs(rounded))))}f}"


def _scaled(value: float, units: Iterable[tuple[float, str]]) -> tuple[str, str]:
    for unit_size, unit in units:
        # 999,600 reads 1.00 M, so the unit is chosen after the rounding.
        if float(f"{abs(value) / unit_size:.2e}") >= 1:
            return three_digits(value / unit_size), unit
    return three_digits(value), ""


def count(value: float) -> str:
    """A number of things: `25.6 M`, `4.09 G`, `61.7 k`; a whole number below a thousand is exact."""
    if abs(value) < 1000 and float(value).is_integer():
        return f"{int(value)}"
    number, unit = _scaled(value, _COUNT_UNITS)
    return f"{number}{GAP}{unit}" if unit else number


def size(value: float) -> str:
    """Bytes in binary units: `97.5 MiB`."""
    if abs(value) < 1000:
        return f"{int(value)}{GAP}B"
    number, unit = _scaled(value, _BYTE_UNITS)
    return f"{number}{GAP}{unit or 'B'}"
