"""Every upload is a picture or one sentence: never another exception, never much memory or time."""

import contextlib
import functools
import os
import struct
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps

from explorer.inference import images
from explorer.inference.images import ImageError, decode
from explorer.inference.samples import FOLDER, SAMPLES
from tests.inference.picture_bombs import chunk, encoded, many_scans


def gradient(width: int = 64, height: int = 48) -> Image.Image:
    """Red grows to the right, green downwards."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.stack([x, y, np.full_like(x, 60)], axis=2).astype(np.uint8))


def difference(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one, dtype=float) - np.asarray(other, dtype=float)).mean())


@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [
        ("PNG", {}, 0),
        ("BMP", {}, 0),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("WEBP", {"quality": 95}, 4),
        ("AVIF", {"quality": 95}, 4),
        ("JPEG", {"quality": 95}, 4),
        ("JPEG", {"quality": 95, "progressive": True}, 4),
        ("GIF", {}, 12),
    ],
)
def test_every_promised_format_gives_the_picture(kind, options, tolerance):
    decoded = decode(encoded(gradient(), kind, **options))
    assert decoded.mode == "RGB"
    assert decoded.size == (64, 48)
    assert difference(decoded, gradient()) <= tolerance


def test_a_jpeg_with_further_pictures_behind_it_gives_its_first():
    data = encoded(gradient(), "MPO", save_all=True, append_images=[Image.new("RGB", (64, 48))], quality=95)
    assert difference(decode(data), gradient()) < 4


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_an_animation_or_a_stack_of_pages_gives_its_first_frame(kind):
    red, blue = (Image.new("RGB", (20, 10), color) for color in ("red", "blue"))
    decoded = decode(encoded(red, kind, save_all=True, append_images=[blue, blue], duration=40))
    red_value, _, blue_value = decoded.getpixel((5, 5))
    assert red_value > 240
    assert blue_value < 15


def test_sixteen_bit_grey_keeps_its_shades():
    ramp = np.tile(np.linspace(0, 65535, 256).astype(np.uint16), (8, 1))
    for kind in ("PNG", "TIFF"):
        row = np.asarray(decode(encoded(Image.fromarray(ramp), kind)))[0, :, 0]
        assert np.abs(row.astype(int) - np.arange(256)).max() <= 1


def test_float_and_32_bit_grey_use_the_smallest_usual_full_scale():
    unit = np.linspace(0, 1, 256, dtype=np.float32)[None]
    for values in (unit, unit * 255, unit * 65535):
        row = np.asarray(decode(encoded(Image.fromarray(values), "TIFF")))[0, :, 0]
        assert np.abs(row.astype(int) - np.arange(256)).max() <= 1
    integers = (unit * 65535).astype(np.int32)
    row = np.asarray(decode(encoded(Image.fromarray(integers), "TIFF")))[0, :, 0]
    assert np.abs(row.astype(int) - np.arange(256)).max() <= 1


def test_negative_and_undefined_values_still_give_a_picture():
    values = np.array([[-5.0, 0.0, 5.0, np.nan, np.inf]], dtype=np.float32)
    row = np.asarray(decode(encoded(Image.fromarray(values), "TIFF")))[0, :, 0]
    assert row[0] == 0
    assert row[2] == 255
    assert abs(int(row[1]) - 128) <= 1


def test_lab_is_converted_through_its_profile():
    lab = ImageCms.profileToProfile(
        gradient(), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert difference(decode(encoded(lab, "TIFF")), gradient()) < 3


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_has_the_colours_it_was_made_from(kind):
    # Pillow writes Adobe's inverted CMYK into JPEG, as Photoshop does.
    options = {"quality": 95} if kind == "JPEG" else {}
    assert difference(decode(encoded(gradient().convert("CMYK"), kind, **options)), gradient()) < 5


def test_one_bit_and_grey_pictures_become_three_equal_channels():
    for mode in ("1", "L"):
        decoded = np.asarray(decode(encoded(gradient().convert(mode), "PNG")))
        assert (decoded[:, :, 0] == decoded[:, :, 1]).all()
        assert (decoded[:, :, 0] == np.asarray(gradient().convert(mode).convert("L"))).all()


def transparent(mode: str) -> Image.Image:
    """Left half invisible over a hidden red, right half black."""
    picture = Image.new("RGBA", (20, 10), (255, 0, 0, 0))
    picture.paste((0, 0, 0, 255), (10, 0, 20, 10))
    return picture.convert(mode)


@pytest.mark.parametrize(("mode", "kind"), [("RGBA", "PNG"), ("LA", "PNG"), ("RGBA", "WEBP"), ("PA", "TIFF")])
def test_transparent_pixels_show_white(mode, kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    decoded = decode(encoded(transparent(mode), kind, **options))
    assert decoded.getpixel((2, 5)) == (255, 255, 255)
    assert decoded.getpixel((17, 5)) == (0, 0, 0)


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_a_palette_with_a_transparent_entry_shows_white_there(kind):
    picture = Image.new("P", (20, 10), 0)
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.paste(1, (10, 0, 20, 10))
    decoded = decode(encoded(picture, kind, transparency=0))
    assert decoded.getpixel((2, 5)) == (255, 255, 255)
    assert decoded.getpixel((17, 5)) == (0, 0, 255)


def test_a_colour_declared_transparent_in_a_picture_without_alpha_shows_white():
    decoded = decode(encoded(Image.new("RGB", (9, 9), (1, 2, 3)), "PNG", transparency=(1, 2, 3)))
    assert decoded.getpixel((4, 4)) == (255, 255, 255)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_the_camera_s_orientation_is_applied(orientation, kind):
    exif = Image.Exif()
    exif[0x0112] = orientation
    lossless = {"lossless": True} if kind == "WEBP" else {"quality": 95} if kind == "JPEG" else {}
    tagged = gradient()
    tagged.getexif()[0x0112] = orientation
    expected = ImageOps.exif_transpose(tagged)
    decoded = decode(encoded(gradient(), kind, exif=exif, **lossless))
    assert decoded.size == expected.size
    assert difference(decoded, expected) < 4


def test_damaged_exif_does_not_spoil_the_picture():
    data = encoded(gradient(), "JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xffgarbage")
    assert decode(data).size == (64, 48)


def test_one_pixel_and_a_strip_are_pictures():
    assert decode(encoded(Image.new("RGB", (1, 1), "red"), "PNG")).getpixel((0, 0)) == (255, 0, 0)
    assert decode(encoded(Image.new("RGB", (20_000, 1)), "PNG")).size == (20_000, 1)


def test_a_large_picture_is_reduced_in_proportion():
    for kind in ("JPEG", "PNG"):
        decoded = decode(encoded(gradient(4000, 3000), kind))
        assert decoded.width * decoded.height <= images.WORKING_PIXELS * 1.01
        assert decoded.width / decoded.height == pytest.approx(4 / 3, rel=2e-3)
        assert difference(decoded.resize((64, 48), Image.Resampling.BOX), gradient()) < 4


def test_a_jpeg_above_the_cap_of_pixels_is_decoded_smaller():
    decoded = decode(encoded(Image.new("L", (6000, 5000)), "JPEG"))
    assert images.PIXEL_CAP < 6000 * 5000
    assert decoded.width / decoded.height == pytest.approx(6 / 5, rel=2e-3)
    assert decoded.width * decoded.height <= images.WORKING_PIXELS * 1.01


def test_a_rotated_large_photo_is_upright_after_reduction():
    exif = Image.Exif()
    exif[0x0112] = 6
    decoded = decode(encoded(gradient(4000, 3000), "JPEG", exif=exif))
    assert decoded.height / decoded.width == pytest.approx(4 / 3, rel=2e-3)
    assert decoded.getpixel((decoded.width - 1, 0))[1] < 10  # the dark-green top edge is now on the right


JPEG = encoded(gradient(640, 480), "JPEG")
PNG = encoded(gradient(640, 480), "PNG")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"I am no picture, though my name ends in .jpg", "not a picture"),
        (JPEG[:300], "cut off"),
        (PNG[:20], "cut off"),
        (encoded(gradient(), "WEBP")[:-10], "ends early"),
        (encoded(gradient(), "TIFF", compression="tiff_lzw")[:-300], "cut off"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "PostScript"),
        (b"8BPS\x00\x01" + bytes(30), "PSD"),
        (b"\xff\x0a" + bytes(30), "JPEG XL"),
        (b"\x00\x00\x00\x0cJXL \r\n\x87\n" + bytes(30), "JPEG XL"),
        (b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(30), "JPEG 2000"),
        (b"II*\x00\x10\x00\x00\x00CR\x02\x00" + bytes(30), "raw"),
        (b"P6 2 2 255 " + bytes(12), "not a picture"),
    ],
)
def test_what_is_no_picture_is_answered_with_a_sentence(data, says):
    with pytest.raises(ImageError, match=says) as caught:
        decode(data)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_the_byte_cap_is_in_the_sentence(monkeypatch):
    monkeypatch.setattr(images, "BYTE_CAP", len(PNG))
    assert decode(PNG).size == (640, 480)
    with pytest.raises(ImageError, match=r"has 0\.0 MB and the limit is 0 MB"):
        decode(PNG + bytes(1))


def test_a_jpeg_is_read_up_to_its_cap_of_pixels_and_its_smaller_decoding_up_to_the_common_one(monkeypatch):
    data = encoded(gradient(), "JPEG")
    monkeypatch.setattr(images, "JPEG_PIXEL_CAP", 64 * 48)
    monkeypatch.setattr(images, "WORKING_PIXELS", 100)  # 11 x 8: a quarter holds that, an eighth would not
    monkeypatch.setattr(images, "PIXEL_CAP", 16 * 12)
    assert decode(data).size == (12, 9)
    monkeypatch.setattr(images, "PIXEL_CAP", 16 * 12 - 1)
    with pytest.raises(ImageError, match="64 × 48 pixels"):
        decode(data)
    monkeypatch.setattr(images, "PIXEL_CAP", 16 * 12)
    monkeypatch.setattr(images, "JPEG_PIXEL_CAP", 64 * 48 - 1)
    with pytest.raises(ImageError, match="64 × 48 pixels"):
        decode(data)


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (0, 0)])
def test_a_picture_without_pixels_is_damaged(size):
    size = struct.pack("<HH", *size)
    image = b"," + bytes(4) + size + b"\x00\x02\x02\x4c\x01\x00"
    with pytest.raises(ImageError, match="damaged"):
        decode(b"GIF89a" + size + bytes(3) + image + b";")


@pytest.mark.parametrize(
    ("size", "reduced"), [((1000, 1), (316, 1)), ((1, 1000), (1, 316)), ((10, 10), (10, 10))]
)
def test_a_thin_picture_keeps_its_one_row(monkeypatch, size, reduced):
    monkeypatch.setattr(images, "WORKING_PIXELS", 100)
    assert decode(encoded(Image.new("RGB", size), "PNG")).size == reduced


@functools.cache
def png_bomb(width: int, height: int) -> bytes:
    """A valid PNG of one grey, a few thousandths of its decoded size."""

    packer = zlib.compressobj(1)
    row = bytes(3 * width + 1)
    body = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "brand", ["heic", "heix", "hevc", "hevx", "heim", "heis", "hevm", "hevs", "mif1", "msf1"]
)
def test_all_brands_of_heic_get_its_hint(brand):
    head = b"ftyp" + brand.encode() + bytes(4) + b"mif1" + brand.encode()
    with pytest.raises(ImageError, match=r"HEIC.*JPEG"):
        decode(struct.pack(">I", 4 + len(head)) + head + bytes(100))


def test_an_avif_whose_major_brand_is_the_container_s_is_read():
    data = encoded(gradient(), "AVIF", quality=95)
    assert difference(decode(data.replace(b"ftypavif", b"ftypmif1", 1)), gradient()) < 4


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_pillow_s_process_wide_limit_is_left_alone():
    before = Image.MAX_IMAGE_PIXELS
    with pytest.raises(ImageError, match="pixels"):
        decode(png_bomb(13_000, 13_000))
    assert before == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize("side", [13_000, 30_000])
def test_a_warning_turned_into_an_error_is_still_our_sentence(side):
    header_only = png_bomb(side, 1).replace(struct.pack(">II", side, 1), struct.pack(">II", side, side))
    with pytest.raises(ImageError):  # the damaged checksum alone would do; the size is looked at first
        decode(header_only)


def test_a_progressive_jpeg_of_endless_scans_is_refused():
    with pytest.raises(ImageError, match="106 scans"):
        decode(many_scans(4000, 100))


def test_pictures_behind_the_first_do_not_count_as_its_scans():
    data = encoded(gradient(4000, 3000), "JPEG", progressive=True)
    assert difference(decode(data + data * 20), decode(data)) == 0


def test_many_threads_decode_as_one():
    expected = np.asarray(decode(JPEG))
    wrong: list[str] = []

    def work() -> None:
        for _ in range(20):
            if not (np.asarray(decode(JPEG)) == expected).all():
                wrong.append("picture")
            try:
                decode(PNG[:30])
                wrong.append("no error")
            except ImageError:
                pass

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def picture_or_sentence(data: bytes) -> None:
    with contextlib.suppress(ImageError):
        decoded = decode(data)
        assert decoded.mode == "RGB"
        assert min(decoded.size) >= 1


@given(st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_random_bytes_give_a_picture_or_a_sentence(data):
    picture_or_sentence(data)


REAL_FILES = [
    encoded(gradient(40, 30), kind, **options)
    for kind, options in [
        ("JPEG", {}),
        ("JPEG", {"progressive": True, "exif": b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x00\x00"}),
        ("PNG", {}),
        ("GIF", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "jpeg"}),
        ("WEBP", {}),
        ("AVIF", {"speed": 10}),
    ]
]


@given(
    st.sampled_from(REAL_FILES),
    st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=6),
    st.floats(0, 1),
)
@settings(max_examples=400, deadline=None)
@pytest.mark.filterwarnings("ignore")
def test_damaged_real_files_give_a_picture_or_a_sentence(data, changes, kept):
    damaged = bytearray(data)
    for place, value in changes:
        damaged[int(place * len(damaged))] = value
    picture_or_sentence(bytes(damaged[: max(1, int(kept * len(damaged)))] if kept < 0.7 else damaged))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_what_has_no_end_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    for place in (tmp_path / "pipe.png", tmp_path, Path("/dev/zero")):
        with pytest.raises(ImageError, match="is no file"):
            images.read_file(place)
    with pytest.raises(FileNotFoundError):
        images.read_file(tmp_path / "nothing.png")
    with (tmp_path / "large.png").open("wb") as large:
        large.truncate(10**12)  # on the disk it takes nothing
    with pytest.raises(ImageError, match=r"1000000\.0 MB and the limit"):
        images.read_file(tmp_path / "large.png")
    gradient().save(tmp_path / "good.png")
    assert images.read_file(tmp_path / "good.png").image.size == (64, 48)


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES.keys())
def test_every_sample_lies_here_and_says_what_it_is(sample):
    decoded = decode(sample.load())
    assert min(decoded.size) >= 300
    assert sample.title
    assert sample.credit
    assert sample.licence.removesuffix(", cropped") in ("CC0", "Public domain", "CC BY-SA 4.0")
    assert sample.source in ("scikit-image", "Wikimedia Commons")


def test_a_picture_of_ours_has_its_author_licence_and_page_in_the_credits():
    ours = {sample.file: sample for sample in SAMPLES.values() if sample.path.parent == FOLDER}
    assert set(ours) == {path.name for path in FOLDER.glob("*.jpg")}
    rows = {
        row.split("`")[1]: row for row in (FOLDER / "CREDITS.md").read_text().splitlines() if row[:3] == "| `"
    }
    assert set(rows) == set(ours)
    for file, sample in ours.items():
        assert sample.credit in rows[file]
        assert sample.url in rows[file]
        assert sample.licence.split(",")[0].lower() in rows[file].lower()
        assert len(sample.load()) <= 80_000
        assert max(decode(sample.load()).size) <= 640
