"""Networks in a folder as timm writes it: config.json and a file of weights beside it.

`local-dir:PATH` names one anywhere; `folder:NAME` one below the folder that the environment variable
EXPLORER_WEIGHTS names.
"""

import dataclasses
import os
from pathlib import Path

from torch import nn

from explorer.networks.checkpoint_config import CheckpointConfig, read_config
from explorer.networks.downloading import DownloadFailed, Progress
from explorer.networks.entries import WeightsEntry
from explorer.networks.inputs import InputSpec
from explorer.networks.registries import UnknownNetwork
from explorer.networks.resolving import resolve

# Safetensors first: reading them can run no code.
_FILES = ("model.safetensors", "pytorch_model.bin", "pytorch_model.pth", "model.pth")


def build(name: str, image_size: int | None = None) -> nn.Module:
    return config_of(name).build(image_size)


def input_spec(name: str) -> InputSpec:
    return config_of(name).input


def config_of(name: str) -> CheckpointConfig:
    return read_config(Path(name).expanduser() / "config.json")


def entries(name: str) -> tuple[WeightsEntry, ...]:
    return (entry(name),)


def entry(name: str) -> WeightsEntry:
    """Of the folder at `name`; without a file of weights in it, nothing is on this machine."""
    config = config_of(name)
    path = _weights_file(Path(name).expanduser())
    return WeightsEntry(
        id=f"local-dir:{name}",
        reference=resolve(f"local-dir:{name}"),
        label=f"{Path(name).name} · this machine",
        bytes=path.stat().st_size if path else None,
        licence=config.licence,
        input=config.input,
        path=path,
    )


def listed(architectures: tuple[str, ...]) -> tuple[WeightsEntry, ...]:
    """Folders below EXPLORER_WEIGHTS that hold weights of one of these timm architectures."""
    return tuple(
        each for each in all_entries() if config_of(each.reference.name).architecture in architectures
    )


def all_entries() -> tuple[WeightsEntry, ...]:
    """Every folder below EXPLORER_WEIGHTS that holds a network and its weights."""
    found = []
    for name in _folder_names():
        try:
            found.append(folder_entry(name))
        except UnknownNetwork:
            continue  # a broken folder is reported when it is asked for, not each time another network is
    return tuple(each for each in found if each.path is not None)


def folder_entry(name: str) -> WeightsEntry:
    """From "NAME" of "folder:NAME"; ValueError names the folders there are."""
    if name not in _folder_names():
        there = ", ".join(_folder_names()) or "none"
        raise ValueError(f"EXPLORER_WEIGHTS holds no folder called {name[:80]!r}; there: {there}.")
    return dataclasses.replace(entry(str(_root() / name)), id=f"folder:{name}")


def fetch(chosen: WeightsEntry, progress: Progress | None) -> Path:
    if chosen.path is None:
        raise DownloadFailed(f"{chosen.reference.name!r} holds none of {', '.join(_FILES)}")
    return chosen.path


def read(chosen: WeightsEntry, path: Path) -> tuple[nn.Module, InputSpec, tuple[str, ...]]:
    config = config_of(chosen.reference.name)
    return config.build(weights=path), config.input, config.labels


def _weights_file(folder: Path) -> Path | None:
    return next((folder / name for name in _FILES if (folder / name).is_file()), None)


def _root() -> Path:
    return Path(os.environ.get("EXPLORER_WEIGHTS", "")).expanduser()


def _folder_names() -> tuple[str, ...]:
    if not os.environ.get("EXPLORER_WEIGHTS") or not _root().is_dir():
        return ()
    return tuple(sorted(each.parent.name for each in _root().glob("*/config.json")))
