"""Whether maps prove themselves: deletion and insertion areas over a folder of photos, beside chance.

    python benchmarks/proof.py FOLDER [--most 20] [--model box:tf_efficientnet_lite2] [--method Grad-CAM ...]

Prints, for each method, the means over the photos of the areas of its maps, of random maps and of a blob in
the middle, in how many photos it beats each, and the rank correlation with the map under random weights.
"""

import argparse
import sys
from pathlib import Path
from statistics import mean

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from explorer import networks
from explorer.inference import DoesNotApply, ImageError, decode, explain
from explorer.inference.proof import BLOB, RANDOM, THIS, Proof, prove


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--most", type=int, default=20, help="photos")
    parser.add_argument("--model", default="box:tf_efficientnet_lite2", help="id of weights")
    parser.add_argument("--method", nargs="+", default=["Grad-CAM"])
    given = parser.parse_args()
    network = networks.load(given.model)
    images = []
    for path in sorted(given.folder.iterdir()):
        try:
            images.append(decode(path.read_bytes()))
        except (ImageError, IsADirectoryError):
            continue
        if len(images) == given.most:
            break
    for method in given.method:
        proofs = []
        for image in images:
            try:
                found = explain(network, image, method=method)
            except DoesNotApply as why:
                print(f"{method}: {why}")
                break
            if not found.blank:
                proofs.append(prove(network, image, found))
        if proofs:
            report(method, proofs)


def report(method: str, proofs: list[Proof]) -> None:
    print(f"{method}, {len(proofs)} photos")
    for test, sign in (("deletion", -1), ("insertion", 1)):
        areas = [
            {name: each.area(getattr(each, test), name) for name in (THIS, RANDOM, BLOB)} for each in proofs
        ]
        means = ", ".join(f"{name} {mean(each[name] for each in areas):.3f}" for name in (THIS, RANDOM, BLOB))
        wins = {
            other: sum(sign * (each[THIS] - each[other]) > 0 for each in areas) for other in (RANDOM, BLOB)
        }
        print(f"  {test:9}  {means}; better than random in {wins[RANDOM]}, than the blob in {wins[BLOB]}")
    if alike := [each.randomised[-1][1] for each in proofs if each.randomised]:
        print(f"  rank correlation with the map under random weights: {mean(alike):.2f}")


if __name__ == "__main__":
    main()
