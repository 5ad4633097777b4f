"""timm's config.json, which says how to build the network whose weights lie beside it. Strangers write it.

Only what timm has registered is built, only arguments that describe a network are passed on, and every fault
is one sentence.
"""

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.networks.inputs import InputSpec, from_pretrained_cfg, size_argument
from explorer.networks.registries import UnknownNetwork, names

if TYPE_CHECKING:
    from torch import nn

_LARGEST_BYTES = 16 << 20  # the longest label lists take a few megabytes
# Arguments of timm's factory that fetch, unpickle or wrap something instead of describing the network.
_REFUSED = frozenset(
    {
        *(
            "cache_dir",
            "checkpoint_path",
            "exportable",
            "feature_cfg",
            "features_only",
            "model_cfg",
            "no_jit",
        ),
        *("pretrained", "pretrained_cfg", "pretrained_cfg_overlay", "pretrained_model_args", "scriptable"),
    }
)
# What of a configuration is used; where it says weights are to be had is not, they are the file beside it.
_USED = frozenset(
    {
        *("input_size", "fixed_input_size", "interpolation", "crop_pct", "crop_mode", "mean", "std"),
        *("num_classes", "label_offset", "label_names", "label_descriptions", "pool_size"),
        *("first_conv", "classifier", "license"),
    }
)


@dataclass(frozen=True)
class CheckpointConfig:
    """A network of timm's, with the arguments and the preparation its weights were trained with."""

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
        """The configuration's own names, else ImageNet's if the number of outputs is ImageNet's."""
        from explorer.networks.labels import of_imagenet

        given = self.pretrained_cfg.get("label_names")
        if not given:
            return of_imagenet(self.pretrained_cfg.get("num_classes", 1000))
        described = self.pretrained_cfg.get("label_descriptions") or {}
        return tuple(str(described.get(label, label)) for label in given)

    def build(self, image_size: int | None = None, weights: Path | None = None) -> "nn.Module":
        """weights: the file to load (safetensors, or a pickle of nothing but tensors); random without one."""
        import timm

        cfg = {**self.pretrained_cfg, "architecture": self.architecture}
        if weights is not None:
            cfg["file"] = str(weights)
        arguments: dict[str, Any] = {**self.model_args, **size_argument(self.input, image_size)}
        return timm.create_model(
            self.architecture, pretrained=weights is not None, pretrained_cfg=cfg, **arguments
        )


def read_config(path: Path, shown: str = "") -> CheckpointConfig:
    """From a config.json; `shown` is what errors call it, its path if empty. Raises UnknownNetwork."""
    shown = shown or str(path)
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise UnknownNetwork(f"{shown} is larger than any config.json of timm's.")
        config = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise UnknownNetwork(
            f"{shown} cannot be read; a network's folder holds a config.json as timm writes it."
        ) from None
    except (ValueError, RecursionError):
        raise UnknownNetwork(f"{shown} is not valid JSON.") from None
    if not isinstance(config, dict):
        raise UnknownNetwork(f"{shown} is not a table of settings.")
    return _checked(config, shown)


def _checked(config: dict[str, Any], shown: str) -> CheckpointConfig:
    # Older files put everything into one table.
    cfg, args = config.get("pretrained_cfg", config), config.get("model_args") or {}
    if not isinstance(cfg, dict) or not isinstance(args, dict):
        raise UnknownNetwork(f"{shown}: pretrained_cfg and model_args must be tables.")
    architecture = str(config.get("architecture", "")).partition(".")[0]
    if architecture not in names()["timm"]:
        raise UnknownNetwork(f"{shown} asks for the architecture {architecture[:80]!r}, unknown to timm.")
    refused = sorted(_REFUSED & args.keys())
    if refused:
        raise UnknownNetwork(f"{shown}: model_args may not set {', '.join(refused)}.")
    used = {key: value for key, value in cfg.items() if key in _USED and value is not None}
    for key in ("num_classes", "label_names", "label_descriptions"):
        if config.get(key) is not None:
            used[key] = config[key]
    if cfg is config and config.get("labels"):
        used["label_names"] = config["labels"]
    _check_values(used, shown)
    return CheckpointConfig(architecture, args, used)


def _check_values(cfg: dict[str, Any], shown: str) -> None:
    """Only what this program computes with; what only timm reads, it complains about itself."""
    size, classes = cfg.get("input_size", [3, 224, 224]), cfg.get("num_classes", 1000)
    channels = size[0] if isinstance(size, list) and size and type(size[0]) is int else 3
    labels, described = cfg.get("label_names") or [], cfg.get("label_descriptions", {})
    rules: dict[str, tuple[bool, str]] = {
        "input_size": (_numbers(size, 3, 0, int), "three whole numbers above 0"),
        "mean": (_numbers(cfg.get("mean", [0.5] * channels), channels), f"{channels} numbers, one a channel"),
        "std": (_numbers(cfg.get("std", [1] * channels), channels, 0), f"{channels} numbers above 0"),
        "crop_pct": (_numbers([cfg.get("crop_pct", 1)], 1, 0), "a share such as 0.875"),
        "num_classes": (_numbers([classes], 1, -1, int), "a whole number"),
        "label_names": (isinstance(labels, list) and len(labels) in (0, classes), f"{classes} names"),
        "label_descriptions": (isinstance(described, dict), "a table"),
    }
    for key, (good, meaning) in rules.items():
        if not good:
            raise UnknownNetwork(f"{shown}: {key} must be {meaning}.")


def _numbers(values: Any, length: int, above: float = -math.inf, *kinds: type) -> bool:
    if not isinstance(values, list) or len(values) != length:
        return False
    return all(type(each) in (kinds or (int, float)) and above < each < math.inf for each in values)
