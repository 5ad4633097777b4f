"""Numbers and text as people read them: three significant digits on screen, the exact number beside it.

One place, so that a value looks the same in a tile, a chart, a table and a tooltip. Names of layers and of
networks come from strangers (a checkpoint's config may hold anything): all text for Markdown passes `plain`.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

_GAP = "\u00a0"  # number and unit never part at the end of a line
_COUNT_UNITS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_BYTE_UNITS = ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))
# What means something inside a line, and what does at its beginning (a heading, a list, a quotation).
_MARKDOWN = re.compile(r"[\\`*_{}\[\]<>|~$:&]|^[#+\-]|(?<=^\d)[.)]")


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
    return f"{number}{_GAP}{unit}" if unit else number


def size(value: float) -> str:
    """Bytes in binary units: `97.5 MiB`."""
    if abs(value) < 1000:
        return f"{int(value)}{_GAP}B"
    number, unit = _scaled(value, _BYTE_UNITS)
    return f"{number}{_GAP}{unit or 'B'}"


def exact(value: float) -> str:
    """The whole number with thousands separators, for hovers, captions and exports."""
    return f"{int(value):,}" if float(value).is_integer() else f"{value:,}"


def share(part: float, whole: float) -> str:
    """A share as a percentage of three digits at most; a trace of something never shows as nothing."""
    if whole <= 0 or part <= 0:
        return f"0{_GAP}%"
    percent = 100 * part / whole
    if percent < 0.05:
        return f"<{_GAP}0.1{_GAP}%"
    return f"{percent:.1f}{_GAP}%" if percent < 99.95 else f"100{_GAP}%"


def time_left(seconds: float) -> str:
    """Roughly how long something goes on: `about 15 s left`, `about 4 min left`."""
    if seconds <= 5:
        return "a few seconds left"
    if seconds < 90:
        return f"about {5 * round(seconds / 5)}{_GAP}s left"
    return f"about {round(seconds / 60)}{_GAP}min left"


def left_at_this_pace(seconds: float, through: float, left: float) -> str:
    """`, about 15 s left`, to stand behind a count.

    seconds: what `through` units took. left: units to come.
    Empty before a tenth of a unit is through: a guess would be wild.
    """
    return f", {time_left(seconds * left / through)}" if through > 0.1 else ""


def shape(dimensions: tuple[int, ...]) -> str:
    """A tensor without its batch, in PyTorch's order: [1, 256, 56, 48] is `256 × 56 × 48`, tokens are
    `197 × 768`.
    """
    return " × ".join(str(each) for each in dimensions[1:]) or "scalar"


def plain(text: str) -> str:
    """`text` with every Markdown and HTML sign escaped, so that it shows as what it is."""
    return _MARKDOWN.sub(r"\\\g<0>", " ".join(text.split()))


def distinct(labels: Mapping[Any, str]) -> dict[Any, str]:
    """Equal texts told apart by their key: ImageNet's "crane" is a bird and a machine."""
    times = Counter(labels.values())
    return {key: f"{text} ({key})" if times[text] > 1 else text for key, text in labels.items()}
