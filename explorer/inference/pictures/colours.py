"""Colours that mean something else than sRGB -> sRGB, by the ICC profile that a file carries.

A profile is a program for little-cms: only kinds whose cost is bounded by their size are run (matrix and
curves, tables); one with multi-process elements could chain thousands of steps for each pixel.
"""

import struct
from itertools import product

import numpy as np
from PIL import Image, ImageCms

_SIZE_CAP = 4_000_000
_TAG_CAP = 100
_CLASSES = {b"mntr", b"scnr", b"prtr", b"spac"}
_SPACES = {"RGB": b"RGB ", "L": b"GRAY", "CMYK": b"CMYK"}
_KINDS = {b"curv", b"para", b"XYZ ", b"mft1", b"mft2", b"mAB ", b"mBA "}
_COMPUTED = (b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC", b"kTRC", b"A2B0", b"A2B1", b"A2B2")
_FLOAT = (b"D2B", b"B2D")
_SAME = 2  # of 255: sRGB profiles of several makers differ by so much
_TAG_TABLE = 132


def to_srgb(image: Image.Image, profile: bytes) -> tuple[Image.Image, str]:
    """(`image` in sRGB, name of the space it was in); ("", unchanged) for sRGB and for unusable profiles.

    image: RGB, L or CMYK; the result is RGB, or L for L.
    """
    if not _runs_cheaply(profile, image.mode):
        return image, ""
    try:
        source = ImageCms.ImageCmsProfile(ImageCms.core.profile_frombytes(profile))
        name = ImageCms.getProfileDescription(source).strip().splitlines()
        transform = ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            image.mode,
            "RGB",
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        if image.mode != "CMYK" and _changes_nothing(transform, image.mode):
            return image, ""
        converted = transform.apply(image)
    except Exception:  # little-cms and its wrapper raise whatever a broken profile makes them trip over
        return image, ""
    kept = converted.convert("L") if image.mode == "L" else converted
    return kept, (name[0] if name and name[0].isprintable() else "another colour space")[:60]


def _runs_cheaply(profile: bytes, mode: str) -> bool:
    """Whether the profile's own header and tag table speak of this mode and of bounded work only."""
    if not _TAG_TABLE <= len(profile) <= _SIZE_CAP or profile[36:40] != b"acsp":
        return False
    if profile[12:16] not in _CLASSES or profile[16:20] != _SPACES.get(mode):
        return False
    (tags,) = struct.unpack_from(">I", profile, 128)
    if tags > _TAG_CAP or _TAG_TABLE + 12 * tags > len(profile):
        return False
    for place in range(_TAG_TABLE, _TAG_TABLE + 12 * tags, 12):
        name, offset, _ = struct.unpack_from(">4sII", profile, place)
        if name.startswith(_FLOAT):
            return False
        if name in _COMPUTED and profile[offset : offset + 4] not in _KINDS:
            return False
    return True


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    steps = range(256) if mode == "L" else list(product(range(0, 256, 15), repeat=3))
    probe = Image.fromarray(np.array(steps, dtype=np.uint8)[None])
    seen = np.asarray(transform.apply(probe), dtype=int)
    return bool(np.abs(seen - np.asarray(probe.convert("RGB"), dtype=int)).max() <= _SAME)
