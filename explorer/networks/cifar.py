"""Networks for 32 x 32 pictures: the plain and residual pairs of He et al. 2015, and small takes on VGG and
ConvNeXt.

The residual family is layer-exact to section 4.2 of https://arxiv.org/abs/1512.03385 and states its counts
there (0.27 M for 20 layers, 0.85 M for 56). VGG and ConvNeXt never had a 32 x 32 version in their papers;
the small ones here keep the papers' block and rhythm at a width two laptop cores can train.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from explorer.networks.initialising import he_normal
from explorer.networks.lenet import lenet5


class PadShortcut(nn.Module):
    """Option A of He et al.: every second pixel, new channels filled with zeros, no parameters."""

    def __init__(self, new_channels: int):
        super().__init__()
        self.before = new_channels // 2
        self.after = new_channels - self.before

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.before, self.after))


class CifarBlock(nn.Module):
    """Two 3x3 convolutions with batch norm; `residual` adds the input back, its plain twin does not."""

    def __init__(self, in_channels: int, channels: int, stride: int, residual: bool):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.relu2 = nn.ReLU()
        self.shortcut: nn.Module | None = None
        if residual:
            self.shortcut = nn.Identity() if stride == 1 else PadShortcut(channels - in_channels)

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x)))))
        if self.shortcut is not None:
            out = out + self.shortcut(x)
        return self.relu2(out)


class CifarResNet(nn.Module):
    """6n + 2 weighted layers: a 3x3 stem, three stages of n blocks with 16, 32, 64 channels, global pool,
    one linear.

    [N, 3, 32, 32] -> [N, classes]. Initialised as He et al. 2015, https://arxiv.org/abs/1502.01852.
    """

    def __init__(self, depth: int, residual: bool, classes: int = 10, in_channels: int = 3):
        super().__init__()
        blocks, rest = divmod(depth - 2, 6)
        if rest or blocks < 1:
            raise ValueError(f"depth {depth} is not 6n + 2; try one of 8, 14, 20, 32, 44, 56, 110")
        self.conv1 = nn.Conv2d(in_channels, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.relu = nn.ReLU()
        self.layer1 = self._stage(16, 16, blocks, 1, residual)
        self.layer2 = self._stage(16, 32, blocks, 2, residual)
        self.layer3 = self._stage(32, 64, blocks, 2, residual)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(64, classes)
        self.apply(he_normal)

    @staticmethod
    def _stage(in_channels: int, channels: int, blocks: int, stride: int, residual: bool) -> nn.Sequential:
        first = CifarBlock(in_channels, channels, stride, residual)
        return nn.Sequential(first, *(CifarBlock(channels, channels, 1, residual) for _ in range(blocks - 1)))

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(self.avgpool(x).flatten(1))


class SmallVGG(nn.Module):
    """VGG's rhythm at 32 x 32: pairs of 3x3 convolutions, a max pool after each pair, fully connected
    layers on top.

    [N, 3, 32, 32] -> [N, classes]. Batch norm as in the -BN variants of VGG; the rest after Simonyan and
    Zisserman 2014, https://arxiv.org/abs/1409.1556.
    """

    def __init__(
        self,
        widths: tuple[int, ...] = (32, 64, 128),
        hidden: int = 256,
        classes: int = 10,
        in_channels: int = 3,
        dropout: float = 0.3,
    ):
        super().__init__()
        layers: list[nn.Module] = []
        channels = in_channels
        for width in widths:
            for _ in range(2):
                layers += [nn.Conv2d(channels, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
                channels = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(channels * (32 >> len(widths)) ** 2, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, classes),
        )
        self.apply(he_normal)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x))


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of each pixel: [N, C, H, W] -> the same."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ConvNeXtBlock(nn.Module):
    """7x7 depthwise, layer norm, four times wider and back with GELU between, layer scale, and the input
    added back.

    Liu et al. 2022, https://arxiv.org/abs/2201.03545, figure 4.
    """

    def __init__(self, channels: int, layer_scale: float):
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.expand = nn.Linear(channels, 4 * channels)
        self.gelu = nn.GELU()
        self.project = nn.Linear(4 * channels, channels)
        self.layer_scale = nn.Parameter(torch.full((channels,), layer_scale))

    def forward(self, x: Tensor) -> Tensor:
        out = self.depthwise(x).permute(0, 2, 3, 1)
        out = self.project(self.gelu(self.expand(self.norm(out))))
        return x + (out * self.layer_scale).permute(0, 3, 1, 2)


class SmallConvNeXt(nn.Module):
    """ConvNeXt with a 2x2 patchify stem in place of 4x4, so that 32 x 32 leaves 16 x 16 for the first stage.

    [N, 3, 32, 32] -> [N, classes]. `layer_scale` starts at 0.1: the paper's 1e-6 is meant for 300 epochs.
    """

    def __init__(
        self,
        widths: tuple[int, ...] = (48, 96, 192),
        depths: tuple[int, ...] = (2, 2, 2),
        classes: int = 10,
        in_channels: int = 3,
        layer_scale: float = 0.1,
    ):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(in_channels, widths[0], 2, 2), ChannelNorm(widths[0], eps=1e-6))
        stages: list[nn.Module] = []
        channels = widths[0]
        for width, depth in zip(widths, depths, strict=True):
            blocks: list[nn.Module] = [ConvNeXtBlock(width, layer_scale) for _ in range(depth)]
            if width != channels:
                blocks = [ChannelNorm(channels, eps=1e-6), nn.Conv2d(channels, width, 2, 2), *blocks]
            stages.append(nn.Sequential(*blocks))
            channels = width
        self.stages = nn.Sequential(*stages)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.head = nn.Linear(channels, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stages(self.stem(x))
        return self.head(self.norm(self.avgpool(x).flatten(1)))


def plain20(classes: int = 10, in_channels: int = 3) -> CifarResNet:
    """ResNet-20 without its shortcuts; option A has no weights, so both count 269,722 parameters."""
    return CifarResNet(20, False, classes, in_channels)


def plain56(classes: int = 10, in_channels: int = 3) -> CifarResNet:
    """ResNet-56 without its shortcuts: 853,018 parameters."""
    return CifarResNet(56, False, classes, in_channels)


def resnet20(classes: int = 10, in_channels: int = 3) -> CifarResNet:
    """269,722 parameters; He et al. 2015, table 6, print 0.27 M."""
    return CifarResNet(20, True, classes, in_channels)


def resnet56(classes: int = 10, in_channels: int = 3) -> CifarResNet:
    """853,018 parameters; He et al. 2015, table 6, print 0.85 M."""
    return CifarResNet(56, True, classes, in_channels)


def vgg_small(classes: int = 10, in_channels: int = 3) -> SmallVGG:
    """Six convolutions and two fully connected layers, which hold more than half of the parameters, as in
    VGG.
    """
    return SmallVGG(classes=classes, in_channels=in_channels)


def convnext_cifar(classes: int = 10, in_channels: int = 3) -> SmallConvNeXt:
    """Three stages of two ConvNeXt blocks with 48, 96 and 192 channels."""
    return SmallConvNeXt(classes=classes, in_channels=in_channels)


BUILDERS: Mapping[str, Callable[..., nn.Module]] = MappingProxyType(
    {
        "lenet5": lenet5,
        "plain20": plain20,
        "plain56": plain56,
        "resnet20": resnet20,
        "resnet56": resnet56,
        "vgg_small": vgg_small,
        "convnext_cifar": convnext_cifar,
    }
)
