"""The one way to look into a network while it runs.

A hook is handed the very tensor that the network works on with: a residual block adds to it in place, an
activation writes its own answer over it. So what is kept is copied in the hook, and autograd follows the
copy. Every hook is gone when the `with` ends, however it ends.

The caller holds the network alone for that time (an exclusive lease of `explorer.serving.pool`): two passes
through one hooked network see each other's tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

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
