"""One number of a feature map, opened: what it was computed from, with the numbers of this picture.

`following` reads in the trace which operations make a layer's output, back to the one that gathers from
several places (a convolution, a pooling, attention); `board` keeps what these read in one forward pass and
lays out any cell of the layer as `steps`. The rules: `gathering`, `changing`, `moving`.
"""

from explorer.inference.arithmetic.board import Board, Opened, lay_open
from explorer.inference.arithmetic.steps import (
    PICTURE,
    Attended,
    Changed,
    Given,
    Operand,
    Patch,
    Pooled,
    Step,
    Weighed,
)

__all__ = [
    "PICTURE",
    "Attended",
    "Board",
    "Changed",
    "Given",
    "Opened",
    "Operand",
    "Patch",
    "Pooled",
    "Step",
    "Weighed",
    "lay_open",
]
