"""Mutated pictures of every format: each is a picture or one sentence, within 2 s of CPU and 1 GB.

Valid files are made here with Pillow, then bytes are flipped, set to extremes, cut out, doubled, swapped or
cut off, with fixed seeds, so that a file is known by its number. Each is decoded in a child process that may
take ten seconds and 4 GB at most; one that dies is a failure as well. Linux only (peak memory is reset and
read through /proc).

    python -m benchmarks.fuzz_pictures [--files 10000] [--seed 0]
    python -m benchmarks.fuzz_pictures --write 1234 FILE    # the file of that number
    python -m benchmarks.fuzz_pictures --bombs    # the worst case of each kind, made by hand, in its place
"""

import argparse
import io
import os
import resource
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

from explorer.inference.images import ImageError, read
from tests.inference.picture_bombs import BOMBS, costs

SECONDS, BYTES = 2.0, 1_000_000_000
_HARD_SECONDS, _HARD_BYTES = 10, 4_000_000_000
_EXTREMES = (
    b"\x00",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"\x00\x00\x00\x00",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\x40\x00",
)


@dataclass(frozen=True)
class Outcome:
    """said: "picture", "sentence" or what went wrong."""

    kind: str
    number: int
    seconds: float
    peak_bytes: int
    said: str


def seeds() -> list[tuple[str, bytes]]:
    """(name, valid file) of each format, in the ways of storing that its reader knows."""
    x, y = np.meshgrid(np.linspace(0, 255, 96), np.linspace(0, 255, 64))
    noise = np.random.default_rng(0).normal(0, 8, (64, 96, 3))
    colours = Image.fromarray((np.stack([x, y, 255 - x], axis=2) + noise).clip(0, 255).astype(np.uint8))
    alpha = colours.copy()
    alpha.putalpha(Image.fromarray(y.astype(np.uint8)))
    deep = Image.fromarray((x * 257).astype(np.uint16))
    real = Image.fromarray((x / 255).astype(np.float32))
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    others = [Image.new("RGB", (96, 64), colour) for colour in ("red", "blue")]
    several = {"save_all": True, "append_images": others, "duration": 40}
    camera = {"exif": exif, "icc_profile": icc}
    grey, palette, bits = colours.convert("L"), colours.convert("P"), colours.convert("1")
    ways: list[tuple[str, Image.Image, dict]] = [
        ("JPEG", colours, camera),
        ("JPEG", colours, {"progressive": True}),
        ("JPEG", colours.convert("CMYK"), {}),
        ("JPEG", grey, {"restart_marker_blocks": 4}),
        ("MPO", colours, {"save_all": True, "append_images": others}),
        ("PNG", colours, camera),
        ("PNG", alpha, {}),
        ("PNG", palette, {"transparency": 3}),
        ("PNG", deep, {"transparency": 257}),
        ("PNG", bits, {}),
        ("PNG", colours, several),
        ("GIF", palette, {"comment": b"a comment", "transparency": 1}),
        ("GIF", palette, {"interlace": 0}),
        ("GIF", colours, several),
        ("BMP", colours, {}),
        ("BMP", palette, {}),
        ("BMP", alpha, {}),
        ("TIFF", colours, camera),
        ("TIFF", colours, {"compression": "tiff_lzw"}),
        ("TIFF", colours, {"compression": "tiff_adobe_deflate"}),
        ("TIFF", colours, {"compression": "jpeg"}),
        ("TIFF", colours, {"compression": "packbits", "tiffinfo": {278: 4}}),
        ("TIFF", bits, {"compression": "group4"}),
        ("TIFF", bits, {"compression": "group3"}),
        ("TIFF", deep, {}),
        ("TIFF", real, {"compression": "tiff_lzw"}),
        ("TIFF", colours, {"big_tiff": True}),
        ("TIFF", grey, {"save_all": True, "append_images": others}),
        ("WEBP", colours, camera),
        ("WEBP", alpha, {"lossless": True}),
        ("WEBP", alpha, {"quality": 60}),
        ("WEBP", colours, several),
        ("AVIF", colours, {"speed": 10, **camera}),
        ("AVIF", alpha, {"speed": 10}),
        ("AVIF", colours, {"speed": 10, **several}),
    ]
    files = []
    for kind, image, options in ways:
        buffer = io.BytesIO()
        if more := options.get("append_images"):  # copies: Pillow keeps an encoder's options on the picture
            options = options | {"append_images": [each.copy() for each in more]}
        image.copy().save(buffer, kind, **options)
        files.append((kind, buffer.getvalue()))
    return files


def mutated(data: bytes, random: np.random.Generator) -> bytes:
    """One to eight changes, mostly one or two; half of them in the first 300 bytes, the structure."""
    changed = bytearray(data)
    for _ in range(min(8, int(random.geometric(0.5)))):
        reach = min(300, len(changed)) if random.random() < 0.5 else len(changed)
        at = int(random.integers(0, max(1, reach)))
        length = int(random.integers(1, 65))
        match int(random.integers(0, 7)):
            case 0:
                changed[at : at + 1] = bytes([int(random.integers(0, 256))])
            case 1:
                changed[at : at + 1] = bytes([(changed + b"\x00")[at] ^ 1 << int(random.integers(0, 8))])
            case 2:
                extreme = _EXTREMES[int(random.integers(0, len(_EXTREMES)))]
                changed[at : at + len(extreme)] = extreme
            case 3:
                del changed[at : at + length]
            case 4:
                changed[at:at] = changed[at : at + length] * int(random.integers(1, 50))
            case 5:
                elsewhere = int(random.integers(0, max(1, len(changed))))
                changed[at : at + length] = changed[elsewhere : elsewhere + length]
            case 6 if random.random() < 0.3:
                del changed[at:]
    return bytes(changed)


def file_of(number: int, seed: int, files: list[tuple[str, bytes]]) -> tuple[str, bytes]:
    kind, data = files[number % len(files)]
    return kind, mutated(data, np.random.default_rng([seed, number]))


def measured(numbers: range, seed: int, files: list[tuple[str, bytes]]) -> Iterator[Outcome]:
    """The outcome of each file, from a child that is replaced where it dies."""
    waiting = list(numbers)
    while waiting:
        results, answers = os.pipe()
        child = os.fork()
        if child == 0:
            _decode_all(waiting, seed, files, answers)
            os._exit(0)
        os.close(answers)
        with os.fdopen(results) as lines:
            for line in lines:
                number, seconds, peak, said = line.rstrip("\n").split("\t")
                waiting.remove(int(number))
                yield Outcome(
                    files[int(number) % len(files)][0], int(number), float(seconds), int(peak), said
                )
        _, status = os.waitpid(child, 0)
        if waiting and status:
            number = waiting.pop(0)
            kind = files[number % len(files)][0]
            yield Outcome(kind, number, 0.0, 0, f"the process died (status {status})")


def _decode_all(numbers: list[int], seed: int, files: list[tuple[str, bytes]], answers: int) -> None:
    warnings.simplefilter("ignore")
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 2)  # libtiff and libjpeg say there what they think of a file
    resource.setrlimit(resource.RLIMIT_AS, (_HARD_BYTES, _HARD_BYTES))
    for number in numbers:
        _, data = file_of(number, seed, files)
        resource.setrlimit(
            resource.RLIMIT_CPU, (int(time.process_time()) + _HARD_SECONDS, resource.RLIM_INFINITY)
        )
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        began = time.process_time()
        try:
            read(data)
            said = "picture"
        except ImageError:
            said = "sentence"
        except BaseException as error:
            said = repr(error)[:200].replace("\t", " ").replace("\n", " ")
        seconds = time.process_time() - began
        status = Path("/proc/self/status").read_text()
        peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) * 1024
        os.write(answers, f"{number}\t{seconds}\t{peak}\t{said}\n".encode())


def bombs() -> int:
    """Dearest first; the exit code is 1 where one of them costs too much."""
    found = sorted((*costs(make())[:2], name) for name, make in BOMBS.items())
    for seconds, peak_bytes, name in reversed(found):
        print(f"{seconds:6.2f} s {peak_bytes / 1e6:6.0f} MB  {name}")
    return int(any(seconds > SECONDS or peak_bytes > BYTES for seconds, peak_bytes, _ in found))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", nargs=2, metavar=("NUMBER", "FILE"))
    parser.add_argument("--bombs", action="store_true")
    arguments = parser.parse_args()
    if arguments.bombs:
        return bombs()
    files = seeds()
    if arguments.write:
        Path(arguments.write[1]).write_bytes(file_of(int(arguments.write[0]), arguments.seed, files)[1])
        return 0
    by_kind: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in measured(range(arguments.files), arguments.seed, files):
        by_kind[outcome.kind].append(outcome)
    failures = []
    print(
        f"{'format':<6} {'files':>6} {'pictures':>9} {'sentences':>10} {'most CPU':>9} {'most memory':>12}"
        "  failures"
    )
    for kind, outcomes in by_kind.items():
        wrong = [
            each
            for each in outcomes
            if each.said not in ("picture", "sentence") or each.seconds > SECONDS or each.peak_bytes > BYTES
        ]
        failures += wrong
        pictures, sentences = (
            sum(each.said == said for each in outcomes) for said in ("picture", "sentence")
        )
        most = max(each.seconds for each in outcomes), max(each.peak_bytes for each in outcomes) / 1e6
        print(
            f"{kind:<6} {len(outcomes):>6} {pictures:>9} {sentences:>10} {most[0]:>7.2f} s {most[1]:>9.0f} MB"
            f"  {len(wrong)}"
        )
    for each in failures:
        print(
            f"  {each.kind} number {each.number}: {each.said}, "
            f"{each.seconds:.2f} s, {each.peak_bytes / 1e6:.0f} MB"
        )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
