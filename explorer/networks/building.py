"""One function builds any network, whoever wrote it; one says what it takes in."""

import importlib
import os
from collections.abc import Mapping
from contextlib import nullcontext
from functools import lru_cache
from types import MappingProxyType, ModuleType

import torch
from torch import nn

from explorer.networks.checkpoint_contents import Misfit
from explorer.networks.entries import first_sentence
from explorer.networks.fetching import DownloadFailed
from explorer.networks.inputs import InputSpec
from explorer.networks.registries import UnknownNetwork
from explorer.networks.resolving import Reference, resolve
from explorer.networks.without_memory import MetaDevice, Uninitialised, own_generator

# Each has build(name, image_size), input_spec(name), entries(name): a new builder is one module and one line.
# "box" builds nothing of its own: it holds weights of timm's networks.
_MODULES: Mapping[str, str] = MappingProxyType(
    {
        "explorer": "from_here",
        "timm": "from_timm",
        "torchvision": "from_torchvision",
        "zoo": "from_zoo",
        "box": "from_box",
        "hf-hub": "from_hub",
        "local-dir": "from_folder",
        "folder": "from_shared",
        "own": "from_own",
    }
)


_LISTED = frozenset({"explorer", "timm", "torchvision", "zoo"})
_PARAMETER_BYTES = 4


class CannotBuild(ValueError):  # noqa: N818 - it is what a reader is told
    """The network exists, but not like this: size, budget or a broken configuration."""


def builder(name: str) -> ModuleType:
    """The module that builds references of this kind; imported when first needed."""
    return importlib.import_module(f"explorer.networks.{_MODULES[name]}")


def build(
    reference: Reference | str,
    image_size: int | None = None,
    device: torch.device | str = "cpu",
    seed: int | None = None,
) -> nn.Module:
    """The network with random weights, in eval mode, no activation in place; on "meta" it costs no memory.

    image_size: side in pixels of the square input; None for the network's own. seed: of a generator of its
    own, from which the weights are drawn; without one, the process's.
    Raises UnknownNetwork, or CannotBuild with what stands in the way. Off the meta device the number of
    parameters must not pass what this machine takes.
    """
    reference = _reference(reference)
    _check_file(reference)
    if torch.device(device).type == "meta":
        return prepared(_make_without_memory(reference, image_size)).to("meta")
    check_budget(reference, image_size)
    with nullcontext() if seed is None else own_generator(seed):
        return prepared(_make(reference, image_size)).to(device)


def input_spec(reference: Reference | str) -> InputSpec:
    """The input a network was designed for; what its weights were trained with stands in their entry."""
    reference = _reference(reference)
    try:
        spec: InputSpec = builder(reference.builder).input_spec(reference.name)
        return spec
    except (DownloadFailed, Misfit) as failed:
        raise CannotBuild(f"{reference} cannot be looked at: {failed}.") from failed


def remarks(reference: Reference) -> tuple[str, ...]:
    """Sentences on what a stranger's file and its configuration disagree about."""
    module = builder(reference.builder)
    return module.remarks(reference.name) if hasattr(module, "remarks") else ()


def parameter_count(reference: Reference, image_size: int | None = None) -> int:
    """Counted on the network built without memory."""
    # What a folder holds may change under its name.
    return (_parameter_count if reference.builder in _LISTED else _count)(reference, image_size)


@lru_cache(maxsize=4096)
def _parameter_count(reference: Reference, image_size: int | None) -> int:
    return _count(reference, image_size)


def _count(reference: Reference, image_size: int | None) -> int:
    model = build(reference, image_size, device="meta")
    return sum(parameter.numel() for parameter in model.parameters())


def check_budget(reference: Reference, image_size: int | None = None) -> None:
    """Raises CannotBuild if the network has more parameters than this machine takes.

    EXPLORER_MAX_PARAMS says how many; else they may fill half its memory in single precision.
    """
    stated = os.environ.get("EXPLORER_MAX_PARAMS")
    limit = float(stated) if stated else memory_bytes() / 2 / _PARAMETER_BYTES
    params = parameter_count(reference, image_size)
    if params > limit:
        raise CannotBuild(
            f"{reference} has {params / 1e6:,.0f} M parameters, and this machine builds networks of up to "
            f"{limit / 1e6:,.0f} M; its diagram and its numbers need no weights and work."
        )


def memory_bytes() -> int:
    """Memory of this machine in all, within its container's limit."""
    try:
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not a POSIX system
        return 8 * 2**30
    try:
        with open("/sys/fs/cgroup/memory.max") as limit:
            return min(machine, int(limit.read()))
    except (OSError, ValueError):  # no container, or "max"
        return machine


def prepared(model: nn.Module) -> nn.Module:
    """In eval mode, no activation in place, so that what a hook saw stays as it was."""
    for module in model.modules():
        if getattr(module, "inplace", False) is True:
            module.__dict__["inplace"] = False
    return model.eval()


def _reference(reference: Reference | str) -> Reference:
    return resolve(reference) if isinstance(reference, str) else reference


def _check_file(reference: Reference) -> None:
    """Whose weights are here is built only as they were trained; looked at before any mode of torch is on."""
    module = builder(reference.builder)
    if hasattr(module, "check"):
        try:
            module.check(reference.name)
        except (DownloadFailed, Misfit) as failed:
            raise CannotBuild(f"{reference} cannot be built: {failed}.") from failed


def _make_without_memory(reference: Reference, image_size: int | None) -> nn.Module:
    try:
        with MetaDevice():
            return _make(reference, image_size)
    except CannotBuild as error:
        # A few networks compute with their constants while they are built, which a meta tensor cannot. What
        # one's own code makes of such a tensor, before it fails, is anybody's guess.
        if "meta" not in str(error) and reference.builder != "own":
            raise
        with Uninitialised():
            return _make(reference, image_size)


def _make(reference: Reference, image_size: int | None) -> nn.Module:
    size = "" if image_size is None else f" for {image_size} x {image_size}"
    try:
        model: nn.Module = builder(reference.builder).build(reference.name, image_size)
        return model
    except UnknownNetwork:
        raise
    except (DownloadFailed, Misfit) as failed:
        raise CannotBuild(f"{reference} cannot be built: {failed}.") from failed
    except Exception as error:  # whatever a library raises on sizes and settings it did not foresee
        raise CannotBuild(f"{reference} cannot be built{size}: {first_sentence(error)}.") from error
