"""WRN-28-10 (Zagoruyko and Komodakis 2016, https://arxiv.org/abs/1605.07146).

Layers as in table 1, norm and activation first as in figure 1d; table 4 prints 36.5 M parameters.
"""

from torch import Tensor, nn

from explorer.networks.initialising import he_normal


class WideBlock(nn.Module):
    """Norm and ReLU before each of two 3x3 convolutions, dropout between them, the input added back.

    Where the shape changes, a 1x1 convolution of the activated input takes the identity's place.
    """

    def __init__(self, in_channels: int, channels: int, stride: int, dropout: float):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(in_channels)
        self.relu1 = nn.ReLU()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.relu2 = nn.ReLU()
        self.dropout = nn.Dropout(dropout)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.projection: nn.Module | None = None
        if stride != 1 or in_channels != channels:
            self.projection = nn.Conv2d(in_channels, channels, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        activated = self.relu1(self.bn1(x))
        shortcut = x if self.projection is None else self.projection(activated)
        out = self.conv2(self.dropout(self.relu2(self.bn2(self.conv1(activated)))))
        return out + shortcut


class WideResNet(nn.Module):
    """6n + 4 layers deep, stages of 16, 32 and 64 times `width` channels: [N, 3, 32, 32] -> [N, classes]."""

    def __init__(self, depth: int, width: int, classes: int = 10, dropout: float = 0.0):
        super().__init__()
        blocks, rest = divmod(depth - 4, 6)
        if rest or blocks < 1:
            raise ValueError(f"depth {depth} is not 6n + 4; try one of 10, 16, 22, 28, 40")
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        stages: list[nn.Module] = []
        in_channels = 16
        for stride, base in ((1, 16), (2, 32), (2, 64)):
            channels = base * width
            first = WideBlock(in_channels, channels, stride, dropout)
            rest_of_stage = (WideBlock(channels, channels, 1, dropout) for _ in range(blocks - 1))
            stages.append(nn.Sequential(first, *rest_of_stage))
            in_channels = channels
        self.stages = nn.Sequential(*stages)
        self.bn = nn.BatchNorm2d(in_channels)
        self.relu = nn.ReLU()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(in_channels, classes)
        self.apply(he_normal)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.bn(self.stages(self.conv1(x))))
        return self.fc(self.avgpool(x).flatten(1))


def wrn28_10(classes: int = 10) -> WideResNet:
    """36,479,194 parameters with ten classes; the paper prints 36.5 M."""
    return WideResNet(28, 10, classes)
