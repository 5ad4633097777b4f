"""BMP: one header and rows of pixels."""

import struct

from explorer.inference.pictures.lean import PIXEL_CAP, ImageError, Lean, damaged, too_large

_CORE_HEADER = 12
_RUN_LENGTH = {1, 2}
_RUN_LENGTH_BYTES = 1_000_000  # Pillow reads these in Python, two bytes at a time


def lean(data: bytes) -> Lean:
    if len(data) < 34:
        raise damaged("BMP")
    offset, header = struct.unpack_from("<II", data, 10)
    if header == _CORE_HEADER:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        compression = 0
    else:
        width, height, _, bits, compression = struct.unpack_from("<iiHHI", data, 18)
    if width * abs(height) > PIXEL_CAP:
        raise too_large(width, abs(height))
    if compression in _RUN_LENGTH:
        if len(data) > _RUN_LENGTH_BYTES:
            raise ImageError(
                "The BMP is run-length coded and larger than can be read here "
                f"({_RUN_LENGTH_BYTES / 1e6:.0f} MB); save it as PNG."
            )
        return Lean(data)
    missing = offset + (width * bits + 31) // 32 * 4 * abs(height) - len(data)
    if width < 1 or not 0 < bits <= 32 or offset > len(data) or missing <= 0:
        return Lean(data)  # whole, or nothing to complete
    return Lean(data + bytes(missing), ends_early=True)
