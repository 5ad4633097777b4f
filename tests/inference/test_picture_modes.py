"""What holds for 8 bits holds for every depth: transparency, white that is zero, full scale, profiles."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from explorer.inference.images import ENDS_EARLY, ImageError, decode, read
from tests.inference.picture_bombs import chunk, encoded, profile, tiff

RAMP = np.linspace(0, 1, 256)


def png(width: int, height: int, bits: int, colour: int, rows: bytes, *before: bytes) -> bytes:
    """An uncompressed-looking PNG from raw rows, each with its filter's number in front."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    body = chunk(b"IHDR", header) + b"".join(before) + chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


def grey_tiff(
    samples: bytes, width: int, bits: int, *, photometric: int, sample_format: int, order: str
) -> bytes:
    """One row of grey samples, byte by byte as given."""
    tags = {
        256: width,
        257: 1,
        258: bits,
        259: 1,
        262: photometric,
        273: 8,
        277: 1,
        278: 1,
        279: len(samples),
    }
    tags[339] = sample_format
    entries = b"".join(
        struct.pack(f"{order}HHIHH", tag, 3, 1, value, 0) for tag, value in sorted(tags.items())
    )
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8 + len(samples))
    return head + samples + struct.pack(f"{order}H", len(tags)) + entries + bytes(4)


def row(data: bytes) -> list[int]:
    return np.asarray(decode(data))[0, :, 0].tolist()


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_a_clear_grey_is_white_at_every_depth(bits):
    """Black, nearly the brightest, clear: a grey of its own where there are more than two."""
    most = 2**bits - 1
    clear = most // 3
    bright = most - 1
    values = [0, bright, clear] if bits > 1 else [1, 1, 0]
    packed = int("".join(f"{value:0{bits}b}" for value in values), 2)
    length = -(-3 * bits // 8)
    rows = b"\x00" + (packed << 8 * length - 3 * bits).to_bytes(length, "big")
    data = png(3, 1, bits, 0, rows, chunk(b"tRNS", struct.pack(">H", clear)))
    shade = bright >> 8 if bits == 16 else round(255 * bright / most)
    assert row(data) == ([0, shade, 255] if bits > 1 else [255, 255, 255])
    assert row(png(3, 1, bits, 0, rows))[2] == round(255 * clear / most)


@pytest.mark.parametrize("bits", [8, 16])
def test_a_clear_colour_is_white_at_every_depth(bits):
    scale = 257 if bits == 16 else 1
    pixels = np.array([[10, 20, 30], [10, 20, 31]], dtype=">u2" if bits == 16 else "u1") * scale
    hidden = struct.pack(">HHH", *(each * scale for each in (10, 20, 30)))
    rows = b"\x00" + pixels.astype(">u2" if bits == 16 else "u1").tobytes()
    decoded = decode(png(2, 1, bits, 2, rows, chunk(b"tRNS", hidden)))
    assert decoded.getpixel((0, 0)) == (255, 255, 255)
    assert decoded.getpixel((1, 0)) == (10, 20, 31)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [2, 4])
def test_transparent_pixels_show_white_at_every_depth(bits, channels):
    kind = ">u2" if bits == 16 else "u1"
    most = 2**bits - 1
    pixels = np.zeros((2, channels), dtype=kind)
    pixels[1, -1] = most
    data = png(2, 1, bits, 4 if channels == 2 else 6, b"\x00" + pixels.tobytes())
    assert row(data) == [255, 0]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("bits", "sample_format", "letter", "most"),
    [(8, 1, "u1", 255), (16, 1, "u2", 65535), (32, 3, "f4", 1.0)],
)
def test_white_may_be_zero_at_every_depth(order, bits, sample_format, letter, most):
    samples = (RAMP * most).astype(f"{order}{letter}").tobytes()
    usual, inverted = (
        np.array(
            row(grey_tiff(samples, 256, bits, photometric=white, sample_format=sample_format, order=order))
        )
        for white in (1, 0)
    )
    assert np.abs(usual - np.arange(256)).max() <= 1
    assert (inverted == 255 - usual).all()


def test_twelve_bits_fill_the_range():
    samples = (RAMP * 4095).astype(int).tolist()
    packed = int("".join(f"{value:012b}" for value in samples), 2).to_bytes(384, "big")
    found = row(grey_tiff(packed, 256, 12, photometric=1, sample_format=1, order="<"))
    assert np.abs(np.array(found) - np.arange(256)).max() <= 1


@pytest.mark.parametrize("scale", [1, 255, 65535])
def test_an_overshoot_of_floating_point_is_clipped_not_taken_for_a_larger_scale(scale):
    values = np.array([[-0.02, 0, 0.5, 1, 1.02]], dtype=np.float32) * scale
    assert row(encoded(Image.fromarray(values), "TIFF")) == [0, 0, 128, 255, 255]


def wide_gamut() -> bytes:
    """A profile like Display P3: sRGB's curve, primaries further out (D50-adapted, ICC's registry)."""

    def xyz(*values: float) -> bytes:
        return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(65536 * each) for each in values))

    curve = b"para" + bytes(4) + struct.pack(">HH", 3, 0)
    curve += struct.pack(">5i", *(round(65536 * each) for each in (2.4, 0.94787, 0.05213, 0.07739, 0.04045)))
    name = "Wide".encode("utf-16-be")
    text = b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(name), 28) + name
    return profile(
        {
            b"desc": text,
            b"wtpt": xyz(0.9642, 1, 0.8249),
            b"rXYZ": xyz(0.51512, 0.2412, -0.00105),
            b"gXYZ": xyz(0.29198, 0.69225, 0.04189),
            b"bXYZ": xyz(0.1571, 0.06657, 0.78407),
            b"rTRC": curve,
            b"gTRC": curve,
            b"bTRC": curve,
        }
    )


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_an_embedded_profile_is_applied_and_said(kind):
    """A red of Display P3 lies outside sRGB, a grey is the same grey in both."""
    options = {"lossless": True} if kind == "WEBP" else {"quality": 100} if kind in ("JPEG", "AVIF") else {}
    picture = Image.new("RGB", (32, 16), (200, 60, 60))
    picture.paste((128, 128, 128), (16, 0, 32, 16))
    plain, converted = (
        read(encoded(picture, kind, **options, icc_profile=icc)) for icc in (SRGB, wide_gamut())
    )
    assert plain.remarks == ()
    assert converted.remarks == ("Its colours are converted from Wide to sRGB (timm would not).",)
    assert np.abs(np.subtract(plain.image.getpixel((4, 8)), (200, 60, 60))).max() <= 3
    # 200, 60, 60 of Display P3 in sRGB, by the matrices of CSS Color 4
    assert np.abs(np.subtract(converted.image.getpixel((4, 8)), (217, 42, 53))).max() <= 4
    assert np.abs(np.subtract(converted.image.getpixel((28, 8)), (128, 128, 128))).max() <= 2


def test_transparency_stays_under_a_profile():
    picture = Image.new("RGBA", (2, 1), (200, 60, 60, 0))
    picture.putpixel((1, 0), (200, 60, 60, 255))
    found = read(encoded(picture, "PNG", icc_profile=wide_gamut()))
    assert found.image.getpixel((0, 0)) == (255, 255, 255)
    assert found.image.getpixel((1, 0))[0] > 210
    assert found.remarks


def test_a_palette_under_a_profile_is_converted():
    picture = Image.new("P", (2, 1), 0)
    picture.putpalette([200, 60, 60])
    assert decode(encoded(picture, "PNG", icc_profile=wide_gamut())).getpixel((0, 0))[0] > 210


@pytest.mark.parametrize(
    "icc",
    [
        b"no profile at all",
        wide_gamut()[:200],
        wide_gamut().replace(b"RGB ", b"CMYK"),
        wide_gamut().replace(b"rTRC", b"xTRC"),
        wide_gamut().replace(b"mntr", b"link"),
        wide_gamut().replace(b"para", b"mpet"),
        wide_gamut()[:132] + bytes(len(wide_gamut()) - 132),
    ],
    ids=["noise", "cut", "other space", "curve missing", "link", "unknown kind", "empty"],
)
def test_a_broken_or_foreign_profile_is_ignored(icc):
    found = read(encoded(Image.new("RGB", (4, 4), (200, 60, 60)), "PNG", icc_profile=icc))
    assert found.image.getpixel((0, 0)) == (200, 60, 60)
    assert found.remarks == ()


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("PNG", {}),
        ("GIF", {}),
        ("GIF", {"interlace": 0}),
        ("BMP", {}),
        ("TIFF", {}),
    ],
)
def test_a_picture_that_ends_early_is_shown_and_said(kind, options, kept):
    noise = np.random.default_rng(1).integers(0, 256, (90, 120, 3)).astype(np.uint8)
    data = encoded(Image.fromarray(noise), kind, **options)
    # Pillow writes TIFF's pixels last, its directory first.
    whole, part = read(data), read(data[: int(kept * len(data))])
    assert whole.remarks == ()
    assert part.remarks == (ENDS_EARLY,)
    assert part.image.size == whole.image.size
    rows = slice(0, int(90 * kept) - 20) if options != {"progressive": True} else slice(0, 0)
    if not (kind == "BMP" or (options.get("interlace", 1) and kind == "GIF")):  # from the bottom; in passes
        assert (np.asarray(part.image)[rows] == np.asarray(whole.image)[rows]).all()


@pytest.mark.parametrize("missing", [1, 4, 12])
def test_a_png_that_lacks_only_its_end_is_whole_and_said(missing):
    data = encoded(Image.new("RGB", (30, 30), "red"), "PNG")
    cut = read(data[:-missing])
    assert cut.remarks == (ENDS_EARLY,)
    assert cut.image.getpixel((29, 29)) == (255, 0, 0)


def test_stacked_tiff_pages_and_camera_data_are_not_followed():
    """A next page that lies nowhere, and a camera's directory that lies nowhere, spoil nothing."""
    good = encoded(Image.new("L", (5, 4), 77), "TIFF")
    assert decode(good).getpixel((2, 2)) == (77, 77, 77)
    start = struct.unpack_from("<I", good, 4)[0]
    count = struct.unpack_from("<H", good, start)[0]
    spoilt = bytearray(good)
    struct.pack_into("<I", spoilt, start + 2 + 12 * count, 0xFFFFFFF0)
    assert decode(bytes(spoilt)).getpixel((2, 2)) == (77, 77, 77)
    with pytest.raises(ImageError, match="damaged"):
        decode(tiff([(256, 3, 1, 5)]))
