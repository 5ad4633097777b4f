"""The one thing of a camera's data that a picture needs: which way is up."""

import struct

_ORIENTATION, _SHORT, _ENTRY_BYTES = 0x0112, 3, 12


def orientation(exif: bytes) -> int:
    """EXIF orientation 1-8; 1 (upright) where it is missing or damaged: the picture is still good.

    Only the first directory is looked at, entry by entry (it has at most 65,535), and no value is followed
    to where it lies: a directory may name the same megabytes in each of its entries.
    """
    tiff = exif.removeprefix(b"Exif\x00\x00")
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or len(tiff) < 8:
        return 1
    (start,) = struct.unpack_from(f"{order}I", tiff, 4)
    if start + 2 > len(tiff):
        return 1
    (entries,) = struct.unpack_from(f"{order}H", tiff, start)
    last = min(start + 2 + _ENTRY_BYTES * entries, len(tiff) - _ENTRY_BYTES + 1)
    for place in range(start + 2, last, _ENTRY_BYTES):
        tag, kind, _, value = struct.unpack_from(f"{order}HHIH", tiff, place)
        if tag == _ORIENTATION:
            return value if kind == _SHORT and 1 <= value <= 8 else 1
    return 1
