"""How the networks written here start where their papers follow He et al."""

import math

from torch import Tensor, nn


def fans(weight: Tensor, groups: int = 1, *, transposed: bool = False) -> tuple[int, int]:
    """(fan_in, fan_out) of a linear layer or convolution: what one output is summed from, and how many
    outputs one input goes into, strides left aside. 16 x 3 x 3 = 144 for a 3x3 of 16 channels, 9 for a
    depthwise one.

    weight: [out, in / groups, ...], of a transposed convolution [in, out / groups, ...]. He et al. 2015 count
    the connections that there are, as timm does in its EfficientNets; `torch.nn.init` sees the tensor alone
    and takes the channels of all groups for fan_out.
    """
    area = math.prod(weight.shape[2:])
    first, second = weight.shape[0] // groups * area, weight.shape[1] * area
    return (first, second) if transposed else (second, first)


def he_normal(module: nn.Module) -> None:
    """For `network.apply`: a convolution's weights get standard deviation sqrt(2 / fan_out), all else stays.

    He et al. 2015, https://arxiv.org/abs/1502.01852, section 2.2, backward case.
    """
    if isinstance(module, nn.modules.conv._ConvNd):
        _, fan_out = fans(module.weight, module.groups, transposed=module.transposed)
        nn.init.normal_(module.weight, 0, nn.init.calculate_gain("relu") / math.sqrt(fan_out))
