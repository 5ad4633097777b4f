"""The effective receptive field: how strongly each pixel moves one unit, by the gradient over many inputs.

For a unit u with channels y_1 .. y_C and input x the strength of a pixel is the root mean square of
dy_c / dx over channels, colours and inputs. Each pass reads all channels with random signs v_c: the square of
d(sum v_c y_c) / dx has the sum of the channels' squares as its mean (Hutchinson 1989), so nothing cancels.

Luo, Li, Urtasun and Zemel 2016, https://arxiv.org/abs/1701.04128: a pixel belongs to the field where its
strength passes 1 - 95.45 % = 4.55 % of the centre's, here of the largest; the width is the root of the number
of such pixels. Beside it the square around the middle that holds 95.45 % of the energy (strength squared).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import ceil, sqrt

import numpy as np
import torch
from torch import Tensor, nn

from explorer.inference.images import decode
from explorer.inference.preprocessing import prepare
from explorer.inference.samples import SAMPLES
from explorer.inference.spatial import SpatialLayer, spatial_layers
from explorer.inference.watching import outputs_of
from explorer.labs.receptive_field.theory import Unit
from explorer.networks import InputSpec

SHARE = 0.9545  # two standard deviations of a normal distribution
MOST_PIXELS = 320  # a side: larger inputs cost seconds a pass


@dataclass(frozen=True)
class EffectiveField:
    """energy: float64 [H, W], sum over the passes of the squared gradients, summed over colours."""

    energy: np.ndarray
    passes: int
    layer: str
    unit: Unit

    @property
    def strength(self) -> np.ndarray:
        """[H, W], root mean square gradient, its largest value 1; all 0 where nothing has influence."""
        return relative_strength(self.energy)

    def plus(self, energy: np.ndarray) -> EffectiveField:
        """With one more pass."""
        return EffectiveField(self.energy + energy, self.passes + 1, self.layer, self.unit)


def relative_strength(energy: np.ndarray) -> np.ndarray:
    strength = np.sqrt(energy)
    return strength / strength.max() if strength.max() > 0 else strength


def effective_width(energy: np.ndarray) -> float:
    """Side in pixels of the square with as many pixels as pass 4.55 % of the largest strength."""
    strength = relative_strength(energy)
    return sqrt(np.count_nonzero(strength > 1 - SHARE))


def energy_side(energy: np.ndarray, share: float = SHARE) -> int:
    """Side in pixels of the smallest square around the centre of gravity that holds `share` of the energy."""
    total = energy.sum()
    if total == 0:
        return 0
    rows, columns = np.indices(energy.shape)
    row, column = (energy * rows).sum() / total, (energy * columns).sum() / total
    reach = np.maximum(np.abs(rows - row), np.abs(columns - column)).round().astype(int)
    inside = np.cumsum(np.bincount(reach.ravel(), weights=energy.ravel()))
    return 2 * int(np.searchsorted(inside, share * total)) + 1


def gradient_energy(model: nn.Module, x: Tensor, layer: SpatialLayer, unit: Unit, seed: int) -> np.ndarray:
    """One pass: squared gradient of a unit of `layer` with respect to x [1, C, H, W], summed over C: [H, W].

    The model's parameters, mode and hooks are as before when it ends, however it ends.
    """
    with torch.inference_mode(False), torch.enable_grad():
        image = x.detach().clone().requires_grad_(True)
        values = unit_values(model, image, layer, unit)
        signs = torch.randint(0, 2, values.shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1
        (gradient,) = torch.autograd.grad((values * signs.to(values)).sum(), image)
    return gradient[0].double().square().sum(0).cpu().numpy()


def unit_values(model: nn.Module, x: Tensor, layer: SpatialLayer, unit: Unit) -> Tensor:
    """The channels [C] of one unit of a layer, at the layer's last call while x goes through."""
    with outputs_of(model.get_submodule(layer.path)) as calls:
        model(x)
    return layer.to_map(calls[-1])[:, unit[0], unit[1]]


def noise(spec: InputSpec, seed: int) -> Tensor:
    """[1, C, H, W] of independent standard normal numbers, as Luo et al. feed them."""
    return torch.randn(1, *spec.shape, generator=torch.Generator().manual_seed(seed))


def photo(spec: InputSpec, seed: int) -> Tensor:
    """[1, C, H, W]: a random square of one of the sample pictures, prepared as the weights expect."""
    draw = random.Random(seed)
    picture = decode(list(SAMPLES.values())[seed % len(SAMPLES)].load())
    side = round(min(picture.size) * draw.uniform(0.4, 1))
    left, top = (draw.randint(0, extent - side) for extent in picture.size)
    cut = picture.crop((left, top, left + side, top + side))
    return prepare(cut, replace(spec, resize=spec.image_size)).x


INPUTS: Mapping[str, Callable[[InputSpec, int], Tensor]] = {"Noise": noise, "Photos": photo}


def roomy(spec: InputSpec, field: float) -> InputSpec:
    """An input at least as wide as the theoretical field, so that the map's border cuts nothing off.

    Up to MOST_PIXELS a side, in steps of 32; the network's own size where it takes no other.
    """
    if spec.fixed:
        return spec
    return spec.at(min(MOST_PIXELS, max(spec.image_size, 32 * ceil(field / 32))))


def start(model: nn.Module, spec: InputSpec, path: str = "", unit: Unit | None = None) -> EffectiveField:
    """Nothing measured yet: the layer of this path, else the last with a place; its middle unit by default.

    Raises ValueError for a path that is not a layer with a place in the image, and for an input that the
    network does not take.
    """
    try:
        layers = spatial_layers(model, spec.shape)
    except RuntimeError as error:  # a fully connected layer that waits for the places of its own size
        raise ValueError(f"the network takes no input of {spec.shape[1]} x {spec.shape[2]} pixels") from error
    layer = layers.by_path.get(path or layers.default)
    if layer is None:
        raise ValueError(f"{path!r} has no map that could be measured; try {layers.default!r}")
    middle = (layer.height // 2, layer.width // 2)
    return EffectiveField(np.zeros(spec.shape[1:]), 0, layer.path, unit or middle)


def measure(
    model: nn.Module, spec: InputSpec, so_far: EffectiveField, inputs: str = "Noise"
) -> EffectiveField:
    """One more of INPUTS through the network; the n-th pass always gives the same numbers."""
    layer = spatial_layers(model, spec.shape).by_path[so_far.layer]
    x = INPUTS[inputs](spec, so_far.passes).to(next(model.parameters()).device)
    return so_far.plus(gradient_energy(model, x, layer, so_far.unit, so_far.passes))
