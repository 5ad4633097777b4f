"""Class names by output index, from the packages that ship them."""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from functools import cache
from typing import Any

from explorer.networks.entries import Outputs

# timm's lists by number of outputs; 1000 is left to torchvision, whose names are the shorter ones.
_TIMM_SUBSETS = {
    11221: "imagenet-21k-miil",
    11821: "imagenet-12k",
    21841: "imagenet-22k",
    21842: "imagenet-22k-ms",
    21843: "imagenet-21k-goog",
}


# Further lists of classes that timm's weights answer with, whose names nobody ships.
_UNNAMED = frozenset({19168, 115217})

YES, NO = "yes", "no"


def outputs_of(model: Any) -> Outputs:
    """What a network built by timm answers with; every other one here classifies.

    Without a head it ends in an embedding, and so do the image towers that were trained beside a text tower:
    of timm's weights those whose outputs are as many as no list of classes has (113 of its tags).
    """
    count = getattr(model, "num_classes", None)
    if count == 0:
        return "embedding"
    if count == 1:
        return "yes or no"
    return "embedding" if count in _projections(_architecture(model)) else "classes"


def _architecture(model: Any) -> str:
    cfg = getattr(model, "pretrained_cfg", None) or {}
    return str(cfg.get("architecture") or "")


@cache
def _projections(architecture: str) -> frozenset[int]:
    """Numbers of outputs under which timm lists embeddings of this architecture."""
    if not architecture:
        return frozenset()
    from timm.models import get_pretrained_cfg, list_pretrained

    listed = (get_pretrained_cfg(name) for name in list_pretrained(f"{architecture}.*"))
    counts = {cfg.num_classes for cfg in listed if cfg is not None}
    return frozenset(counts - {1, 1000, *_TIMM_SUBSETS, *_UNNAMED})


def output_name(labels: Sequence[str], index: int) -> str:
    """The class's name; "output 7" where the outputs have none."""
    return labels[index] if index < len(labels) else f"output {index}"


def index_of(labels: Sequence[str], named: str) -> int:
    """The output that is called so, in any case, or whose number it is.

    Raises ValueError for what is neither, with the nearest names, and for the name of several.
    """
    wanted, known = named.strip().casefold(), [label.casefold() for label in labels]
    found = [index for index, label in enumerate(known) if label == wanted]
    if len(found) > 1:
        raise ValueError(f"{len(found)} classes are called {named!r}; name one by its number: {found}")
    if found:
        return found[0]
    if re.fullmatch("[0-9]{1,9}", wanted):
        return int(wanted)
    near = get_close_matches(wanted, known, n=4) or [label for label in known if wanted in label][:4]
    hint = f"; there is {', '.join(near)}" if wanted and near else ""
    raise ValueError(f"no class is called {named[:80]!r}{hint}")


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
