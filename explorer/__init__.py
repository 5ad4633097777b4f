"""The CNN Architecture Explorer. As a library it offers the functions of `explorer.ui.library`.

Folders import one way only, each from those before it: catalogue, networks, analysis, inference, labs,
training, serving, ui.
"""

from typing import TYPE_CHECKING

from explorer import lazy

if TYPE_CHECKING:
    from explorer.ui.library import (
        Diagram,
        Explained,
        Sheet,
        Shown,
        diagram,
        explain,
        receptive_fields,
        show,
        stats,
        trace,
    )

__all__ = [
    "Diagram",
    "Explained",
    "Sheet",
    "Shown",
    "diagram",
    "explain",
    "receptive_fields",
    "show",
    "stats",
    "trace",
]
__getattr__ = lazy.attributes(__name__, {"ui.library": __all__})
__version__ = "0.1.0"
