"""What curves share: colours and dashes that tell them apart, logarithmic axes."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from explorer.ui.kit import theme

if TYPE_CHECKING:
    from explorer.ui.kit.small_multiples import Facet

# The families' colours, because they stay apart for every eye; here they tell curves apart and mean nothing.
_APART = ("plain", "residual", "compact", "inception", "attention", "transformer")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


def colours(count: int, *, dark: bool) -> list[str]:
    """Up to six colours for as many curves."""
    return [theme.FAMILIES[_APART[index % len(_APART)]].on(dark=dark) for index in range(count)]


def powers(traces: Sequence[Mapping[str, Any]], panel: "Facet") -> dict[str, Any]:
    """A logarithmic y axis for those of the traces that stand in `panel`: about eight powers of ten, more
    marks where it is narrow.
    """
    own = (each["y"] for each in traces if each["yaxis"] == panel.axes["yaxis"])
    values = [float(y) for ys in own for y in ys if y > 0]
    decades = math.log10(max(values) / min(values)) if values else 0.0
    axis: dict[str, Any] = {"type": "log", "exponentformat": "power", "showexponent": "all"}
    return axis | ({"dtick": math.ceil(decades / 8)} if decades > 1.5 else {})
