"""WebP: RIFF chunks (RFC 9649)."""

import struct
from collections.abc import Iterator

from explorer.inference.pictures.lean import BLOCK_CAP, PIXEL_CAP, ImageError, Lean, too_large, too_many

_ALPHA_FLAG, _ANIMATION_FLAG = 0x10, 0x02
_PICTURE = {b"VP8 ", b"VP8L"}
_FRAME_HEADER = 16


def lean(data: bytes) -> Lean:
    """The first frame with its transparency; camera data and profile are taken out."""
    if struct.unpack_from("<I", data, 4)[0] + 8 > len(data):
        raise ImageError("The WebP file ends early and cannot be decoded in part; save or send it again.")
    exif, profile, kept, canvas = b"", b"", [], None
    for kind, body in _chunks(data, 12, len(data)):
        if kind == b"VP8X" and len(body) >= 10:
            canvas = [1 + int.from_bytes(body[at : at + 3], "little") for at in (4, 7)]
            flags = body[0] & (_ALPHA_FLAG | _ANIMATION_FLAG)
            kept.append((kind, bytes([flags]) + body[1:10]))
        elif kind == b"EXIF":
            exif = exif or body
        elif kind == b"ICCP":
            profile = profile or body
        elif kind in (b"ANIM", b"ALPH") and not any(known == kind for known, _ in kept):
            kept.append((kind, body))
        elif kind == b"ANMF" and not any(known == kind for known, _ in kept):
            inner = [(k, b) for k, b in _chunks(body, _FRAME_HEADER, len(body)) if k in _PICTURE | {b"ALPH"}]
            kept.append((kind, body[:_FRAME_HEADER] + _joined(inner)))
            _check(inner)
        elif kind in _PICTURE and not any(known in _PICTURE for known, _ in kept):
            kept.append((kind, body))
    if canvas and canvas[0] * canvas[1] > PIXEL_CAP:
        raise too_large(*canvas)
    _check(kept)
    chunks = b"WEBP" + _joined(kept)
    return Lean(b"RIFF" + struct.pack("<I", len(chunks)) + chunks, exif, profile)


def _chunks(data: bytes, place: int, end: int) -> Iterator[tuple[bytes, bytes]]:
    """(kind, body) of each chunk; a chunk that is cut off is left out."""
    for _ in range(BLOCK_CAP):
        if place + 8 > end:
            return
        kind, length = struct.unpack_from("<4sI", data, place)
        if place + 8 + length > end:
            return
        yield kind, data[place + 8 : place + 8 + length]
        place += 8 + length + length % 2
    raise too_many("WebP", f"over {BLOCK_CAP:,} chunks")


def _joined(chunks: list[tuple[bytes, bytes]]) -> bytes:
    return b"".join(
        kind + struct.pack("<I", len(body)) + body + b"\x00" * (len(body) % 2) for kind, body in chunks
    )


def _check(chunks: list[tuple[bytes, bytes]]) -> None:
    """Compares what the pictures' own headers promise with the cap."""
    for kind, body in chunks:
        if kind == b"VP8 " and len(body) >= 10:
            width, height = (each & 0x3FFF for each in struct.unpack_from("<HH", body, 6))
        elif kind == b"VP8L" and len(body) >= 5:
            bits = int.from_bytes(body[1:5], "little")
            width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        else:
            continue
        if width * height > PIXEL_CAP:
            raise too_large(width, height)
