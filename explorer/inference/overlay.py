"""Heatmaps and feature maps as colour: redrawn from an Explanation, never touching a model."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from explorer.inference.explaining import Explanation

# Evenly spaced stops of matplotlib's perceptually uniform maps (CC0, https://bids.github.io/colormap/ and
# Nuñez et al. 2018 for Cividis); between them colours are interpolated. Lightness grows along each.
COLORMAPS: Mapping[str, str] = MappingProxyType(
    {
        "Viridis": "440154 482878 3e4989 31688e 26828e 1f9e89 35b779 6ece58 b5de2b fde725",
        "Inferno": "000004 1b0c41 4a0c6b 781c6d a52c60 cf4446 ed6925 fb9b06 f7d13d fcffa4",
        "Cividis": "00224e 123570 3b496c 575d6d 707173 8a8678 a59c74 c3b369 e1cc55 fee838",
    }
)
_DIMMED = 0.55  # share of black over what the network did not see
# Signed values around zero: ColorBrewer's RdBu (Apache-2.0), blue for negative.
SIGNED_STOPS = "053061 2166ac 4393c3 92c5de d1e5f0 f7f7f7 fddbc7 f4a582 d6604d b2182b 67001f"


def colored(values: np.ndarray, colormap: str) -> np.ndarray:
    """Values from 0 to 1, [h, w] -> uint8 [h, w, 3]; what lies outside takes the end's colour."""
    if colormap not in COLORMAPS:
        raise ValueError(f"{colormap!r} is not a colour map; try one of {', '.join(COLORMAPS)}")
    return _through(values, COLORMAPS[colormap])


def colored_signed(values: np.ndarray) -> np.ndarray:
    """Values of any sign, [h, w] -> uint8 [h, w, 3]; zero is the neutral middle, the largest value an end."""
    largest = float(np.abs(values).max())
    return _through(0.5 + 0.5 * values / largest if largest > 0 else np.full(values.shape, 0.5), SIGNED_STOPS)


def overlay(explanation: "Explanation", opacity: float = 0.5, colormap: str = "Viridis") -> Image.Image:
    """The heatmap over the crop the network saw, at the size of `explanation.display`.

    opacity: share of the heatmap's colour in every pixel, 0 (the picture alone) to 1.
    """
    if not 0 <= opacity <= 1:
        raise ValueError(f"opacity is {opacity}; it goes from 0 (the picture alone) to 1 (the heatmap alone)")
    picture = Image.fromarray(explanation.display)
    heat = Image.fromarray(explanation.heatmap).resize(picture.size, Image.Resampling.BILINEAR)
    return Image.blend(picture, Image.fromarray(colored(np.asarray(heat), colormap)), opacity)


def over_the_whole(
    explanation: "Explanation",
    picture: Image.Image,
    width: int,
    opacity: float = 0.5,
    colormap: str = "Viridis",
) -> Image.Image:
    """The heatmap over the whole picture, `width` pixels wide; what the network did not see is dimmed."""
    size = (width, max(1, round(width * picture.height / picture.width)))
    whole = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2)
    left, top, right, bottom = (
        round(share * side) for share, side in zip(explanation.view_box, (*size, *size), strict=True)
    )
    drawn = Image.blend(whole, Image.new("RGB", size), _DIMMED)
    seen = overlay(explanation, opacity, colormap)
    drawn.paste(
        seen.resize((max(1, right - left), max(1, bottom - top)), Image.Resampling.BILINEAR), (left, top)
    )
    return drawn


def _through(values: np.ndarray, stops: str) -> np.ndarray:
    return _table(stops)[(values * 255).round().clip(0, 255).astype(np.uint8)]


@lru_cache
def _table(stops: str) -> np.ndarray:
    """256 colours, uint8 [256, 3]."""
    colors = np.array([list(bytes.fromhex(stop)) for stop in stops.split()])
    positions = np.linspace(0, len(colors) - 1, 256)
    channels = [np.interp(positions, range(len(colors)), channel) for channel in colors.T]
    return np.stack(channels, axis=1).round().astype(np.uint8)
