"""What a network does otherwise in training mode: which modules draw at random, which keep statistics.

Found by running it, not by the names of its classes. Dropout is a module in one network, a call of a function
in the next and an argument of attention in a third; stochastic depth has one class in torchvision and another
in timm. But each operation that draws from PyTorch's generators says so, by a tag of its own.
"""

from __future__ import annotations

import copy
import threading
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from explorer.analysis.structure.stochastic_depth import DROPS_WAYS
from explorer.inference.spatial import without_weights
from explorer.inference.watching import hooked

BATCH_NORM = nn.modules.batchnorm._BatchNorm  # all of PyTorch's and of timm's, with activation or without
_PICTURES = 2  # a batch norm refuses one number a channel


@dataclass(frozen=True)
class TrainingMode:
    """By dotted module path, "" for the network itself.

    random: modules that draw at random in training mode -> "stochastic depth" or the module's class; one that
    never runs or drops nothing is none. statistics: those that overwrite a buffer of theirs, as batch norm
    its running mean and variance.
    """

    random: Mapping[str, str]
    statistics: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether training mode can give another answer than evaluation mode."""
        return bool(self.random or self.statistics)


_known: weakref.WeakKeyDictionary[nn.Module, dict[tuple[int, ...], TrainingMode]] = (
    weakref.WeakKeyDictionary()
)
_known_lock = threading.Lock()


def training_mode(model: nn.Module, input_shape: tuple[int, ...]) -> TrainingMode:
    """For inputs of [C, H, W]; found once a model and shape, on a copy. Raises what the network raises."""
    with _known_lock:
        known = _known.setdefault(model, {})
    if input_shape not in known:
        known[input_shape] = _find(model, input_shape)
    return known[input_shape]


def _find(model: nn.Module, input_shape: tuple[int, ...]) -> TrainingMode:
    try:
        return _run(without_weights(model), torch.empty(_PICTURES, *input_shape, device="meta"))
    except (RuntimeError, NotImplementedError, TypeError, ValueError):
        # A network that decides by what it has drawn cannot run without numbers.
        parameter = next(model.parameters(), torch.empty(0))
        x = torch.zeros(_PICTURES, *input_shape, device=parameter.device, dtype=parameter.dtype)
        return _run(copy.deepcopy(model), x)


def _run(model: nn.Module, x: torch.Tensor) -> TrainingMode:
    modules = dict(model.named_modules())
    before = {path: _versions(module) for path, module in modules.items()}
    draws = _Draws({module: path for path, module in modules.items()})
    with (
        torch.inference_mode(False),
        torch.no_grad(),
        torch.random.fork_rng(devices=[]),
        hooked(modules.values(), before=draws.enter, after=draws.leave),
        draws,
    ):
        model.train()(x)
    return TrainingMode(
        MappingProxyType({path: _kind(modules[path]) for path in draws.found}),
        tuple(path for path, module in modules.items() if _versions(module) != before[path]),
    )


def _versions(module: nn.Module) -> tuple[int, ...]:
    """Of the module's own buffers: how often each has been written into."""
    return tuple(buffer._version for buffer in module.buffers(recurse=False))


def _kind(module: nn.Module) -> str:
    name = type(module).__name__
    return "stochastic depth" if name in DROPS_WAYS else name


class _Draws(TorchDispatchMode):
    """found: paths of the innermost modules that draw, in the order of their first draw."""

    def __init__(self, paths: Mapping[nn.Module, str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found: dict[str, None] = {}
        self._paths = paths
        self._running: list[str] = []

    def enter(self, module: nn.Module, _inputs: Any) -> None:
        self._running.append(self._paths[module])

    def leave(self, _module: nn.Module, _inputs: Any, _output: Any) -> None:
        self._running.pop()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if _draws(func, args, kwargs or {}):
            self.found.setdefault(self._running[-1])
        return func(*args, **(kwargs or {}))


def _draws(func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Attention bears the tag too, whether it has any dropout or not."""
    if torch.Tag.nondeterministic_seeded not in func.tags:
        return False
    arguments = func._schema.arguments
    given = dict(zip((each.name for each in arguments), args, strict=False)) | dict(kwargs)
    dropout = {each.name: each.default_value for each in arguments}.get("dropout_p", 1.0)
    return bool(given.get("dropout_p", dropout) != 0)
