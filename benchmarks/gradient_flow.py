"""What a gradient-flow run of the lab takes: 100 layers, three seeds, on one core of those there are.

    python benchmarks/gradient_flow.py [--depth 100] [--width 16] [--rounds 5]

A run is what the page does for one curve: three convolutional networks (a 3x3 stem, `depth` 3x3 convolutions
of 16 channels at 8 x 8 pixels, a linear head) are built, a batch of 4 pictures goes forward and back through
each in double precision, and the sizes of gradients and activations are taken at every layer. Wall time,
median and slowest of the rounds after one that warms up, with the load of the machine beside it.
"""

import argparse
import os
import platform
import statistics
import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from explorer.labs.gradients import flow, paths, random_networks
from explorer.labs.gradients.random_networks import Design

LIMIT_S = 3.0
SEEDS = (0, 1, 2)


def designs(depth: int, width: int) -> dict[str, Design]:
    return {
        "no skip": Design(depth, width),
        "no skip, batch norm": Design(depth, width, norm="batch"),
        "no skip, sigmoid": Design(depth, width, activation="sigmoid"),
        "no skip, orthogonal": Design(depth, width, initialisation="orthogonal"),
        "ResNet v1, batch norm": Design(depth, width, norm="batch", skip="ResNet v1"),
        "ResNet v2, layer norm": Design(depth, width, norm="layer", skip="ResNet v2"),
        "ResNet v2, GELU, Fixup": Design(depth, width, "GELU", "Fixup", skip="ResNet v2"),
    }


def timed(work, rounds: int) -> list[float]:
    work()
    found = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--depth", type=int, default=100)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    print(
        f"{platform.processor() or platform.machine()}, 1 of {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f}, torch {torch.__version__}"
    )
    print(
        f"{len(SEEDS)} seeds, {arguments.depth} convolutions of {arguments.width} channels, "
        f"{random_networks.PICTURES} pictures of {random_networks.SIDE} x {random_networks.SIDE}, float64"
    )
    slowest = 0.0
    for name, design in designs(arguments.depth, arguments.width).items():
        times = timed(lambda design=design: flow.measure(design, SEEDS), arguments.rounds)
        slowest = max(slowest, statistics.median(times))
        print(f"{name:26} median {statistics.median(times):5.2f} s, slowest {max(times):5.2f} s")
    half = Design(min(arguments.depth, 50), arguments.width, norm="batch", skip="ResNet v2")
    for name, work in {
        f"Jacobians, {half.depth} layers": lambda: flow.jacobians(half),
        f"paths, {half.depth} layers": lambda: paths.measure(*paths.random_steps(half)),
    }.items():
        print(f"{name:26} median {statistics.median(timed(work, 2)):5.2f} s")
    print(f"slowest median {slowest:.2f} s, limit {LIMIT_S} s: {'kept' if slowest < LIMIT_S else 'missed'}")
    return int(slowest >= LIMIT_S)


if __name__ == "__main__":
    sys.exit(main())
