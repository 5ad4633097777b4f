"""Bytes from a stranger -> a picture of known mode and bounded size, or one sentence about what is wrong.

What a file says about its own size is checked before a pixel of it is decoded, per call and without
touching Pillow's process-wide settings, so that visitors on many threads do not disturb each other.
"""

import io
import os
from collections.abc import Callable

import numpy as np
from PIL import ExifTags, Image, ImageCms, ImageOps

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
READABLE = "JPEG, PNG, WebP, GIF, BMP, TIFF and AVIF"

BYTE_CAP = int(os.environ.get("EXPLORER_IMAGE_BYTES", 10_000_000))
PIXEL_CAP = 25_000_000
# A JPEG can be decoded at 1/2, 1/4 or 1/8 of its size, so a larger one costs no more memory (the cap
# stays under Pillow's own warning threshold of 89 million) ...
JPEG_PIXEL_CAP = 80_000_000
# ... unless it is progressive: then libjpeg holds every coefficient and walks over them once per scan.
PROGRESSIVE_WORK_CAP = 400_000_000
# Pixels kept. A network sees a few hundred a side; more would only cost memory on every later step.
WORKING_PIXELS = 4_000_000


class ImageError(ValueError):
    """The bytes are not a picture that can be shown; the message is one sentence for the visitor."""


def decode(data: bytes) -> Image.Image:
    """The picture in `data`: mode RGB, upright, first frame, transparent parts over white.

    A picture of more than WORKING_PIXELS is reduced in proportion, so positions as fractions stay right.
    Raises ImageError, and nothing else, for bytes that are no picture or one too large to decode.
    """
    if not data:
        raise ImageError("The file is empty; choose a picture that opens on your own machine.")
    if len(data) > BYTE_CAP:
        raise ImageError(
            f"The file has {len(data) / 1e6:.1f} MB and the limit is {BYTE_CAP / 1e6:.0f} MB; "
            "save it smaller or as JPEG."
        )
    # Pillow's readers raise whatever the damaged file makes them trip over (struct.error, SyntaxError,
    # IndexError, zlib.error, warnings turned into errors ...), so no list of types would be complete.
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(
            "The picture has far more pixels than can be decoded here "
            f"({PIXEL_CAP / 1e6:.0f} million); scale it down and try again."
        ) from error
    except Exception as error:
        raise ImageError(_why_unreadable(data)) from error
    _check_size(image, data)
    try:
        return _rgb(image)
    except Exception as error:
        raise ImageError(
            f"The {image.format} file is damaged or cut off and cannot be decoded; "
            "open it elsewhere and save it again."
        ) from error


def _check_size(image: Image.Image, data: bytes) -> None:
    """Compares what the header promises with the caps; asks a large JPEG for a reduced decoding."""
    width, height = image.size
    too_large = ImageError(
        f"The picture has {width:,} × {height:,} pixels, more than can be decoded here "
        f"({PIXEL_CAP / 1e6:.0f} million); scale it down and try again."
    )
    if width < 1 or height < 1:
        raise ImageError(f"The file says it is {width} × {height} pixels; choose one with pixels in it.")
    if image.format not in ("JPEG", "MPO"):  # MPO: a JPEG with further pictures behind it
        if width * height > PIXEL_CAP:
            raise too_large
        return
    if width * height > JPEG_PIXEL_CAP:
        raise too_large
    scans = data.count(b"\xff\xda")
    if image.info.get("progressive") and width * height * scans > PROGRESSIVE_WORK_CAP:
        raise ImageError(
            f"The progressive JPEG of {width:,} × {height:,} pixels comes in {scans} scans, "
            "too much to decode here; save it as a baseline JPEG or smaller."
        )
    if width * height > WORKING_PIXELS:
        # Draft never goes below the size asked for, so the final reduction still has pixels to average.
        scale = (WORKING_PIXELS / (width * height)) ** 0.5
        image.draft(None, (max(1, int(width * scale)), max(1, int(height * scale))))
        if image.width * image.height > PIXEL_CAP:
            raise too_large


def _rgb(image: Image.Image) -> Image.Image:
    """Decodes the opened file and reduces it as early as its mode allows: later steps cost per pixel."""
    image.load()
    orientation = _orientation(image)
    image = _reduced(_averageable(image))
    image = _INTO_RGB.get(image.mode, _plain)(image)
    upright = Image.new("RGB", image.size)
    upright.paste(image)  # a plain picture: nothing of the file's metadata travels on
    upright.getexif()[ExifTags.Base.Orientation] = orientation
    return ImageOps.exif_transpose(upright)


def _orientation(image: Image.Image) -> int:
    """EXIF orientation 1-8; 1 (upright) where the tag is missing or damaged: the picture is still good."""
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:
        return 1


def _averageable(image: Image.Image) -> Image.Image:
    """A mode whose neighbours have a mean: no palette, no single bits, no colour that means "clear"."""
    if image.mode.startswith("I;16"):
        # 65535 is white, as PNG defines it; Pillow's own conversion would clip at 255.
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("P", "PA") or "transparency" in image.info:
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    return image.convert("L") if image.mode == "1" else image


def _reduced(image: Image.Image) -> Image.Image:
    if image.width * image.height <= WORKING_PIXELS:
        return image
    scale = (WORKING_PIXELS / (image.width * image.height)) ** 0.5
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.BOX, reducing_gap=1.5)


def _plain(image: Image.Image) -> Image.Image:
    return image.convert("RGB")


def _over_white(image: Image.Image) -> Image.Image:
    """Transparent pixels hide arbitrary colour; a page is white behind them."""
    layer = image.convert("RGBA")
    canvas = Image.new("RGB", image.size, "white")
    canvas.paste(layer, mask=layer.getchannel("A"))
    return canvas


def _wide_range(image: Image.Image) -> Image.Image:
    """32-bit grey, integer or float, has no defined white: the smallest usual full scale that holds it.

    Values below zero are no brightness; then the picture runs from its lowest value to its highest.
    """
    values = np.nan_to_num(np.asarray(image, dtype=np.float32), posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    full_scales = (1.0, 255.0, 65535.0) if image.mode == "F" else (255.0, 65535.0)
    black, white = low, high
    if low >= 0:
        black, white = 0.0, next((scale for scale in full_scales if high <= scale), high)
    shades = (values - black) * (255.0 / max(white - black, 1e-30))
    return Image.fromarray(np.clip(np.rint(shades), 0, 255).astype(np.uint8)).convert("RGB")


def _lab(image: Image.Image) -> Image.Image:
    converted = ImageCms.profileToProfile(
        image, ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
    assert converted is not None  # None only where the conversion is asked to work in place
    return converted


_INTO_RGB: dict[str, Callable[[Image.Image], Image.Image]] = {
    "I": _wide_range,
    "F": _wide_range,
    "LAB": _lab,
    "LA": _over_white,
    "RGBA": _over_white,
}


def _why_unreadable(data: bytes) -> str:
    if data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"mif1", b"msf1"):
        return "The file is HEIC, which cannot be read here; export it as JPEG and try again."
    return f"The file is not a picture that can be read here; {READABLE} can, judged by content, not by name."
