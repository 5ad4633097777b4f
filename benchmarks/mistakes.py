"""What each common mistake costs over many photos, and how long the two labs take.

    EXPLORER_WEIGHTS=FOLDER python benchmarks/mistakes.py PHOTOS [--weights folder:NAME] [--threads N]

PHOTOS: a folder of JPEG files whose names end in the class, as n02123394_Persian_cat.JPEG. Top-1 is counted
by class name, so two classes of one name count as one. Mistakes whose outputs are no probabilities of the
same list are left out.
"""

import argparse
import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from explorer import networks
from explorer.inference import decode
from explorer.labs.inductive_bias import shifts
from explorer.labs.mistakes import runs as mistaken_runs
from explorer.labs.mistakes.comparing import MISTAKES, overview
from explorer.networks import Network


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", type=Path)
    parser.add_argument("--weights", default="folder:mobilenetv2_100.coral_in1k")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    network = networks.load(given.weights)
    accuracy(network, sorted(given.photos.glob("*.JPEG")))
    seconds(network, next(iter(sorted(given.photos.glob("*.JPEG")))))


def accuracy(network: Network, photos: list[Path]) -> None:
    """Top-1 and the mean probability of the true class, right and with each mistake."""
    runs = {"done right": mistaken_runs.right}
    runs |= {mistake.title: mistake.run for mistake in MISTAKES.values() if mistake.shares}
    hits, shares = dict.fromkeys(runs, 0), dict.fromkeys(runs, 0.0)
    for photo in photos:
        name = photo.stem.partition("_")[2].replace("_", " ").lower()
        image = decode(photo.read_bytes())
        for title, run in runs.items():
            found = run(network, image)
            true = [index for index, label in enumerate(found.labels) if label.lower() == name]
            if not found.failure:
                hits[title] += found.top in true
                shares[title] += float(found.values[true].sum())
    print(f"{network.weights.id}, {len(photos)} photos")
    for title in runs:
        print(f"{title:32} top-1 {hits[title]:3}   true class {shares[title] / len(photos):6.1%}")


def seconds(network: Network, photo: Path) -> None:
    """Wall time of the overview of all mistakes and of a sweep of shifts, once each after a first pass."""
    image = decode(photo.read_bytes())
    place = shifts.places(network)
    layer = place[shifts.place_to_start(place)]
    mistaken_runs.right(network, image)
    started = time.perf_counter()
    overview(network, image)
    between = time.perf_counter()
    shifts.sweep(network, shifts.scene(image, network.input), layer)
    print(f"threads {torch.get_num_threads()}: all mistakes {between - started:.2f} s", end=", ")
    print(f"sweep of {len(shifts.shifts(network.input))} shifts {time.perf_counter() - between:.2f} s")


if __name__ == "__main__":
    main()
