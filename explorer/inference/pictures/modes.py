"""Whatever a reader gives -> 8 bits a channel, with or without transparency.

What holds for 8 bits (white is zero, a colour that means "clear") holds for all depths.
"""

import numpy as np
from PIL import Image, ImageCms

from explorer.inference.pictures.lean import Lean

# A resampled picture overshoots its range by some per cent at sharp edges.
_OVERSHOOT = 0.25


def eight_bit(image: Image.Image, lean: Lean) -> Image.Image:
    """`image` as L, LA, RGB, RGBA or CMYK: modes whose neighbours have a mean and whose white is 255."""
    if image.mode.startswith("I;16"):
        return _sixteen_bit(image, lean)
    if image.mode in ("I", "F"):
        shades = _wide_range(image)
        return Image.fromarray(255 - shades if lean.white_is_zero else shades)
    if image.mode == "LAB":
        return _lab(image)
    clear = image.info.get("transparency")
    if image.mode in ("L", "1") and isinstance(clear, int):
        # Pillow spreads 2 and 4 bits over 0-255, but leaves the colour that means "clear" as it was.
        spread = 255 // (2**lean.sample_bits - 1) if image.mode == "L" and lean.sample_bits < 8 else 1
        grey = np.asarray(image.convert("L"))
        return _with_hole(grey, grey == (clear * spread & 255))
    if image.mode == "RGB" and isinstance(clear, tuple):
        # Pillow keeps the upper 8 of 16 bits of each sample, and all 16 of the colour that means "clear".
        shift = 8 if lean.sample_bits == 16 else 0
        hidden = np.asarray(image) == np.array([each >> shift for each in clear], dtype=np.uint8)
        return _with_hole(np.asarray(image), hidden.all(axis=2))
    if image.mode in ("P", "PA"):
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    return image if image.mode in ("L", "LA", "RGB", "RGBA", "CMYK") else image.convert("RGB")


def over_white(image: Image.Image) -> Image.Image:
    """RGB. Transparent pixels hide arbitrary colour; a page is white behind them."""
    if image.mode not in ("LA", "RGBA"):
        return image.convert("RGB")
    layer = image.convert("RGBA")
    canvas = Image.new("RGB", image.size, "white")
    canvas.paste(layer, mask=layer.getchannel("A"))
    return canvas


def _with_hole(values: np.ndarray, hidden: np.ndarray) -> Image.Image:
    opaque = Image.fromarray(values)
    opaque.putalpha(Image.fromarray(np.where(hidden, np.uint8(0), np.uint8(255))))
    return opaque


def _sixteen_bit(image: Image.Image, lean: Lean) -> Image.Image:
    """White is 65535, as PNG defines it, or the largest number of 12 bits; Pillow would clip at 255."""
    values = np.asarray(image)
    shades = (values >> (lean.sample_bits - 8 if 8 < lean.sample_bits < 16 else 8)).astype(np.uint8)
    if lean.white_is_zero:
        shades = 255 - shades
    clear = image.info.get("transparency")
    return _with_hole(shades, values == clear) if isinstance(clear, int) else Image.fromarray(shades)


def _wide_range(image: Image.Image) -> np.ndarray:
    """uint8 [H, W] of 32-bit grey, which has no defined white: the smallest usual full scale that holds it.

    A little beyond 0 and the full scale of floating point is overshoot and clipped; where values lie far
    below zero the picture runs from its lowest value to its highest. Undefined values are black.
    """
    values = np.nan_to_num(np.asarray(image, dtype=np.float32), posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    full_scales = (1.0, 255.0, 65535.0) if image.mode == "F" else (255.0, 65535.0)
    beyond = _OVERSHOOT if image.mode == "F" else 0.0
    black, white = low, high
    if low >= -beyond * high:
        black, white = 0.0, next((scale for scale in full_scales if high <= scale * (1 + beyond)), high)
    values -= black
    values *= 255.0 / max(white - black, 1e-30)
    return np.clip(np.rint(values, out=values), 0, 255, out=values).astype(np.uint8)


def _lab(image: Image.Image) -> Image.Image:
    converted = ImageCms.profileToProfile(
        image, ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
    assert converted is not None  # None only where the conversion is asked to work in place
    return converted
