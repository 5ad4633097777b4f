"""JPEG: segments up to the end of the first picture (ITU T.81, annex B)."""

import re
import struct

from explorer.inference.pictures.lean import BLOCK_CAP, ImageError, Lean, damaged, too_many

# A JPEG can be decoded at 1/2, 1/4 or 1/8 of its size, so a larger one costs no more memory (the cap
# stays under Pillow's own warning threshold of 89 million) ...
JPEG_PIXEL_CAP = 80_000_000
# ... unless it comes in several scans: then libjpeg holds all coefficients and walks over them once a scan.
MULTI_SCAN_WORK_CAP = 250_000_000
# Pillow reads ahead until libjpeg finds a marker, and libjpeg begins anew each time.
_PADDING = b"\xff" * 4096
_TABLES_CAP = 100_000  # bytes of tables before the first scan; all that the standard knows have some 10,000

_START, _END, _SCAN, _DRI = 0xD8, 0xD9, 0xDA, 0xDD
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_HUFFMAN_FRAMES = {0xC0, 0xC1, 0xC2}  # baseline, extended, progressive: what browsers read too
_STANDALONE = {0x01, *range(0xD0, 0xD9)}
_APPLICATIONS, _COMMENT = range(0xE0, 0xF0), 0xFE
_EXIF, _ICC, _ADOBE, _JFIF = b"Exif\x00\x00", b"ICC_PROFILE\x00", b"Adobe", b"JFIF\x00"
_MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")  # not stuffing (00), not a restart (D0-D7)


def lean(data: bytes) -> Lean:
    """Without application data and comments, but for what tells the colours, and up to the first end."""
    kept, exif, scans, place, segments = [b"\xff\xd8"], b"", 0, 2, 0
    icc: dict[int, bytes] = {}
    width = height = table_bytes = 0
    copied_from = None  # since the first scan everything is kept as it lies
    ends_early = True
    while marker := _MARKER.search(data, place):
        segments += 1
        if segments > BLOCK_CAP:
            raise too_many("JPEG", f"over {BLOCK_CAP:,} segments")
        kind, begin, place = marker[1][0], marker.start(), marker.end()
        if kind == _END:
            ends_early = scans == 0
            place = begin
            break
        if kind in _STANDALONE:
            continue
        if place + 2 > len(data):
            break
        (length,) = struct.unpack_from(">H", data, place)
        body = data[place + 2 : place + length]
        if length < 2 or place + length > len(data):
            break
        if kind in _FRAMES and len(body) >= 6:
            if kind not in _HUFFMAN_FRAMES:
                raise ImageError(
                    "The JPEG is compressed in a way that browsers do not read either "
                    "(arithmetic, lossless or hierarchical); save it as a baseline JPEG."
                )
            height, width = struct.unpack_from(">HH", body, 1)
        place += length
        scans += kind == _SCAN
        if copied_from is not None:
            continue
        if kind == _SCAN:
            copied_from = begin
        elif kind == _APPLICATIONS[1] and body.startswith(_EXIF):
            exif = exif or body
        elif kind == _APPLICATIONS[2] and body.startswith(_ICC) and len(body) > 14:
            icc.setdefault(body[12], body[14:])
        elif (kind not in _APPLICATIONS and kind != _COMMENT) or body.startswith((_ADOBE, _JFIF)):
            kept.append(data[begin:place])
            table_bytes += length
            if table_bytes > _TABLES_CAP:
                raise too_many("JPEG", f"over {_TABLES_CAP:,} bytes of tables")
    if copied_from is None or not width:
        raise damaged("JPEG")
    if scans > 1 and width * height * scans > MULTI_SCAN_WORK_CAP:
        raise ImageError(
            f"The JPEG of {width:,} × {height:,} pixels comes in {scans} scans, "
            "too much to decode here; save it as a baseline JPEG or smaller."
        )
    if data.find(_PADDING, copied_from) >= 0:
        raise ImageError("The JPEG file holds more padding than picture; save it again.")
    end = len(data) if ends_early else place
    kept += [data[copied_from:end], b"\xff\xd9"]
    profile = b"".join(icc[number] for number in sorted(icc))
    return Lean(b"".join(kept), exif, profile, ends_early)
