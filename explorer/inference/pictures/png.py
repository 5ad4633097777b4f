"""PNG: chunks (W3C, Portable Network Graphics, third edition)."""

import struct
import zlib
from itertools import count

from explorer.inference.pictures.lean import (
    BLOCK_CAP,
    PIXEL_CAP,
    TRUNCATED_BYTES_CAP,
    Lean,
    damaged,
    too_large,
    too_many,
)

_SIGNATURE, _HEADER_END = b"\x89PNG\r\n\x1a\n", 33
_KEPT = {b"PLTE", b"tRNS"}
_PROFILE_CAP = 4_000_000
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# (first column, first row, columns apart, rows apart) of the seven passes of Adam7
_ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def lean(data: bytes) -> Lean:
    """Header, palette, transparency and the pixels of the still picture, as one chunk."""
    if data[12:16] != b"IHDR" or len(data) < _HEADER_END:
        raise damaged("PNG")
    width, height, bits, colour, _, _, interlace = struct.unpack_from(">IIBBBBB", data, 16)
    if width * height > PIXEL_CAP:
        raise too_large(width, height)
    kept, pixels, exif, profile, ended, place = [data[:_HEADER_END]], [], b"", b"", False, _HEADER_END
    known: set[bytes] = set()
    for number in count():
        if number == BLOCK_CAP:
            raise too_many("PNG", f"over {BLOCK_CAP:,} chunks")
        if place + 8 > len(data):
            break
        length, kind = struct.unpack_from(">I4s", data, place)
        body, whole = data[place + 8 : place + 8 + length], data[place : place + 12 + length]
        place += 12 + length
        if kind == b"IDAT":
            pixels.append(body)
        elif place > len(data):
            break
        elif kind == b"IEND":
            ended = True
            break
        elif kind in _KEPT and not pixels and kind not in known:
            known.add(kind)
            kept.append(whole)
        elif kind == b"eXIf":
            exif = exif or body
        elif kind == b"iCCP":
            profile = profile or _profile(body)
    if not pixels:
        raise damaged("PNG")
    packed = b"".join(pixels)
    if not ended:
        packed = _completed(packed, _raw_bytes(width, height, bits * _CHANNELS.get(colour, 1), interlace))
    kept += [_chunk(b"IDAT", packed), _chunk(b"IEND", b"")]
    return Lean(b"".join(kept), exif, profile, not ended, sample_bits=bits)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _profile(body: bytes) -> bytes:
    """The ICC profile of an iCCP chunk; empty if it is damaged or unpacks to more than profiles have."""
    _, _, packed = body.partition(b"\x00")
    unpacking = zlib.decompressobj()
    try:
        profile = unpacking.decompress(packed[1:], _PROFILE_CAP)
    except zlib.error:
        return b""
    return b"" if unpacking.unconsumed_tail else profile


def _raw_bytes(width: int, height: int, pixel_bits: int, interlace: int) -> int:
    """Bytes of the unpacked picture: each row of each pass begins with the number of its filter."""
    total = 0
    for left, top, across, down in _ADAM7 if interlace else [(0, 0, 1, 1)]:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + (columns * pixel_bits + 7) // 8)
    return total


def _completed(packed: bytes, raw_bytes: int) -> bytes:
    """The same pixels with zeros for those that are missing."""
    if raw_bytes > TRUNCATED_BYTES_CAP:
        raise damaged("PNG")
    try:
        raw = zlib.decompressobj().decompress(packed, raw_bytes)
    except zlib.error as error:
        raise damaged("PNG") from error
    if not raw:
        raise damaged("PNG")
    return zlib.compress(raw.ljust(raw_bytes, b"\x00"), 1)
