"""Receptive fields as Araujo et al. printed them, with the networks built here that should agree.

They measured the networks of TF-Slim. A `build` is given where torchvision or timm wires the same windows,
else `nearest` names the build that comes closest; `cause` says what differs. Sizes, strides and paddings of
the last feature map, in pixels: https://distill.pub/2019/computing-receptive-fields/ and the table of
https://github.com/google-research/receptive_field.
"""

from __future__ import annotations

from dataclasses import dataclass

from explorer.analysis import ReceptiveField, stats
from explorer.catalogue import Fact

SOURCE = "Araujo, Norris and Sim 2019, https://distill.pub/2019/computing-receptive-fields/"

_SAME = "the same windows; TensorFlow's SAME padding puts the odd pixel on the other side"
_STRIDE = (
    "TF-Slim halves in the last block of a stage, torchvision and timm in the first (on its 3x3), so that "
    "they read further 3x3 at the smaller jump"
)


@dataclass(frozen=True)
class Published:
    """name: TF-Slim's. build: a network here with the same windows, "" for none. nearest: to be shown beside.

    The size and the stride agree where there is a build, the padding too where there is no cause.
    """

    name: str
    size: Fact
    stride: Fact
    padding: Fact
    build: str
    nearest: str = ""
    cause: str = ""

    @property
    def compared(self) -> str:
        return self.build or self.nearest


def _row(
    name: str, size: int, padding: int, build: str = "", nearest: str = "", cause: str = ""
) -> Published:
    published, stride, before = (Fact(value, "px", SOURCE) for value in (size, 32, padding))
    return Published(name, published, stride, before, build, nearest, cause)


PUBLISHED = (
    _row("alexnet_v2", 195, 64, "torchvision:alexnet", cause="TF-Slim's first layer has no padding"),
    _row("vgg_16", 212, 90, "torchvision:vgg16"),
    _row(
        "inception_v2",
        699,
        318,
        nearest="torchvision:googlenet",
        cause="neither library builds Inception V2; GoogLeNet is V1, and torchvision's has 3x3 for its 5x5",
    ),
    _row("inception_v3", 1311, 618, "torchvision:inception_v3"),
    _row("inception_v4", 2071, 998, "timm:inception_v4"),
    _row("inception_resnet_v2", 3039, 1482, "timm:inception_resnet_v2"),
    _row("resnet_v1_50", 483, 239, nearest="torchvision:resnet50", cause=_STRIDE),
    _row("resnet_v1_101", 1027, 511, nearest="torchvision:resnet101", cause=_STRIDE),
    _row("resnet_v1_152", 1507, 751, nearest="torchvision:resnet152", cause=_STRIDE),
    _row("resnet_v1_200", 1763, 879, nearest="timm:resnet200", cause=_STRIDE),
    _row("mobilenet_v1", 315, 126, "timm:mobilenetv1_100", cause=_SAME),
)

# A stride on the 1x1 before the 3x3, as in He's Caffe networks, makes every 3x3 of a stage read at the larger
# jump too. timm's legacy SE-ResNets keep it, so that their local fields are those of TF-Slim's ResNets.
STRIDE_BEFORE_THE_3X3 = {
    "resnet_v1_50": "timm:legacy_seresnet50",
    "resnet_v1_101": "timm:legacy_seresnet101",
    "resnet_v1_152": "timm:legacy_seresnet152",
}


def measured(name: str) -> ReceptiveField:
    """Of the last feature map of the network built here, traced at its own input size."""
    return stats(name).receptive_field
