"""TIFF: the first directory and the strips or tiles that it names (Adobe, TIFF 6.0; BigTIFF)."""

import struct
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from explorer.inference.pictures.lean import PIXEL_CAP, ImageError, Lean, damaged, too_large, too_many

# A strip costs Pillow a reader of its own: 20,000 rows of one strip each are 0.5 s.
_STRIP_CAP = 32_768
_ENTRY_CAP = 4_096
_COLOUR_MAP_CAP = 3 * 65_536
_SCAN_WORK_CAP = 400_000_000

_BYTES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
_LETTERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}
_WIDTH, _LENGTH, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_STRIP_OFFSETS, _ORIENTATION, _SAMPLES, _ROWS_PER_STRIP, _STRIP_BYTES = 273, 274, 277, 278, 279
_PLANES, _COLOUR_MAP, _TILE_WIDTH, _TILE_LENGTH, _TILE_OFFSETS, _TILE_BYTES = 284, 320, 322, 323, 324, 325
_ARRAYS = {_STRIP_OFFSETS, _STRIP_BYTES, _TILE_OFFSETS, _TILE_BYTES, _COLOUR_MAP}
_JPEG_TABLES, _PROFILE = 347, 34675
# What a pixel needs besides: fill order, fax options, predictor, extra samples, sample format, old JPEG's
# tables and YCbCr's coefficients.
_KEPT = {
    *(_WIDTH, _LENGTH, _BITS, _COMPRESSION, _PHOTOMETRIC, _ORIENTATION, _SAMPLES, _ROWS_PER_STRIP, _PLANES),
    *(_TILE_WIDTH, _TILE_LENGTH, _JPEG_TABLES, *_ARRAYS),
    *(266, 292, 293, 317, 338, 339, 529, 530, 531, 532, *range(512, 522)),
}
_RAW, _JPEGS = 1, (6, 7)
_COMPRESSIONS = {_RAW, 2, 3, 4, 5, *_JPEGS, 8, 32773, 32946, 50000}
_SEPARATE, _WHITE_IS_ZERO, _BLACK_IS_ZERO = 2, 0, 1


@dataclass(frozen=True)
class _Entry:
    """place: of the entry in the file; start: of its value; raw: the entry itself."""

    tag: int
    kind: int
    count: int
    place: int
    start: int
    raw: bytes

    @property
    def bytes(self) -> int:
        return self.count * _BYTES.get(self.kind, 0)


class _Directory:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.order = "<" if data[:2] == b"II" else ">"
        self.big = data[2:4] in (b"\x2b\x00", b"\x00\x2b")
        self.number, self.entry_bytes = ("Q", 20) if self.big else ("I", 12)
        self.width = struct.calcsize(self.number)
        (self.start,) = self.unpack(self.number, 8 if self.big else 4)
        self.counter = "Q" if self.big else "H"
        (count,) = self.unpack(self.counter, self.start)
        if count > _ENTRY_CAP:
            raise too_many("TIFF", f"{count:,} entries")
        self.first = self.start + struct.calcsize(self.counter)
        self.entries: dict[int, _Entry] = {}
        for place in range(self.first, self.first + count * self.entry_bytes, self.entry_bytes):
            tag, kind, many = self.unpack(f"HH{self.number}", place)
            inline = place + 4 + self.width
            short = many * _BYTES.get(kind, 0) <= self.width
            start = inline if short else self.unpack(self.number, inline)[0]
            raw = data[place : place + self.entry_bytes]
            self.entries.setdefault(tag, _Entry(tag, kind, many, place, start, raw))
        self.after = self.first + count * self.entry_bytes

    def unpack(self, letters: str, place: int) -> tuple[Any, ...]:
        return struct.unpack_from(self.order + letters, self.data, place)

    def values(self, tag: int) -> tuple[int, ...]:
        """All whole numbers of a tag; () where it is missing or of another kind."""
        entry = self.entries.get(tag)
        if entry is None or entry.kind not in _LETTERS:
            return ()
        return self.unpack(f"{entry.count}{_LETTERS[entry.kind]}", entry.start)

    def value(self, tag: int, otherwise: int) -> int:
        entry = self.entries.get(tag)
        if entry is None or entry.kind not in _LETTERS or not entry.count:
            return otherwise
        return int(self.unpack(_LETTERS[entry.kind], entry.start)[0])


def lean(data: bytes) -> Lean:
    """The first page alone, its directory without whatever a pixel does not need."""
    try:
        return _lean(data)
    except struct.error as error:
        raise damaged("TIFF") from error


def _lean(data: bytes) -> Lean:
    directory = _Directory(data)
    kept = [entry for tag, entry in sorted(directory.entries.items()) if tag in _KEPT]
    for entry in kept:
        most = _COLOUR_MAP_CAP if entry.tag in _ARRAYS else len(data) if entry.tag == _JPEG_TABLES else 1024
        if entry.count > most:
            raise too_many("TIFF", f"{entry.count:,} parts of one kind")
    width, height = directory.value(_WIDTH, 0), directory.value(_LENGTH, 0)
    if width * height > PIXEL_CAP:
        raise too_large(width, height)
    if width < 1 or height < 1:
        raise damaged("TIFF")
    _check_parts(directory, width, height)

    lean_file = bytearray(data)
    bits = directory.value(_BITS, 1)
    # Pillow inverts up to 8 bits, and reads beyond them as they are (II) or not at all (MM).
    white_is_zero = directory.value(_PHOTOMETRIC, _BLACK_IS_ZERO) == _WHITE_IS_ZERO and bits > 8
    place = directory.first
    for entry in kept:
        raw = bytearray(entry.raw)
        if entry.tag == _PHOTOMETRIC and white_is_zero:
            struct.pack_into(directory.order + _LETTERS[entry.kind], raw, 4 + directory.width, _BLACK_IS_ZERO)
        lean_file[place : place + len(raw)] = raw
        place += len(raw)
    struct.pack_into(directory.order + directory.number, lean_file, place, 0)  # no further page
    struct.pack_into(directory.order + directory.counter, lean_file, directory.start, len(kept))
    ends_early = _complete(directory, lean_file)
    profile = directory.entries.get(_PROFILE)
    return Lean(
        bytes(lean_file),
        profile=data[profile.start : profile.start + profile.bytes] if profile else b"",
        ends_early=ends_early,
        white_is_zero=white_is_zero,
        sample_bits=bits,
    )


def _check_parts(directory: _Directory, width: int, height: int) -> None:
    """Bounds the number of strips or tiles, and the pixels they hold together."""
    compression = directory.value(_COMPRESSION, _RAW)
    if compression not in _COMPRESSIONS:
        raise ImageError(
            f"The TIFF is compressed in a way that is not read here (number {compression}); "
            "save it with LZW, deflate or without compression."
        )
    rows = min(directory.value(_ROWS_PER_STRIP, height), height)
    tile_width, tile_length = directory.value(_TILE_WIDTH, 0), directory.value(_TILE_LENGTH, 0)
    across, down = width, rows
    if _TILE_OFFSETS in directory.entries:
        across, down = tile_width, tile_length
    if across < 1 or down < 1:
        raise damaged("TIFF")
    planes = directory.value(_SAMPLES, 1) if directory.value(_PLANES, 1) == _SEPARATE else 1
    in_plane = -(-width // across) * -(-height // down)
    parts = max(in_plane * planes, *(len(directory.values(tag)) for tag in (_STRIP_OFFSETS, _TILE_OFFSETS)))
    if parts > _STRIP_CAP:
        raise too_many("TIFF", f"{parts:,} strips or tiles")
    if in_plane * across * down > 2 * PIXEL_CAP:
        raise too_large(across, down)
    if compression in _JPEGS:
        offsets = directory.values(_STRIP_OFFSETS) or directory.values(_TILE_OFFSETS)
        repeated = parts / max(1, len(set(offsets)))
        if across * down * directory.data.count(b"\xff\xda") * repeated > _SCAN_WORK_CAP:
            raise too_many("TIFF", "many scans")


def _complete(directory: _Directory, lean_file: bytearray) -> bool:
    """Appends what uncompressed strips promise and the file does not hold; whether anything was missing."""
    if directory.value(_COMPRESSION, _RAW) != _RAW:
        return False
    offsets = directory.values(_STRIP_OFFSETS) or directory.values(_TILE_OFFSETS)
    lengths = directory.values(_STRIP_BYTES) or directory.values(_TILE_BYTES)
    if not offsets or len(offsets) != len(lengths) or offsets[0] > len(lean_file):
        return False
    if any(second < first for first, second in pairwise(offsets)):
        return False
    end = offsets[-1] + lengths[-1]
    missing = end - len(lean_file)
    if not 0 < missing <= 8 * PIXEL_CAP:
        return False
    lean_file.extend(bytes(missing))
    return True
