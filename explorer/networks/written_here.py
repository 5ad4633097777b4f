"""What the networks written here are called, where they stand and what they take in; known without torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class WrittenHere:
    """Where a network's builder function stands, and the input its paper used.

    shape: (channels, height, width); fixed: whether the first fully connected layer allows no other size.
    """

    module: str
    function: str
    shape: tuple[int, int, int]
    classes: int
    fixed: bool = False


_IMAGENET = ((3, 224, 224), 1000)
_CIFAR = ((3, 32, 32), 10)

WRITTEN_HERE: Mapping[str, WrittenHere] = MappingProxyType(
    {
        "lenet5": WrittenHere("lenet", "lenet5", (1, 32, 32), 10, fixed=True),
        "zfnet": WrittenHere("zfnet", "zfnet", *_IMAGENET, fixed=True),
        "plain20": WrittenHere("cifar", "plain20", *_CIFAR),
        "plain34": WrittenHere("plain", "plain34", *_IMAGENET),
        "plain56": WrittenHere("cifar", "plain56", *_CIFAR),
        "resnet20": WrittenHere("cifar", "resnet20", *_CIFAR),
        "resnet56": WrittenHere("cifar", "resnet56", *_CIFAR),
        "wrn28_10": WrittenHere("wide_resnet", "wrn28_10", *_CIFAR),
        "shufflenet_v1": WrittenHere("shufflenet_v1", "shufflenet_v1", *_IMAGENET),
    }
)
