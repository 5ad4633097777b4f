"""What a network raises while it runs, and its answer read as what it is: everything a page need not know."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from explorer.networks.entries import first_sentence

if TYPE_CHECKING:
    from torch import Tensor, device, nn

    from explorer.networks.entries import Network


class CannotRun(ValueError):  # noqa: N818 - it is what a reader is told
    """The network does not run on this, or gives no answer that means anything; the message is a sentence."""


def told(what: str, error: Exception, device: str = "this machine") -> Exception:
    """The error that a reader is told: CannotRun for what a network or torch raised, else `error` itself.

    A network's own errors are of any type, so they are known by where they came from: a call of a module.
    """
    if isinstance(error, CannotRun):
        return error
    if out_of_memory(error):
        return CannotRun(f"{what} needs more memory for this than {device} has now.")
    if _from_a_module(error) or isinstance(error, ArithmeticError) or _raised_by_torch(error):
        return CannotRun(f"{what} does not run on this: {first_sentence(error)}.")
    return error


def out_of_memory(error: BaseException) -> bool:
    """CUDA has an error type of its own; MPS and the CPU say it in words."""
    import torch

    said = str(error).lower()
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and ("out of memory" in said or "can't allocate memory" in said)
    )


def _from_a_module(error: Exception) -> bool:
    from torch import nn

    call = nn.Module._call_impl.__code__
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code is call:
            return True
        trace = trace.tb_next
    return False


def _raised_by_torch(error: Exception) -> bool:
    """Plain RuntimeErrors are torch's; those raised here have types of their own."""
    return type(error) in (RuntimeError, NotImplementedError, RecursionError)


def device_of(model: "nn.Module") -> "device":
    """Where its weights lie; the CPU for a network without any."""
    from torch import device

    parameter = next(model.parameters(), None)
    return device("cpu") if parameter is None else parameter.device


def scores(network: "Network", answer: Any) -> "Tensor":
    """One score for each thing the network can say, [N, K], from what it gave for N pictures.

    Of a single output, the score of yes and, its opposite, that of no. Raises CannotRun for an embedding, for
    anything but one row of finite numbers a picture.
    """
    from torch import Tensor, cat

    name = network.weights.id
    if network.outputs == "embedding":
        raise CannotRun(f"{name} answers with an embedding, which is no classification: it has no classes.")
    if not isinstance(answer, Tensor) or answer.ndim != 2:
        raise CannotRun(f"{name} answers with {_shape(answer)}, not with one score a class.")
    check_finite(name, answer)
    return cat([answer, -answer], 1) if network.outputs == "yes or no" else answer


def probabilities(network: "Network", answer: Any) -> "Tensor":
    """float32 [N, K] from 0 to 1: the softmax over the classes, the sigmoid of a single output and its rest.

    Raises what `scores` raises.
    """
    found = scores(network, answer).float()
    return found.sigmoid() if network.outputs == "yes or no" else found.softmax(dim=1)


def check_finite(name: str, answer: Any, purpose: str = "explained") -> None:
    """Raises CannotRun where a number in an answer of any nesting is infinite or none."""
    if not all(bool(each.isfinite().all()) for each in _tensors(answer)):
        raise CannotRun(f"{name} cannot be {purpose}: its outputs are not finite.")


def _tensors(answer: Any) -> "Iterator[Tensor]":
    from torch import Tensor

    if isinstance(answer, Tensor):
        yield answer
    elif isinstance(answer, Mapping | list | tuple):
        for each in answer.values() if isinstance(answer, Mapping) else answer:
            yield from _tensors(each)


def _shape(answer: Any) -> str:
    if getattr(answer, "shape", None) == ():
        return "a single number"
    if hasattr(answer, "shape"):
        return f"a tensor of {' × '.join(map(str, answer.shape))}"
    if isinstance(answer, dict | list | tuple):
        return f"{len(answer)} results of {type(answer).__name__} type"
    return f"a {type(answer).__name__}"
