"""What a training left in a file: tensors, under whatever name and prefix, and what is said of the network
beside them.

timm's scripts write `arch`, `args`, `state_dict` and `state_dict_ema`; torchvision's `model`, `model_ema` and
`args`; Lightning `state_dict` and `hyper_parameters`; most people the tensors alone, or `model_state_dict`
beside their optimiser's. Of safetensors only the header is read, of a pickle everything but the numbers, and
no code in it is run.
"""

import argparse
import pickle
import threading
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from explorer.networks.registries import names

Shapes = Mapping[str, tuple[int, ...]]

# Where the weights lie in a table of several; averaged over the training first, as it was validated.
_AVERAGED = ("state_dict_ema", "model_ema", "params_ema", "ema_state_dict")
_WEIGHTS = (*_AVERAGED, "state_dict", "model_state_dict", "model", "params", "weights", "net")
# What Lightning's users call the architecture among their module's arguments.
_ARCHITECTURE = ("architecture", "arch", "model_name", "model", "backbone", "encoder", "name")
_NAMED = 3  # things that a sentence names
_pickles = threading.Lock()  # torch keeps the list of harmless classes for the whole process


class Misfit(ValueError):  # noqa: N818 - it is what a reader is told
    """The file cannot be read, or is of another network than is said of it; the end of a sentence."""


@dataclass(frozen=True)
class Contents:
    """shapes: of all tensors by their names, () of what is none. architecture: as "timm:resnet18" where the
    file says it, else "". settings: what the training was told (timm's `args`). written_by: "timm",
    "torchvision", "Lightning", or "". plain: the file is this table of tensors and nothing else. averaged: it
    also holds the weights of the last step, which these are the average of many of.
    """

    shapes: Shapes
    architecture: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    written_by: str = ""
    plain: bool = False
    averaged: bool = False


def contents(path: Path) -> Contents:
    """Raises Misfit where the file cannot be read."""
    try:
        stat = path.stat()
        if not path.is_file():  # a pipe or a device, which have no end
            raise FileNotFoundError(path)
    except OSError as error:
        raise Misfit(f"its file {path.name} cannot be read") from error
    return _contents(path, stat.st_mtime_ns, stat.st_size)


def state(path: Path) -> dict[str, Tensor]:
    """The tensors themselves, by the names of `contents(path).shapes`. Raises Misfit."""
    held = {name: value for name, value in _state(_opened(path, "cpu")).items() if isinstance(value, Tensor)}
    if bare := next((name for name, value in held.items() if value.is_meta), ""):
        raise Misfit(f"its file {path.name} holds shapes without numbers ({bare[:60]}, ...)")
    return held


@lru_cache(maxsize=64)
def _contents(path: Path, _changed: int, _size: int) -> Contents:
    if path.suffix == ".safetensors":
        header = _header(path)
        shapes = _state(header)
        return Contents(MappingProxyType(shapes), plain=shapes == header)
    said = _opened(path, "meta")
    # What is no tensor (a number of epochs) is left over too: timm refuses it.
    held = _state(said)
    if odd := next((n for n, each in held.items() if isinstance(each, Tensor) and each.is_complex()), ""):
        raise Misfit(f"its file {path.name} holds complex numbers ({odd[:60]}), which no network here takes")
    shapes = {name: tuple(each.shape) if isinstance(each, Tensor) else () for name, each in held.items()}
    settings = _table(said.get("args"))
    architecture, written_by = "", ""
    if "pytorch-lightning_version" in said or "hyper_parameters" in said:
        written_by = "Lightning"
        settings = _table(said.get("hyper_parameters"))
        stated = (settings.get(key) for key in _ARCHITECTURE)
        architecture = next(filter(None, map(_known, stated)), "")
    elif isinstance(arch := said.get("arch"), str):
        # PyTorch's own example for ImageNet writes it too, of torchvision's networks and without arguments.
        written_by = "timm" if settings else "torchvision"
        architecture = _known(arch, first=written_by)
    elif isinstance(model := settings.get("model"), str):
        written_by = "torchvision"
        architecture = _known(model, first=written_by)
    tables = _tables(said)
    return Contents(
        MappingProxyType(shapes),
        architecture,
        MappingProxyType(settings),
        written_by,
        plain=shapes.keys() == said.keys(),
        averaged=len(tables) > 1 and any(name in tables for name in _AVERAGED),
    )


def _header(path: Path) -> dict[str, tuple[int, ...]]:
    from safetensors import safe_open

    try:
        with safe_open(path, "pt") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except Exception as error:  # a damaged file fails in as many ways as there are kinds of damage
        raise Misfit(_damaged(path)) from error


def _opened(path: Path, device: str) -> dict[str, Any]:
    """A table of whatever the file holds, tensors on `device`."""
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return dict(load_file(path, device=device))
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                if any(each.compress_type != zipfile.ZIP_STORED for each in archive.infolist()):
                    raise ValueError  # torch compresses nothing: it would unfold beyond all bounds
        with _pickles, torch.serialization.safe_globals([argparse.Namespace]):  # which holds only what it got
            said = torch.load(path, map_location=device, weights_only=True)
    except pickle.UnpicklingError as error:
        raise Misfit(_refused(path)) from error
    except Exception as error:
        raise Misfit(_damaged(path)) from error
    if not isinstance(said, Mapping):
        raise Misfit(f"its file {path.name} holds a {type(said).__name__} and no table of named tensors")
    return {str(name): value for name, value in said.items()}


def _refused(path: Path) -> str:
    try:
        found = torch.serialization.get_unsafe_globals_in_checkpoint(str(path))
    except Exception:  # no archive that could be looked into
        return _damaged(path)
    kinds = sorted({each[:60] for each in found} - {"argparse.Namespace"})
    if not kinds:
        return _damaged(path)
    more = ", ..." if len(kinds) > _NAMED else ""
    return (
        f"its file {path.name} holds more than tensors ({', '.join(kinds[:_NAMED])}{more}), and opening that "
        "can run any code, so it was refused: save the tensors alone, "
        "torch.save(model.state_dict(), FILE) or as safetensors"
    )


def _damaged(path: Path) -> str:
    return f"its file {path.name} is damaged, or no file of weights"


def _state(said: Mapping[str, Any]) -> dict[str, Any]:
    """The table of weights among those in the file, without the names that wrappers put before each.

    Such are DataParallel's `module.` and torch.compile's `_orig_mod.`, in either order and depth.
    """
    tables, chosen = _tables(said), said
    if tables:
        named = next((name for name in _WEIGHTS if name in tables), None)
        chosen = tables[named or max(tables, key=lambda name: len(tables[name]))]
    bare = {str(name).replace("_orig_mod.", ""): value for name, value in chosen.items()}
    while bare and (inside := [name for name in bare if name.startswith("module.")]):
        if len(inside) < len(bare) / 2:  # a network may call a layer of its own so
            break
        # What stands beside them is the wrapper's, as the averaging one's number of steps.
        bare = {name.removeprefix("module."): bare[name] for name in inside}
    return bare


def _tables(said: Mapping[str, Any]) -> dict[str, Any]:
    """What in the file could be a network's weights, by name; none where the file itself is such a table."""
    return {} if _is_state(said) else {name: value for name, value in said.items() if _is_state(value)}


def _is_state(value: Any) -> bool:
    """Whether most of it is tensors, or shapes in their stead."""
    if not isinstance(value, Mapping) or not value:
        return False
    tensors = sum(isinstance(each, Tensor | tuple) for each in value.values())
    return tensors > len(value) / 2


def _table(said: Any) -> dict[str, Any]:
    values = vars(said) if isinstance(said, argparse.Namespace) else said
    return {str(name): value for name, value in values.items()} if isinstance(values, Mapping) else {}


def _known(stated: Any, first: str = "timm") -> str:
    """The network that is meant by a name that is timm's or torchvision's; "" for any other."""
    if not isinstance(stated, str):
        return ""
    prefix, _, name = stated.rpartition(":")
    for library in sorted(("timm", "torchvision"), key=lambda each: each != (prefix or first)):
        if name.partition(".")[0] in names()[library]:
            return f"{library}:{name.partition('.')[0]}"
    return ""
