"""The pointing game (Zhang et al. 2018): does a map's strongest point lie on the thing?

    python benchmarks/pointing.py FOLDER [--model box:tf_efficientnet_lite2] [--method Grad-CAM ...]

A hit is a point in the thing's box or at most 15 pixels from it, as in the paper; the boxes stand in
pointing_boxes.toml. The class is the photo's own, found among the network's labels by its name. Beside it the
centre of the picture, which photographers aim at the thing; "small" are boxes of less than a quarter of it.
"""

import argparse
import sys
import tomllib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from explorer import networks
from explorer.inference import decode, explain

Box = tuple[float, float, float, float]
NEAR = 15  # pixels
BOXES = tomllib.loads((Path(__file__).parent / "pointing_boxes.toml").read_text("utf-8"))
CENTRE = "centre of the picture"


def is_hit(point: tuple[float, float], box: Box, size: tuple[int, int]) -> bool:
    left, top, right, bottom = box
    near_x, near_y = (NEAR / side for side in size)
    return left - near_x <= point[0] <= right + near_x and top - near_y <= point[1] <= bottom + near_y


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="box:tf_efficientnet_lite2", help="id of weights")
    parser.add_argument("--method", nargs="+", default=["Grad-CAM"])
    given = parser.parse_args()
    network = networks.load(given.model)
    hits: dict[str, list[tuple[bool, bool]]] = {}  # by method: whether it is small, whether it was hit
    for path in sorted(given.folder.iterdir()):
        if path.stem not in BOXES:
            continue
        image, box = decode(path.read_bytes()), BOXES[path.stem]
        small = (box[2] - box[0]) * (box[3] - box[1]) < 0.25
        hits.setdefault(CENTRE, []).append((small, is_hit((0.5, 0.5), box, image.size)))
        thing = path.stem.partition("_")[2].replace("_", " ").casefold()
        classes = [index for index, label in enumerate(network.labels) if label.casefold() == thing]
        for method in given.method:
            found = explain(network, image, method=method, target=classes[0] if classes else None)
            peak = found.heatmap_peak
            hits.setdefault(method, []).append((small, peak is not None and is_hit(peak, box, image.size)))
    if not hits:
        raise SystemExit(f"none of the photos of pointing_boxes.toml lies in {given.folder}")
    for name, each in hits.items():
        small = [hit for is_small, hit in each if is_small]
        print(f"{name:24}{sum(hit for _, hit in each):3} of {len(each)}, small {sum(small)} of {len(small)}")


if __name__ == "__main__":
    main()
