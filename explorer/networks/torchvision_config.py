"""How a network of torchvision's is built for somebody's own weights, with his number of classes and of
channels. What timm says in a config.json, torchvision says nowhere: the rest is as its weights have it.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from torch import Tensor, nn

from explorer.networks import from_torchvision
from explorer.networks.checkpoint_contents import state
from explorer.networks.inputs import GREY, InputSpec
from explorer.networks.labels import of_imagenet
from explorer.networks.without_memory import MetaDevice

_CLASSES = 1000  # of every network as torchvision builds it


@dataclass(frozen=True)
class TorchvisionConfig:
    """A `checkpoint_file.Configuration`, which says what the fields mean. outputs: 0 for one without a head.
    image_size: side in pixels, None for the recommended.
    """

    architecture: str
    outputs: int = _CLASSES
    channels: int = 3
    image_size: int | None = None
    remarks: tuple[str, ...] = ()
    counts: Mapping[str, int] = dataclasses.field(default_factory=dict)
    stated_by: str = ""
    label_offset: int = 0
    named_classes: int = 0

    @property
    def heads(self) -> tuple[str, ...]:
        return _ends(self.architecture)[1]

    @property
    def first_convs(self) -> tuple[str, ...]:
        return _ends(self.architecture)[0]

    @property
    def input(self) -> InputSpec:
        spec = from_torchvision.input_spec(self.architecture)
        return spec.at(self.image_size).with_channels(self.channels)

    @property
    def labels(self) -> tuple[str, ...]:
        return of_imagenet(self.outputs)

    @property
    def fingerprint(self) -> str:
        said = ["torchvision", self.architecture, self.outputs, self.channels, self.image_size]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]

    def with_outputs(self, outputs: int, remark: str = "") -> "TorchvisionConfig":
        return dataclasses.replace(self, outputs=outputs).remarked(remark)

    def with_channels(self, channels: int, remark: str = "") -> "TorchvisionConfig":
        remark = f"{remark} {GREY}".strip() if channels == 1 else remark
        return dataclasses.replace(self, channels=channels).remarked(remark)

    def remarked(self, remark: str) -> "TorchvisionConfig":
        return dataclasses.replace(self, remarks=(*self.remarks, remark)) if remark else self

    def build(
        self, image_size: int | None = None, weights: Path | Mapping[str, Tensor] | None = None
    ) -> nn.Module:
        """weights: a file, or what was in one; random without any."""
        model = from_torchvision.build(self.architecture, image_size or self.image_size)
        if self.outputs != _CLASSES:
            for head in self.heads:
                _put(model, head, self.outputs)
        if self.channels != 3:
            for first in self.first_convs:
                _put(model, first, channels=self.channels)
        model.__dict__["num_classes"] = self.outputs
        if weights is not None:
            tensors = state(weights) if isinstance(weights, Path) else weights
            from_torchvision.load_state(self.architecture, model, tensors, rescaled=self.channels == 3)
        return model


@cache
def _ends(architecture: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Paths of the convolution that takes the picture, and of the layers that give a score a class."""
    with MetaDevice():
        model = from_torchvision.build(architecture)
    layers = {name: each for name, each in model.named_modules() if isinstance(each, nn.Conv2d | nn.Linear)}
    first = next(name for name, each in layers.items() if isinstance(each, nn.Conv2d))
    heads = [name for name, each in layers.items() if each.weight.shape[0] == _CLASSES]
    return (first,), tuple(reversed(heads))  # auxiliary ones stand before the network's own


def _put(model: nn.Module, path: str, outputs: int | None = None, channels: int | None = None) -> None:
    """The layer at `path` anew with another number of outputs, 0 for none of it, or of channels."""
    parent, _, name = path.rpartition(".")
    old = model.get_submodule(path)
    new: nn.Module
    if outputs == 0:
        new = nn.Identity()
    elif isinstance(old, nn.Linear):
        new = nn.Linear(old.in_features, outputs or old.out_features, old.bias is not None)
    else:
        assert isinstance(old, nn.Conv2d)
        new = nn.Conv2d(
            channels or old.in_channels,
            outputs or old.out_channels,
            old.kernel_size,  # type: ignore[arg-type]
            old.stride,  # type: ignore[arg-type]
            old.padding,  # type: ignore[arg-type]
            bias=old.bias is not None,
        )
    setattr(model.get_submodule(parent), name, new)
