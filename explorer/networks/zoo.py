"""The zoo: small networks this project trained, shipped with their weights and a card that says how.

`assets/zoo/NAME.safetensors` holds the weights in half precision, `assets/zoo/NAME.json` the card. Reading
a card needs no torch. A card is trusted as little as any other file: what it says is checked when it is
read.
"""

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, cast, get_args, get_origin

from explorer.home import ASSETS

if TYPE_CHECKING:
    from torch import Tensor, nn

INTERPOLATION: Literal["bilinear"] = "bilinear"
"""How a photo comes down to 32 pixels, with antialiasing; bicubic would overshoot at edges."""

FOLDER = ASSETS / "zoo"


class ZooError(ValueError):
    """A zoo network does not exist or its files are damaged; the message says which and what exists."""


@dataclass(frozen=True)
class ZooNetwork:
    """What the zoo can train and build: a function of `explorer.networks.cifar`, a recipe of
    `explorer.training`.
    """

    builder: str
    title: str
    architecture: str
    description: str
    recipe: str
    changes: Mapping[str, float | int | str]


ZOO: Mapping[str, ZooNetwork] = MappingProxyType(
    {
        "resnet20": ZooNetwork(
            "resnet20",
            "ResNet-20 (CIFAR)",
            "resnet20_cifar",
            "He et al. 2015, section 4.2: three stages of three residual blocks, no weights in the shortcuts",
            "basic",
            {"epochs": 11, "early_crop": 24, "early_share": 0.7},
        ),
        "vgg_small": ZooNetwork(
            "vgg_small",
            "Small VGG",
            "vgg16",
            "Three pairs of 3x3 convolutions with batch norm, a max pool after each, and two linear layers",
            "basic",
            {"epochs": 6, "peak_learning_rate": 0.1},
        ),
        "convnext_cifar": ZooNetwork(
            "convnext_cifar",
            "Small ConvNeXt",
            "convnext_t",
            "ConvNeXt blocks behind a 2x2 patchify stem, two in each of three stages",
            "adamw",
            {"epochs": 18, "early_crop": 24, "early_share": 0.7},
        ),
        "lenet5": ZooNetwork(
            "lenet5",
            "LeNet-5 (three colours)",
            "lenet5",
            "LeCun et al. 1998 with its connection table and distance output; the input has three colours",
            "adamw",
            {"epochs": 8, "peak_learning_rate": 0.003, "weight_decay": 0.001},
        ),
        "plain20": ZooNetwork(
            "plain20",
            "Plain-20 (CIFAR)",
            "plain20",
            "He et al. 2015, section 4.2: nineteen 3x3 convolutions and a linear layer, no shortcuts",
            "degradation",
            {},
        ),
        "plain56": ZooNetwork(
            "plain56",
            "Plain-56 (CIFAR)",
            "plain56",
            "Plain-20 with nine pairs of convolutions a stage in place of three",
            "degradation",
            {},
        ),
        "resnet20_twin": ZooNetwork(
            "resnet20",
            "ResNet-20, twin of Plain-20",
            "resnet20_cifar",
            "Plain-20 with a shortcut around every pair of convolutions, trained as Plain-20 was",
            "degradation",
            {},
        ),
        "resnet56_twin": ZooNetwork(
            "resnet56",
            "ResNet-56, twin of Plain-56",
            "resnet56_cifar",
            "Plain-56 with a shortcut around every pair of convolutions, trained as Plain-56 was",
            "degradation",
            {},
        ),
    }
)


@dataclass(frozen=True)
class ModelCard:
    """How a zoo network was made and what it does; written by `python -m explorer.training export`, never
    by hand.

    test_accuracy_percent, train_accuracy_percent: top-1 of the shipped half-precision file, computed in
    float32 on unaltered pictures by `explorer.training.evaluation`. curves: one value an epoch, `train_*`
    as running means over augmented batches. mean, std: per channel, pixels on the 0-1 scale. preparation:
    from a photo to the input.
    """

    name: str
    title: str
    architecture: str
    network: str
    params: int
    labels: tuple[str, ...]
    image_size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    preparation: str
    dataset: str
    dataset_note: str
    test_images: int
    test_accuracy_percent: float
    train_accuracy_percent: float
    evaluation: str
    recipe: Mapping[str, Any]
    epochs: int
    seed: int
    curves: Mapping[str, tuple[float, ...]]
    seconds_per_epoch: float
    hardware: str
    versions: Mapping[str, str]
    weights_sha256: str
    licence: str

    def __post_init__(self) -> None:
        if not 0 <= self.test_accuracy_percent <= 100 or not 0 <= self.train_accuracy_percent <= 100:
            raise ZooError(f"card {self.name!r}: an accuracy lies outside 0-100 %")
        whole = {name: getattr(self, name) for name in ("params", "image_size", "epochs", "test_images")}
        if small := [name for name, number in whole.items() if number < 1]:
            raise ZooError(f"card {self.name!r}: {small[0]} is {whole[small[0]]}, and must be at least 1")
        if len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0:
            raise ZooError(f"card {self.name!r}: mean and std must be three numbers each, std above zero")
        uneven = sorted(key for key, curve in self.curves.items() if len(curve) != self.epochs)
        if uneven:
            raise ZooError(
                f"card {self.name!r}: curves {uneven} do not have one value for each of {self.epochs} epochs"
            )


def names() -> tuple[str, ...]:
    """The networks whose card is shipped, best first as listed in `ZOO`."""
    return tuple(name for name in ZOO if (FOLDER / f"{name}.json").exists())


def weights_path(name: str) -> Path:
    return FOLDER / f"{_known(name)}.safetensors"


def card_path(name: str) -> Path:
    return FOLDER / f"{_known(name)}.json"


def card(name: str) -> ModelCard:
    """The card of a shipped network; ZooError when it is unknown or its card is damaged."""
    return read_card(card_path(name))


def spoilt() -> Mapping[str, str]:
    """Name -> sentence, for the shipped networks whose card cannot be read."""
    found = {}
    for name in names():
        try:
            card(name)
        except ZooError as error:
            found[name] = str(error)
    return found


@cache
def read_card(path: Path) -> ModelCard:
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ZooError(f"{path.name} cannot be read as a card: {error}") from error
    kinds = {field.name: field.type for field in dataclasses.fields(ModelCard)}
    if not isinstance(fields, dict) or fields.keys() != kinds.keys():
        found = set(fields) if isinstance(fields, dict) else set()
        missing, unknown = sorted(kinds.keys() - found), sorted(found - kinds.keys())
        raise ZooError(f"{path.name} is not a card: missing {missing}, unknown {unknown}")
    try:
        return ModelCard(**{name: _checked(name, fields[name], kind) for name, kind in kinds.items()})
    except ZooError as error:
        raise ZooError(f"{path.name} is not a card: {error}") from error


def _checked(name: str, value: object, kind: Any) -> Any:
    """A value of JSON as the frozen value of `kind`, a type of ModelCard's. Raises ZooError."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if origin is tuple and isinstance(value, list):
        return tuple(_checked(name, each, inner[0]) for each in value)
    if origin is Mapping and isinstance(value, dict):
        return MappingProxyType({key: _checked(name, each, inner[1]) for key, each in value.items()})
    # type(), not isinstance(): JSON's true is an int to isinstance.
    if kind is float and type(value) in (int, float) and math.isfinite(cast(float, value)):
        return value
    if kind in (int, str) and type(value) is kind:
        return value
    raise ZooError(f"{name} cannot be {str(value)[:40]!r}")


def build(name: str) -> "nn.Module":
    """The network with random weights, for three colours and 32 x 32 pixels."""
    from explorer.networks import cifar

    return cifar.BUILDERS[ZOO[_known(name)].builder](in_channels=3)


def load_state(name: str) -> dict[str, "Tensor"]:
    """The shipped weights as float32, ready for `load_state_dict`."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = weights_path(name)
    try:
        state = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ZooError(f"the weights {path} cannot be read: {error}") from error
    return {key: value.float() if value.is_floating_point() else value for key, value in state.items()}


def _known(name: str) -> str:
    if name not in ZOO:
        raise ZooError(f"{name!r} is not in the zoo; try one of {', '.join(ZOO)}")
    return name
