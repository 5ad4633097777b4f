"""timm's config.json, which says how to build the network that lies beside it. It comes from strangers.

Only what timm has registered is built, only arguments that describe a network are passed on, and every fault is one
sentence.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timm
from timm.models import PretrainedCfg
from torch import nn

from explorer.networks.from_timm import size_argument
from explorer.networks.inputs import InputSpec, from_pretrained_cfg
from explorer.networks.labels import of_imagenet
from explorer.networks.resolving import UnknownNetwork, names

# Arguments of timm's factory that fetch, unpickle or reshape something instead of describing the network.
_REFUSED = frozenset(
    {
        "cache_dir",
        "checkpoint_path",
        "exportable",
        "feature_cfg",
        "features_only",
        "model_cfg",
        "no_jit",
        "pretrained",
        "pretrained_cfg",
        "pretrained_cfg_overlay",
        "pretrained_model_args",
        "scriptable",
    }
)
# Where a configuration says weights are to be had; here they are always the file beside it.
_SOURCES = frozenset({"url", "file", "state_dict", "hf_hub_id", "hf_hub_filename", "source", "custom_load"})
_KNOWN = frozenset(each.name for each in dataclasses.fields(PretrainedCfg)) - _SOURCES
_LARGEST_CONFIG_BYTES = 16 << 20  # the longest label lists take a few megabytes


@dataclass(frozen=True)
class CheckpointConfig:
    """A network of timm's with the arguments and the preparation its weights were trained with."""

    architecture: str
    model_args: Mapping[str, Any]
    pretrained_cfg: Mapping[str, Any]

    @property
    def input(self) -> InputSpec:
        spec = from_pretrained_cfg(self.pretrained_cfg)
        free = self.model_args.get("dynamic_img_size") or self.model_args.get("strict_img_size") is False
        return dataclasses.replace(spec, fixed=spec.fixed and not free)

    @property
    def licence(self) -> str:
        return str(self.pretrained_cfg.get("license") or "not stated in its config.json")

    @property
    def labels(self) -> tuple[str, ...]:
        """Names given in the configuration, else ImageNet's if the number of outputs is ImageNet's."""
        given = self.pretrained_cfg.get("label_names")
        if not given:
            return of_imagenet(self.pretrained_cfg.get("num_classes", 1000))
        described = self.pretrained_cfg.get("label_descriptions") or {}
        return tuple(str(described.get(label, label)) for label in given)

    def build(self, image_size: int | None = None, weights: Path | None = None) -> nn.Module:
        """weights: a file to load (safetensors, or a pickle of nothing but tensors); random without one."""
        cfg = dict(self.pretrained_cfg)
        if weights is not None:
            cfg["file"] = str(weights)
        return timm.create_model(
            self.architecture,
            pretrained=weights is not None,
            pretrained_cfg=cfg,
            **{**self.model_args, **size_argument(self.input, image_size)},
        )


def read_config(path: Path, shown: str) -> CheckpointConfig:
    """From a config.json; `shown` is what errors call it. Raises UnknownNetwork."""
    try:
        if path.stat().st_size > _LARGEST_CONFIG_BYTES:
            raise UnknownNetwork(f"{shown} is larger than any config.json of timm's.")
        config = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise UnknownNetwork(f"{shown} cannot be read.") from None
    except (ValueError, RecursionError):
        raise UnknownNetwork(f"{shown} is not valid JSON.") from None
    if not isinstance(config, dict):
        raise UnknownNetwork(f"{shown} is not a table of settings.")
    return _checked(config, shown)


def _checked(config: dict[str, Any], shown: str) -> CheckpointConfig:
    # Older files put everything into one table.
    flat = "pretrained_cfg" not in config
    cfg, args = (config if flat else config["pretrained_cfg"]), config.get("model_args") or {}
    if not isinstance(cfg, dict) or not isinstance(args, dict):
        raise UnknownNetwork(f"{shown}: pretrained_cfg and model_args must be tables.")
    architecture = str(config.get("architecture", "")).partition(".")[0]
    if architecture not in names()["timm"]:
        raise UnknownNetwork(
            f"{shown} asks for the architecture {architecture[:80]!r}, which timm does not have."
        )
    refused = sorted(_REFUSED & args.keys())
    if refused:
        raise UnknownNetwork(f"{shown}: model_args may not set {', '.join(refused)}.")
    known = {key: value for key, value in cfg.items() if key in _KNOWN}
    for key in ("num_classes", "label_names", "label_descriptions"):
        if config.get(key) is not None:
            known[key] = config[key]
    if flat and config.get("labels"):
        known["label_names"] = config["labels"]
    known["architecture"] = architecture
    _check_input(known, shown)
    return CheckpointConfig(architecture, args, known)


def _check_input(cfg: dict[str, Any], shown: str) -> None:
    size = cfg.get("input_size", (3, 224, 224))
    if (
        not isinstance(size, list | tuple)
        or len(size) != 3
        or not all(isinstance(n, int) and n > 0 for n in size)
    ):
        raise UnknownNetwork(f"{shown}: input_size must be three whole numbers: channels, height, width.")
    for key in ("mean", "std"):
        values = cfg.get(key, (0.5,) * size[0])
        if (
            not isinstance(values, list | tuple)
            or len(values) != size[0]
            or not all(isinstance(value, int | float) for value in values)
        ):
            raise UnknownNetwork(f"{shown}: {key} must be {size[0]} numbers, one a channel.")
    crop = cfg.get("crop_pct", 0.875)
    if not isinstance(crop, int | float) or not 0 < crop <= 1.5:
        raise UnknownNetwork(f"{shown}: crop_pct must be a share such as 0.875.")
