"""What each method of attribution costs beside a bare forward pass, and beside an established package's.

    python benchmarks/attribution.py [--rounds 5] [--threads N] [--model ID ...]

"The same work" is: from the prepared picture to a heatmap of the likeliest class at one layer, batch 1 on the
CPU. Ours holds the preparation, the predictions and the feature maps, too. All take
turns within each round; the medians of the rounds are compared. Methods of many passes run once. Peers:
pytorch-grad-cam for those at a layer (Score-CAM and Ablation-CAM in its batches of 16 and 32), captum for
occlusion, with the same patches and steps, one of them at a time as is its default.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytorch_grad_cam
import torch
from captum.attr import Occlusion
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from explorer import networks
from explorer.inference import SAMPLES, decode, default_layer, explain
from explorer.inference.attribution.from_passes import PATCHES
from explorer.inference.preprocessing import prepare
from explorer.networks import Network

NETWORKS = ("random:torchvision:resnet18", "box:tf_efficientnet_lite0")
QUICK = {
    "Grad-CAM": pytorch_grad_cam.GradCAM,
    "Grad-CAM++": pytorch_grad_cam.GradCAMPlusPlus,
    "XGrad-CAM": pytorch_grad_cam.XGradCAM,
    "LayerCAM": pytorch_grad_cam.LayerCAM,
    "HiResCAM": pytorch_grad_cam.HiResCAM,
    "EigenCAM": pytorch_grad_cam.EigenCAM,
}
LONG = {"Score-CAM": pytorch_grad_cam.ScoreCAM, "Ablation-CAM": pytorch_grad_cam.AblationCAM}


def bare(network: Network, x: torch.Tensor) -> object:
    with torch.inference_mode():
        return network.model(x)


def at_a_layer(kind: type, network: Network, x: torch.Tensor, target: int) -> object:
    layer = network.model.get_submodule(default_layer(network))
    with kind(network.model, [layer]) as cam:
        return cam(x.clone().requires_grad_(), targets=[ClassifierOutputTarget(target)])


def occlusion(network: Network, x: torch.Tensor, target: int) -> object:
    channels, step = x.shape[1], x.shape[-1] // PATCHES
    with torch.no_grad():
        return Occlusion(network.model).attribute(
            x, (channels, 2 * step, 2 * step), strides=(channels, step, step), target=target
        )


def medians(works: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Seconds."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, work in works.items():
            started = time.perf_counter()
            work()
            if number or rounds == 1:  # the first warms caches
                times[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--model", nargs="+", default=NETWORKS, help="ids of weights")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    image = decode(SAMPLES["chelsea"].load())
    for name in given.model:
        network = networks.load(name)
        x = prepare(image, network.input).x
        target = explain(network, image).target
        assert target is not None

        one = medians({"bare": partial(bare, network, x)}, given.rounds)["bare"]
        print(f"{name}, layer {default_layer(network)}: bare {1000 * one:.1f} ms, {given.threads} threads")
        print(f"{'method':16}{'passes':>10}{'peer':>10}{'peer / ours':>14}")
        peers = {
            method: partial(at_a_layer, kind, network, x, target) for method, kind in (QUICK | LONG).items()
        }
        peers["Occlusion"] = partial(occlusion, network, x, target)
        for method, peer in peers.items():
            works = {"ours": partial(explain, network, image, method=method), "peer": peer}
            found = medians(works, given.rounds if method in QUICK else 1)
            ours, theirs = found["ours"] / one, found["peer"] / one
            print(f"{method:16}{ours:10.2f}{theirs:10.2f}{theirs / ours:14.2f}", flush=True)


if __name__ == "__main__":
    main()
