"""Recipes: everything about a training run that is not the network or the data, as one frozen value."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import torch
from torch import nn


@dataclass(frozen=True)
class Recipe:
    """Learning rate: linear warm-up over `warmup` of all steps to `peak_learning_rate`, then half a cosine
    to zero.

    The first `early_share` of the epochs may see crops of `early_crop` pixels, which costs less: Touvron et
    al. 2019, https://arxiv.org/abs/1906.06423, found that networks with a global pool carry this over to
    larger pictures. `weight_decay` acts on the weights of convolutions and linear layers, never on biases
    and norms. `precision` is that of the forward pass; weights and their updates stay float32.
    """

    name: str
    optimizer: Literal["sgd", "adamw"]
    peak_learning_rate: float
    weight_decay: float
    epochs: int
    batch_size: int = 128
    momentum: float = 0.9
    warmup: float = 0.2
    label_smoothing: float = 0.0
    crop_padding: int = 4
    early_crop: int | None = None
    early_share: float = 0.0
    gradient_clip_norm: float | None = None
    precision: Literal["float32", "bfloat16"] = "float32"
    seed: int = 0


BASIC = Recipe("basic", "sgd", peak_learning_rate=0.2, weight_decay=5e-4, epochs=12)
"""SGD with Nesterov momentum and one learning-rate cycle; crop and mirror as in He et al. 2015, section
4.2.
"""

ADAMW = Recipe(
    "adamw", "adamw", peak_learning_rate=3e-3, weight_decay=0.05, epochs=12, gradient_clip_norm=1.0
)
"""For layer norm and for saturating units, which plain SGD trains slowly."""

DEGRADATION = Recipe("degradation", "sgd", peak_learning_rate=0.1, weight_decay=1e-4, epochs=8)
"""One protocol for plain and residual networks of both depths: learning rate, decay, momentum, batch and
augmentation of He et al. 2015, section 4.2, over 8 epochs with one cycle instead of 164 with two steps.
"""

RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {recipe.name: recipe for recipe in (BASIC, ADAMW, DEGRADATION)}
)


def learning_rate(recipe: Recipe, progress: float) -> float:
    """The rate after `progress` (0 to 1) of all steps."""
    if progress < recipe.warmup:
        return recipe.peak_learning_rate * progress / recipe.warmup
    after_warmup = (progress - recipe.warmup) / (1 - recipe.warmup)
    return recipe.peak_learning_rate * (1 + math.cos(math.pi * after_warmup)) / 2


def crop(recipe: Recipe, epoch: int, picture_size: int) -> tuple[int, int]:
    """Crop size and padding in pixels for an epoch counted from 0; small crops need less padding to move as
    far.
    """
    if recipe.early_crop is not None and epoch < recipe.early_share * recipe.epochs:
        return recipe.early_crop, max(recipe.crop_padding - (picture_size - recipe.early_crop) // 2, 0)
    return picture_size, recipe.crop_padding


def optimizer(recipe: Recipe, model: nn.Module) -> torch.optim.Optimizer:
    decayed = [p for p in model.parameters() if p.requires_grad and p.ndim in (2, 4)]
    free = [p for p in model.parameters() if p.requires_grad and p.ndim not in (2, 4)]
    groups = [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": free, "weight_decay": 0.0}]
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(
            groups, lr=recipe.peak_learning_rate, momentum=recipe.momentum, nesterov=recipe.momentum > 0
        )
    return torch.optim.AdamW(groups, lr=recipe.peak_learning_rate)
