"""timm's registered networks and the weights it lists for them, nearly all of them on the Hugging Face hub."""

import dataclasses
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import timm
import torch
from timm.models import get_pretrained_cfg, list_pretrained
from torch import nn

from explorer.networks.downloading import Progress, cached_from_hub, download, download_from_hub
from explorer.networks.entries import WeightsEntry
from explorer.networks.inputs import InputSpec, from_pretrained_cfg
from explorer.networks.labels import of_imagenet
from explorer.networks.resolving import resolve

# As timm itself looks for them, the safe format first.
HUB_FILES = ("model.safetensors", "pytorch_model.bin")


def build(name: str, image_size: int | None = None) -> nn.Module:
    """Without weights. A size is passed on only where the network must be built for it."""
    return timm.create_model(name, pretrained=False, **size_argument(input_spec(name), image_size))


def size_argument(spec: InputSpec, image_size: int | None) -> dict[str, int]:
    """The argument that builds a network of fixed input size for another one; {} where none is needed."""
    if image_size is None or not spec.fixed or spec.at(image_size) == spec:
        return {}
    return {"img_size": image_size}


def input_spec(name: str) -> InputSpec:
    cfg = get_pretrained_cfg(name)
    return from_pretrained_cfg(cfg.to_dict() if cfg else {"input_size": (3, 224, 224)})


def entries(name: str) -> tuple[WeightsEntry, ...]:
    """The weights of an architecture, timm's default first; of a tagged name only those."""
    architecture, _, tag = name.partition(".")
    tagged = list_pretrained(f"{architecture}.*") or list_pretrained(architecture)
    if tag:
        return tuple(entry(each) for each in tagged if each == name)
    default = get_pretrained_cfg(architecture)
    first = f"{architecture}.{default.tag}" if default and default.tag else architecture
    return tuple(entry(each) for each in sorted(tagged, key=lambda each: (each != first, each)))


def entry(identifier: str) -> WeightsEntry:
    """From "resnet50.a1_in1k"; a name without a tag stands for timm's default. ValueError if there is none."""
    architecture, _, tag = identifier.partition(".")
    reference = resolve(f"timm:{identifier}")
    cfg = get_pretrained_cfg(identifier)
    if cfg is None or not cfg.has_weights:
        raise ValueError(f"timm has no weights for {identifier!r}.")
    tag = tag or cfg.tag or ""
    path = _cached(cfg)
    return WeightsEntry(
        id=f"timm:{architecture}.{tag}" if tag else f"timm:{architecture}",
        reference=dataclasses.replace(reference, name=f"{architecture}.{tag}" if tag else architecture),
        label=tag or "timm's only weights",
        bytes=path.stat().st_size if path else None,
        licence=cfg.license or "not stated by timm",
        url=f"https://huggingface.co/{cfg.hf_hub_id}" if cfg.hf_hub_id else str(cfg.url),
        input=from_pretrained_cfg(cfg.to_dict()),
        path=path,
    )


def fetch(chosen: WeightsEntry, progress: Progress | None) -> Path:
    cfg = get_pretrained_cfg(chosen.reference.name)
    if cfg.hf_hub_id:
        return download_from_hub(cfg.hf_hub_id, _hub_files(cfg), progress)
    target = _torch_hub_file(cfg.url)
    found = torch.hub.HASH_REGEX.search(target.name)
    return download(cfg.url, target, found.group(1) if found else "", progress)


def read(chosen: WeightsEntry, path: Path) -> tuple[nn.Module, InputSpec, tuple[str, ...]]:
    # `file` makes timm read that very file (weights only, no pickled code) and apply the family's own key filter.
    model = timm.create_model(
        chosen.reference.name, pretrained=True, pretrained_cfg_overlay={"file": str(path)}
    )
    cfg = get_pretrained_cfg(chosen.reference.name)
    return model, from_pretrained_cfg(cfg.to_dict()), of_imagenet(cfg.num_classes)


def _hub_files(cfg: Any) -> tuple[str, ...]:
    return (cfg.hf_hub_filename,) if cfg.hf_hub_filename else HUB_FILES


def _cached(cfg: Any) -> Path | None:
    if cfg.hf_hub_id:
        return cached_from_hub(cfg.hf_hub_id, _hub_files(cfg))
    target = _torch_hub_file(cfg.url)
    return target if target.is_file() else None


def _torch_hub_file(url: str) -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints" / os.path.basename(urlparse(url).path)
