"""Memory and maps of every network of the published tables: how `catalogue/data/needs.csv` is made.

python -m explorer.analysis.needs results-imagenet.csv --out FILE

Traces that lie in the cache are used again, so it takes minutes after `explorer.analysis.counting`.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterable, Mapping
from math import log2
from pathlib import Path

from explorer.analysis.counting import counted_with, wanted
from explorer.analysis.graph import Trace
from explorer.analysis.memory import peak_activation_bytes, saved_activation_bytes
from explorer.analysis.stages import handed_on, stages
from explorer.analysis.tracing import forget, trace
from explorer.catalogue import needs
from explorer.catalogue.needs import AT_INFERENCE, BUFFERS, CHANNELS, IN_TRAINING


def of_trace(traced: Trace) -> Mapping[str, int]:
    """The fields of the table."""
    maps = pyramid(traced)
    return {
        BUFFERS: traced.buffer_bytes,
        AT_INFERENCE: peak_activation_bytes(traced),
        IN_TRAINING: saved_activation_bytes(traced),
        **{name: maps.get(stride, 0) for stride, name in CHANNELS.items()},
    }


def pyramid(traced: Trace) -> Mapping[int, int]:
    """Stride -> channels of the last stage there, as a detector or a segmentation head takes them.

    The stride is the power of two nearest to image over grid, as 224 / 56 = 4 and 299 / 35 = 8. The head is
    no stage, and neither is what has no grid. Of 160 of timm's networks the strides agree with its own
    `feature_info` for 152, the channels for 131: it hands out maps from inside a stage where these are wider.
    """
    image, ops = traced.input_shape[-2], traced.by_id()
    found: dict[int, int] = {}
    for stage in stages(traced):
        if stage.name != "head" and stage.resolution != (1, 1):
            found[2 ** round(log2(image / stage.resolution[0]))] = handed_on(
                stage, [ops[each] for each in stage.ops]
            )
    return found


def write(keys: Iterable[tuple[str, int]], file: Path) -> None:
    """Networks that the installed libraries cannot build are named and left out: they stay missing."""
    with file.open("w", encoding="utf-8", newline="") as out:
        out.write(f"# {counted_with()}\n")
        lines = csv.DictWriter(out, ("network", "img_size", *needs.FIELDS), lineterminator="\n")
        lines.writeheader()
        for network, image_size in keys:
            try:
                found = of_trace(trace(network, image_size))
            except ValueError as error:
                print(f"{network} at {image_size}: {error}", file=sys.stderr)
                continue
            forget()  # a thousand traces are not wanted again
            lines.writerow({"network": network, "img_size": image_size, **found})


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("results", type=Path, help="timm's results-imagenet.csv")
    parser.add_argument("--out", type=Path, default=needs.FILE)
    arguments = parser.parse_args()
    write(wanted(arguments.results.read_text("utf-8")), arguments.out)


if __name__ == "__main__":
    main()
