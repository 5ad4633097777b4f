"""The random convolutional networks of the gradient labs: any depth, five choices, nothing trained.

A 3x3 stem, `depth` 3x3 convolutions of one width in blocks of two, a linear head. The picture keeps its size
throughout, and its edges wrap around: zero padding would itself shrink the signal at every layer (to 0.84 at
8 x 8 pixels), and hide what is to be seen. Double precision, so that a gradient of 1e-200 is a number.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from explorer.labs.gradients.activations import ACTIVATIONS
from explorer.labs.gradients.initialisation import INITIALISATIONS, adapt_branches

PICTURES, SIDE, CLASSES = 4, 8, 10
CONVOLUTIONS_IN_BLOCK = 2
MAX_DEPTH = 200
_THREADS = torch.get_num_threads()
NORMS = ("none", "batch", "layer")
SKIPS = ("none", "ResNet v1", "ResNet v2")


@dataclass(frozen=True)
class Design:
    """depth: 3x3 convolutions between stem and head. width: channels. norm: batch statistics, or layer norm
    over all values of a picture. skip: "ResNet v1" activates after the addition (He et al. 2015), "ResNet v2"
    before each convolution, which leaves the way of the skips clean (He et al. 2016).
    """

    depth: int = 50
    width: int = 16
    activation: str = "ReLU"
    initialisation: str = "Kaiming"
    norm: str = "none"
    skip: str = "none"

    def __post_init__(self) -> None:
        choices = {
            "activation": ACTIVATIONS,
            "initialisation": INITIALISATIONS,
            "norm": NORMS,
            "skip": SKIPS,
        }
        for field, allowed in choices.items():
            if getattr(self, field) not in allowed:
                raise ValueError(f"{field} {getattr(self, field)!r} is not one of {', '.join(allowed)}")
        if not 1 <= self.depth <= MAX_DEPTH or not 1 <= self.width <= 256:
            raise ValueError(f"depth {self.depth}, width {self.width}: 1 to {MAX_DEPTH} and 1 to 256 fit")


class Activate(nn.Module):
    """An activation function as a module of its own, so that what enters it can be watched."""

    def __init__(self, name: str):
        super().__init__()
        self.value = ACTIVATIONS[name].value

    def forward(self, z: Tensor) -> Tensor:
        return self.value(z)


def _norm(name: str, width: int) -> nn.Module:
    if name == "batch":
        return nn.BatchNorm2d(width)
    return nn.GroupNorm(1, width) if name == "layer" else nn.Identity()


def _convolution(channels: int, width: int) -> nn.Conv2d:
    return nn.Conv2d(channels, width, 3, padding=1, padding_mode="circular", bias=False)


class Block(nn.Module):
    """[N, C, H, W] -> the same: `after(branch(h) + shortcut(h))`; the shortcut is the input or nothing."""

    def __init__(self, design: Design, convolutions: int):
        super().__init__()
        self.skip = design.skip
        self.convolutions = nn.ModuleList(
            _convolution(design.width, design.width) for _ in range(convolutions)
        )
        self.norms = nn.ModuleList(_norm(design.norm, design.width) for _ in range(convolutions))
        self.activations = nn.ModuleList(Activate(design.activation) for _ in range(convolutions))

    def branch(self, h: Tensor) -> Tensor:
        if self.skip == "ResNet v2":
            for convolution, norm, activate in self._layers():
                h = convolution(activate(norm(h)))
            return h
        for index, (convolution, norm, activate) in enumerate(self._layers()):
            h = norm(convolution(h))
            if index < len(self.convolutions) - 1:
                h = activate(h)
        return h

    def after(self, total: Tensor) -> Tensor:
        return total if self.skip == "ResNet v2" else self.activations[-1](total)

    def forward(self, h: Tensor) -> Tensor:
        return self.after(self.branch(h) if self.skip == "none" else self.branch(h) + h)

    def weights(self) -> list[Tensor]:
        return [each.weight for each in self.convolutions if isinstance(each, nn.Conv2d)]

    def _layers(self) -> Iterator[tuple[nn.Module, nn.Module, nn.Module]]:
        return zip(self.convolutions, self.norms, self.activations, strict=True)


class RandomNet(nn.Module):
    """[N, 3, 8, 8] -> [N, 10]. Training mode, so that batch norm uses the batch at hand."""

    def __init__(self, design: Design, generator: torch.Generator):
        super().__init__()
        starts = range(0, design.depth, CONVOLUTIONS_IN_BLOCK)
        self.stem = _convolution(3, design.width)
        self.blocks = nn.ModuleList(
            Block(design, min(CONVOLUTIONS_IN_BLOCK, design.depth - start)) for start in starts
        )
        self.head = nn.Linear(design.width * SIDE * SIDE, CLASSES)
        self.double()
        rule = INITIALISATIONS[design.initialisation]
        with torch.no_grad():
            for module in self.modules():
                if isinstance(module, nn.Conv2d | nn.Linear):
                    rule.fill(module.weight, generator)
            self.head.bias.zero_()
        if rule.zero_last:
            adapt_branches([block.weights() for block in self.trunk()])

    def trunk(self) -> list[Block]:
        return [block for block in self.blocks if isinstance(block, Block)]

    def points(self, x: Tensor) -> list[Tensor]:
        """What stands after the stem and after each block: 1 + blocks tensors [N, C, H, W]."""
        points = [self.stem(x)]
        for block in self.trunk():
            points.append(block(points[-1]))
        return points

    def loss(self, last: Tensor, labels: Tensor) -> Tensor:
        return nn.functional.cross_entropy(self.head(last.flatten(1)), labels)


@contextmanager
def one_thread() -> Iterator[None]:
    """One core for the work of the calling thread: tensors this small gain nothing from a second one, and on
    a busy machine the waiting for it made runs ten times as long.

    PyTorch keeps the number for each thread. One that first meets PyTorch meanwhile starts with one core too,
    which makes its work slower and not different.
    """
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(_THREADS)


def draw(design: Design, seed: int) -> tuple[RandomNet, Tensor, Tensor]:
    """A network, a batch of normal noise [4, 3, 8, 8] and random labels [4], all from one seed."""
    generator = torch.Generator().manual_seed(seed)
    network = RandomNet(design, generator)
    x = torch.randn(PICTURES, 3, SIDE, SIDE, generator=generator, dtype=torch.float64)
    return network, x, torch.randint(CLASSES, (PICTURES,), generator=generator)
