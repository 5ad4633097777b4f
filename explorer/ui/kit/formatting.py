"""Numbers and text as people read them: three significant digits on screen, the exact number beside it.

One place, so that a value looks the same in a tile, a chart, a table and a tooltip. Names of layers and of
networks come from strangers (a checkpoint's config may hold anything): all text for Markdown passes `plain`.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from explorer.units import GAP
from explorer.units import count as count
from explorer.units import size as size
from explorer.units import three_digits as three_digits

# What means something inside a line, and what does at its beginning (a heading, a list, a quotation).
_MARKDOWN = re.compile(r"[\\`*_{}\[\]<>|~$:&]|^[#+\-]|(?<=^\d)[.)]")


def exact(value: float) -> str:
    """The whole number with thousands separators, for hovers, captions and exports."""
    return f"{int(value):,}" if float(value).is_integer() else f"{value:,}"


def share(part: float, whole: float) -> str:
    """A share as a percentage of three digits at most; a trace of something never shows as nothing."""
    if whole <= 0 or part <= 0:
        return f"0{GAP}%"
    percent = 100 * part / whole
    if percent < 0.05:
        return f"<{GAP}0.1{GAP}%"
    return f"{percent:.1f}{GAP}%" if percent < 99.95 else f"100{GAP}%"


def time_left(seconds: float) -> str:
    """Roughly how long something goes on: `about 15 s left`, `about 4 min left`."""
    if seconds <= 5:
        return "a few seconds left"
    if seconds < 90:
        return f"about {5 * round(seconds / 5)}{GAP}s left"
    return f"about {round(seconds / 60)}{GAP}min left"


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
