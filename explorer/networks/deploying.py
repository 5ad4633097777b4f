"""The form in which a network is deployed, where it is trained in another.

RepVGG and its kin train several branches beside each other whose sum is one convolution (Ding et al. 2021,
https://arxiv.org/abs/2101.03697); LeViT and others train a batch norm behind each linear map, which is linear
too. Their modules know how to become the one layer that computes the same. The library's own code does it:
`timm.models.reparameterize_model` walks the modules and asks each.
"""

import torch
from timm.models import reparameterize_model
from torch import nn

# What timm's walk asks a module for.
_OWN_WAYS = ("fuse", "reparameterize", "switch_to_deploy")


def is_fusible(model: nn.Module) -> bool:
    """Whether any module inside has a method that brings it into another form that computes the same."""
    inside = {type(module) for name, module in model.named_modules() if name}
    return any(hasattr(kind, way) for kind in inside for way in _OWN_WAYS)


def deployed(model: nn.Module) -> nn.Module:
    """A copy in the deployed form and in evaluation mode, on the device where the model lies.

    Whatever the modules raise passes through: not every setting of every network is foreseen by them.
    """
    device = next((each.device for each in model.parameters()), torch.device("cpu"))
    with torch.no_grad(), device:  # the fused layers are made where torch makes layers
        return reparameterize_model(model.eval()).eval()
