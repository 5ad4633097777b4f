"""How a constructor is made to run: on the meta device, where tensors are shapes; within a bound; with random
numbers of its own. All watch the calls of one thread and leave the process alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from inspect import signature
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._device import DeviceContext

# timm's most laborious network (maxvit_base_tf_512) takes 33,008.
MOST_CALLS = 60_000

_WRITES = frozenset(
    {Tensor.add_, Tensor.clamp_, Tensor.div_, Tensor.erfinv_, Tensor.fill_, Tensor.mul_}
    | {Tensor.normal_, Tensor.uniform_, Tensor.zero_}
)


class MetaDevice(DeviceContext):
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
        target = _filled(func, args, kwargs)
        if target is not None and target.is_meta:
            return target
        return super().__torch_function__(func, types, args, kwargs)  # type: ignore[no-untyped-call]


class Uninitialised(TorchFunctionMode):
    """Parameters get memory and no values, and what is never written to takes no room either.

    For the few networks whose constructors compute with their own constants, which a meta tensor cannot.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        target = _filled(func, args, kwargs)
        return target if isinstance(target, nn.Parameter) else func(*args, **(kwargs or {}))


def _filled(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any] | None) -> Tensor | None:
    """The tensor that a call initialises; None if it is no such call."""
    if func not in _WRITES and getattr(func, "__module__", "") != "torch.nn.init":
        return None
    target = args[0] if args else (kwargs or {}).get("tensor")
    return target if isinstance(target, Tensor) else None


class _Counted(TorchFunctionMode):
    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        self.calls += 1
        if self.calls > MOST_CALLS:
            raise ValueError("it has more layers than this program builds")
        return func(*args, **(kwargs or {}))


# The operations a constructor draws with; the generator is the last of their options.
_DRAWS = frozenset(
    {Tensor.normal_, Tensor.uniform_, Tensor.random_, Tensor.bernoulli_, Tensor.exponential_}
    | {Tensor.cauchy_, Tensor.geometric_, Tensor.log_normal_, Tensor.bernoulli, Tensor.multinomial}
    | {torch.normal, torch.rand, torch.randn, torch.randint, torch.randperm, torch.bernoulli}
    | {torch.multinomial}
)


@cache
def _initialises(func: Any) -> bool:
    """Whether it is one of torch.nn.init that draws; what it calls itself is out of the mode's sight."""
    return getattr(func, "__module__", "") == "torch.nn.init" and "generator" in signature(func).parameters


class _Drawn(TorchFunctionMode):
    def __init__(self, seed: int) -> None:
        super().__init__()
        self.generator = torch.Generator().manual_seed(seed)

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        options = dict(kwargs or {})
        if (func in _DRAWS or _initialises(func)) and options.get("generator") is None:
            options["generator"] = self.generator
        return func(*args, **options)


@contextmanager
def own_generator(seed: int) -> Iterator[None]:
    """What this thread draws comes from a generator of its own, whatever other threads draw meanwhile.

    The numbers are those that `torch.manual_seed(seed)` gives to a process with one thread.
    """
    with _Drawn(seed):
        yield


@contextmanager
def bounded() -> Iterator[None]:
    """Ends a constructor that goes on for ever: ValueError after MOST_CALLS calls of torch's functions.

    Whatever argument asks for it: a layer takes a dozen calls, so the bound is one of depth.
    """
    with _Counted():
        yield
