"""GIF: blocks and their sub-blocks of at most 255 bytes (CompuServe, GIF89a)."""

import struct

from explorer.inference.pictures.lean import (
    PIXEL_CAP,
    SMALL_BLOCK_CAP,
    TRUNCATED_BYTES_CAP,
    ImageError,
    Lean,
    damaged,
    too_large,
    too_many,
)

_EXTENSION, _IMAGE, _GRAPHIC_CONTROL = 0x21, 0x2C, 0xF9
_STRAY = 0x00  # some writers end a block twice
_TABLE, _TABLE_SIZE = 0x80, 0x07
_WIDEST_CODE_BITS = 12


def lean(data: bytes) -> Lean:
    """Header, colours, the control of the first image and that image: no comment, no further frame."""
    if len(data) < 13:
        raise damaged("GIF")
    place = header_end = 13 + _table_bytes(data[10])
    control = b""
    left = SMALL_BLOCK_CAP
    while place < len(data) and data[place] in (_EXTENSION, _STRAY):
        begin = place
        if left <= 0:
            raise _too_many_blocks()
        if data[place] == _STRAY:
            place, left = place + 1, left - 1
            continue
        end, left, _ = _past_sub_blocks(data, place + 2, left - 1)
        if data[begin + 1 : begin + 2] == bytes([_GRAPHIC_CONTROL]):
            control = data[begin:end]
        place = end
    if place + 10 > len(data) or data[place] != _IMAGE:
        raise damaged("GIF")
    x, y, image_width, image_height, flags = struct.unpack_from("<HHHHB", data, place + 1)
    canvas_width, canvas_height = struct.unpack_from("<HH", data, 6)
    width, height = max(canvas_width, x + image_width), max(canvas_height, y + image_height)
    if width * height > PIXEL_CAP:
        raise too_large(width, height)
    codes = place + 10 + _table_bytes(flags) + 1
    end, _, whole = _past_sub_blocks(data, codes, left)
    image = data[place:end] if whole else _completed(data[place:], end - place, image_width * image_height)
    return Lean(data[:header_end] + control + image + b";", ends_early=not whole)


def _table_bytes(flags: int) -> int:
    return 3 << ((flags & _TABLE_SIZE) + 1) if flags & _TABLE else 0


def _too_many_blocks() -> ImageError:
    return too_many("GIF", f"over {SMALL_BLOCK_CAP:,} blocks")


def _past_sub_blocks(data: bytes, place: int, left: int) -> tuple[int, int, bool]:
    """(place behind the sub-blocks that begin at `place`, number still allowed, whether they end)."""
    while place < len(data):
        length = data[place]
        place += length + 1
        if not length:
            return place, left, True
        left -= 1
        if left < 0:
            raise _too_many_blocks()
    return place, left, False


def _completed(image: bytes, promised: int, pixels: int) -> bytes:
    """`image` with codes of zero for the pixels that are missing: one pixel of the first colour each."""
    missing = pixels * _WIDEST_CODE_BITS // 8
    if missing > TRUNCATED_BYTES_CAP:
        raise damaged("GIF")
    return image.ljust(promised, b"\x00") + (b"\xff" + bytes(255)) * (missing // 255 + 1) + b"\x00"
