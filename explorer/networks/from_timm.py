"""timm's registered networks and the weights it lists for them, nearly all on the Hugging Face hub."""

import dataclasses
from functools import cache
from pathlib import Path
from typing import Any

import timm
from timm.models import PretrainedCfg, get_pretrained_cfg, list_pretrained
from torch import nn

from explorer.networks.downloading import (
    cached_from_hub,
    download,
    download_from_hub,
    torch_hub_file,
)
from explorer.networks.entries import WeightsEntry
from explorer.networks.fetching import Progress
from explorer.networks.inputs import InputSpec, from_pretrained_cfg, size_argument
from explorer.networks.labels import of_imagenet
from explorer.networks.resolving import resolve

# As timm itself looks for them, the safe format first.
HUB_FILES = ("model.safetensors", "pytorch_model.bin")


def build(name: str, image_size: int | None = None) -> nn.Module:
    """Without weights. A size is passed on only where the network must be built for it."""
    size: dict[str, Any] = {**size_argument(input_spec(name), image_size)}
    return timm.create_model(name, pretrained=False, **size)


@cache  # every script run asks
def input_spec(name: str) -> InputSpec:
    return from_pretrained_cfg(_cfg(name).to_dict())


def entries(name: str) -> tuple[WeightsEntry, ...]:
    """The weights of an architecture, timm's default first; of a tagged name only those."""
    architecture, _, tag = name.partition(".")
    return tuple(entry(each) for each in _tagged(architecture) if not tag or each == name)


@cache  # every script run asks
def _tagged(architecture: str) -> tuple[str, ...]:
    """timm's default first."""
    tagged = list_pretrained(f"{architecture}.*") or list_pretrained(architecture)
    default = _cfg(architecture)
    first = f"{architecture}.{default.tag}" if default.tag else architecture
    return tuple(sorted(tagged, key=lambda each: (each != first, each)))


def entry(identifier: str) -> WeightsEntry:
    """From "resnet50.a1_in1k"; without a tag, timm's default. Raises ValueError if there is none."""
    architecture, _, tag = identifier.partition(".")
    reference = resolve(f"timm:{identifier}")
    cfg = _cfg(identifier)
    if not cfg.has_weights:
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
    cfg = _cfg(chosen.reference.name)
    if cfg.hf_hub_id:
        return download_from_hub(cfg.hf_hub_id, _hub_files(cfg), progress)
    return download(str(cfg.url), torch_hub_file(str(cfg.url)), progress)


def read(chosen: WeightsEntry, path: Path) -> tuple[nn.Module, InputSpec, tuple[str, ...]]:
    # `file` makes timm read that very file, without running code in it, and rename keys as the family needs.
    model = timm.create_model(
        chosen.reference.name, pretrained=True, pretrained_cfg_overlay={"file": str(path)}
    )
    cfg = _cfg(chosen.reference.name)
    return model, from_pretrained_cfg(cfg.to_dict()), of_imagenet(cfg.num_classes)


def _cfg(name: str) -> PretrainedCfg:
    """timm's configuration; a few networks have none, and timm builds them with its defaults."""
    return get_pretrained_cfg(name) or PretrainedCfg()


def _hub_files(cfg: PretrainedCfg) -> tuple[str, ...]:
    return (cfg.hf_hub_filename,) if cfg.hf_hub_filename else HUB_FILES


def _cached(cfg: PretrainedCfg) -> Path | None:
    if cfg.hf_hub_id:
        return cached_from_hub(cfg.hf_hub_id, _hub_files(cfg))
    target = torch_hub_file(str(cfg.url))
    return target if target.is_file() else None
