"""Parameters, MACs and time of a few small networks: three numbers that do not follow one another."""

from __future__ import annotations

import platform
from dataclasses import dataclass, replace
from statistics import median
from time import perf_counter

import torch

from explorer import networks
from explorer.analysis import stats

MEASURED = ("timm:mobilenetv2_100", "timm:efficientnet_b0", "timm:resnet18")
COUNTED = "torchvision:vgg16"  # half a gigabyte: counted, not run
PASSES, WARM_UP = 7, 2


@dataclass(frozen=True)
class Cost:
    """One network at one picture of image_size pixels a side.

    linear_share, linear_macs_share: of the parameters and of the MACs, what stands in linear layers, 0-1.
    passes_ms: each timed pass in milliseconds; empty where the network was counted only.
    """

    name: str
    image_size: int
    params: int
    macs: int
    linear_share: float
    linear_macs_share: float
    passes_ms: tuple[float, ...] = ()

    @property
    def latency_ms(self) -> float | None:
        """Median over the passes."""
        return median(self.passes_ms) if self.passes_ms else None


@dataclass(frozen=True)
class Machine:
    """What the times were measured on."""

    processor: str
    threads: int
    torch: str


def machine() -> Machine:
    return Machine(platform.machine(), torch.get_num_threads(), torch.__version__.split("+")[0])


def counted(name: str, image_size: int = 224) -> Cost:
    """Parameters and MACs without weights."""
    sheet = stats(name, image_size)
    linear = [layer for layer in sheet.layers if layer.kind == "linear"]
    params, macs = sum(layer.params for layer in linear), sum(layer.macs for layer in linear)
    return Cost(name, image_size, sheet.params, sheet.macs, params / sheet.params, macs / sheet.macs)


def measured(name: str, image_size: int = 224) -> Cost:
    """`counted`, and the time of a forward pass of one picture on the CPU, weights random, float32."""
    model = networks.build(name, image_size)
    return replace(counted(name, image_size), passes_ms=passes(model, image_size))


def passes(
    model: torch.nn.Module, image_size: int, count: int = PASSES, warm_up: int = WARM_UP
) -> tuple[float, ...]:
    """Milliseconds of `count` forward passes with batch 1, after `warm_up` more that do not count."""
    x = torch.zeros(1, 3, image_size, image_size)
    taken = []
    with torch.no_grad():
        for _ in range(warm_up + count):
            started = perf_counter()
            model(x)
            taken.append(1000 * (perf_counter() - started))
    return tuple(taken[warm_up:])


def order(costs: tuple[Cost, ...], field: str) -> tuple[str, ...]:
    """Names from least to most of "params", "macs" or "latency_ms"; those without a value left out."""
    known = [cost for cost in costs if getattr(cost, field) is not None]
    return tuple(cost.name for cost in sorted(known, key=lambda cost: getattr(cost, field)))
