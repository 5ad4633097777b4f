"""What each format's module makes of a file's blocks: what it keeps, where it stops, and at which size."""

import re
import struct
import zlib
from collections.abc import Callable, Iterable

import pytest

from explorer.inference.pictures import avif, bmp, exif, formats, gif, jpeg, png, tiff, webp
from explorer.inference.pictures.lean import ImageError, Lean
from tests.inference.picture_bombs import chunk, riff, segment

# --- GIF ---------------------------------------------------------------------------------------------------

COMMENT, CONTROL, APPLICATION = b"!\xfe\x01a\x01b\x00", b"!\xf9\x04\x01\x00\x00\x02\x00", b"!\xff\x01a\x00"


def gif_file(*blocks: bytes, size: tuple[int, int] = (2, 2), flags: int = 0, colours: int = 0) -> bytes:
    return b"GIF89a" + struct.pack("<HHBBB", *size, flags, 0, 0) + bytes(3 * colours) + b"".join(blocks)


def gif_image(
    place: tuple[int, int] = (0, 0), size: tuple[int, int] = (2, 2), flags: int = 0, colours: int = 0
) -> bytes:
    head = b"," + struct.pack("<HHHHB", *place, *size, flags) + bytes(3 * colours)
    return head + b"\x02" + b"\x02\x4c\x01" + b"\x00"


@pytest.mark.parametrize(("flags", "colours"), [(0, 0), (0x07, 0), (0x80, 2), (0x83, 16), (0xF7, 256)])
def test_of_a_gif_the_first_image_its_control_and_its_colours_stay(flags, colours):
    image = gif_image(flags=flags, colours=colours)
    own = {"flags": flags, "colours": colours}
    given = gif_file(COMMENT, b"\x00", CONTROL, APPLICATION, image, CONTROL, gif_image(), b";", **own)
    found = gif.lean(given)
    assert (found.data, found.ends_early) == (gif_file(CONTROL, image, b";", **own), False)


def test_a_gif_without_an_image_is_damaged():
    for blocks in ([], [COMMENT], [COMMENT, b";"], [gif_image()[:9]], [COMMENT[:3]]):
        with pytest.raises(ImageError, match="damaged"):
            gif.lean(gif_file(*blocks))
    with pytest.raises(ImageError, match="damaged"):
        gif.lean(gif_file()[:12])


@pytest.mark.parametrize(
    "blocks", [[COMMENT], [b"\x00"] * 3, [b"!\xfe\x00"] * 3, [b"\x00", b"!\xfe\x01a\x00"]]
)
def test_of_a_gif_as_many_small_blocks_are_walked_as_allowed(monkeypatch, blocks):
    monkeypatch.setattr(gif, "SMALL_BLOCK_CAP", 4)
    assert gif.lean(gif_file(*blocks, gif_image(), b";")).data
    monkeypatch.setattr(gif, "SMALL_BLOCK_CAP", 3)
    with pytest.raises(ImageError, match="over 3 blocks"):
        gif.lean(gif_file(*blocks, gif_image(), b";"))


@pytest.mark.parametrize("blocks", [[b"\x00"] * 3, [b"!\xfe\x00"] * 3])
def test_empty_blocks_count_before_an_image_is_found(monkeypatch, blocks):
    monkeypatch.setattr(gif, "SMALL_BLOCK_CAP", 2)
    with pytest.raises(ImageError, match="over 2 blocks"):
        gif.lean(gif_file(*blocks))


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_a_gif_cut_off_gets_codes_for_every_pixel(monkeypatch, missing):
    image = gif_image(size=(400, 50))[:-missing]
    monkeypatch.setattr(gif, "TRUNCATED_BYTES_CAP", 400 * 50 * 12 // 8)
    found = gif.lean(gif_file(image))
    promised = image.ljust(len(gif_image()) - 1, b"\x00")
    added = (b"\xff" + bytes(255)) * (30_000 // 255 + 1) + b"\x00"
    assert (found.data, found.ends_early) == (gif_file(promised, added, b";"), True)
    monkeypatch.setattr(gif, "TRUNCATED_BYTES_CAP", 400 * 50 * 12 // 8 - 1)
    with pytest.raises(ImageError, match="damaged"):
        gif.lean(gif_file(image))


# --- JPEG --------------------------------------------------------------------------------------------------

SOI, EOI = b"\xff\xd8", b"\xff\xd9"
QUANTISATION = segment(0xDB, bytes(65))
OTHER = segment(0xF0, b"kept free by the standard")
SCAN = segment(0xDA, bytes(10)) + b"pixels\xff\x00more\xff\xd0"


def frame(width: int = 8, height: int = 6, kind: int = 0xC0) -> bytes:
    return segment(kind, struct.pack(">BHHB", 8, height, width, 0))


def icc(number: int, body: bytes) -> bytes:
    return segment(0xE2, b"ICC_PROFILE\x00" + bytes([number, 2]) + body)


def test_of_a_jpeg_tables_and_what_tells_the_colours_stay():
    adobe, jfif = segment(0xEE, b"Adobe" + bytes(7)), segment(0xE0, b"JFIF\x00" + bytes(9))
    camera = segment(0xE1, b"Exif\x00\x00first"), segment(0xE1, b"Exif\x00\x00second")
    dropped = [segment(0xFE, b"comment"), segment(0xE0, b"JFXX"), segment(0xEF, b"x"), b"\xff\x01"]
    dropped += [segment(0xE1, b"a packet of XMP"), segment(0xE2, b"FPXR, no profile"), icc(3, b"")]
    dropped += [segment(0xE5, b"Exif\x00\x00, not the camera's"), segment(0xE5, b"ICC_PROFILE\x00\x00\x00no")]
    parts = [jfif, *camera, icc(2, b"B"), icc(1, b"A"), icc(1, b"C"), adobe, OTHER, frame(), SCAN]
    found = jpeg.lean(SOI + b"".join(dropped) + b"".join(parts) + EOI + b"a second picture")
    assert found.data == SOI + jfif + adobe + OTHER + frame() + SCAN + EOI
    assert (found.exif, found.profile, found.ends_early) == (b"Exif\x00\x00first", b"AB", False)


@pytest.mark.parametrize(
    "tail", [b"", b"\xff\xda", b"\xff\xda\x00", b"\xff\xda\x00\x01", b"\xff\xda\x00\x09abc"]
)
def test_a_jpeg_without_its_end_is_completed(tail):
    found = jpeg.lean(SOI + frame() + SCAN + tail)
    assert (found.data, found.ends_early) == (SOI + frame() + SCAN + tail + EOI, True)


@pytest.mark.parametrize("scan", [b"\xff\xda\x00\x02", b"\xff\xda\x00\x04ab"])
def test_a_jpeg_that_ends_behind_the_head_of_its_scan_is_completed(scan):
    assert jpeg.lean(SOI + frame() + scan) == Lean(SOI + frame() + scan + EOI, ends_early=True)
    for cut in range(1, len(scan)):
        with pytest.raises(ImageError, match="damaged"):
            jpeg.lean(SOI + frame() + scan[:-cut])


@pytest.mark.parametrize("kept", [SOI, SOI + SCAN, SOI + frame(), SOI + frame(width=0) + SCAN])
def test_a_jpeg_without_size_or_scan_is_damaged(kept):
    with pytest.raises(ImageError, match="damaged"):
        jpeg.lean(kept + EOI)


@pytest.mark.parametrize("kind", range(0xC0, 0xD0))
def test_frames_that_browsers_do_not_read_are_refused(kind):
    data = SOI + frame() + frame(kind=kind) + SCAN + EOI
    if kind in (0xC0, 0xC1, 0xC2, 0xC4, 0xC8, 0xCC):  # the last three are tables, and one that is kept free
        assert jpeg.lean(data).data == data
    else:
        with pytest.raises(ImageError, match="baseline"):
            jpeg.lean(data)


def test_of_a_jpeg_segments_tables_and_scans_are_bounded(monkeypatch):
    data = SOI + QUANTISATION + frame() + SCAN + SCAN + EOI
    for name, most, said in [
        ("BLOCK_CAP", 5, "over 4 segments"),
        ("_TABLES_CAP", 67 + 8, "over 74 bytes of tables"),
        ("MULTI_SCAN_WORK_CAP", 8 * 6 * 2, "of 8 × 6 pixels comes in 2 scans"),
    ]:
        with monkeypatch.context() as bound:
            bound.setattr(jpeg, name, most)
            assert jpeg.lean(data).data == data
            bound.setattr(jpeg, name, most - 1)
            with pytest.raises(ImageError, match=said):
                jpeg.lean(data)
    monkeypatch.setattr(jpeg, "MULTI_SCAN_WORK_CAP", 1)
    assert jpeg.lean(SOI + frame() + SCAN + EOI).data  # a single scan may be of any size


@pytest.mark.parametrize("bytes_", [4095, 4096])
def test_padding_behind_the_scan_is_bounded(bytes_):
    padded = SOI + b"\xff" * 5000 + frame() + SCAN + b"\xff" * bytes_ + b"\x00" + EOI
    if bytes_ < 4096:
        assert jpeg.lean(padded).data
    else:
        with pytest.raises(ImageError, match="padding"):
            jpeg.lean(padded)


# --- PNG ---------------------------------------------------------------------------------------------------

SIGNATURE, END = b"\x89PNG\r\n\x1a\n", chunk(b"IEND", b"")


def png_head(width: int, height: int, bits: int = 8, colour: int = 0, interlace: int = 0) -> bytes:
    return SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlace))


def test_of_a_png_palette_transparency_and_pixels_stay():
    palette, clear = chunk(b"PLTE", b"abc"), chunk(b"tRNS", b"d")
    profile = chunk(b"iCCP", b"name\x00\x00" + zlib.compress(b"colours"))
    other = [chunk(b"tEXt", b"x"), chunk(b"eXIf", b"one"), chunk(b"eXIf", b"two"), profile]
    other.append(chunk(b"iCCP", b"name\x00\x00" + zlib.compress(b"others")))
    late = [chunk(b"PLTE", b"late"), chunk(b"fcTL", b"y"), chunk(b"IDAT", b"34"), END, chunk(b"IDAT", b"56")]
    parts = [*other, palette, chunk(b"PLTE", b"twice"), clear, chunk(b"IDAT", b"12"), *late]
    found = png.lean(png_head(3, 2, 16) + b"".join(parts))
    assert found.data == png_head(3, 2, 16) + palette + clear + chunk(b"IDAT", b"1234") + END
    assert (found.exif, found.profile, found.ends_early, found.sample_bits) == (b"one", b"colours", False, 16)


def test_a_png_without_header_or_pixels_is_damaged():
    for data in (png_head(1, 1)[:32], SIGNATURE + chunk(b"JHDR", bytes(13)) + END, png_head(1, 1) + END):
        with pytest.raises(ImageError, match="damaged"):
            png.lean(data)


def test_of_a_png_chunks_and_profile_are_bounded(monkeypatch):
    packed = zlib.compress(bytes(1000))
    data = png_head(1, 1) + chunk(b"iCCP", b"n\x00\x00" + packed) + chunk(b"IDAT", b"x") + END
    monkeypatch.setattr(png, "BLOCK_CAP", 3)
    monkeypatch.setattr(png, "_PROFILE_CAP", 1001)
    assert png.lean(data).profile == bytes(1000)
    monkeypatch.setattr(png, "_PROFILE_CAP", 999)
    assert png.lean(data).profile == b""
    assert png.lean(data.replace(packed, b"x" * len(packed))).profile == b""
    monkeypatch.setattr(png, "BLOCK_CAP", 2)
    with pytest.raises(ImageError, match="over 2 chunks"):
        png.lean(data)


# Bytes of the unpacked picture, by hand: a filter's number and the samples, rounded up, for each row.
@pytest.mark.parametrize(
    ("width", "height", "bits", "colour", "interlace", "raw"),
    [
        (5, 3, 8, 0, 0, 3 * 6),
        (5, 3, 1, 0, 0, 3 * 2),
        (9, 1, 1, 0, 0, 3),
        (5, 3, 16, 2, 0, 3 * 31),
        (5, 3, 4, 3, 0, 3 * 4),
        (5, 3, 8, 4, 0, 3 * 11),
        (5, 3, 8, 6, 0, 3 * 21),
        (1, 1, 8, 0, 1, 2),
        (8, 8, 8, 0, 1, 2 + 2 + 3 + 2 * 3 + 2 * 5 + 4 * 5 + 4 * 9),
        (5, 5, 8, 0, 1, 2 + 2 + 3 + 2 * 2 + 4 + 3 * 3 + 2 * 6),
        (17, 17, 8, 0, 1, 3 * 4 + 3 * 3 + 2 * 6 + 5 * 5 + 4 * 10 + 9 * 9 + 8 * 18),
        (19, 19, 8, 0, 1, 3 * 4 + 3 * 3 + 2 * 6 + 5 * 6 + 5 * 11 + 10 * 10 + 9 * 20),
        (21, 21, 8, 0, 1, 3 * 4 + 3 * 4 + 3 * 7 + 6 * 6 + 5 * 12 + 11 * 11 + 10 * 22),
    ],
)
def test_a_png_cut_off_is_completed_to_its_last_row(monkeypatch, width, height, bits, colour, interlace, raw):
    data = png_head(width, height, bits, colour, interlace) + chunk(b"IDAT", zlib.compress(b"\x01"))
    monkeypatch.setattr(png, "TRUNCATED_BYTES_CAP", raw)
    found = png.lean(data)
    packed = found.data.split(b"IDAT")[1]
    assert zlib.decompressobj().decompress(packed) == b"\x01".ljust(raw, b"\x00")
    assert found.ends_early
    monkeypatch.setattr(png, "TRUNCATED_BYTES_CAP", raw - 1)
    with pytest.raises(ImageError, match="damaged"):
        png.lean(data)


@pytest.mark.parametrize("packed", [b"noise", b"", zlib.compress(b"")])
def test_a_png_cut_off_before_its_first_pixel_is_damaged(packed):
    with pytest.raises(ImageError, match="damaged"):
        png.lean(png_head(4, 4) + chunk(b"IDAT", packed))


# --- WebP --------------------------------------------------------------------------------------------------


def vp8(width: int = 2, height: int = 2) -> tuple[bytes, bytes]:
    return b"VP8 ", bytes(6) + struct.pack("<HH", width, height)


def vp8l(width: int, height: int) -> tuple[bytes, bytes]:
    return b"VP8L", b"\x2f" + ((height - 1) << 14 | (width - 1) | 3 << 28).to_bytes(4, "little")


def vp8x(width: int, height: int, flags: int = 0) -> tuple[bytes, bytes]:
    sides = b"".join((side - 1).to_bytes(3, "little") for side in (width, height))
    return b"VP8X", bytes([flags, 0, 0, 0]) + sides


def test_of_a_webp_the_first_frame_stays():
    noise = (b"XMP ", b"text"), (b"EXIF", b"one"), (b"EXIF", b"two"), (b"ICCP", b"abc"), (b"ICCP", b"d")
    alpha = b"ALPH", b"a"
    found = webp.lean(riff(vp8x(9, 7, 0xFF), *noise, alpha, (b"ALPH", b"b"), vp8(), vp8(), vp8l(2, 2)))
    assert found.data == riff(vp8x(9, 7, 0x12), alpha, vp8())
    assert (found.exif, found.profile) == (b"one", b"abc")


def test_of_an_animated_webp_the_first_frame_stays():
    def frames(*inner: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
        return b"ANMF", bytes(range(16)) + riff(*inner)[12:]

    first, alpha, animation = vp8l(2, 2), (b"ALPH", b"a"), (b"ANIM", bytes(6))
    given = riff(vp8x(9, 7), animation, animation, frames(alpha, (b"XXXX", b"y"), first), frames(vp8()))
    assert webp.lean(given).data == riff(vp8x(9, 7), animation, frames(alpha, first))
    with pytest.raises(ImageError, match="16,383"):
        webp.lean(riff(vp8x(9, 7), animation, frames(vp8(16383, 16383))))


def test_a_webp_that_ends_early_is_refused_and_what_lies_behind_it_dropped():
    whole = riff(vp8())
    assert webp.lean(whole + b"behind").data == whole
    with pytest.raises(ImageError, match="ends early"):
        webp.lean(whole[:-1])
    stray = bytearray(whole + b"abc")  # too short for a chunk
    struct.pack_into("<I", stray, 4, len(stray) - 8)
    assert webp.lean(bytes(stray)).data == whole
    cut = bytearray(riff(vp8(), (b"EXIF", b"ab")))
    struct.pack_into("<I", cut, len(cut) - 6, 10)  # a last chunk of more bytes than there are
    assert webp.lean(bytes(cut)) == Lean(whole)


def test_of_a_webp_chunks_are_bounded(monkeypatch):
    monkeypatch.setattr(webp, "BLOCK_CAP", 3)
    assert webp.lean(riff(vp8(), (b"XMP ", b""))).data == riff(vp8())
    with pytest.raises(ImageError, match="over 3 chunks"):
        webp.lean(riff(vp8(), (b"XMP ", b""), (b"XMP ", b"")))


# --- BMP ---------------------------------------------------------------------------------------------------


def bmp_file(
    width: int, height: int, bits: int = 24, rows: bytes = b"", *, compression: int = 0, core: bool = False
) -> bytes:
    if core:
        header = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        header = struct.pack("<IiiHHI", 40, width, height, 1, bits, compression) + bytes(20)
    return b"BM" + struct.pack("<IHHI", 0, 0, 0, 14 + len(header)) + header + rows


@pytest.mark.parametrize("core", [False, True])
@pytest.mark.parametrize(
    ("width", "bits", "row"),
    [(1, 1, 4), (32, 1, 4), (33, 1, 8), (3, 24, 12), (2, 32, 8), (5, 8, 8), (9, 4, 8)],
)
def test_rows_of_a_bmp_that_are_missing_are_added(core, width, bits, row):
    whole = bmp_file(width, 3, bits, b"\x01" * (3 * row), core=core)
    assert bmp.lean(whole) == Lean(whole)
    short = bmp_file(width, 3, bits, b"\x01" * (2 * row), core=core)
    assert bmp.lean(short) == Lean(short + bytes(row), ends_early=True)
    if not core:
        turned = bmp_file(width, -3, bits, b"\x01" * (2 * row))
        assert bmp.lean(turned) == Lean(turned + bytes(row), ends_early=True)


def test_what_of_a_bmp_makes_no_sense_is_left_to_the_reader():
    for data in (bmp_file(0, 3), bmp_file(-1, 3), bmp_file(2, 3, 0), bmp_file(2, 3, 33)):
        assert bmp.lean(data) == Lean(data)
    far = bytearray(bmp_file(2, 3))
    struct.pack_into("<I", far, 10, len(far) + 1)
    assert bmp.lean(bytes(far)) == Lean(bytes(far))
    with pytest.raises(ImageError, match="damaged"):
        bmp.lean(bmp_file(2, 3)[:33])


@pytest.mark.parametrize("compression", [0, 1, 2, 3])
def test_run_lengths_of_a_bmp_are_bounded(monkeypatch, compression):
    data = bmp_file(100, 100, 8, b"runs", compression=compression)
    monkeypatch.setattr(bmp, "_RUN_LENGTH_BYTES", len(data))
    assert bmp.lean(data).ends_early == (compression not in (1, 2))
    monkeypatch.setattr(bmp, "_RUN_LENGTH_BYTES", len(data) - 1)
    if compression in (1, 2):
        with pytest.raises(ImageError, match=r"run-length .*\(0 MB\)"):
            bmp.lean(data)
    else:
        assert bmp.lean(data).ends_early


# --- camera data -------------------------------------------------------------------------------------------


def camera(
    *entries: tuple[int, int, int], order: str = "<", start: int = 8, count: int | None = None
) -> bytes:
    """entries: (tag, kind, value)."""
    head = (b"II*\x00" if order == "<" else b"MM\x00*") + struct.pack(f"{order}I", start)
    body = b"".join(struct.pack(f"{order}HHIHH", tag, kind, 1, value, 0) for tag, kind, value in entries)
    return head.ljust(start, b"\x00") + struct.pack(f"{order}H", count or len(entries)) + body


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("value", range(10))
def test_the_orientation_is_one_of_eight(order, value):
    found = camera((0x010F, 2, 5), (0x0112, 3, value), (0x0112, 3, 4), order=order, start=11)
    assert exif.orientation(found) == exif.orientation(b"Exif\x00\x00" + found)
    assert exif.orientation(found) == (value if 1 <= value <= 8 else 1)


def test_without_an_orientation_a_picture_is_upright():
    good = camera((0x0112, 3, 6))
    assert exif.orientation(good) == 6
    wrong = [
        camera((0x0112, 4, 6)),
        camera((0x0113, 3, 6)),
        b"",
        good[:7],
        good[:9],
        good[:-1],
        b"XX" + good[2:],
    ]
    wrong += [camera((0x0111, 3, 1), (0x0112, 3, 6), count=1)]  # the second lies behind the directory
    assert [exif.orientation(each) for each in wrong] == [1] * len(wrong)
    assert (
        exif.orientation(camera((0x0112, 3, 6), count=9)) == 6
    )  # what is promised beyond the end is not there
    assert exif.orientation(good[:8]) == 1


# --- TIFF --------------------------------------------------------------------------------------------------

Entry = tuple[int, int, int, bytes]  # tag, kind, count, value
# What a value of each kind is, in the letters of `struct`: TIFF 6.0, section 2, and BigTIFF.
KINDS = {
    1: "B", 2: "s", 3: "H", 4: "I", 5: "II", 6: "b", 7: "s", 8: "h", 9: "i", 10: "ii", 11: "f", 12: "d",
    13: "I", 16: "Q", 17: "q", 18: "Q",
}  # fmt: skip
UNSIGNED = (1, 3, 4, 13, 16)


def tiff_file(entries: Iterable[Entry], rest: bytes = b"", *, order: str = "<", big: bool = False) -> bytes:
    """Values that do not fit into their entry lie behind the directory, `rest` behind them."""
    entries = sorted(entries)
    number, counter, room = ("Q", "Q", 8) if big else ("I", "H", 4)
    mark = {"<": b"II", ">": b"MM"}[order] + struct.pack(f"{order}H", 43 if big else 42)
    head = mark + struct.pack(f"{order}HHQ" if big else f"{order}I", *((8, 0, 16) if big else (8,)))
    place = len(head) + struct.calcsize(f"<{counter}") + (4 + 2 * room) * len(entries) + room
    directory, values = struct.pack(f"{order}{counter}", len(entries)), b""
    for tag, kind, count, value in entries:
        inline = value.ljust(room, b"\x00")
        if len(value) > room:
            inline, values = struct.pack(f"{order}{number}", place + len(values)), values + value
        directory += struct.pack(f"{order}HH{number}", tag, kind, count) + inline
    return head + directory + struct.pack(f"{order}{number}", 0xFFFF) + values + rest


def numbers(tag: int, *values: int, kind: int = 4, order: str = "<") -> Entry:
    return tag, kind, len(values), struct.pack(f"{order}{len(values)}{KINDS[kind]}", *values)


def sized(width: int, height: int, *more: Entry) -> list[Entry]:
    return [numbers(256, width), numbers(257, height), *more]


def tags(data: bytes, *, order: str = "<", big: bool = False) -> list[int]:
    start, counter, entry = (16, "Q", 20) if big else (8, "H", 12)
    (count,) = struct.unpack_from(f"{order}{counter}", data, start)
    first = start + struct.calcsize(f"<{counter}")
    after = struct.unpack_from(f"{order}{'Q' if big else 'I'}", data, first + count * entry)
    assert after == (0,)  # no further page
    return [struct.unpack_from(f"{order}H", data, first + n * entry)[0] for n in range(count)]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
def test_of_a_tiff_directory_what_a_pixel_needs_stays(order, big):
    """By the numbers that TIFF 6.0 and its supplements give the fields."""
    form = {"order": order, "big": big}
    needed = [
        256,
        257,
        258,
        259,
        262,
        266,
        273,
        274,
        277,
        278,
        279,
        284,
        292,
        293,
        317,
        320,
        322,
        323,
        324,
        325,
    ]
    needed += [338, 339, 347, *range(512, 522), 529, 530, 531, 532]
    every = [numbers(tag, 1, order=order) for tag in [*range(254, 540), 33432, 34665, 34675, 37724]]
    assert tags(tiff.lean(tiff_file(every, **form)).data, **form) == needed


@pytest.mark.parametrize("kind", range(20))
@pytest.mark.parametrize("big", [False, True])
def test_a_colour_profile_is_found_by_the_size_of_its_kind(kind, big):
    size = struct.calcsize("=" + KINDS.get(kind, ""))
    profile = bytes(range(size * 9))
    found = tiff.lean(tiff_file(sized(1, 1, (34675, kind, 9, profile)), b"behind", big=big))
    assert found.profile == profile


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", UNSIGNED)
def test_whole_numbers_of_a_tiff_are_read_in_every_kind(kind, order):
    entries = [numbers(256, 200, kind=kind, order=order), numbers(257, 200_000, order=order)]
    with pytest.raises(ImageError, match="200 × 200,000"):
        tiff.lean(tiff_file(entries, order=order, big=kind == 16))


@pytest.mark.parametrize(
    "entries",
    [
        [],
        sized(0, 1),
        sized(1, 0),
        [numbers(256, 1)],
        [(256, 5, 1, bytes(8)), numbers(257, 1)],
        [(256, 4, 0, b""), numbers(257, 1)],
        sized(1, 1, numbers(278, 0)),
        sized(1, 1, numbers(324, 1)),
        sized(1, 1, numbers(324, 1), numbers(322, 16)),
        sized(1, 1, numbers(324, 1), numbers(323, 16)),
    ],
)
def test_a_tiff_without_its_sizes_is_damaged(entries):
    with pytest.raises(ImageError, match="damaged"):
        tiff.lean(tiff_file(entries))
    with pytest.raises(ImageError, match="damaged"):
        tiff.lean(tiff_file(sized(1, 1))[:30])


@pytest.mark.parametrize("compression", [1, 2, 3, 4, 5, 6, 7, 8, 32773, 32946, 50000, 0, 9, 34676, 50001])
def test_a_tiff_compressed_otherwise_is_refused(compression):
    data = tiff_file(sized(1, 1, numbers(259, compression)))
    if compression in (0, 9, 34676, 50001):
        with pytest.raises(ImageError, match=f"number {compression}"):
            tiff.lean(data)
    else:
        assert tiff.lean(data).data


def strips(count: int, *more: Entry) -> list[Entry]:
    return sized(1, count, numbers(278, 1), *more)


def tiles(across: int, down: int, width: int, height: int, *more: Entry) -> list[Entry]:
    size = numbers(322, width), numbers(323, height)
    return sized(across * width, down * height, numbers(324, 1), *size, *more)


@pytest.mark.parametrize(
    ("entries", "parts"),
    [
        (strips(7), 7),
        (sized(9, 7, numbers(278, 2)), 4),
        (sized(9, 7, numbers(278, 100)), 1),
        (sized(9, 7), 1),
        (strips(7, numbers(277, 3)), 7),
        (strips(7, numbers(277, 3), numbers(284, 1)), 7),
        (strips(7, numbers(277, 3), numbers(284, 2)), 21),
        (strips(7, numbers(284, 2)), 7),
        (strips(2, numbers(273, *range(5))), 5),
        (sized(9, 7, numbers(324, *range(6)), numbers(322, 16), numbers(323, 16)), 6),
        (tiles(3, 2, 16, 16), 6),
        (sized(33, 17, numbers(324, 1), numbers(322, 16), numbers(323, 16)), 6),
    ],
)
def test_strips_and_tiles_of_a_tiff_are_bounded(monkeypatch, entries, parts):
    data = tiff_file([*entries, numbers(259, 5)])
    monkeypatch.setattr(tiff, "_STRIP_CAP", parts)
    assert tiff.lean(data).data
    monkeypatch.setattr(tiff, "_STRIP_CAP", parts - 1)
    with pytest.raises(ImageError, match=f"{parts} strips or tiles"):
        tiff.lean(data)


@pytest.mark.parametrize(
    "entries", [tiles(2, 1, 16, 32), sized(17, 3, numbers(324, 1), numbers(322, 16), numbers(323, 32))]
)
def test_the_pixels_of_all_tiles_are_bounded(monkeypatch, entries):
    monkeypatch.setattr(tiff, "PIXEL_CAP", 2 * 16 * 32)
    assert tiff.lean(tiff_file(entries)).data
    monkeypatch.setattr(tiff, "PIXEL_CAP", 16 * 32 - 1)
    with pytest.raises(ImageError, match="pixels"):
        tiff.lean(tiff_file(entries))


def test_entries_of_a_tiff_and_their_lengths_are_bounded(monkeypatch):
    def refused(*entries: Entry, rest: bytes = b"") -> str:
        try:
            tiff.lean(tiff_file(sized(1, 1, *entries), rest))
        except ImageError as error:
            return str(error)
        return ""

    monkeypatch.setattr(tiff, "_COLOUR_MAP_CAP", 5)
    for tag in (273, 279, 320, 324, 325):
        more = [numbers(322, 1), numbers(323, 1)] if tag == 324 else []
        assert not refused(numbers(tag, *range(5)), *more)
        assert "6 parts of one kind" in refused(numbers(tag, *range(6)), *more)
    assert not refused((338, 3, 1024, bytes(2048)))
    assert "1,025 parts" in refused((338, 3, 1025, bytes(2050)))
    assert not refused((347, 7, 3000, bytes(3000)))
    assert "9,999,999 parts" in refused((347, 7, 9_999_999, bytes(8)))
    monkeypatch.setattr(tiff, "_ENTRY_CAP", 3)
    assert not refused(numbers(258, 1))
    assert "4 entries" in refused(numbers(258, 1), numbers(259, 1))


@pytest.mark.parametrize("compression", [6, 7, 5])
@pytest.mark.parametrize(
    ("strips", "repeated"), [([200, 200, 300, 200], 2), ([200] * 4, 4), ([1, 2, 3, 4], 1)]
)
def test_scans_of_a_jpeg_in_a_tiff_are_bounded(monkeypatch, compression, strips, repeated):
    """Two scans in strips of 4 × 3, however often a strip is named."""
    entries = sized(4, 12, numbers(278, 3), numbers(259, compression), numbers(273, *strips))
    data = tiff_file(entries, b"\xff\xda\xff\xda")
    monkeypatch.setattr(tiff, "_SCAN_WORK_CAP", 4 * 3 * 2 * repeated)
    assert tiff.lean(data).data
    monkeypatch.setattr(tiff, "_SCAN_WORK_CAP", 4 * 3 * 2 * repeated - 1)
    if compression == 5:
        assert tiff.lean(data).data
    else:
        with pytest.raises(ImageError, match="many scans"):
            tiff.lean(data)


def raw(offsets: list[int], lengths: list[int], *more: Entry, tags: tuple[int, int] = (273, 279)) -> bytes:
    named = [numbers(tag, *values) for tag, values in zip(tags, (offsets, lengths), strict=True) if values]
    tile = [numbers(322, 1), numbers(323, 1)] if 324 in tags else []
    return tiff_file(sized(1, 1, *named, *tile, *more))


@pytest.mark.parametrize("tags", [(273, 279), (324, 325)])
def test_raw_strips_of_a_tiff_that_are_missing_are_added(monkeypatch, tags):
    length = len(raw([0, 0], [0, 0], tags=tags))
    cut = raw([length - 5, length - 1], [4, 7], tags=tags)
    assert (len(tiff.lean(cut).data), tiff.lean(cut).ends_early) == (length + 6, True)
    monkeypatch.setattr(tiff, "PIXEL_CAP", 1)  # at most 8 bytes for each pixel allowed are added
    assert tiff.lean(raw([0, length], [4, 8], tags=tags)).ends_early
    for offsets, lengths, *more in [
        ([length - 5, length - 1], [4, 1]),  # whole
        ([0, length], [4, 9]),  # too much
        ([length - 1, 0], [7, 4]),  # not in order
        ([length - 5, length - 1], [4]),
        ([length + 1, length + 1], [4, 4]),  # the first begins behind the end
        ([length - 5, length - 1], [4, 7], numbers(259, 5)),
        ([], []),
    ]:
        assert not tiff.lean(raw(offsets, lengths, *more, tags=tags)).ends_early


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("bits", "photometric", "zero"), [(8, 0, False), (9, 0, True), (16, 0, True), (16, 1, False)]
)
def test_white_is_zero_is_told_where_the_reader_does_not_know(order, bits, photometric, zero):
    more = numbers(258, bits, kind=3, order=order), numbers(262, photometric, kind=3, order=order)
    entries = [numbers(256, 1, order=order), numbers(257, 1, order=order), *more]
    found = tiff.lean(tiff_file(entries, order=order))
    assert (found.white_is_zero, found.sample_bits) == (zero, bits)
    (told,) = struct.unpack_from(f"{order}H", found.data, 10 + 12 * 3 + 8)
    assert told == (1 if zero else photometric)


# --- AVIF --------------------------------------------------------------------------------------------------


def box(kind: bytes, *content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + sum(map(len, content)), kind) + b"".join(content)


def bits(*values: tuple[int, int]) -> bytes:
    """(value, how many bits) one after the other, filled up to whole bytes."""
    text = "".join(f"{value:0{count}b}" if count else "" for value, count in values)
    return int(text.ljust(-(-len(text) // 8) * 8, "0"), 2).to_bytes(-(-len(text) // 8), "big")


def frame_size(width: int, height: int) -> list[tuple[int, int]]:
    return [(15, 4), (14, 4), (width - 1, 16), (height - 1, 15)]


def unit(kind: int, content: bytes = b"", *, size: int | None = None, extended: bool = False) -> bytes:
    """An open bitstream unit. size: of how many bytes its length is written; 0: to the end."""
    size = 1 if size is None else size
    length = bytes((len(content) >> 7 * n & 0x7F) | (0x80 if n < size - 1 else 0) for n in range(size))
    return bytes([kind << 3 | extended << 2 | bool(size) << 1]) + b"\x00" * extended + length + content


def still(width: int = 1000, height: int = 1000) -> bytes:
    """The header of a still picture, which has the pixels in it and no frame."""
    return unit(1, bits((0, 3), (1, 1), (1, 1), (0, 5), *frame_size(width, height)))


HEAD = box(b"ftyp", b"avif" + bytes(4) + b"avif")


def located(
    *items: bytes, version: int = 0, sizes: str = "4400", idat: bool = False, base: int = 0, cut: int = 1
):
    """An AVIF of these items, each in `cut` parts. sizes: bytes of offset, length, base and index."""
    offset_bytes, length_bytes, base_bytes, index_bytes = map(int, sizes)

    def number(value: int, count: int) -> bytes:
        return value.to_bytes(count, "big") if count else b""

    def head(start: int) -> bytes:
        body = bytes([version, 0, 0, 0]) + bytes(int(sizes[n : n + 2], 16) for n in (0, 2))
        body += number(len(items), 4 if version == 2 else 2)
        for at, item in enumerate(items):
            body += number(at, 4 if version == 2 else 2) + (number(idat, 2) if version else b"") + bytes(2)
            body += number(base, base_bytes) + number(cut, 2)
            for part in range(cut):
                first, last = (len(item) * each // cut for each in (part, part + 1))
                body += number(7, index_bytes) if version else b""
                body += number(start - base + first, offset_bytes) + number(last - first, length_bytes)
            start += len(item)
        inside = box(b"idat", b"".join(items)) if idat else b""
        return HEAD + box(b"meta", bytes(4), box(b"iloc", body), inside)

    if idat:
        return head(base)
    return head(len(head(base)) + 8) + box(b"mdat", *items)


def millions(monkeypatch, data: bytes) -> int:
    """Of pixels that the file's pictures have together."""
    monkeypatch.setattr(avif, "AVIF_PIXEL_CAP", 0)
    try:
        avif.lean(data)
    except ImageError as error:
        said = str(error)
    else:
        return 0
    return int(re.search(r"pictures of (\d+) million pixels together", said)[1])


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"sizes": "8400"},
        {"sizes": "4840", "base": 9},
        {"sizes": "4480", "base": 9},
        {"version": 1},
        {"version": 1, "sizes": "4444", "base": 9, "cut": 3},
        {"version": 2, "sizes": "8808", "cut": 2},
        {"version": 1, "idat": True},
        {"version": 2, "idat": True, "sizes": "4004"},
        {"cut": 3},
    ],
    ids=str,
)
def test_every_item_of_an_avif_is_found_and_counted(monkeypatch, form):
    items = [still(1000, 1000)] if form.get("sizes") == "4004" else [still(1000, 1000), still(2000, 3000)]
    data = located(*items, **form)
    assert millions(monkeypatch, data) == (1 if len(items) == 1 else 7)
    monkeypatch.setattr(avif, "AVIF_PIXEL_CAP", 3_500_000)  # for a picture and its transparency
    assert avif.lean(data).data == data
    monkeypatch.setattr(avif, "AVIF_PIXEL_CAP", 499_999)
    with pytest.raises(ImageError, match="together"):
        avif.lean(data)


def sequence(width: int, height: int, *before: tuple[int, int]) -> bytes:
    return unit(1, bits((0, 4), (0, 1), *before, *frame_size(width, height)))


MODEL = (3, 5), (9, 32), (1, 5), (2, 5)
POINT = (0, 12), (5, 5)


@pytest.mark.parametrize(
    "before",
    [
        [(0, 1), (0, 1), (0, 5), *POINT],
        [(0, 1), (0, 1), (2, 5), *POINT, (0, 12), (8, 5), (1, 1), *POINT],
        [(0, 1), (0, 1), (0, 5), (0, 12), (7, 5)],
        [(0, 1), (1, 1), (1, 5), *POINT, (1, 1), (9, 4), *POINT, (0, 1)],
        [(1, 1), (5, 64), (0, 1), (0, 1), (0, 1), (0, 5), *POINT],
        [(1, 1), (5, 64), (1, 1), (1, 1), (0, 1), (0, 1), (0, 5), *POINT],
        [(1, 1), (5, 64), (1, 1), (0, 3), (1, 1), (5, 3), (0, 1), (0, 1), (0, 5), *POINT],
        [(1, 1), (5, 64), (0, 1), (1, 1), *MODEL, (0, 1), (1, 5), *POINT, (1, 1), (3, 9), *POINT, (0, 1)],
        [(1, 1), (5, 64), (1, 1), (0, 32), (1, 1), (0, 1), (0, 1), (0, 5), *POINT],
    ],
)
def test_the_size_in_a_sequence_header_is_found_behind_whatever_stands_before(monkeypatch, before):
    """Section 5.5.1: timing, decoder model, operating points, each where its flag says so."""
    assert millions(monkeypatch, located(sequence(2000, 3000, *before))) == 6


@pytest.mark.parametrize(
    ("payload", "counted"),
    [
        (still(), 1),
        (unit(2) + still(), 1),
        (still() + still(3000, 1000), 3),
        (still(3000, 1000) + still(), 3),
        (unit(15, bytes(200), size=2) + still(), 1),
        (unit(15, bytes(20_000), size=3) + still(), 1),
        (unit(15, bytes(3), size=5) + still(), 1),
        (unit(15, b"a", extended=True) + still(), 1),
        (unit(1, still()[2:], size=0), 1),
        (still() + unit(6), 1),
        (still() + unit(6) + unit(3), 2),
        (still() + unit(6) * 4, 4),
        (still() + unit(5) + unit(7), 1),
        (b"\x80" + still(), 0),
        (still() + b"\x80" + still(5000, 1000), 1),
        (b"Exif, no picture", 0),
        (b"", 0),
    ],
)
def test_units_of_an_av1_picture_are_walked(monkeypatch, payload, counted):
    assert millions(monkeypatch, located(payload, b"\x80")) == counted


def test_an_avif_of_many_hidden_frames_or_a_cut_header_is_refused():
    with pytest.raises(ImageError, match="over 4 hidden frames"):
        avif.lean(located(still() + unit(6) * 5))
    for payload in (unit(1), unit(1, still()[2:-1])):
        with pytest.raises(ImageError, match="damaged"):
            avif.lean(located(payload))


def test_boxes_units_and_extents_of_an_avif_are_bounded(monkeypatch):
    def refused(most: int, data: bytes) -> str:
        monkeypatch.setattr(avif, "BLOCK_CAP", most)
        try:
            avif.lean(data)
        except ImageError as error:
            return str(error)
        return ""

    boxes = HEAD + box(b"free") * 5
    assert not refused(7, boxes)
    assert "over 6 boxes" in refused(6, boxes)
    units = located(unit(2) * 8)
    assert not refused(9, units)
    assert "over 8 units" in refused(8, units)
    extents = located(still(), still(), cut=5)
    assert not refused(10, extents)
    assert "over 9 extents" in refused(9, extents)
    assert not refused(99, located(still(), cut=0))
    whole = located(b"\x80" * 300, sizes="4000", cut=2)
    assert "overlapping extents" in refused(99, whole)
    monkeypatch.setattr(avif, "AVIF_BYTE_CAP", len(boxes))
    assert not refused(99, boxes)
    monkeypatch.setattr(avif, "AVIF_BYTE_CAP", len(boxes) - 1)
    assert "has 0.0 MB and the limit for AVIF is 0 MB" in refused(99, boxes)


def full(kind: bytes, *values: int, form: str = "I") -> bytes:
    return box(kind, bytes(4), struct.pack(f">{len(values)}{form}", *values))


def film(*tables: bytes, samples: tuple[bytes, ...]) -> bytes:
    """Tracks whose pictures lie in `samples`; tables name places, counted from the first."""
    track = box(b"moov", *(box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", each)))) for each in tables))
    return HEAD + track + box(b"mdat", *samples)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("constant", [False, True])
def test_of_an_animated_avif_the_first_picture_of_each_track_is_counted(monkeypatch, wide, constant):
    one, two = still(1000, 1000), still(1000, 2000)

    def tables(start: int) -> list[bytes]:
        sizes = [
            full(b"stsz", len(each), 5) if constant else full(b"stsz", 0, 2, len(each), 1)
            for each in (one, two)
        ]
        places = [struct.pack(">Q" if wide else ">I", place) for place in (start, start + len(one))]
        kind = b"co64" if wide else b"stco"
        chunks = [box(kind, bytes(4), struct.pack(">I", 1), place) for place in places]
        return [size + chunk for size, chunk in zip(sizes, chunks, strict=True)]

    start = len(film(*tables(0), samples=()))
    assert millions(monkeypatch, film(*tables(start), samples=(one, two))) == 3


@pytest.mark.parametrize("kind", [b"stts", b"stsc", b"stss", b"ctts", b"stsz"])
def test_pictures_of_an_animated_avif_are_bounded(kind):
    def counted(count: int) -> bytes:
        return film(full(kind, 1, count) if kind == b"stsz" else full(kind, count), samples=())

    assert avif.lean(counted(100_000)).data
    with pytest.raises(ImageError, match="100,001 frames"):
        avif.lean(counted(100_001))
    assert avif.lean(film(box(b"stts", bytes(7)), samples=())).data


def inside(depth: int, content: bytes) -> bytes:
    for _ in range(depth):
        content = box(b"ipco", content)
    return content


def test_boxes_of_every_length_are_walked():
    inner = full(b"ispe", 7000, 7000)
    long = struct.pack(">I4sQ", 1, b"ipco", 16 + len(inner)) + inner
    to_the_end = struct.pack(">I4s", 0, b"ipco") + inner
    nested = box(b"meta", bytes(4), box(b"iprp", box(b"ipco", inner)))
    for data in (
        box(b"ipco", inner),
        long,
        to_the_end,
        nested,
        box(b"free", b"12") + inner,
        inside(8, inner),
    ):
        with pytest.raises(ImageError, match="7,000 × 7,000"):
            avif.lean(HEAD + data)
    broken = struct.pack(">I4s", 7, b"free") + inner, struct.pack(">I4s", 99, b"ipco") + inner
    for data in (
        *broken,
        box(b"free", inner),
        box(b"ipco", inner)[:-1],
        box(b"ispe", bytes(11)),
        inside(9, inner),
    ):
        assert avif.lean(HEAD + data).data


def test_camera_data_of_an_avif_are_hidden_from_the_reader():
    def written(name: bytes) -> bytes:
        return (
            HEAD + box(b"free", b"Exif\x00") + box(b"meta", bytes(4), box(b"iinf", b"infe" + name + b"\x00"))
        )

    assert avif.lean(written(b"Exif")).data == written(b"none")


# --- sizes -------------------------------------------------------------------------------------------------

PIXELS = b"\x01"
LARGEST: dict[str, tuple[Callable[[bytes], Lean], Callable[[int, int], bytes]]] = {
    "GIF, its canvas": (gif.lean, lambda w, h: gif_file(gif_image(), size=(w, h))),
    "GIF, its image": (gif.lean, lambda w, h: gif_file(gif_image((w - 8, h - 9), (8, 9)))),
    "PNG": (png.lean, lambda w, h: png_head(w, h) + chunk(b"IDAT", PIXELS) + END),
    "WebP, its canvas": (webp.lean, lambda w, h: riff(vp8x(w, h), vp8())),
    "WebP, lossy": (webp.lean, lambda w, h: riff(vp8(w, h))),
    "WebP, lossy and scaled": (webp.lean, lambda w, h: riff(vp8(w | 0x4000, h | 0x8000))),
    "WebP, lossless": (webp.lean, lambda w, h: riff(vp8l(w, h))),
    "BMP": (bmp.lean, lambda w, h: bmp_file(w, h, compression=3, bits=0)),
    "BMP, from the top": (bmp.lean, lambda w, h: bmp_file(w, -h, compression=3, bits=0)),
    "BMP, the oldest": (bmp.lean, lambda w, h: bmp_file(w, h, core=True, bits=0, rows=bytes(8))),
    "TIFF": (tiff.lean, lambda w, h: tiff_file(sized(w, h))),
    "AVIF": (avif.lean, lambda w, h: HEAD + full(b"ispe", w, h)),
}


@pytest.mark.parametrize("kind", LARGEST)
def test_twenty_five_million_pixels_are_read_and_one_row_more_is_not(kind):
    lean, written = LARGEST[kind]
    for width, height, more in ((5_000, 5_000, 5_001), (16_000, 1_562, 1_563), (1_562, 16_000, 16_006)):
        assert lean(written(width, height)).data
        said = rf"{width:,} × {more:,} pixels, more than can be decoded here \(25 million"
        with pytest.raises(ImageError, match=said):
            lean(written(width, more))


# --- formats -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (box(b"ftyp", b"crx " + bytes(4)), "a camera's raw format"),
        (b"MM\x00\x2a" + bytes(4) + b"CR", "a camera's raw format"),
        (box(b"ftyp", b"mif1avif" + b"heic"), "HEIC"),  # the second word is a version, whatever it spells
        (box(b"ftyp", b"xxxx" + bytes(4) + b"heic"), "HEIC"),
        (box(b"ftyp", b"xxxx" + bytes(4)) + b"heic", "not a picture"),  # behind the box
        (bytes(5) + b"%PDF-", "PDF"),
        (b" " * 1019 + b"%PDF-", "PDF"),
        (b" " * 1020 + b"%PDF-", "not a picture"),
        (b" " * 4092 + b"<SVG", "SVG"),
        (b" " * 4093 + b"<SVG", "not a picture"),
        ("\ufeff<svg".encode("utf-16-le"), "SVG"),
        (b"\x00\x00\x02\x00", "an icon"),
        (b"\x76\x2f\x31\x01", "OpenEXR"),
        (b"", "JPEG, PNG, WebP, GIF, BMP, TIFF and AVIF can, judged by content, not by name"),
    ],
)
def test_what_is_read_elsewhere_is_called_by_its_name(data, said):
    assert formats.recognised(data) is None
    assert said in formats.why_unreadable(data)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"\xff\xd8\xff", "JPEG"),
        (SIGNATURE, "PNG"),
        (b"RIFF" + bytes(4) + b"WEBP", "WebP"),
        (b"GIF87a", "GIF"),
        (b"GIF89a", "GIF"),
        (b"BM", "BMP"),
        *((mark, "TIFF") for mark in (b"II\x2a\x00", b"MM\x00\x2a", b"II\x2b\x00", b"MM\x00\x2b")),
        (HEAD, "AVIF"),
        (box(b"ftyp", b"avis"), "AVIF"),
        (box(b"ftyp", b"mif1" + bytes(4) + b"miaf" * 122 + b"avif"), "AVIF"),
    ],
)
def test_formats_are_known_by_how_they_begin(data, name):
    assert formats.recognised(data).name == name
    assert name == "AVIF" or formats.recognised(data[:-1]) is None


def test_of_a_long_list_of_brands_the_beginning_counts():
    assert formats.recognised(box(b"ftyp", b"mif1" + bytes(4) + b"miaf" * 124 + b"avif")) is None
