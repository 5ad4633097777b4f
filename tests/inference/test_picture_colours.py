"""Colour profiles: which reach little-cms at all, what it makes of them, and what the page is told."""

import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from explorer.inference.images import read
from explorer.inference.pictures import colours
from tests.inference.picture_bombs import encoded, profile


def curve(gamma: float) -> bytes:
    """An exponent, as the profile's "curv" says it."""
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(256 * gamma)) + bytes(2)


def xyz(*values: float) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(65536 * each) for each in values))


def named(text: str) -> bytes:
    packed = text.encode("utf-16-be")
    return b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(packed), 28) + packed


WHITE = xyz(0.9642, 1, 0.8249)
# sRGB's primaries, adapted to the white of profiles (IEC 61966-2-1, ICC's registry)
PRIMARIES = (xyz(0.43607, 0.22249, 0.01392), xyz(0.38515, 0.71687, 0.09708), xyz(0.14307, 0.06061, 0.71410))
PARAMETRIC = struct.pack(">5i", *(round(65536 * each) for each in (2.4, 0.94787, 0.05213, 0.07739, 0.04045)))
SRGB_CURVE = b"para" + bytes(4) + struct.pack(">HH", 3, 0) + PARAMETRIC


def colour(*primaries: bytes, shape: bytes = SRGB_CURVE, called: str = "Made up", **more: bytes) -> bytes:
    tags = {b"desc": named(called), b"wtpt": WHITE}
    tags |= dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True))
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), shape)
    return profile(tags | {name.encode(): body for name, body in more.items()})


def grey(shape: bytes) -> bytes:
    return profile({b"desc": named("Grey"), b"wtpt": WHITE, b"kTRC": shape}, b"GRAY")


PLAIN = colour(*PRIMARIES)


def test_srgb_under_another_name_changes_nothing_and_says_nothing():
    picture = Image.new("RGB", (2, 2), (200, 60, 30))
    found = read(encoded(picture, "PNG", icc_profile=PLAIN))
    assert (found.image.getpixel((0, 0)), found.remarks) == ((200, 60, 30), ())


def test_swapped_primaries_swap_the_colours():
    red, green, blue = PRIMARIES
    found = read(
        encoded(Image.new("RGB", (1, 1), (200, 60, 30)), "PNG", icc_profile=colour(green, red, blue))
    )
    assert np.abs(np.subtract(found.image.getpixel((0, 0)), (60, 200, 30))).max() <= 1
    assert found.remarks == ("Its colours are converted from Made up to sRGB (timm would not).",)


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_a_grey_profile_is_applied_where_it_says_something_else(mode):
    picture = Image.new(mode, (1, 1), (128, 255)[: len(mode)])
    same, linear = (read(encoded(picture, "PNG", icc_profile=grey(s))) for s in (SRGB_CURVE, curve(1)))
    assert (same.image.getpixel((0, 0)), same.remarks) == ((128,) * 3, ())
    assert linear.image.getpixel((0, 0)) == (188,) * 3  # half the light is 188 of sRGB's 255
    assert linear.remarks == ("Its colours are converted from Grey to sRGB (timm would not).",)


@pytest.mark.parametrize(
    ("called", "said"),
    [("x" * 60, "x" * 60), ("x" * 61, "x" * 60), ("a\tb", "another colour space"), ("", "")],
)
def test_a_space_is_called_by_its_name_as_far_as_that_can_be_printed(called, said):
    _, name = colours.to_srgb(Image.new("RGB", (1, 1)), colour(*PRIMARIES, shape=curve(1), called=called))
    assert name == (said or "another colour space")


def with_tags(count: int) -> bytes:
    """Of which only the nine of PLAIN mean something."""
    more = {f"x{number:03d}": b"text" + bytes(4) for number in range(count - 8)}
    return colour(*PRIMARIES, **more)


def changed(place: int, *found: bytes) -> bytes:
    return PLAIN[:place] + b"".join(found) + PLAIN[place + len(b"".join(found)) :]


def lengthened(length: int) -> bytes:
    return PLAIN + bytes(length - len(PLAIN))


@pytest.mark.parametrize(
    ("data", "runs"),
    [
        (PLAIN, True),
        (with_tags(100), True),
        (with_tags(101), False),
        (lengthened(4_000_000), True),
        (lengthened(4_000_001), False),
        (PLAIN[:131], False),
        (changed(128, struct.pack(">I", 0))[:132], True),
        (changed(128, struct.pack(">I", 1))[:143], False),
        (changed(128, struct.pack(">I", 1))[:144], True),
        (changed(36, b"acsq"), False),
        (changed(12, b"link"), False),
        (changed(16, b"GRAY"), False),
        (colour(*PRIMARIES, D2B0=b"mpet" + bytes(12)), False),
        (colour(*PRIMARIES, B2D3=b"mpet" + bytes(12)), False),
        (colour(*PRIMARIES, A2B0=b"mpet" + bytes(12)), False),
        (colour(*PRIMARIES, A2B0=b"mft2" + bytes(12)), True),
        (colour(*PRIMARIES, shape=b"mpet" + bytes(12)), False),
    ],
)
def test_only_profiles_of_bounded_work_reach_little_cms(monkeypatch, data, runs):
    given = []

    def reached(profile: bytes) -> None:
        given.append(profile)
        raise ImageCms.PyCMSError("not today")

    monkeypatch.setattr(ImageCms.core, "profile_frombytes", reached)
    picture = Image.new("RGB", (1, 1))
    assert colours.to_srgb(picture, data) == (picture, "")
    assert given == [data] * runs
