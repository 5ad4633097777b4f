"""Where in the picture did the network find its answer: one function a method, one row a method.

Every method gets the activation [C, h, w] of the chosen layer and the gradient [C, h, w] of the class
score with respect to it, and gives a map [h, w] at layer resolution: non-negative, not normalised.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor


def grad_cam(activation: Tensor, gradient: Tensor) -> Tensor:
    """relu(sum_c w_c A_c), with w_c the gradient's mean over the positions.

    Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391
    """
    weights = gradient.mean(dim=(1, 2), keepdim=True)
    return (weights * activation).sum(dim=0).relu()


def hires_cam(activation: Tensor, gradient: Tensor) -> Tensor:
    """relu(sum_c g_c A_c) position by position: no averaging, so it cannot point where no evidence is.

    Draelos and Carin 2020, https://arxiv.org/abs/2011.08891
    """
    return (gradient * activation).sum(dim=0).relu()


def layer_cam(activation: Tensor, gradient: Tensor) -> Tensor:
    """relu(sum_c relu(g_c) A_c): positive gradients only, made for the finer maps of early layers.

    Jiang et al. 2021, https://doi.org/10.1109/TIP.2021.3089943
    """
    return (gradient.relu() * activation).sum(dim=0).relu()


STRENGTH = "Activation strength"
"""In place of a method where there is no class score: an embedding's network says only where it is moved."""


def strength(activation: Tensor) -> Tensor:
    """Root mean square over the channels, [C, h, w] -> [h, w]; scaled first, so that no square overflows."""
    largest = activation.abs().max().clamp(min=torch.finfo(activation.dtype).tiny)
    return largest * (activation / largest).square().mean(dim=0).sqrt()


METHODS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = MappingProxyType(
    {
        "Grad-CAM": grad_cam,
        "HiResCAM": hires_cam,
        "LayerCAM": layer_cam,
    }
)
