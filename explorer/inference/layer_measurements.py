"""What every layer of a loaded network does with one picture: how long it takes, and what comes out.

Read off by hooks on the modules, which are gone when a call ends, however it ends. The caller holds the
network alone for that time (an exclusive lease of `explorer.serving.pool`): two passes through one hooked
network would write into each other's books.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from statistics import median
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from explorer.analysis import Trace
from explorer.analysis.numbers.overlays import Overlay, by_call, measured
from explorer.inference.spatial import SpatialLayer, spatial_layers
from explorer.inference.watching import hooked
from explorer.networks import CannotRun, Network


@dataclass(frozen=True)
class LayerTimes:
    """Wall time on one device, in seconds.

    own: by dotted module path ("" is the network itself), one number a call: what passes inside the module
    but not inside a module of it, so the numbers add up. Each is the median over the passes. leaves: paths of
    those that called no other module. pass_seconds: median of whole passes without hooks; on a GPU the layers
    take longer together, as each waits for the one before to finish, and torch leaves its fused path for
    attention where there are hooks.
    """

    own: Mapping[str, tuple[float, ...]]
    leaves: frozenset[str]
    pass_seconds: float
    passes: int
    device: str
    input_shape: tuple[int, ...]

    def overlay(self, trace: Trace) -> Overlay:
        """For the diagram of the same network, in milliseconds. What containers and modules without an
        operation take (handing on, dropout) is in no box."""
        milliseconds = {path: [1000 * seconds for seconds in calls] for path, calls in self.own.items()}
        return measured(f"Time per layer on {self.device}", "ms", by_call(trace, milliseconds, "sum"), "sum")


class Activation(NamedTuple):
    """The output of one call. zeros: share of numbers that are exactly 0. dead: share of channels that are 0
    everywhere in this picture."""

    mean: float
    deviation: float
    zeros: float
    dead: float


_SHOWN: Mapping[str, tuple[str, str, Callable[[Activation], float]]] = MappingProxyType(
    {
        "mean": ("Mean activation", "", lambda call: call.mean),
        "standard deviation": ("Standard deviation of the activations", "", lambda call: call.deviation),
        "zeros": ("Activations that are zero", "%", lambda call: 100 * call.zeros),
        "dead channels": ("Channels that are zero all over this picture", "%", lambda call: 100 * call.dead),
    }
)


@dataclass(frozen=True)
class LayerActivations:
    """by_path: dotted path of a leaf module -> its calls. input_shape: of the tensor that went in."""

    by_path: Mapping[str, tuple[Activation, ...]]
    input_shape: tuple[int, ...]

    def overlays(self, trace: Trace) -> Mapping[str, Overlay]:
        """For the diagram of the same network; a box has the mean of its layers."""
        found = {}
        for name, (title, unit, read) in _SHOWN.items():
            values = {path: [read(call) for call in calls] for path, calls in self.by_path.items()}
            found[name] = measured(title, unit, by_call(trace, values, "mean"), "mean", "linear")
        return found


def layer_times(
    network: Network,
    x: Tensor,
    passes: int = 5,
    warm_up: int = 2,
    progress: Callable[[float], None] = lambda share: None,
) -> LayerTimes:
    """Time of every module while x [N, C, H, W], on the network's device, goes through.

    Needs the network to itself. progress: called between passes with the share done; what it raises ends the
    measurement. Raises ValueError for fewer than one pass, and what the network raises.
    """
    if passes < 1:
        raise ValueError(f"passes is {passes}; measure at least one")
    model, wait = network.model, synchroniser(x.device)
    whole: list[float] = []
    rounds: list[Mapping[str, list[float]]] = []
    leaves: frozenset[str] = frozenset()
    with torch.inference_mode(False), torch.no_grad():
        for _ in range(warm_up):
            model(x)
            progress(0.0)
        for number in range(passes):  # in turn, so that a busy machine slows both alike
            wait()
            started = time.perf_counter()
            model(x)
            wait()
            whole.append(time.perf_counter() - started)
            with _clocked(model, wait) as book:
                model(x)
            rounds.append(book.own)
            leaves = frozenset(book.own) - book.parents
            progress((number + 1) / passes)
    own = {
        path: tuple(median(calls) for calls in zip(*(each[path] for each in rounds), strict=True))
        for path in rounds[0]
    }
    return LayerTimes(
        MappingProxyType(own), leaves, median(whole), passes, str(x.device), tuple(int(n) for n in x.shape)
    )


def layer_activations(network: Network, x: Tensor) -> LayerActivations:
    """Statistics of every leaf module's output for x [N, C, H, W], on the network's device: one pass.

    Needs the network to itself. Of modules that return several tensors, the first counts. Raises CannotRun
    where an output is not finite, and what the network raises.
    """
    shape = tuple(int(n) for n in x.shape)
    places = _places(network.model, shape[1:])
    found: dict[str, list[Activation]] = defaultdict(list)
    parents: set[str] = set()

    def leave(path: str, stack: Sequence[str], output: Any) -> None:
        if stack:
            parents.add(stack[-1])
        tensor = output[0] if isinstance(output, (tuple, list)) and output else output
        if isinstance(tensor, Tensor) and tensor.numel() and path not in parents:
            found[path].append(_activation(tensor, places.get(path)))

    with torch.inference_mode(False), torch.no_grad(), _nested(network.model, lambda _: None, leave):
        network.model(x)
    by_path = {path: tuple(calls) for path, calls in found.items() if path not in parents}
    for path, calls in by_path.items():
        if not all(isfinite(number) for call in calls for number in call):
            raise CannotRun(f"{network.weights.id} cannot be measured: the output of {path} is not finite.")
    return LayerActivations(MappingProxyType(by_path), shape)


def _activation(output: Tensor, place: SpatialLayer | None) -> Activation:
    values = output.detach().float()
    zero = values == 0
    if place is not None and values.shape[0] == 1:
        channels = place.to_map(zero).flatten(1)
    else:
        channels = (
            zero.transpose(0, 1 if values.ndim in (2, 4) else -1).flatten(1)
            if values.ndim > 1
            else zero[:, None]
        )
    return Activation(
        mean=float(values.mean()),
        deviation=float(values.std(correction=0)),
        zeros=int(zero.sum()) / zero.numel(),
        dead=float(channels.all(dim=1).float().mean()),
    )


def _places(model: nn.Module, picture: tuple[int, ...]) -> Mapping[str, SpatialLayer]:
    try:
        return spatial_layers(model, picture).by_path
    except ValueError:  # a network without a layer that has a place in the picture
        return {}


def synchroniser(device: torch.device) -> Callable[[], None]:
    """Waits until the device has done what it was told; the CPU always has."""
    waits = {"cuda": lambda: torch.cuda.synchronize(device), "mps": torch.mps.synchronize}
    return waits.get(device.type, lambda: None)


class _Book:
    """Times of one pass: own seconds by path, and which modules called others."""

    def __init__(self) -> None:
        self.own: dict[str, list[float]] = defaultdict(list)
        self.parents: set[str] = set()


@contextmanager
def _clocked(model: nn.Module, wait: Callable[[], None]) -> Iterator[_Book]:
    """The time the hooks themselves take is nobody's."""
    book = _Book()
    running: list[list[float]] = []  # [when the hook began, when the module began, time spent in its modules]

    def enter(_path: str) -> None:
        began = time.perf_counter()
        wait()
        running.append([began, time.perf_counter(), 0.0])

    def leave(path: str, stack: Sequence[str], _output: Any) -> None:
        wait()
        ended = time.perf_counter()
        began, started, inside = running.pop()
        book.own[path].append(max(0.0, ended - started - inside))
        if stack:
            book.parents.add(stack[-1])
            running[-1][2] += time.perf_counter() - began

    with _nested(model, enter, leave):
        yield book


@contextmanager
def _nested(
    model: nn.Module,
    enter: Callable[[str], None],
    leave: Callable[[str, Sequence[str], Any], None],
) -> Iterator[None]:
    """enter(path) before every module, leave(path, paths it runs inside of, output) after it."""
    paths = {module: path for path, module in model.named_modules()}
    stack: list[str] = []

    def before(module: nn.Module, _inputs: Any) -> None:
        stack.append(paths[module])
        enter(stack[-1])

    def after(_module: nn.Module, _inputs: Any, output: Any) -> None:
        leave(stack.pop(), stack, output)

    with hooked(paths, before=before, after=after):
        yield
