"""What the networks of the published tables cost, what memory they need and which maps they offer, counted
once by `python -m explorer count` and shipped.

Tracing all of them takes minutes; the counts depend only on the versions of the libraries, which stand in the
file's first line.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from explorer.catalogue.sources import DATA

FILE = DATA / "counts.csv"
STRIDES = (4, 8, 16, 32)
BUFFERS, AT_INFERENCE, IN_TRAINING = "buffer_bytes", "inference_bytes", "training_bytes"
CHANNELS = {stride: f"stride_{stride}" for stride in STRIDES}

# As `stats` counts them. Then bytes in float32 for one image: the running statistics; the most that is alive
# at once; what autograd keeps. Then channels of the last stage at each stride, 0 where no stage works there.
COSTS = ("params", "macs", "activations")
FIELDS = (*COSTS, BUFFERS, AT_INFERENCE, IN_TRAINING, *CHANNELS.values())

# Of the form in which a network is deployed, where it is trained in another: empty fields where it is not.
OF_A_FORM = (*COSTS, BUFFERS, AT_INFERENCE)
DEPLOYED = {name: f"deployed_{name}" for name in OF_A_FORM}


@dataclass(frozen=True)
class Counts:
    """of: (network such as "timm:resnet50", side of the input in pixels) -> FIELDS, as it is trained.

    deployed: of those that are deployed in another form -> OF_A_FORM, in that form.
    counted_with: versions of the libraries that define the networks.
    """

    of: Mapping[tuple[str, int], Mapping[str, int]]
    deployed: Mapping[tuple[str, int], Mapping[str, int]]
    counted_with: str


def read(lines: Iterable[str]) -> Counts:
    """The first line is a comment with the versions, the second the header."""
    content = iter(lines)
    counted_with = next(content, "").removeprefix("#").strip()
    trained, deployed = {}, {}
    for row in csv.DictReader(content):
        key = row["network"], int(row["img_size"])
        trained[key] = {each: int(row[each]) for each in FIELDS}
        if row[DEPLOYED["params"]]:
            deployed[key] = {each: int(row[column]) for each, column in DEPLOYED.items()}
    return Counts(MappingProxyType(trained), MappingProxyType(deployed), counted_with)


@cache
def counts() -> Counts:
    """The shipped table, read once."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return read(file)
