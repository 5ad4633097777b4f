"""The one way to look into a network while it runs.

A hook is handed the very tensor that the network works on with: a residual block adds to it in place, an
activation writes its own answer over it. So what is kept is copied in the hook, and autograd follows the
copy. Every hook is gone when the `with` ends, however it ends.

The caller holds the network alone for that time (an exclusive lease of `explorer.serving.pool`): two passes
through one hooked network see each other's tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

from explorer.analysis.graph.recording import Numbering, named_arguments, operation_name, tensors

Before = Callable[[nn.Module, tuple[Any, ...]], Any]
After = Callable[[nn.Module, tuple[Any, ...], Any], Any]


@contextmanager
def hooked(
    modules: Iterable[nn.Module], *, before: Before | None = None, after: After | None = None
) -> Iterator[None]:
    """before(module, inputs) and after(module, inputs, output) at each call of each module.

    What they return, unless None, takes the place of the inputs or of the output. A tensor that they keep for
    later is not theirs: `torch.clone` it, or compute at once what is wanted of it.
    """
    handles = []
    try:
        for module in modules:
            if before is not None:
                handles.append(module.register_forward_pre_hook(before))
            if after is not None:
                handles.append(module.register_forward_hook(after))
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def inputs_of(*modules: nn.Module) -> Iterator[list[Tensor]]:
    """The first input of the modules, one tensor a call, in the order of the calls."""
    kept: list[Tensor] = []

    def keep(_module: nn.Module, inputs: tuple[Any, ...]) -> None:
        kept.append(inputs[0].clone())

    with hooked(modules, before=keep):
        yield kept


@contextmanager
def outputs_of(*modules: nn.Module) -> Iterator[list[Tensor]]:
    """What the modules give out, one tensor a call, in the order of the calls.

    Where autograd records, the tensors are part of the graph, so that a gradient leads from them back through
    the module.
    """
    kept: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: tuple[Any, ...], output: Tensor) -> None:
        kept.append(output.clone())

    with hooked(modules, after=keep):
        yield kept


@contextmanager
def cut_after(module: nn.Module) -> Iterator[list[Tensor]]:
    """The module's outputs, cut from what came before: leaves from which autograd records on.

    Turns gradients on for the rest of the pass, so it stands inside the `torch.no_grad` that makes what comes
    before the module cheap, and that puts the mode back at its end.
    """
    kept: list[Tensor] = []

    def cut(_module: nn.Module, _inputs: tuple[Any, ...], output: Tensor) -> Tensor:
        kept.append(output.detach().clone().requires_grad_())
        torch.set_grad_enabled(True)
        return kept[-1].clone()  # the network may write into what it goes on with, which a leaf forbids

    with hooked([module], after=cut):
        yield kept


@dataclass(frozen=True)
class KeptCall:
    """One call of an operation in a pass: what was called, with copies of its tensors on the CPU.

    arguments: by their ATen names, defaults filled in; a tensor whose values nobody wanted is on meta.
    """

    function: Any
    arguments: Mapping[str, Any]

    @property
    def reads(self) -> tuple[Tensor, ...]:
        """Its tensors, those in lists too, in the order of `Op.operands`."""
        return tuple(tensors(self.arguments.values()))

    def again(self, replaced: Callable[[int, Tensor], Tensor]) -> Any:
        """The operation on other tensors: replaced(place among `reads`, what stood there)."""
        return self.function(**_replaced(self.arguments, replaced))


@contextmanager
def calls_of(wanted: Mapping[str, Collection[int]]) -> Iterator[dict[str, KeptCall]]:
    """The calls of these operations while a network runs inside the `with`, by their ids in its trace.

    wanted: of each operation the places among its operands whose values are kept, as they were when it was
    called. Gradients are off meanwhile.
    """
    keeper = _Keeper(wanted)
    with torch.inference_mode(), keeper, _NothingFused():
        yield keeper.kept


class _NothingFused(TorchFunctionMode):
    """Where one is there, torch does not make one operation of a whole attention layer, as it cannot on meta
    either, where traces are made."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func(*args, **(kwargs or {}))


class _Keeper(TorchDispatchMode):
    """Counts the calls of its thread as `Recorder` does, and copies what is wanted."""

    def __init__(self, wanted: Mapping[str, Collection[int]]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[str, KeptCall] = {}
        self._wanted = wanted
        self._numbering = Numbering()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = operation_name(func)
        identifier = self._numbering.next_id(name)
        if identifier in self._wanted:  # copied before it runs: it may write over what it reads
            self.kept[identifier] = _copied(func, args, kwargs or {}, self._wanted[identifier])
        result = func(*args, **(kwargs or {}))
        if isinstance(result, (Tensor, tuple, list)):
            self._numbering.ids(name, 0 if isinstance(result, Tensor) else len(result))
        return result


def _copied(func: Any, args: Any, kwargs: Any, wanted: Collection[int]) -> KeptCall:
    """Parameters, which no pass writes over, are shared where they lie on the CPU."""

    def copied(place: int, tensor: Tensor) -> Tensor:
        if place not in wanted:
            return torch.empty_like(tensor, device="meta")
        return tensor.detach().to("cpu", copy=not isinstance(tensor, nn.Parameter))

    return KeptCall(func, _replaced(named_arguments(func, args, kwargs), copied))


def _replaced(arguments: Mapping[str, Any], replace: Callable[[int, Tensor], Tensor]) -> dict[str, Any]:
    """Arguments with each tensor, at whatever place among them, by another."""
    places = count()
    replaced: dict[str, Any] = tree_map_only(
        Tensor, lambda tensor: replace(next(places), tensor), dict(arguments)
    )
    return replaced
