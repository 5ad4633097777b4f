"""torchvision's classification networks and their weight entries."""

import dataclasses
import math
import re
from collections import OrderedDict
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from torch import Tensor, nn
from torchvision import models

from explorer.catalogue import Fact
from explorer.networks.downloading import WEIGHTS, download, torch_hub_file
from explorer.networks.entries import WeightsEntry
from explorer.networks.fetching import Progress
from explorer.networks.inputs import InputSpec, from_torchvision_transforms
from explorer.networks.registries import names
from explorer.networks.resolving import resolve

# Built as torchvision itself builds them around its weights: GoogLeNet drops its auxiliary heads then,
# Inception v3 keeps them. Both skip a slow initialisation.
_ARGUMENTS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "googlenet": {"aux_logits": False, "init_weights": False},
        "inception_v3": {"aux_logits": True, "init_weights": False},
    }
)

# DenseNet's files still name "denselayer1.norm.1" what the module now calls "denselayer1.norm1".
_OLD_DENSENET_KEY = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)")


def build(name: str, image_size: int | None = None) -> nn.Module:
    size: dict[str, Any] = {}
    if name.startswith("vit_"):  # of the huge one the recommended weights are for 518, its default is 224
        size["image_size"] = image_size or input_spec(name).image_size
    if image_size is not None and name == "maxvit_t":
        size["input_size"] = (image_size, image_size)
    model: nn.Module = models.get_model(name, weights=None, **_ARGUMENTS.get(name, {}), **size)
    return model


def input_spec(name: str) -> InputSpec:
    return _input_of(name, models.get_model_weights(name).DEFAULT)


def entries(name: str) -> tuple[WeightsEntry, ...]:
    """Its weight entries, the one torchvision recommends first."""
    weights = models.get_model_weights(name)
    recommended = weights.DEFAULT
    ordered = [recommended, *(each for each in weights if each is not recommended)]
    return tuple(_entry(name, each) for each in ordered)


def entry(identifier: str) -> WeightsEntry:
    """From "ResNet50_Weights.IMAGENET1K_V2"; "DEFAULT" stands for the one torchvision recommends.

    Raises ValueError if there is none of that name.
    """
    enumeration, _, member = identifier.partition(".")
    if enumeration not in _networks_by_enumeration():
        raise ValueError(f"torchvision has no classification weights called {identifier!r}.")
    name = _networks_by_enumeration()[enumeration]
    weights = models.get_model_weights(name)
    if member not in weights.__members__:
        raise ValueError(f"{enumeration} has no {member!r}; try one of {', '.join(weights.__members__)}.")
    return _entry(name, weights[member])


def fetch(chosen: WeightsEntry, progress: Progress | None) -> Path:
    """The file on this machine, downloaded if it must be."""
    bounds = WEIGHTS
    if chosen.bytes is not None:  # torchvision states sizes to a hundredth of 2^20 bytes
        bounds = dataclasses.replace(WEIGHTS, largest=chosen.bytes + 2**20)
    return download(chosen.url, torch_hub_file(chosen.url), progress, bounds)


def read(chosen: WeightsEntry, path: Path) -> tuple[nn.Module, InputSpec, tuple[str, ...]]:
    weights = models.get_weight(chosen.id.partition(":")[2])
    name = chosen.reference.name
    spec = _input_of(name, weights)
    model = build(name, spec.image_size)
    # torchvision's own reader, because some of its oldest files are archives within an archive.
    state = weights.get_state_dict(
        model_dir=str(path.parent), progress=False, map_location="cpu", weights_only=True
    )
    load_state(name, model, state)
    return model, spec, tuple(weights.meta["categories"])


def load_state(name: str, model: nn.Module, state: Mapping[str, Tensor], *, rescaled: bool = True) -> None:
    """Weights as torchvision keeps them, or as a training that began with those left them, strictly.

    rescaled: the picture has three channels, for which GoogLeNet and Inception rescale it.
    """
    if name.startswith("densenet"):
        state = {_OLD_DENSENET_KEY.sub(r"\1\2", key): value for key, value in state.items()}
    if name == "googlenet":
        state = {key: value for key, value in state.items() if not key.startswith("aux")}
    if name in _ARGUMENTS:
        # The published weights were trained on inputs scaled otherwise; the network itself rescales.
        model.__dict__["transform_input"] = rescaled
    versioned = OrderedDict(state)
    # Safetensors do not keep the modules' versions, without which MNASNet refuses its own weights.
    versions = getattr(state, "_metadata", None) or model.state_dict()._metadata  # type: ignore[attr-defined]
    versioned._metadata = versions  # type: ignore[attr-defined]
    model.load_state_dict(versioned)


def _entry(name: str, weights: Any) -> WeightsEntry:
    meta = weights.meta
    title = f"{type(weights).__name__}.{weights.name}"
    spec = _input_of(name, weights)
    measured = meta.get("_metrics", {}).get("ImageNet-1K", {})
    facts = {
        key: Fact(measured[published], "%", f"torchvision {title}", f"1-crop {spec.image_size}")
        for key, published in (("top1", "acc@1"), ("top5", "acc@5"))
        if math.isfinite(measured.get(published, math.nan))  # VGG-16's feature weights have "nan"
    }
    path = torch_hub_file(weights.url)
    return WeightsEntry(
        id=f"torchvision:{title}",
        reference=resolve(f"torchvision:{name}"),
        label=f"{weights.name} · {facts['top1'].value:.1f} % top-1" if "top1" in facts else weights.name,
        bytes=path.stat().st_size if path.is_file() else _megabytes(meta.get("_file_size")),
        licence=meta.get("license", "not stated by torchvision"),
        url=weights.url,
        facts=MappingProxyType(facts),
        input=spec,
        path=path if path.is_file() else None,
    )


def _input_of(name: str, weights: Any) -> InputSpec:
    return from_torchvision_transforms(
        weights.transforms(), fixed=name.startswith("vit_") or name == "maxvit_t"
    )


def _megabytes(size: float | None) -> int | None:
    """torchvision states sizes in units of 2^20 bytes, to two decimals."""
    return None if size is None else math.ceil(size * 2**20)


@cache
def _networks_by_enumeration() -> Mapping[str, str]:
    return MappingProxyType(
        {models.get_model_weights(name).__name__: name for name in names()["torchvision"]}
    )
