"""Bytes from a stranger -> a picture of known mode and bounded size, or one sentence about what is wrong.

What a file says about itself is checked before a pixel of it is decoded (`pictures`), per call and without
touching Pillow's process-wide settings, so that visitors on many threads do not disturb each other.
"""

import io
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from PIL import ExifTags, Image, ImageOps

from explorer.inference.pictures import colours, exif, modes
from explorer.inference.pictures.formats import READABLE, SUFFIXES, recognised, why_unreadable
from explorer.inference.pictures.jpeg import JPEG_PIXEL_CAP
from explorer.inference.pictures.lean import PIXEL_CAP, ImageError, Lean, damaged, too_large

__all__ = [
    "BYTE_CAP",
    "PIXEL_CAP",
    "READABLE",
    "SUFFIXES",
    "Decoded",
    "ImageError",
    "decode",
    "read",
    "read_file",
]

BYTE_CAP = int(os.environ.get("EXPLORER_IMAGE_BYTES", 10_000_000))
# Pixels kept. A network sees a few hundred a side; more would only cost memory on every later step.
WORKING_PIXELS = 4_000_000

ENDS_EARLY = "The file ends early: what is missing of the picture, if anything, is filled in one colour."


@dataclass(frozen=True)
class Decoded:
    """image: RGB, upright. remarks: sentences on what was done to it that its owner should know."""

    image: Image.Image
    remarks: tuple[str, ...] = ()


def decode(data: bytes) -> Image.Image:
    """The picture in `data`, for whom `read`'s remarks have no reader."""
    return read(data).image


def read(data: bytes) -> Decoded:
    """The picture in `data`: mode RGB, sRGB, upright, first frame, transparent parts over white.

    A picture of more than WORKING_PIXELS is reduced in proportion, so positions as fractions stay right.
    Raises ImageError, and nothing else, for bytes that are no picture or one too large to decode.
    """
    if not data:
        raise ImageError("The file is empty; choose a picture that opens on your own machine.")
    _check_bytes(len(data))
    kind = recognised(data)
    if kind is None:
        raise ImageError(why_unreadable(data))
    # Pillow's readers raise whatever the damaged file makes them trip over (struct.error, SyntaxError,
    # IndexError, zlib.error, warnings turned into errors ...), so no list of types would be complete.
    try:
        lean = kind.lean(data)
        image = Image.open(io.BytesIO(lean.data), formats=[kind.pillow])
        _check_size(image)
        return _rgb(image, lean)
    except ImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(
            "The picture has far more pixels than can be decoded here "
            f"({PIXEL_CAP / 1e6:.0f} million); scale it down and try again."
        ) from error
    except Exception as error:
        raise damaged(kind.name) from error


def read_file(path: Path) -> Decoded:
    """The picture in a file, as `read` gives it. Raises ImageError also for a folder, a pipe or a device,
    which has no end, OSError where nothing is there or it cannot be read.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ImageError(f"{path} is no file; name a picture.")
    _check_bytes(status.st_size)
    with path.open("rb") as file:
        return read(file.read(BYTE_CAP + 1))


def _check_bytes(count: int) -> None:
    if count > BYTE_CAP:
        raise ImageError(
            f"The file has {count / 1e6:.1f} MB and the limit is {BYTE_CAP / 1e6:.0f} MB; "
            "save it smaller or as JPEG."
        )


def _check_size(image: Image.Image) -> None:
    """Compares what the header promises with the caps; asks a large JPEG for a reduced decoding."""
    width, height = image.size
    if width * height > (JPEG_PIXEL_CAP if image.format == "JPEG" else PIXEL_CAP):
        raise too_large(width, height)
    if image.format == "JPEG" and width * height > WORKING_PIXELS:
        # Draft never goes below the size asked for, so the final reduction still has pixels to average.
        scale = (WORKING_PIXELS / (width * height)) ** 0.5
        image.draft(None, (max(1, int(width * scale)), max(1, int(height * scale))))
        if image.width * image.height > PIXEL_CAP:
            raise too_large(width, height)


def _rgb(image: Image.Image, lean: Lean) -> Decoded:
    """Decodes the opened file and reduces it as early as its mode allows: later steps cost per pixel."""
    image.load()
    # Pillow turns TIFF while it loads, and AVIF says by a box of its own what Pillow gives as EXIF.
    orientation = exif.orientation(lean.exif or image.info.get("exif", b""))
    image = _reduced(modes.eight_bit(image, lean))
    image, space = _in_srgb(image, lean.profile or image.info.get("icc_profile") or b"")
    image = modes.over_white(image)
    upright = Image.new("RGB", image.size)
    upright.paste(image)  # a plain picture: nothing of the file's metadata travels on
    upright.getexif()[ExifTags.Base.Orientation] = orientation
    remarks = [f"Its colours are converted from {space} to sRGB (timm would not)."] if space else []
    if lean.ends_early:
        remarks.append(ENDS_EARLY)
    return Decoded(ImageOps.exif_transpose(upright), tuple(remarks))


def _reduced(image: Image.Image) -> Image.Image:
    if image.width * image.height <= WORKING_PIXELS:
        return image
    scale = (WORKING_PIXELS / (image.width * image.height)) ** 0.5
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.BOX, reducing_gap=1.5)


def _in_srgb(image: Image.Image, profile: bytes) -> tuple[Image.Image, str]:
    """The colours of `image` by its profile; transparency is no colour and stays as it is."""
    if not profile:
        return image, ""
    if image.mode not in ("LA", "RGBA"):
        return colours.to_srgb(image, profile)
    opaque, space = colours.to_srgb(image.convert(image.mode[:-1]), profile)
    opaque.putalpha(image.getchannel("A"))
    return opaque, space
