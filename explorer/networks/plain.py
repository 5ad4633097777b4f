"""Plain-34: ResNet-34 with its shortcuts cut (He et al. 2015, https://arxiv.org/abs/1512.03385, figure 3).

The paper prints 3.6 x 10^9 multiply-adds for it. It prints no parameter count; the residual twin with
identity shortcuts (option A) has as many, which is torchvision's ResNet-34 less its three projections.
"""

from torch import Tensor, nn

from explorer.networks.initialising import he_normal

STAGES: tuple[tuple[int, int], ...] = ((64, 3), (128, 4), (256, 6), (512, 3))


def _convolution(in_channels: int, channels: int, kernel: int, stride: int) -> list[nn.Module]:
    return [
        nn.Conv2d(in_channels, channels, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
    ]


class PlainBlock(nn.Sequential):
    """Two 3x3 convolutions, each with batch norm and ReLU: a basic block without its shortcut."""

    def __init__(self, in_channels: int, channels: int, stride: int):
        super().__init__(
            *_convolution(in_channels, channels, 3, stride), *_convolution(channels, channels, 3, 1)
        )


class Plain34(nn.Module):
    """34 weighted layers in a chain: [N, 3, 224, 224] -> [N, classes]."""

    def __init__(self, classes: int = 1000):
        super().__init__()
        self.stem = nn.Sequential(*_convolution(3, 64, 7, 2), nn.MaxPool2d(3, 2, 1))
        stages: list[nn.Module] = []
        in_channels = 64
        for index, (channels, blocks) in enumerate(STAGES):
            first = PlainBlock(in_channels, channels, 1 if index == 0 else 2)
            stages.append(
                nn.Sequential(first, *(PlainBlock(channels, channels, 1) for _ in range(blocks - 1)))
            )
            in_channels = channels
        self.stages = nn.Sequential(*stages)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(in_channels, classes)
        self.apply(he_normal)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.avgpool(self.stages(self.stem(x))).flatten(1))


def plain34(classes: int = 1000) -> Plain34:
    """21,623,848 parameters and 3.6 G multiply-adds at 224 x 224."""
    return Plain34(classes)
