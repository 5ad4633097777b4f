"""The theoretical field put to the test: which pixels have any influence on a unit at all.

The gradient of a real network may vanish inside the field by chance: weights of both signs cancel, a ReLU is
off, a maximum follows one pixel only. So a copy of the network is measured in which nothing can cancel.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from explorer.inference.spatial import SpatialLayer
from explorer.labs.receptive_field.effective import unit_values
from explorer.labs.receptive_field.theory import Unit

Extent = tuple[tuple[int, int], tuple[int, int]]  # (first, last) row, (first, last) column

_NORMS = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm, nn.LocalResponseNorm)
_SATURATING = (nn.Hardtanh, nn.Sigmoid, nn.Hardsigmoid, nn.Tanh)


def all_positive(model: nn.Module, without: tuple[type[nn.Module], ...] = ()) -> nn.Module:
    """A float64 copy of the network, windows and wiring unchanged, through which influence only adds up.

    Every convolution and linear layer takes the mean of what it reads, so nothing overflows. A maximum
    becomes the mean of the same window: it could follow any of its pixels. Norms at inference and activations
    work place by place and widen nothing: norms and those that saturate become the identity; the others let
    positive numbers through. `without`: types that become the identity too, such as gates that see
    everything, when the local field beside them is in question.
    """
    positive = copy.deepcopy(model).double().eval()
    for parameter in positive.parameters():
        parameter.data.fill_(1.0)  # layer scales among them
    for parent in list(positive.modules()):
        for name, child in list(parent.named_children()):
            replaced = _additive(child, without)
            if replaced is not child:
                setattr(parent, name, replaced)
    return positive.requires_grad_(False)


def _additive(module: nn.Module, without: tuple[type[nn.Module], ...]) -> nn.Module:
    if isinstance(module, (*_NORMS, *_SATURATING, *without)):
        return nn.Identity()
    if isinstance(module, nn.MaxPool2d):
        return nn.AvgPool2d(module.kernel_size, module.stride, module.padding, module.ceil_mode)
    if isinstance(module, (nn.Conv2d, nn.Linear)):
        module.weight.data.fill_(1 / module.weight[0].numel())
        if module.bias is not None:
            module.bias.data.zero_()
    return module


def support(
    positive: nn.Module, shape: tuple[int, int, int], layer: SpatialLayer, unit: Unit
) -> Extent | None:
    """First and last row and column of the input [C, H, W] on which a unit depends; None for no pixel.

    positive: from `all_positive`.
    """
    influence = influence_on(positive, shape, layer, unit)
    rows, columns = (influence.sum(axis).nonzero().flatten().tolist() for axis in (1, 0))
    return ((rows[0], rows[-1]), (columns[0], columns[-1])) if rows else None


def influence_on(positive: nn.Module, shape: tuple[int, int, int], layer: SpatialLayer, unit: Unit) -> Tensor:
    """[H, W]: the sum over channels and colours of dy_c / dx at an image of ones."""
    with torch.enable_grad():
        x = torch.ones(1, *shape, dtype=torch.float64, requires_grad=True)
        (gradient,) = torch.autograd.grad(unit_values(positive, x, layer, unit).sum(), x)
    return gradient[0].abs().sum(0)
