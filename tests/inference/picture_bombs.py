"""Hand-made worst cases: small files that cost a careless reader seconds or gigabytes.

BOMBS: a function per file, by name. `costs` runs `read` over bytes in a process of its own and measures.
"""

import io
import os
import pickle
import struct
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

from explorer.inference.images import ImageError, read

CAP = 10_000_000
SIDE = 4990  # just under the cap of 25 million pixels
BOMBS: dict[str, Callable[[], bytes]] = {}


def costs(data: bytes) -> tuple[float, int, str]:
    """(CPU seconds, bytes at most beside what was there before, what was said) of `read(data)`, in a fork of
    this process, which may have loaded networks. Linux.
    """
    results, answers = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            Path("/proc/self/clear_refs").write_text("5")  # the peak starts from what is resident now
            before, began = _resident("VmRSS"), time.process_time()
            try:
                picture = read(data)
                said = f"{picture.image.width}x{picture.image.height} {' '.join(picture.remarks)}".strip()
            except ImageError as error:
                said = str(error)
            except BaseException as error:
                said = f"raised {error!r}"
            seconds = time.process_time() - began
            os.write(answers, pickle.dumps((seconds, _resident("VmHWM") - before, said[:500])))
        finally:
            os._exit(0)
    os.close(answers)
    with os.fdopen(results, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return pickle.loads(answer) if answer else (0.0, 0, "raised nothing: the process died")


def _resident(what: str) -> int:
    """Bytes: "VmRSS" now, "VmHWM" at most."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(what))


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def noise(side: int, channels: int = 3, depth: int = 256) -> Image.Image:
    values = np.random.default_rng(0).integers(0, depth, (side, side, channels)).astype(np.uint8)
    return Image.fromarray(values if channels > 1 else values[:, :, 0])


def bomb(name: str):
    def kept(make: Callable[[], bytes]) -> Callable[[], bytes]:
        BOMBS[name] = make
        return make

    return kept


# --- GIF ---------------------------------------------------------------------------------------------------

GIF_HEAD = b"GIF89a" + struct.pack("<HHBBB", 8, 8, 0x80, 0, 0) + bytes(6)
GIF_IMAGE = b"," + struct.pack("<HHHHB", 0, 0, 8, 8, 0) + b"\x02\x02\x84\x51\x00"


@bomb("GIF, one comment of one-byte blocks")
def _():
    return GIF_HEAD + b"!\xfe" + b"\x01a" * (CAP // 2 - 50) + b"\x00" + GIF_IMAGE + b";"


@bomb("GIF, comments of one byte each")
def _():
    return GIF_HEAD + b"!\xfe\x01a\x00" * (CAP // 5 - 50) + GIF_IMAGE + b";"


@bomb("GIF, application blocks of one byte")
def _():
    return GIF_HEAD + b"!\xff\x0bABCDEFGH1.0" + b"\x01a" * (CAP // 2 - 50) + b"\x00" + GIF_IMAGE + b";"


@bomb("GIF, empty extensions")
def _():
    return GIF_HEAD + b"!\xfe\x00" * (CAP // 3 - 50) + GIF_IMAGE + b";"


@bomb("GIF, image data of one-byte blocks")
def _():
    head = GIF_HEAD + b"," + struct.pack("<HHHHB", 0, 0, 8, 8, 0) + b"\x02"
    return head + b"\x01\x84" * (CAP // 2 - 50) + b"\x00;"


@bomb("GIF, interlaced and as large as allowed")
def _():
    return encoded(Image.new("P", (SIDE, SIDE)), "GIF", interlace=1)


@bomb("GIF, a huge image on a small canvas, cut off")
def _():
    return GIF_HEAD + b"," + struct.pack("<HHHHB", 0, 0, SIDE, SIDE, 0x40) + b"\x02\x02\x84"


@bomb("GIF, a hundred thousand frames")
def _():
    still = encoded(Image.new("P", (8, 8)), "GIF")
    frame = still[still.index(b",") : -1]
    return GIF_HEAD + frame * (CAP // len(frame) - 5) + b";"


# --- PNG ---------------------------------------------------------------------------------------------------


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(
    width: int, height: int, *before: bytes, colour: int = 2, bits: int = 8, interlace: int = 0, packed=b""
):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlace))
    pixels = packed or zlib.compress(bytes(height * (1 + width * bits * {0: 1, 2: 3, 6: 4}[colour] // 8)), 1)
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(before) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@bomb("PNG, 800,000 empty chunks of pixels")
def _():
    return png(8, 8, chunk(b"IDAT", b"") * (CAP // 12 - 100))


@bomb("PNG, 65,000 chunks of pixels")
def _():
    return png(8, 8, chunk(b"IDAT", b"") * 65_000)


@bomb("PNG, compressed texts that unpack to gigabytes")
def _():
    text = chunk(b"zTXt", b"k\x00\x00" + zlib.compress(bytes(1_000_000), 9))
    return png(8, 8, text * (CAP // len(text) - 1))


@bomb("PNG, international texts that unpack to gigabytes")
def _():
    text = chunk(b"iTXt", b"k\x00\x01\x00\x00\x00" + zlib.compress(bytes(1_000_000), 9))
    return png(8, 8, text * (CAP // len(text) - 1))


@bomb("PNG, a profile that unpacks to gigabytes")
def _():
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(10_000_000)) for _ in range(300)) + packer.flush()
    return png(8, 8, chunk(b"iCCP", b"p\x00\x00" + packed))


@bomb("PNG, camera data whose entries all name the same megabytes")
def _():
    return png(8, 8, chunk(b"eXIf", exif_bomb(CAP - 1000)))


@bomb("PNG, interlaced, 16 bit with transparency, as large as allowed")
def _():
    return png(
        SIDE, SIDE, colour=6, bits=16, interlace=1, packed=zlib.compress(bytes(8 * SIDE * SIDE + 20_000), 1)
    )


@bomb("PNG, 16-bit grey with a colour that means clear, as large as allowed")
def _():
    return png(SIDE, SIDE, chunk(b"tRNS", b"\x00\x00"), colour=0, bits=16)


@bomb("PNG, 16-bit colours with one that means clear, as large as allowed")
def _():
    return png(SIDE, SIDE, chunk(b"tRNS", bytes(6)), colour=2, bits=16)


@bomb("PNG, cut off, as large as is completed")
def _():
    return png(SIDE, SIDE, colour=6)[:50_000]


@bomb("PNG, animated with 100,000 frames")
def _():
    frame = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 8, 8, 0, 0, 1, 1, 0, 0)) + chunk(b"fdAT", bytes(30))
    return png(8, 8, chunk(b"acTL", struct.pack(">II", 100_000, 0)), frame * (CAP // len(frame) - 5))


@bomb("PNG of ten million bytes of noise")
def _():
    return encoded(noise(1800), "PNG", compress_level=0)


# --- TIFF and camera data ----------------------------------------------------------------------------------


def directory(entries: list[tuple[int, int, int, int]], *, big: bool = False, after: int = 0) -> bytes:
    number, counter = ("Q", "Q") if big else ("I", "H")
    return (
        struct.pack(f"<{counter}", len(entries))
        + b"".join(struct.pack(f"<HH{number}{number}", *entry) for entry in sorted(entries))
        + struct.pack(f"<{number}", after)
    )


def tiff(entries: list[tuple[int, int, int, int]], payload: bytes = b"", *, after: int = 0) -> bytes:
    """One directory behind `payload`, which begins at 8."""
    start = 8 + len(payload)
    return b"II*\x00" + struct.pack("<I", start) + payload + directory(entries, after=after)


def exif_bomb(length: int) -> bytes:
    entries = [(tag, 7, length - 800_000, 8) for tag in range(60_000)]
    blob = tiff(entries)
    return blob + bytes(length - len(blob))


def grey_tiff(
    width: int, height: int, *more: tuple[int, int, int, int], payload: bytes = b"", after: int = 0, **own
):
    usual = {256: (4, width), 257: (4, height), 258: (3, 8), 259: (3, 1), 262: (3, 1), 277: (3, 1)}
    usual |= {int(tag[1:]): (4, value) for tag, value in own.items()}
    entries = [(tag, kind, 1, value) for tag, (kind, value) in usual.items()]
    return tiff([*entries, *more], payload, after=after)


def many_strips(count: int) -> bytes:
    return grey_tiff(
        1,
        count,
        (273, 4, count, 8),
        (279, 4, count, 8 + 4 * count),
        t278=1,
        payload=struct.pack("<I", 8) * count + struct.pack("<I", 1) * count,
    )


@bomb("TIFF, 600,000 strips")
def _():
    return many_strips(600_000)


@bomb("TIFF, as many strips as are read")
def _():
    return many_strips(32_000)


@bomb("TIFF, as many tiles as are read, of one pixel each")
def _():
    count = 32_400
    return grey_tiff(
        180,
        180,
        (324, 4, count, 8),
        (325, 4, count, 8 + 4 * count),
        t322=1,
        t323=1,
        payload=struct.pack("<I", 8) * count + struct.pack("<I", 1) * count,
    )


@bomb("TIFF, rows per strip that nobody has")
def _():
    return grey_tiff(5000, 5000, (273, 4, 1, 8), (279, 4, 1, 8), t278=2**32 - 1, t259=5, payload=bytes(8))


@bomb("TIFF, 25 million strips promised")
def _():
    return grey_tiff(1, 25_000_000, (273, 4, 1, 8), (279, 4, 1, 8), t278=1, t259=8, payload=bytes(8))


@bomb("TIFF, a tile of 60,000 by 60,000 for one pixel")
def _():
    return grey_tiff(1, 1, (324, 4, 1, 8), (325, 4, 1, 8), t322=60_000, t323=60_000, t259=8, payload=bytes(8))


@bomb("TIFF, directory entries that all name the same megabytes")
def _():
    blob = tiff([(tag, 7, 9_000_000, 8) for tag in range(1000, 4000)], bytes(9_000_000))
    return blob


@bomb("TIFF, a resolution of a million fractions")
def _():
    return grey_tiff(8, 8, (273, 4, 1, 8), (279, 4, 1, 64), (282, 5, 1_000_000, 8), payload=bytes(8_000_000))


@bomb("TIFF, bits per sample five million times")
def _():
    blob = grey_tiff(8, 8, (273, 4, 1, 8), (279, 4, 1, 64), payload=bytes(CAP - 1000))
    return blob.replace(struct.pack("<HHI", 258, 3, 1), struct.pack("<HHI", 258, 3, 4_900_000))


@bomb("TIFF, a camera's directory that names the same megabytes 60,000 times")
def _():
    inner = directory([(tag, 7, 8_000_000, 8) for tag in range(60_000)])
    payload = bytes(8_500_000) + inner
    return grey_tiff(8, 8, (273, 4, 1, 8), (279, 4, 1, 64), (34665, 4, 1, 8 + 8_500_000), payload=payload)


@bomb("TIFF, a circle of pages")
def _():
    return grey_tiff(8, 8, (273, 4, 1, 8), (279, 4, 1, 64), payload=bytes(64), after=8 + 64)


@bomb("TIFF, deflate of a thousandth, 16 bit with transparency")
def _():
    image = np.zeros((SIDE, SIDE), np.uint8)
    raw = zlib.compress(bytes(8 * image.size), 9)
    return grey_tiff(
        SIDE,
        SIDE,
        (273, 4, 1, 16),
        (279, 4, 1, len(raw)),
        (338, 3, 1, 2),
        payload=struct.pack("<HHHH", 16, 16, 16, 16) + raw,
        t277=4,
        t262=2,
        t259=8,
        t278=SIDE,
    ).replace(struct.pack("<HHII", 258, 3, 1, 8), struct.pack("<HHII", 258, 3, 4, 8))


@bomb("TIFF, LZW of floating point")
def _():
    return encoded(Image.new("F", (SIDE, SIDE)), "TIFF", compression="tiff_lzw")


@bomb("TIFF, PackBits with transparency")
def _():
    return encoded(Image.new("RGBA", (SIDE, SIDE)), "TIFF", compression="packbits")[:CAP]


@bomb("TIFF, fax of a grille")
def _():
    grille = Image.fromarray((np.indices((4000, 4000)).sum(0) % 2).astype(bool))
    return encoded(grille, "TIFF", compression="group3")


@bomb("TIFF, CMYK of 16 bits")
def _():
    raw = zlib.compress(bytes(8 * SIDE * SIDE), 9)
    return grey_tiff(
        SIDE,
        SIDE,
        (273, 4, 1, 16),
        (279, 4, 1, len(raw)),
        payload=struct.pack("<HHHH", 16, 16, 16, 16) + raw,
        t277=4,
        t262=5,
        t259=8,
        t278=SIDE,
    ).replace(struct.pack("<HHII", 258, 3, 1, 8), struct.pack("<HHII", 258, 3, 4, 8))


@bomb("TIFF, LAB as large as allowed")
def _():
    return encoded(Image.new("LAB", (SIDE, SIDE)), "TIFF", compression="tiff_deflate")


@bomb("TIFF with progressive JPEG of a hundred scans inside")
def _():
    inner = many_scans(SIDE, 100)
    return grey_tiff(SIDE, SIDE, (273, 4, 1, 8), (279, 4, 1, len(inner)), t259=7, t278=SIDE, payload=inner)


# --- JPEG --------------------------------------------------------------------------------------------------


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def many_scans(side: int, scans: int) -> bytes:
    """A progressive grey JPEG whose scans hold next to nothing."""
    data = encoded(Image.new("L", (side, side)), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last : last + 10] * scans + b"\xff\xd9"


@bomb("JPEG, 2.5 million empty segments")
def _():
    return b"\xff\xd8" + segment(0xE5, b"") * (CAP // 4 - 3000) + encoded(noise(16), "JPEG")[2:]


@bomb("JPEG, 60,000 segments")
def _():
    return b"\xff\xd8" + segment(0xE5, bytes(100)) * 60_000 + encoded(noise(16), "JPEG")[2:]


@bomb("JPEG, ten million bytes of padding")
def _():
    return b"\xff\xd8" + b"\xff" * (CAP - 5000) + encoded(noise(16), "JPEG")[2:]


@bomb("JPEG, ten million bytes of padding that lead to nothing")
def _():
    return encoded(noise(16), "JPEG")[:-2] + b"\xff" * (CAP - 5000) + b"\x00"


@bomb("JPEG, ten million bytes of junk before the first segment")
def _():
    return b"\xff\xd8\xff" + bytes(CAP - 5000) + encoded(noise(16), "JPEG")[2:]


@bomb("JPEG, quantisation tables by the hundred thousand")
def _():
    tables = segment(0xDB, (b"\x00" + bytes(range(1, 65))) * 1000)
    return b"\xff\xd8" + tables * (CAP // len(tables) - 1) + encoded(noise(16), "JPEG")[2:]


@bomb("JPEG, camera data whose entries all name the same bytes")
def _():
    entries = [(tag, 7, 60_000, 8) for tag in range(5000)]
    return b"\xff\xd8" + segment(0xE1, b"Exif\x00\x00" + tiff(entries)) + encoded(noise(16), "JPEG")[2:]


@bomb("JPEG, a hundred scans")
def _():
    return many_scans(SIDE, 100)


@bomb("JPEG, as many scans as are decoded")
def _():
    return many_scans(2300, 40)


@bomb("JPEG, as large as is decoded")
def _():
    return encoded(Image.new("RGB", (8900, 8900)), "JPEG")


@bomb("JPEG, CMYK without subsampling, as large as is decoded")
def _():
    return encoded(Image.new("CMYK", (8900, 8900)), "JPEG", subsampling=0)


@bomb("JPEG, progressive with colours, as large as is decoded")
def _():
    return encoded(Image.new("RGB", (4990, 4990)), "JPEG", progressive=True, subsampling=0)


@bomb("JPEG, two scans of a large CMYK picture")
def _():
    data = encoded(Image.new("CMYK", (8900, 8900)), "JPEG", subsampling=0)
    return data[:-2] + data[data.rindex(b"\xff\xda") :]


@bomb("JPEG, a restart after each block")
def _():
    return encoded(noise(1600), "JPEG", quality=90, restart_marker_blocks=1)


@bomb("JPEG, ten million bytes of noise")
def _():
    return encoded(noise(2700), "JPEG", quality=92)[:CAP]


@bomb("JPEG, a large picture of which nothing came")
def _():
    return encoded(Image.new("RGB", (8900, 8900)), "JPEG")[:1000]


@bomb("JPEG, a profile of megabytes")
def _():
    parts = [segment(0xE2, b"ICC_PROFILE\x00" + bytes([n, 150]) + bytes(65_000)) for n in range(1, 151)]
    return b"\xff\xd8" + b"".join(parts) + encoded(noise(16), "JPEG")[2:]


# --- WebP --------------------------------------------------------------------------------------------------


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(k + struct.pack("<I", len(b)) + b + b"\x00" * (len(b) % 2) for k, b in chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def canvas(width: int, height: int, flags: int = 2) -> tuple[bytes, bytes]:
    return b"VP8X", bytes([flags, 0, 0, 0]) + b"".join((n - 1).to_bytes(3, "little") for n in (width, height))


def webp_frame(image: Image.Image) -> bytes:
    still = encoded(image, "WEBP", lossless=True)[12:]
    size = b"".join((n - 1).to_bytes(3, "little") for n in image.size)
    return bytes(6) + size + bytes(4) + still


@bomb("WebP, 100,000 frames")
def _():
    frame = b"ANMF", webp_frame(Image.new("RGB", (8, 8)))
    return riff(canvas(8, 8), (b"ANIM", bytes(6)), *[frame] * (CAP // (len(frame[1]) + 10)))


@bomb("WebP, 60,000 frames")
def _():
    frame = b"ANMF", webp_frame(Image.new("RGB", (8, 8)))
    return riff(canvas(8, 8), (b"ANIM", bytes(6)), *[frame] * 60_000)


@bomb("WebP, a canvas of 16,000 by 16,000")
def _():
    return riff(canvas(16_000, 16_000), (b"ANIM", bytes(6)), (b"ANMF", webp_frame(Image.new("RGB", (8, 8)))))


@bomb("WebP, a million empty chunks")
def _():
    return riff(canvas(8, 8, 0), *[(b"JUNK", b"")] * (CAP // 8 - 100))


@bomb("WebP with transparency, as large as allowed")
def _():
    return encoded(Image.new("RGBA", (SIDE, SIDE)), "WEBP", method=0)


@bomb("WebP, lossless noise")
def _():
    return encoded(noise(1800), "WEBP", lossless=True, method=0)[:CAP]


@bomb("WebP, camera data of megabytes")
def _():
    still = encoded(Image.new("RGB", (8, 8)), "WEBP")[12:]
    return riff(canvas(8, 8, 8), (still[:4], still[8:]), (b"EXIF", exif_bomb(CAP - 1000)))


# --- AVIF --------------------------------------------------------------------------------------------------


@bomb("AVIF, as large as allowed")
def _():
    return encoded(Image.new("RGB", (SIDE, SIDE)), "AVIF", speed=10)


@bomb("AVIF with transparency, as large as allowed")
def _():
    return encoded(Image.new("RGBA", (SIDE, SIDE)), "AVIF", speed=10)


@bomb("AVIF that says it is small and is not")
def _():
    data = encoded(Image.new("L", (9000, 9000)), "AVIF", speed=10)
    return data.replace(struct.pack(">II", 9000, 9000), struct.pack(">II", 64, 64))


@bomb("AVIF of noise, as large as allowed")
def _():
    big = Image.new("RGB", (SIDE, SIDE))
    big.paste(noise(2600))
    return encoded(big, "AVIF", speed=10, quality=75)


@bomb("AVIF of noise with all its colours")
def _():
    return encoded(noise(2000), "AVIF", speed=10, quality=80, subsampling="4:4:4")


@bomb("AVIF, a sequence")
def _():
    frames = [Image.new("RGB", (64, 64), (n % 256, 0, 0)) for n in range(200)]
    return encoded(frames[0], "AVIF", speed=10, save_all=True, append_images=frames[1:])


# --- BMP ---------------------------------------------------------------------------------------------------


def rle_bmp(side: int, codes: bytes) -> bytes:
    head = b"BM" + struct.pack("<IHHI", 0, 0, 0, 54 + 1024)
    return head + struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, 0, 0, 0, 0, 0) + bytes(1024) + codes


@bomb("BMP, ten million bytes of runs of one")
def _():
    return rle_bmp(SIDE, b"\x01\x07" * (CAP // 2 - 1000))


@bomb("BMP, as many runs as are read")
def _():
    return rle_bmp(SIDE, b"\x01\x07" * 490_000)


@bomb("BMP, jumps")
def _():
    return rle_bmp(SIDE, b"\x00\x02\xff\xff" * 240_000)


@bomb("BMP, cut off, as large as is completed")
def _():
    return encoded(Image.new("RGB", (SIDE, SIDE)), "BMP")[:100]


# --- colour profiles ---------------------------------------------------------------------------------------


def profile(tags: dict[bytes, bytes], space: bytes = b"RGB ") -> bytes:
    """An ICC profile of a display with these tags."""
    start, table, bodies = 128 + 4 + 12 * len(tags), b"", b""
    for name, body in tags.items():
        body += bytes(-len(body) % 4)
        table += struct.pack(">4sII", name, start + len(bodies), len(body))
        bodies += body
    length = start + len(bodies)
    head = struct.pack(">I4sI4s4s4s12x4s", length, b"lcms", 0x04300000, b"mntr", space, b"XYZ ", b"acsp")
    head = head.ljust(68, b"\x00") + struct.pack(">III", 0xF6D6, 0x10000, 0xD32D)
    return head.ljust(128, b"\x00") + struct.pack(">I", len(tags)) + table + bodies


@bomb("profile of thousands of steps for each pixel")
def _():
    step = (
        b"matf\x00\x00\x00\x00"
        + struct.pack(">HH", 3, 3)
        + struct.pack(">12f", 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0)
    )
    steps = 30_000
    places = b"".join(struct.pack(">II", 16 + 8 * steps, len(step)) for _ in range(steps))
    element = b"mpet\x00\x00\x00\x00" + struct.pack(">HHI", 3, 3, steps) + places + step
    icc = profile({b"D2B0": element, b"D2B1": element, b"desc": b"mluc" + bytes(12)})
    return encoded(noise(1000), "PNG", icc_profile=icc)


@bomb("profile with a table of megabytes")
def _():
    cube = 85  # entries a side
    lut = (
        b"mft2\x00\x00\x00\x00"
        + bytes([3, 3, cube, 0])
        + struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    )
    lut += struct.pack(">HH", 2, 2) + struct.pack(">6H", *[0, 65535] * 3)
    lut += bytes(6 * cube**3) + struct.pack(">6H", *[0, 65535] * 3)
    return encoded(noise(1000), "TIFF", icc_profile=profile({b"A2B0": lut}))[:CAP]


@bomb("profile of a printer on a picture as large as is kept")
def _():
    lut = (
        b"mft1\x00\x00\x00\x00"
        + bytes([4, 3, 9, 0])
        + struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    )
    lut += bytes(range(256)) * 4 + bytes(3 * 9**4) + bytes(range(256)) * 3
    icc = bytearray(profile({b"A2B0": lut}, b"CMYK"))
    icc[12:16], icc[20:24] = b"prtr", b"Lab "
    return encoded(Image.new("CMYK", (4000, 4000)), "JPEG", icc_profile=bytes(icc))


@bomb("profile of sRGB itself, on a picture as large as is kept")
def _():
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return encoded(Image.new("RGB", (4900, 4900)), "PNG", icc_profile=icc)


if __name__ == "__main__":
    chosen = sys.argv[1:]
    for title, make in BOMBS.items():
        if not chosen or any(word in title for word in chosen):
            file = make()
            seconds, peak, said = costs(file)
            bad = "  !!!" if seconds > 1.5 or peak > 0.8e9 or "raised" in said or len(file) > CAP else ""
            print(
                f"{seconds:6.2f} s {peak / 1e6:6.0f} MB {len(file):>10,}  {title}: {said[:90]}{bad}",
                flush=True,
            )
