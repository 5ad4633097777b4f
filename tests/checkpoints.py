"""Writes folders in timm's format, of timm's smallest network, as strangers write them."""

import json
from pathlib import Path
from typing import Any

import timm
import torch
from safetensors.torch import save_file
from timm.data import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from torch import Tensor

SETTINGS = {
    "input_size": [3, 64, 64],
    "num_classes": 1000,
    "mean": list(IMAGENET_DEFAULT_MEAN),
    "std": list(IMAGENET_DEFAULT_STD),
    "interpolation": "bicubic",
    "crop_pct": 0.95,
    "fixed_input_size": False,
    "first_conv": "conv1.0",
    "classifier": "fc",
}


def state(**built: Any) -> dict[str, Tensor]:
    """Weights of `test_resnet`, always the same."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        model = timm.create_model("test_resnet", **built)
        for parameter in model.parameters():
            if parameter.ndim > 1:
                torch.nn.init.normal_(parameter, std=0.1)
    return model.state_dict()


def write(
    folder: Path,
    weights: dict[str, Tensor] | None = None,
    settings: dict[str, Any] | None = None,
    arguments: dict[str, Any] | None = None,
    **top: Any,
) -> Path:
    """The folder with a config.json, and model.safetensors if there are weights.

    settings: of pretrained_cfg, over SETTINGS. arguments: model_args. top: beside the two.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = {"architecture": "test_resnet", "pretrained_cfg": {**SETTINGS, **(settings or {})}, **top}
    if arguments:
        config["model_args"] = arguments
    (folder / "config.json").write_text(json.dumps(config))
    if weights is not None:
        save_file({key: value.contiguous() for key, value in weights.items()}, folder / "model.safetensors")
    return folder
