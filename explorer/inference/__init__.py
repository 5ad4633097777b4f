"""What a network sees. An upload's bytes become a picture (`images`, over the
formats of `pictures`), the picture the tensor a network was
trained on (`preprocessing`); one pass gives predictions, heatmap and feature maps (`explaining`, with the
methods of `attribution` at the layers `spatial` finds), and `overlay` draws the result, which `report`
writes down. `arithmetic` opens one number of a feature map. `samples` holds
pictures to start with. Decoding and samples need no torch; the rest is imported when first asked for, so
that a page can offer them before the heavy imports are done.
"""

from typing import TYPE_CHECKING

from explorer import lazy
from explorer.inference.images import Decoded, ImageError, decode, read
from explorer.inference.overlay import COLORMAPS, overlay
from explorer.inference.samples import OFFERED, SAMPLES, Sample

if TYPE_CHECKING:
    from explorer.inference.attribution.evidence import DoesNotApply
    from explorer.inference.attribution.methods import METHODS
    from explorer.inference.explaining import (
        KINDS,
        MEASURES,
        Explanation,
        Feature,
        Prediction,
        default_layer,
        explain,
        layers,
        top_features,
    )

__all__ = [
    "COLORMAPS",
    "KINDS",
    "MEASURES",
    "METHODS",
    "OFFERED",
    "SAMPLES",
    "Decoded",
    "DoesNotApply",
    "Explanation",
    "Feature",
    "ImageError",
    "Prediction",
    "Sample",
    "decode",
    "default_layer",
    "explain",
    "layers",
    "overlay",
    "read",
    "top_features",
]


__getattr__ = lazy.attributes(
    __name__,
    {
        "attribution.evidence": ("DoesNotApply",),
        "attribution.methods": ("METHODS",),
        "explaining": (
            "KINDS",
            "MEASURES",
            "Explanation",
            "Feature",
            "Prediction",
            "default_layer",
            "explain",
            "layers",
            "top_features",
        ),
    },
)
