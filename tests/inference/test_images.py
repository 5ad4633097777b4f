"""Every upload is a picture or one sentence: never another exception, never much memory or time."""

import contextlib
import functools
import io
import struct
import subprocess
import sys
import threading
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps

from explorer.inference import images
from explorer.inference.images import ImageError, decode
from explorer.inference.samples import SAMPLES


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


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
        (JPEG[: len(JPEG) // 2], "cut off"),
        (PNG[: len(PNG) // 2], "cut off"),
        (PNG[:20], "not a picture"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(100), "HEIC"),
        (b"%PDF-1.7 ...", "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "not a picture"),
        (b"P6 2 2 255 " + bytes(12), "not a picture"),
    ],
)
def test_what_is_no_picture_is_answered_with_a_sentence(data, says):
    with pytest.raises(ImageError, match=says) as caught:
        decode(data)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_the_byte_cap_is_in_the_sentence(monkeypatch):
    monkeypatch.setattr(images, "BYTE_CAP", 1000)
    with pytest.raises(ImageError, match="limit"):
        decode(PNG + bytes(1000))


@functools.cache
def png_bomb(width: int, height: int) -> bytes:
    """A valid PNG of one grey, a few thousandths of its decoded size."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    packer = zlib.compressobj(1)
    row = bytes(3 * width + 1)
    body = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


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
    data = encoded(gradient(4000, 3000), "JPEG", progressive=True)
    with pytest.raises(ImageError, match="scans"):
        decode(data + b"\xff\xda" * 100)


# ru_maxrss would hand down the peak of the process that starts this one (Linux keeps it across exec).
MEASURE = """
import sys, time
from pathlib import Path
from explorer.inference.images import ImageError, decode
data = sys.stdin.buffer.read()
started = time.process_time()  # of this process alone: the machine may be busy with other tests
try:
    outcome = "x".join(map(str, decode(data).size))
except ImageError as error:
    outcome = str(error)
seconds = time.process_time() - started
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
print(seconds, 1024 * int(peak.split()[1]), outcome)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: png_bomb(13_000, 13_000), id="bomb"),
        pytest.param(lambda: png_bomb(4_990, 4_990), id="just under the pixel cap"),
        pytest.param(lambda: encoded(Image.new("L", (8900, 8900)), "JPEG"), id="large JPEG"),
        pytest.param(
            lambda: encoded(Image.new("RGB", (6300, 6300)), "JPEG", progressive=True), id="progressive"
        ),
        pytest.param(lambda: encoded(Image.new("RGBA", (4990, 4990)), "WEBP", method=0), id="transparent"),
        pytest.param(
            lambda: encoded(Image.new("F", (4990, 4990)), "TIFF", compression="tiff_lzw"), id="float"
        ),
        pytest.param(lambda: encoded(Image.new("RGB", (20_000, 1)), "PNG"), id="strip"),
    ],
)
def test_no_upload_takes_more_than_two_seconds_or_a_gigabyte_and_a_half(make):
    data = make()
    assert len(data) < images.BYTE_CAP
    measured = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", MEASURE],
        input=data,
        capture_output=True,
        check=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    seconds, peak_bytes = map(float, measured.stdout.split()[:2])
    assert seconds < 2.0
    assert peak_bytes < 1.5e9 - 0.5e9  # half a gigabyte stays for torch and the server


def test_many_threads_decode_as_one():
    expected = np.asarray(decode(JPEG))
    wrong: list[str] = []

    def work() -> None:
        for _ in range(20):
            if not (np.asarray(decode(JPEG)) == expected).all():
                wrong.append("picture")
            try:
                decode(PNG[:-30])
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
    started = time.perf_counter()
    with contextlib.suppress(ImageError):
        decoded = decode(data)
        assert decoded.mode == "RGB"
        assert min(decoded.size) >= 1
    assert time.perf_counter() - started < 2.0


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


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES.keys())
def test_every_sample_ships_with_scikit_image_and_says_what_it_is(sample):
    decoded = decode(sample.load())
    assert min(decoded.size) >= 300
    assert sample.title
    assert sample.credit
    assert sample.licence in ("CC0", "Public domain")
