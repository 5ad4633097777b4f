"""LeNet-5 as its paper draws it (LeCun, Bottou, Bengio and Haffner 1998, Proc. IEEE 86(11), section II.B).

The reading taken here, where later re-tellings differ:

* C3 follows the paper's connection table (table I), so it holds 1,516 weights and not the 2,416 of a dense
  layer.
* S2 and S4 are trainable: four inputs are summed, scaled by one coefficient a map and shifted by one bias.
* Every layer up to F6 is squashed by 1.7159 tanh(2x/3).
* The output units measure squared distances to fixed codes of +1 and -1. The paper drew its codes as 7 x 12
  bitmaps of characters; other classes have no such picture, so rows of a Hadamard matrix stand in, equally
  far apart.

That is 60,000 trainable parameters, the paper's own total, and its 340,908 connections count bias and
pooling edges.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# Table I of the paper by number of inputs: 6 maps see three neighbours, 9 maps see four, one sees all six.
C3_TABLE: tuple[tuple[tuple[int, ...], ...], ...] = (
    ((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (4, 5, 0), (5, 0, 1)),
    (
        *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (3, 4, 5, 0), (4, 5, 0, 1), (5, 0, 1, 2)),
        *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)),
    ),
    ((0, 1, 2, 3, 4, 5),),
)


class ScaledTanh(nn.Module):
    """1.7159 tanh(2x/3): unit gain around the origin, outputs of +1 and -1 away from saturation (appendix
    A).
    """

    def forward(self, x: Tensor) -> Tensor:
        return 1.7159 * torch.tanh(x * (2 / 3))


class Subsampling(nn.Module):
    """Sum of 2 x 2 inputs, times one trainable coefficient a map, plus one trainable bias: [N, C, H, W] ->
    half size.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.coefficient = nn.Parameter(torch.ones(channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))
        self.mean = nn.AvgPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        return self.mean(x) * 4 * self.coefficient + self.bias


class PartialConvolution(nn.Module):
    """C3: each output map sees only the input maps that the paper's table I names.

    Maps with equally many inputs share one grouped convolution, which costs exactly the paper's weights.
    """

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv2d(sum(map(len, rows)), len(rows), 5, groups=len(rows)) for rows in C3_TABLE
        )
        for index, rows in enumerate(C3_TABLE):
            picked = torch.tensor([channel for row in rows for channel in row])
            self.register_buffer(f"picked{index}", picked, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        maps = [
            convolution(torch.index_select(x, 1, self.get_buffer(f"picked{index}")))
            for index, convolution in enumerate(self.convolutions)
        ]
        return torch.cat(maps, dim=1)


class DistanceOutput(nn.Module):
    """Euclidean radial basis units with fixed codes: minus the squared distance, so that the nearest class
    scores highest.
    """

    codes: Tensor

    def __init__(self, features: int, classes: int):
        super().__init__()
        hadamard = torch.ones(1, 1)
        while hadamard.shape[0] < max(features, classes + 1):
            hadamard = torch.cat([torch.cat([hadamard, hadamard], 1), torch.cat([hadamard, -hadamard], 1)])
        # Row 0 is constant, so the classes start at row 1.
        self.register_buffer("codes", hadamard[1 : classes + 1, :features].contiguous(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return 2 * F.linear(x, self.codes) - x.square().sum(1, keepdim=True) - x.shape[1]


class LeNet5(nn.Module):
    """[N, in_channels, 32, 32] -> [N, classes]; the paper's input is one grey channel."""

    def __init__(self, in_channels: int = 1, classes: int = 10):
        super().__init__()
        self.c1 = nn.Conv2d(in_channels, 6, 5)
        self.squash1 = ScaledTanh()
        self.s2 = Subsampling(6)
        self.squash2 = ScaledTanh()
        self.c3 = PartialConvolution()
        self.squash3 = ScaledTanh()
        self.s4 = Subsampling(16)
        self.squash4 = ScaledTanh()
        self.c5 = nn.Conv2d(16, 120, 5)
        self.squash5 = ScaledTanh()
        self.f6 = nn.Linear(120, 84)
        self.squash6 = ScaledTanh()
        self.output = DistanceOutput(84, classes)
        self._initialise()

    def _initialise(self) -> None:
        """LeCun's normal initialisation, standard deviation 1 / sqrt(fan-in); a sum of four equals starts
        at unit gain.
        """
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                fan_in = module.weight[0].numel()
                nn.init.normal_(module.weight, std=fan_in**-0.5)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, Subsampling):
                nn.init.constant_(module.coefficient, 0.5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.squash2(self.s2(self.squash1(self.c1(x))))
        x = self.squash4(self.s4(self.squash3(self.c3(x))))
        x = self.squash5(self.c5(x)).flatten(1)
        return self.output(self.squash6(self.f6(x)))


def lenet5(in_channels: int = 1, classes: int = 10) -> LeNet5:
    """60,000 trainable parameters with the paper's one grey channel; 300 more with three colours."""
    return LeNet5(in_channels, classes)
