"""Whether numbers laid open are the network's: random cells of random layers of ten networks.

    python benchmarks/arithmetic.py [--cells 100] [--names torchvision:resnet18 ...]

Random weights but for the network in the box, and statistics of the norms drawn at random, so that none of
them is a plain copy. Prints, for each network, how many cells were opened down to what gathers, how many are
a number alone and why, and the largest difference as a share of the largest number of the layer. Ends with 1
where a number is alone or differs by more than 1e-4.
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch
from torch import nn

from explorer import networks
from explorer.inference import SAMPLES, decode, layers
from explorer.inference.arithmetic import Given, lay_open

NAMES = (
    "torchvision:resnet18",
    "torchvision:vgg16",
    "torchvision:googlenet",
    "torchvision:densenet121",
    "torchvision:mobilenet_v2",
    "torchvision:mobilenet_v3_large",
    "box:tf_efficientnet_lite0",
    "timm:convnext_tiny",
    "torchvision:swin_t",
    "timm:vit_small_patch16_224",
)
CELLS_A_LAYER = 5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--cells", type=int, default=100, help="of each network")
    parser.add_argument("--names", nargs="+", default=NAMES, help="weights, or networks to fill at random")
    given = parser.parse_args()
    image = decode(SAMPLES["chelsea"].load())
    failed = 0
    for name in given.names:
        torch.manual_seed(0)
        trained = name.startswith(("box:", "zoo:"))
        network = networks.load(name if trained else f"random:{name}")
        if not trained:
            shaken(network.model)
        failed += walked(name, network, image, given.cells)
    return int(failed > 0)


def walked(name: str, network: networks.Network, image, cells: int) -> int:
    """Cells that are not what they should be."""
    draw = np.random.default_rng(0)
    paths = layers(network)
    chosen = draw.choice(len(paths), -(-cells // CELLS_A_LAYER))
    alone: Counter[str] = Counter()
    apart, opened, passes, each = [], 0, [], []
    for path in (paths[at] for at in chosen):
        begun = time.perf_counter()
        board = lay_open(network, image, path)
        passes.append(time.perf_counter() - begun)
        scale = float(np.abs(board.maps).max()) or 1.0
        for at in draw.choice(board.maps.size, CELLS_A_LAYER):
            begun = time.perf_counter()
            cell = board.cell(*(int(side) for side in np.unravel_index(at, board.maps.shape)))
            each.append(time.perf_counter() - begun)
            if cell.known:
                opened += 1
                apart.append(abs(cell.value - cell.captured) / scale)
            else:
                alone[f"{path}: {cell.steps[0].words}"] += 1
            if cell.known and isinstance(cell.steps[0], Given):
                alone[f"{path} begins with: {cell.steps[0].words}"] += 0
    wrong = sum(alone.values()) + sum(difference > 1e-4 for difference in apart)
    print(
        f"{name:32} {opened:4} opened, {sum(alone.values())} alone, "
        f"at most {max(apart, default=0):.1e} apart; "
        f"a layer {1000 * float(np.median(passes)):.0f} ms, a cell {1000 * float(np.median(each)):.1f} ms"
    )
    for why, times in alone.items():
        print(f"    {why}" + (f" ({times})" if times else ""))
    return wrong


def shaken(model: nn.Module) -> None:
    """Statistics, scales and shifts away from 0 and 1."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, 0, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
        if isinstance(module, nn.BatchNorm2d | nn.LayerNorm):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.1)


if __name__ == "__main__":
    sys.exit(main())
