"""ZFNet (Zeiler and Fergus 2013, https://arxiv.org/abs/1311.2901, figure 3 and section 3).

The paper prints layer sizes and no parameter count. Those sizes fix it: 62,357,608, of which the first fully
connected layer alone holds 37.8 M. Two figures need a reading: a 7x7 kernel at stride 2 gives the printed 110
pixels only with one pixel of padding, and 55, 26, 13 and 6 follow when the pools round up.
"""

from torch import Tensor, nn


class ZFNet(nn.Module):
    """AlexNet with a 7x7 stride 2 stem and one tower: [N, 3, 224, 224] -> [N, classes], no other size."""

    def __init__(self, classes: int = 1000):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 96, 7, stride=2, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2),
            nn.Conv2d(96, 256, 5, stride=2),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2),
            nn.Conv2d(256, 384, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(384, 384, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, ceil_mode=True),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(256 * 6 * 6, 4096),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(4096, 4096),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(4096, classes),
        )
        for module in self.modules():
            # Section 3.1: all weights start at 1e-2, biases at 0; read as the standard deviation.
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.normal_(module.weight, std=1e-2)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x))


def zfnet(classes: int = 1000) -> ZFNet:
    """62,357,608 parameters: the sum over the paper's printed layer sizes."""
    return ZFNet(classes)
