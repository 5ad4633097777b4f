"""Networks this project trained: weights and card lie in assets/zoo and need no network."""

import hashlib
from pathlib import Path
from types import MappingProxyType

from torch import nn

from explorer.catalogue import Fact
from explorer.networks import zoo
from explorer.networks.entries import WeightsEntry
from explorer.networks.fetching import DownloadFailed, Progress
from explorer.networks.inputs import InputSpec
from explorer.networks.resolving import resolve

# Their fully connected layers are made for 32 x 32; the others average over whatever is left.
_FIXED = frozenset({"lenet5", "vgg_small"})
_SIDE = 32


def build(name: str, image_size: int | None = None) -> nn.Module:
    if name in _FIXED and image_size not in (None, _SIDE):
        raise ValueError(f"its first fully connected layer is made for {_SIDE} x {_SIDE}")
    return zoo.build(name)


def input_spec(name: str) -> InputSpec:
    """As its card says; before it has been trained, three colours and 32 x 32."""
    spec = InputSpec((3, _SIDE, _SIDE), resize=_SIDE, interpolation=zoo.INTERPOLATION, fixed=name in _FIXED)
    if not zoo.card_path(name).exists():
        return spec
    card = zoo.card(name)
    return InputSpec(
        shape=(3, card.image_size, card.image_size),
        resize=card.image_size,
        interpolation=zoo.INTERPOLATION,
        mean=card.mean,
        std=card.std,
        fixed=spec.fixed,
    )


def entries(name: str) -> tuple[WeightsEntry, ...]:
    return (entry(name),) if name in zoo.names() else ()


def all_entries() -> tuple[WeightsEntry, ...]:
    """A network whose card is spoilt is reported when it is asked for, not each time another one is."""
    spoilt = zoo.spoilt()
    whole = (entry(name) for name in zoo.names() if name not in spoilt)
    return tuple(each for each in whole if each.path is not None)


def listed(builds: tuple[str, ...]) -> tuple[WeightsEntry, ...]:
    """Trained twins of networks written here ("explorer:resnet20"), not of larger ones they only resemble."""
    return tuple(
        each for each in all_entries() if f"explorer:{zoo.ZOO[each.reference.name].builder}" in builds
    )


def entry(name: str) -> WeightsEntry:
    """Raises ValueError for a name that is not in the zoo or has no card."""
    reference = resolve(f"zoo:{name}")
    card, path = zoo.card(name), zoo.weights_path(name)
    error = Fact(
        value=round(100 - card.test_accuracy_percent, 2),
        unit="%",
        source=f"assets/zoo/{name}.json",
        protocol=card.evaluation,
        note=card.dataset_note,
    )
    return WeightsEntry(
        id=f"zoo:{name}",
        reference=reference,
        label=f"{card.title} · {card.test_accuracy_percent:.1f} % on {card.dataset}",
        bytes=path.stat().st_size if path.is_file() else None,
        licence=card.licence,
        facts=MappingProxyType({"cifar10_error": error}),
        input=input_spec(name),
        path=path if path.is_file() else None,
    )


def fetch(chosen: WeightsEntry, progress: Progress | None) -> Path:
    if chosen.path is None:
        raise DownloadFailed("this copy of the project lacks its file in assets/zoo")
    digest = hashlib.sha256(chosen.path.read_bytes()).hexdigest()
    if digest != zoo.card(chosen.reference.name).weights_sha256:
        raise DownloadFailed("its file in assets/zoo is not the one its card describes")
    return chosen.path


def read(chosen: WeightsEntry, path: Path) -> tuple[nn.Module, InputSpec, tuple[str, ...]]:
    name = chosen.reference.name
    model = zoo.build(name)
    model.load_state_dict(zoo.load_state(name))
    return model, input_spec(name), zoo.card(name).labels
