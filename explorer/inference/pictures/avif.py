"""AVIF: boxes that say where AV1 pictures lie, and how large those pictures are by their own word.

ISO/IEC 14496-12 (boxes), 23008-12 (items), the AV1 bitstream specification (open bitstream units).
"""

import struct
from collections.abc import Iterator

from explorer.inference.pictures.lean import BLOCK_CAP, ImageError, Lean, too_large, too_many

# dav1d takes some 15 ns of CPU for a pixel and 90 for a byte; a photo of 25 million pixels has 1 to 5 MB.
AVIF_PIXEL_CAP = 25_000_000
AVIF_BYTE_CAP = 6_000_000
# A still picture is one AV1 frame; hidden ones before it are decoded as well.
_FRAME_CAP = 4
_SAMPLE_CAP = 100_000
_SEQUENCE_HEADER, _FRAME_HEADER, _FRAME = 1, 3, 6
_CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"iprp", b"ipco"}
_FULL_CONTAINERS = {b"meta": 4}


def lean(data: bytes) -> Lean:
    """`data` as it came, but for the name of its camera data (AVIF turns pictures by a box of its own), after
    a look at each coded picture that a reader may decode for the first frame."""
    if len(data) > AVIF_BYTE_CAP:
        raise ImageError(
            f"The AVIF has {len(data) / 1e6:.1f} MB and the limit for AVIF is {AVIF_BYTE_CAP / 1e6:.0f} MB; "
            "save it smaller or as JPEG."
        )
    boxes = list(_boxes(data, 0, len(data)))
    try:
        payloads = [*_items(data, boxes), *_first_samples(data, boxes)]
    except (struct.error, IndexError) as error:
        raise _damaged() from error
    pixels = frames = 0
    for payload in payloads:
        size, count = _coded(payload)
        pixels += size
        if count > _FRAME_CAP:
            raise too_many("AVIF", f"over {_FRAME_CAP} hidden frames")
        frames += count
    if pixels > 2 * AVIF_PIXEL_CAP:  # a picture and its transparency
        raise ImageError(
            f"The AVIF holds pictures of {pixels / 1e6:.0f} million pixels together, "
            "more than can be decoded here; scale it down and try again."
        )
    lean_file = bytearray(data)
    for kind, begin, end in boxes:
        if kind == b"ispe" and end - begin >= 12:
            width, height = struct.unpack_from(">II", data, begin + 4)
            if width * height > AVIF_PIXEL_CAP:
                raise too_large(width, height)
        if kind == b"iinf":
            lean_file[begin:end] = data[begin:end].replace(b"Exif\x00", b"none\x00")
    return Lean(bytes(lean_file))


def _damaged() -> ImageError:
    return ImageError("The AVIF file is damaged or cut off and cannot be decoded; save or send it again.")


def _boxes(data: bytes, place: int, end: int, depth: int = 0) -> Iterator[tuple[bytes, int, int]]:
    """(kind, begin, end) of the content of each box, and of those inside the known containers."""
    for _ in range(BLOCK_CAP):
        if place + 8 > end:
            return
        length, kind = struct.unpack_from(">I4s", data, place)
        begin = place + 8
        if length == 1 and place + 16 <= end:
            (length,) = struct.unpack_from(">Q", data, begin)
            begin += 8
        after = end if length == 0 else place + length
        if after > end or after < begin:
            return
        yield kind, begin, after
        inner = 0 if kind in _CONTAINERS else _FULL_CONTAINERS.get(kind)
        if inner is not None and depth < 8:
            yield from _boxes(data, begin + inner, after, depth + 1)
        place = after
    raise too_many("AVIF", f"over {BLOCK_CAP:,} boxes")


def _items(data: bytes, boxes: list[tuple[bytes, int, int]]) -> Iterator[bytes]:
    """The bytes of each item that the item location box names."""
    in_file = next((data[begin:end] for kind, begin, end in boxes if kind == b"idat"), b"")
    for kind, at, end in boxes:
        if kind != b"iloc":
            continue
        version, sizes = data[at], struct.unpack_from(">H", data, at + 4)[0]
        offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
        wide = version == 2
        (count,) = struct.unpack_from(">I" if wide else ">H", data, at + 6)
        place, extents_left = at + (10 if wide else 8), BLOCK_CAP

        def number(size: int, where: int) -> int:
            return int.from_bytes(data[where : where + size], "big")

        for _ in range(min(count, BLOCK_CAP)):
            place += 4 if wide else 2
            source = data
            if version:
                source = in_file if data[place + 1] & 15 == 1 else data
                place += 2
            place += 2
            base = number(base_size, place)
            (extents,) = struct.unpack_from(">H", data, place + base_size)
            place += base_size + 2
            extents_left -= extents
            if extents_left < 0 or place > end:
                raise too_many("AVIF", f"over {BLOCK_CAP:,} extents")
            whole = []
            for _ in range(extents):
                place += index_size if version else 0
                start = base + number(offset_size, place)
                length = number(length_size, place + offset_size) or len(source)
                whole.append(source[start : start + length])
                place += offset_size + length_size
            if sum(map(len, whole)) > len(data):
                raise too_many("AVIF", "overlapping extents")
            yield b"".join(whole)


def _first_samples(data: bytes, boxes: list[tuple[bytes, int, int]]) -> Iterator[bytes]:
    """The first picture of each track. Tables follow each other in the order of the tracks."""
    sizes, places = [], []
    for kind, at, end in boxes:
        if kind == b"stsz":
            constant, count = struct.unpack_from(">II", data, at + 4)
            if count > _SAMPLE_CAP:
                raise too_many("AVIF", f"{count:,} frames")
            sizes.append(constant or struct.unpack_from(">I", data, at + 12)[0])
        elif kind in (b"stco", b"co64"):
            places.append(struct.unpack_from(">I" if kind == b"stco" else ">Q", data, at + 8)[0])
        elif kind in (b"stts", b"stsc", b"stss", b"ctts") and end - at >= 8:
            (count,) = struct.unpack_from(">I", data, at + 4)
            if count > _SAMPLE_CAP:
                raise too_many("AVIF", f"{count:,} frames")
    for place, size in zip(places, sizes, strict=False):
        yield data[place : place + size]


def _coded(payload: bytes) -> tuple[int, int]:
    """(pixels of all frames at their largest, number of frames) of open bitstream units; else (0, 0)."""
    place = pixels = frames = 0
    for _ in range(BLOCK_CAP):
        if place >= len(payload):
            return pixels * max(1, frames), frames
        header = payload[place]
        kind, extended, sized = header >> 3 & 15, header >> 2 & 1, header >> 1 & 1
        if header & 0x80:
            return pixels * max(1, frames), frames  # no unit begins like this: the item is something else
        place += 1 + extended
        length, place = _leb128(payload, place) if sized else (len(payload) - place, place)
        if kind == _SEQUENCE_HEADER:
            pixels = max(pixels, _largest_frame(payload[place : place + length]))
        frames += kind in (_FRAME_HEADER, _FRAME)
        place += length
    raise too_many("AVIF", f"over {BLOCK_CAP:,} units")


def _leb128(payload: bytes, place: int) -> tuple[int, int]:
    value = 0
    for number in range(8):
        if place >= len(payload):
            break
        byte = payload[place]
        place += 1
        value |= (byte & 0x7F) << 7 * number
        if not byte & 0x80:
            break
    return value, place


class _Bits:
    def __init__(self, data: bytes) -> None:
        self.value, self.left = int.from_bytes(data, "big"), 8 * len(data)

    def take(self, count: int) -> int:
        self.left -= count
        if self.left < 0:
            raise _damaged()
        return self.value >> self.left & ((1 << count) - 1)

    def variable(self) -> int:
        """uvlc() of the specification, section 4.10.3."""
        zeros = 0
        while not self.take(1):
            zeros += 1
        return self.take(zeros) + (1 << zeros) - 1 if zeros < 32 else (1 << 32) - 1


def _largest_frame(header: bytes) -> int:
    """Pixels of the largest frame that a sequence header allows (section 5.5.1)."""
    bits = _Bits(header[:256])
    bits.take(4)  # profile, still picture
    if bits.take(1):  # reduced still picture header
        bits.take(5)
    else:
        decoder_model, delay_bits = False, 0
        if bits.take(1):  # timing
            bits.take(64)
            if bits.take(1):
                bits.variable()
            decoder_model = bool(bits.take(1))
            if decoder_model:
                delay_bits = bits.take(5) + 1
                bits.take(32 + 5 + 5)
        initial_delay = bits.take(1)
        for _ in range(bits.take(5) + 1):
            bits.take(12)
            if bits.take(5) > 7:
                bits.take(1)
            if decoder_model and bits.take(1):
                bits.take(2 * delay_bits + 1)
            if initial_delay and bits.take(1):
                bits.take(4)
    width_bits, height_bits = bits.take(4) + 1, bits.take(4) + 1
    return (bits.take(width_bits) + 1) * (bits.take(height_bits) + 1)
