"""A picture file reduced to what its pixels need, before any reader sees it.

Readers spend time and memory on what nobody asked for: texts, profiles, thumbnails, further frames, and on
tables whose length a file states freely. So each format's module walks the blocks of a file itself, within
bounds, and hands the reader a file without them.
"""

from dataclasses import dataclass

PIXEL_CAP = 25_000_000
# Blocks of any kind (chunks, segments, strips, tiles, boxes) in one file: ten times what real files have.
BLOCK_CAP = 65_536
# What is walked byte by byte in Python.
SMALL_BLOCK_CAP = 500_000
TRUNCATED_BYTES_CAP = 100_000_000


class ImageError(ValueError):
    """The bytes are not a picture that can be shown; the message is one sentence for the visitor."""


@dataclass(frozen=True)
class Lean:
    """data: the file for the reader. exif, profile: its camera data and ICC profile, as far as there are any.

    ends_early: the file stops before its picture does; `data` is completed so that a reader takes it.
    white_is_zero: the samples that the reader gives count darkness, and the reader does not know it.
    sample_bits: of a grey picture's samples, where the reader gives them as they are.
    """

    data: bytes
    exif: bytes = b""
    profile: bytes = b""
    ends_early: bool = False
    white_is_zero: bool = False
    sample_bits: int = 8


def too_many(kind: str, what: str) -> ImageError:
    """The refusal of a file whose structure alone would cost more than the picture."""
    return ImageError(f"The {kind} file is cut into {what}, more than can be read here; save it again.")


def too_large(width: int, height: int) -> ImageError:
    return ImageError(
        f"The picture has {width:,} × {height:,} pixels, more than can be decoded here "
        f"({PIXEL_CAP / 1e6:.0f} million); scale it down and try again."
    )


def damaged(kind: str) -> ImageError:
    return ImageError(
        f"The {kind} file is damaged or cut off and cannot be decoded; open it elsewhere and save it again."
    )
