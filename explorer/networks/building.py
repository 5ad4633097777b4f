"""One function builds any network, whoever wrote it; one says what it takes in."""

import importlib
import os
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType, ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._device import DeviceContext

from explorer.networks.downloading import DownloadFailed
from explorer.networks.inputs import InputSpec
from explorer.networks.registries import UnknownNetwork
from explorer.networks.resolving import Reference, resolve

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
    }
)


class CannotBuild(ValueError):  # noqa: N818 - it is what a reader is told
    """The network exists, but not like this: size, budget or a broken configuration."""


_WRITES = frozenset(
    {Tensor.add_, Tensor.clamp_, Tensor.div_, Tensor.erfinv_, Tensor.fill_, Tensor.mul_}
    | {Tensor.normal_, Tensor.uniform_, Tensor.zero_}
)


class _MetaDevice(DeviceContext):
    """`torch.device("meta")`, with two exceptions.

    Numbers a constructor computes with stay numbers: RegNet of torchvision derives its widths through
    torch.arange and torch.tensor, which are empty on meta. And an initialiser is not run on a tensor without
    values: a truncated normal one costs milliseconds for each weight, up to a quarter of the trace.
    """

    def __init__(self) -> None:
        super().__init__(torch.device("meta"))

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func in (torch.arange, torch.tensor):
            return func(*args, **(kwargs or {}))
        if func in _WRITES or getattr(func, "__module__", "") == "torch.nn.init":
            target = args[0] if args else (kwargs or {}).get("tensor")
            if isinstance(target, Tensor) and target.is_meta:
                return target
        return super().__torch_function__(func, types, args, kwargs)


def builder(name: str) -> ModuleType:
    """The module that builds references of this kind; imported when first needed."""
    return importlib.import_module(f"explorer.networks.{_MODULES[name]}")


def build(
    reference: Reference | str, image_size: int | None = None, device: torch.device | str = "cpu"
) -> nn.Module:
    """The network with random weights, in eval mode, no activation in place; on "meta" it costs no memory.

    image_size: side in pixels of the square input; None for the network's own.
    Raises UnknownNetwork, or CannotBuild with what stands in the way. Off the meta device the number of
    parameters must not pass EXPLORER_MAX_PARAMS, where that is set.
    """
    reference = _reference(reference)
    if torch.device(device).type == "meta":
        return prepared(_make_without_memory(reference, image_size)).to("meta")
    check_budget(reference, image_size)
    return prepared(_make(reference, image_size)).to(device)


def input_spec(reference: Reference | str) -> InputSpec:
    """The input a network was designed for; what its weights were trained with stands in their entry."""
    reference = _reference(reference)
    try:
        return builder(reference.builder).input_spec(reference.name)
    except DownloadFailed as failed:
        raise CannotBuild(f"{reference} cannot be looked at: {failed}.") from failed


@lru_cache(maxsize=4096)
def parameter_count(reference: Reference, image_size: int | None = None) -> int:
    """Counted on the network built without memory."""
    model = build(reference, image_size, device="meta")
    return sum(parameter.numel() for parameter in model.parameters())


def check_budget(reference: Reference, image_size: int | None = None) -> None:
    """Raises CannotBuild if a hosted instance's budget of parameters forbids the network."""
    limit = os.environ.get("EXPLORER_MAX_PARAMS")
    if not limit:
        return
    params = parameter_count(reference, image_size)
    if params > float(limit):
        raise CannotBuild(
            f"{reference} has {params / 1e6:,.0f} M parameters, and this machine builds networks of up to "
            f"{float(limit) / 1e6:,.0f} M; its diagram and its numbers need no weights and work."
        )


def prepared(model: nn.Module) -> nn.Module:
    """In eval mode, no activation in place, so that what a hook saw stays as it was."""
    for module in model.modules():
        if getattr(module, "inplace", False) is True:
            module.__dict__["inplace"] = False
    return model.eval()


def _reference(reference: Reference | str) -> Reference:
    return resolve(reference) if isinstance(reference, str) else reference


def _make_without_memory(reference: Reference, image_size: int | None) -> nn.Module:
    try:
        with _MetaDevice():
            return _make(reference, image_size)
    except CannotBuild as error:
        # A few networks compute with their constants while they are built, which a meta tensor cannot.
        if "meta" not in str(error):
            raise
        return _make(reference, image_size)


def _make(reference: Reference, image_size: int | None) -> nn.Module:
    size = "" if image_size is None else f" for {image_size} x {image_size}"
    try:
        return builder(reference.builder).build(reference.name, image_size)
    except UnknownNetwork:
        raise
    except DownloadFailed as failed:
        raise CannotBuild(f"{reference} cannot be built: {failed}.") from failed
    except Exception as error:  # whatever a library raises on sizes and settings it did not foresee
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise CannotBuild(f"{reference} cannot be built{size}: {reason[:200].rstrip('.')}.") from error
