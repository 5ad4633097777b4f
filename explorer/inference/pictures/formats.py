"""The formats of pictures: which are read, how they are known by content, and what to say about others."""

from collections.abc import Callable
from dataclasses import dataclass

from explorer.inference.pictures import avif, bmp, gif, jpeg, png, tiff, webp
from explorer.inference.pictures.lean import Lean


@dataclass(frozen=True)
class Format:
    """name: for people; pillow: the reader's; suffixes: of file names, without the dot.

    known: whether these bytes begin such a file. lean: the file without what its pixels do not need.
    """

    name: str
    pillow: str
    suffixes: tuple[str, ...]
    known: Callable[[bytes], bool]
    lean: Callable[[bytes], Lean]


def _starts(*beginnings: bytes) -> Callable[[bytes], bool]:
    return lambda data: data.startswith(beginnings)


def _brands(data: bytes) -> set[bytes]:
    """Brands of an ISO media file, the major one among them; empty for other files."""
    if data[4:8] != b"ftyp":
        return set()
    box = data[8 : min(len(data), max(12, int.from_bytes(data[:4], "big")), 512)]
    return {box[at : at + 4] for at in range(0, len(box), 4) if at != 4}


_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_AVIF = {b"avif", b"avis"}
_IMAGES = {b"mif1", b"mif2", b"msf1", b"miaf"}  # a container of either; the others say of which

FORMATS = (
    Format("JPEG", "JPEG", ("jpg", "jpeg", "jpe", "jfif", "mpo"), _starts(b"\xff\xd8\xff"), jpeg.lean),
    Format("PNG", "PNG", ("png", "apng"), _starts(b"\x89PNG\r\n\x1a\n"), png.lean),
    Format("WebP", "WEBP", ("webp",), lambda data: data[:4] == b"RIFF" and data[8:12] == b"WEBP", webp.lean),
    Format("GIF", "GIF", ("gif",), _starts(b"GIF87a", b"GIF89a"), gif.lean),
    Format("BMP", "BMP", ("bmp", "dib"), _starts(b"BM"), bmp.lean),
    Format(
        "TIFF",
        "TIFF",
        ("tif", "tiff"),
        _starts(b"II\x2a\x00", b"MM\x00\x2a", b"II\x2b\x00", b"MM\x00\x2b"),
        tiff.lean,
    ),
    Format("AVIF", "AVIF", ("avif", "avifs"), lambda data: bool(_brands(data) & _AVIF), avif.lean),
)
READABLE = f"{', '.join(each.name for each in FORMATS[:-1])} and {FORMATS[-1].name}"
SUFFIXES = tuple(suffix for each in FORMATS for suffix in each.suffixes)

_EXPORT = "export it as JPEG or PNG and try again"
# What people offer that is a picture elsewhere: (name, known by, what to do)
_OTHERS: tuple[tuple[str, Callable[[bytes], bool], str], ...] = (
    ("HEIC", lambda data: bool(_brands(data) & (_HEIC | _IMAGES)), "export it as JPEG and try again"),
    ("JPEG XL", _starts(b"\xff\x0a", b"\x00\x00\x00\x0cJXL \r\n\x87\n"), _EXPORT),
    ("JPEG 2000", _starts(b"\x00\x00\x00\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"), _EXPORT),
    ("PDF", lambda data: b"%PDF-" in data[:1024], "export the page as PNG and try again"),
    ("Photoshop's PSD", _starts(b"8BPS"), _EXPORT),
    (
        "a camera's raw format",
        lambda data: (
            data[8:10] == b"CR"
            or data.startswith((b"FUJIFILMCCD-RAW", b"IIRO", b"IIU\x00"))
            or data[4:12] == b"ftypcrx "
        ),
        "develop it and export it as JPEG",
    ),
    ("PostScript", _starts(b"%!PS", b"\xc5\xd0\xd3\xc6"), "export it as PNG and try again"),
    (
        "SVG, a drawing",
        lambda data: data[:4] != b"\x89PNG" and b"<svg" in data[:4096].replace(b"\x00", b"").lower(),
        "export it as PNG and try again",
    ),
    ("an icon", _starts(b"\x00\x00\x01\x00", b"\x00\x00\x02\x00"), "save it as PNG and try again"),
    ("OpenEXR", _starts(b"\x76\x2f\x31\x01"), _EXPORT),
)


def recognised(data: bytes) -> Format | None:
    """The format these bytes begin like, whatever the file is called; a camera's raw TIFF is none."""
    if data[8:10] == b"CR" and data[:2] in (b"II", b"MM"):
        return None
    return next((each for each in FORMATS if each.known(data)), None)


def why_unreadable(data: bytes) -> str:
    """One sentence about bytes that are in none of the FORMATS."""
    for name, known, way_out in _OTHERS:
        if known(data):
            return f"The file is {name}, which cannot be read here; {way_out}."
    return f"The file is not a picture that can be read here; {READABLE} can, judged by content, not by name."
