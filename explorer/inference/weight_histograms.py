"""How the learned numbers of a layer are spread."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

_AT_A_TIME = 1 << 23  # torch counts in float32, which is exact up to 16.7 million a bin


@dataclass(frozen=True, eq=False)
class WeightHistogram:
    """One parameter of a layer. counts: int64 [bins]; edges: float32 [bins + 1], equally wide bins from the
    smallest to the largest value. Numbers that are not finite are in `not_finite` and in nothing else."""

    parameter: str
    shape: tuple[int, ...]
    counts: np.ndarray
    edges: np.ndarray
    mean: float
    deviation: float
    zeros: int
    not_finite: int = 0


def weight_histograms(model: nn.Module, layer: str, bins: int = 61) -> tuple[WeightHistogram, ...]:
    """Of the parameters that belong to the module at this dotted path itself, the weight first.

    Empty where it has none of its own. Raises ValueError where there is no such module.
    """
    try:
        module = model.get_submodule(layer)
    except AttributeError as error:
        raise ValueError(f"{layer!r} is not a layer of {type(model).__name__}") from error
    named = sorted(module.named_parameters(recurse=False), key=lambda pair: pair[0] != "weight")
    return tuple(_histogram(name, parameter, bins) for name, parameter in named if parameter.numel())


@torch.no_grad()
def _histogram(name: str, parameter: Tensor, bins: int) -> WeightHistogram:
    every = parameter.detach().flatten().float()
    low, high = (float(bound) for bound in every.aminmax())
    values = every
    if not (math.isfinite(low) and math.isfinite(high)):  # picking them out costs more than all the rest
        values = every[every.isfinite()]
        low, high = (float(values.min()), float(values.max())) if values.numel() else (0.0, 0.0)
    if low == high:  # a norm that was never trained: all ones
        low, high = low - 0.5, high + 0.5
    counts = torch.zeros(bins, dtype=torch.int64)
    for part in values.split(_AT_A_TIME):
        counts += torch.histc(part, bins, low, high).to("cpu", torch.int64)
    edges = np.linspace(low, high, bins + 1, dtype=np.float32)
    array = counts.numpy()
    for each in (array, edges):
        each.flags.writeable = False
    return WeightHistogram(
        parameter=name,
        shape=tuple(parameter.shape),
        counts=array,
        edges=edges,
        mean=float(values.mean()) if values.numel() else 0.0,
        deviation=float(values.std(correction=0)) if values.numel() else 0.0,
        zeros=values.numel() - int(values.count_nonzero()),
        not_finite=every.numel() - values.numel(),
    )
