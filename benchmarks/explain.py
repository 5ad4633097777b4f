"""What an explanation costs beside a bare forward pass, and what two established packages take for it.

    python benchmarks/explain.py [--rounds 30] [--threads N]

"The same work" is: from the decoded picture to class probabilities, Grad-CAM at one layer and that layer's
feature maps, batch 1 on the CPU, random weights (time does not depend on their values). The bare pass gets
its tensor ready-made, so the preparation of the picture counts against everyone else. All take turns
within each round, so that a busy moment hits all of them; the medians of the rounds are compared.

- explain with the stages: the strongest channels of each stage are taken from the same pass.
- pytorch-grad-cam wants a gradient at the input (or at the parameters, which costs more), so its backward
  pass runs to the first layer; predictions and feature maps are taken from the same pass.
- captum: one pass for the predictions, LayerGradCam for the heatmap, LayerActivation for the feature maps,
  each a call of its public interface.
"""

import argparse
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import captum
import pytorch_grad_cam
import torch
from captum.attr import LayerActivation, LayerGradCam
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from explorer import networks
from explorer.inference import SAMPLES, decode, default_layer, explain
from explorer.inference.preprocessing import prepare
from explorer.inference.through.columns import columns
from explorer.networks import Network

NETWORKS = ("torchvision:resnet50", "torchvision:convnext_tiny", "torchvision:efficientnet_b0")
LIMIT = 1.25


def contenders(network: Network, image: Image.Image) -> dict[str, Callable[[], object]]:
    model, layer = network.model, network.model.get_submodule(default_layer(network))
    ready = prepare(image, network.input).x

    def bare():
        with torch.inference_mode():
            return model(ready)

    def ours():
        return explain(network, image)

    along = columns(network)

    def through():
        return explain(network, image, along=along)

    def with_pytorch_grad_cam():
        with pytorch_grad_cam.GradCAM(model, [layer]) as cam:
            heatmap = cam(prepare(image, network.input).x.requires_grad_(), targets=None)  # the top class
            probabilities = cam.outputs.detach().softmax(1).topk(5)
            return heatmap, probabilities, cam.activations_and_grads.activations[0].numpy()

    def with_captum():
        x = prepare(image, network.input).x
        with torch.inference_mode():
            probabilities = model(x).softmax(1).topk(5)
        x.requires_grad_()
        target = int(probabilities.indices[0, 0])
        cam = LayerGradCam(model, layer).attribute(x, target, relu_attributions=True)
        heatmap = LayerGradCam.interpolate(cam, tuple(x.shape[2:]), "bilinear")
        with torch.no_grad():
            features = LayerActivation(model, layer).attribute(x)
        return heatmap, probabilities, features.detach().numpy()

    return {
        "bare forward, inference_mode": bare,
        "explorer.inference.explain": ours,
        "explain with the stages": through,
        "pytorch-grad-cam": with_pytorch_grad_cam,
        "captum": with_captum,
    }


def medians_ms(works: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in works}
    for round_number in range(rounds + 2):
        for name, work in works.items():
            started = time.perf_counter()
            work()
            if round_number >= 2:  # the first two warm caches and allocators
                times[name].append(1000 * (time.perf_counter() - started))
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    image = decode(SAMPLES["chelsea"].load())
    print(
        f"{platform.machine()}, {arguments.threads} threads, torch {torch.__version__}, captum "
        f"{captum.__version__}, batch 1, median of {arguments.rounds} interleaved rounds\n"
    )
    met = True
    for name in NETWORKS:
        network = networks.load(f"random:{name}")
        results = medians_ms(contenders(network, image), arguments.rounds)
        bare = results["bare forward, inference_mode"]
        print(f"{name} at {network.input.image_size} px, layer {default_layer(network)}")
        for contender, median in results.items():
            print(f"  {contender:30s} {median:8.1f} ms  {median / bare:5.2f} x")
        met &= results["explorer.inference.explain"] <= LIMIT * bare
        print()
    print(f"explain within {LIMIT} x the bare pass: {'yes' if met else 'NO'}")
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
