"""How many bytes the tensors of a forward pass hold at its peak, weights and input included.

On CUDA what `torch.cuda.max_memory_allocated` says, less what lay there before the network came. On the CPU
the same question is put to the books of torch's own allocator, as its profiler reads them: every tensor made
and freed during one pass, on top of weights and input. The resident memory of the process would answer
another question: it also holds other visitors' networks and whatever an allocator keeps for later.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from itertools import accumulate

import torch
from torch import Tensor, nn
from torch.autograd.profiler import profile

from explorer.networks.entries import first_sentence
from explorer.serving.pool import bytes_of

CPU_NOTE = (
    "weights, input and the most bytes that torch's allocator held during one pass, with those workspaces "
    "that the convolution library asks torch for"
)
CUDA_NOTE = "torch.cuda.max_memory_allocated over one pass, less what lay on the device before"

# The profiler's library reports its own starts and stops on stderr, unless told before its first use.
os.environ.setdefault("KINETO_LOG_LEVEL", "99")


def peak_bytes(
    run: Callable[[Tensor], object], model: nn.Module, x: Tensor, held: int = 0
) -> tuple[int | None, str]:
    """Bytes, and what they are; None and why where nobody keeps the books.

    run: `model` or its compiled twin. held: bytes on a CUDA device before the network came. One pass through
    the network.
    """
    if x.device.type == "cuda":
        torch.cuda.synchronize(x.device)
        torch.cuda.reset_peak_memory_stats(x.device)
        run(x)
        torch.cuda.synchronize(x.device)
        return torch.cuda.max_memory_allocated(x.device) - held, CUDA_NOTE
    if x.device.type != "cpu":
        return None, f"torch keeps no peak of the memory of {x.device.type}"
    try:
        with profile(profile_memory=True) as watched:
            run(x)
        events = [
            (event.start_ns(), event.nbytes())
            for event in watched.kineto_results.events()
            if event.name() == "[memory]"
        ]
    except (AttributeError, RuntimeError) as error:  # another profiler is at work, or torch without one
        return None, f"the profiler of torch could not read it ({first_sentence(error)[:80]})"
    return bytes_of(model) + x.nbytes + peak_of(change for _, change in sorted(events)), CPU_NOTE


def peak_of(changes: Iterable[int]) -> int:
    """The most that is held at once where bytes come (positive) and go (negative) in this order."""
    return max(accumulate(changes), default=0)
