"""ShuffleNet V1 (Zhang et al. 2017, https://arxiv.org/abs/1707.01083, figure 2 and table 1).

The paper's complexity row counts multiply-adds and calls them FLOPs: 137 M for three groups, between 133 M
and 143 M for the other numbers of groups, "140 MFLOPs" in its text. It prints no parameter count.
"""

from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn

from explorer.networks.initialising import he_normal

# Table 1: channels of stage 2 by number of groups; stages 3 and 4 double them.
STAGE2_CHANNELS: Mapping[int, int] = MappingProxyType({1: 144, 2: 200, 3: 240, 4: 272, 8: 384})
STAGE_UNITS = (4, 8, 4)
STEM_CHANNELS = 24


class ChannelShuffle(nn.Module):
    """Deals the channels of each group out over all groups: [N, C, H, W] -> the same shape, no parameters."""

    def __init__(self, groups: int):
        super().__init__()
        self.groups = groups

    def forward(self, x: Tensor) -> Tensor:
        N, C, H, W = x.shape
        return x.reshape(N, self.groups, C // self.groups, H, W).transpose(1, 2).reshape(N, C, H, W)


class ShuffleUnit(nn.Module):
    """1x1 grouped, shuffle, 3x3 depthwise, 1x1 grouped; added to the input, or put beside its pooled copy.

    The bottleneck has a quarter of the output's channels. No ReLU follows the depthwise convolution.
    """

    def __init__(self, in_channels: int, channels: int, stride: int, groups: int, first_groups: int):
        super().__init__()
        bottleneck = channels // 4
        # At stride 2 the pooled input supplies its own channels of the output.
        branch = channels - in_channels if stride == 2 else channels
        self.reduce = nn.Conv2d(in_channels, bottleneck, 1, groups=first_groups, bias=False)
        self.bn1 = nn.BatchNorm2d(bottleneck)
        self.relu1 = nn.ReLU()
        self.shuffle = ChannelShuffle(groups)
        self.depthwise = nn.Conv2d(bottleneck, bottleneck, 3, stride, 1, groups=bottleneck, bias=False)
        self.bn2 = nn.BatchNorm2d(bottleneck)
        self.expand = nn.Conv2d(bottleneck, branch, 1, groups=groups, bias=False)
        self.bn3 = nn.BatchNorm2d(branch)
        self.pool = nn.AvgPool2d(3, 2, 1) if stride == 2 else None
        self.relu2 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        out = self.shuffle(self.relu1(self.bn1(self.reduce(x))))
        out = self.bn3(self.expand(self.bn2(self.depthwise(out))))
        return self.relu2(x + out if self.pool is None else torch.cat([self.pool(x), out], 1))


class ShuffleNetV1(nn.Module):
    """[N, 3, 224, 224] -> [N, classes]."""

    def __init__(self, groups: int = 3, classes: int = 1000):
        super().__init__()
        if groups not in STAGE2_CHANNELS:
            raise ValueError(
                f"{groups} groups are not in the paper's table; try one of {list(STAGE2_CHANNELS)}"
            )
        self.conv1 = nn.Conv2d(3, STEM_CHANNELS, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(STEM_CHANNELS)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        stages: list[nn.Module] = []
        in_channels, channels = STEM_CHANNELS, STAGE2_CHANNELS[groups]
        for units in STAGE_UNITS:
            # Section 3.2: no groups on the very first 1x1, its input has too few channels.
            first_groups = 1 if in_channels == STEM_CHANNELS else groups
            first = ShuffleUnit(in_channels, channels, 2, groups, first_groups)
            rest = (ShuffleUnit(channels, channels, 1, groups, groups) for _ in range(units - 1))
            stages.append(nn.Sequential(first, *rest))
            in_channels, channels = channels, channels * 2
        self.stages = nn.Sequential(*stages)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(in_channels, classes)
        self.apply(he_normal)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        return self.fc(self.avgpool(self.stages(x)).flatten(1))


def shufflenet_v1(classes: int = 1000) -> ShuffleNetV1:
    """Width 1x with three groups."""
    return ShuffleNetV1(3, classes)
