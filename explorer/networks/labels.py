"""Class names by output index, from the packages that ship them."""

from collections.abc import Sequence
from functools import cache

# timm's lists by number of outputs; 1000 is left to torchvision, whose names are the shorter ones.
_TIMM_SUBSETS = {
    11221: "imagenet-21k-miil",
    11821: "imagenet-12k",
    21841: "imagenet-22k",
    21842: "imagenet-22k-ms",
    21843: "imagenet-21k-goog",
}


def output_name(labels: Sequence[str], index: int) -> str:
    """The class's name; "output 7" where the outputs have none."""
    return labels[index] if index < len(labels) else f"output {index}"


@cache
def of_imagenet(classes: int) -> tuple[str, ...]:
    """Names of ImageNet's 1,000 classes or of its larger lists; () for any other number of outputs."""
    if classes == 1000:
        from torchvision.models import ResNet18_Weights

        return tuple(ResNet18_Weights.DEFAULT.meta["categories"])
    if classes not in _TIMM_SUBSETS:
        return ()
    from timm.data import ImageNetInfo

    return tuple(ImageNetInfo(_TIMM_SUBSETS[classes]).label_descriptions())
