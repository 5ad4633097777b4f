"""How many bytes a network needs, estimated from its trace.

Inference: weights + the peak of activations, found by playing the operations in order and freeing each tensor
after its last reader; views share the memory of what they view. Training: weights + gradients + the
optimiser's state + what autograd keeps for the backward pass. Every figure is for the batch as a whole.

Assumptions: eager execution, no activation in place, no checkpointing, no fragmentation; the workspace of a
convolution library and the framework itself (some hundred MB on a GPU) come on top. Integers (indices of a
max pooling) count 8 bytes. Parameters idle at inference are trained too where a recipe uses them, so they
count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from types import MappingProxyType
from typing import Literal

from explorer.analysis.graph.operations import Op, Trace
from explorer.analysis.graph.roles import VIEWS, words

Mode = Literal["training", "inference"]


@dataclass(frozen=True)
class Precision:
    """Bytes a number: weight as the layers read it, activation, gradient, and a second copy of weights in
    fp32."""

    weight: int
    activation: int
    gradient: int
    master: int = 0


PRECISIONS: Mapping[str, Precision] = MappingProxyType(
    {
        "fp32": Precision(4, 4, 4),
        "bf16": Precision(2, 2, 2),
        "fp16 + fp32 master": Precision(2, 2, 2, master=4),
        "autocast (fp32 weights, 16-bit activations)": Precision(4, 2, 4),
    }
)

# Numbers of state a parameter. They are kept in fp32 where there is a master copy, else in the weights'
# precision.
OPTIMISERS: Mapping[str, int] = MappingProxyType(
    {"SGD": 0, "SGD + momentum": 1, "RMSprop": 1, "RMSprop + momentum": 2, "Adam / AdamW": 2, "Lion": 1}
)


@dataclass(frozen=True)
class Memory:
    """Bytes, by what they are for; inference has neither gradients nor optimiser state."""

    mode: Mode
    batch_size: int
    weights: int
    gradients: int
    optimiser: int
    activations: int

    @property
    def total(self) -> int:
        return self.weights + self.gradients + self.optimiser + self.activations


def memory(
    trace: Trace,
    batch_size: int = 1,
    precision: str = "fp32",
    optimiser: str = "SGD + momentum",
    mode: Mode = "training",
) -> Memory:
    """Estimate for one step on a batch.

    activations = what the backward pass needs, or at inference the peak, x batch_size; the rest as in
    `needed`. KeyError names the choices when precision or optimiser is none of them.
    """
    kept = saved_activation_bytes if mode == "training" else peak_activation_bytes
    an_image = kept(trace, _precision(precision).activation)
    return needed(trace.params, trace.buffer_bytes, an_image, batch_size, precision, optimiser, mode)


def needed(
    params: int,
    buffer_bytes: int,
    activation_bytes: int,
    batch_size: int = 1,
    precision: str = "fp32",
    optimiser: str = "SGD + momentum",
    mode: Mode = "training",
) -> Memory:
    """The same from counts. activation_bytes: of one image, in this precision.

    weights = params x bytes a weight (+ 4 for a master copy) + buffers; gradients = params x bytes a
    gradient; optimiser = params x numbers of state x bytes.
    """
    if optimiser not in OPTIMISERS:
        raise KeyError(f"{optimiser!r} is no optimiser known here; try one of {', '.join(OPTIMISERS)}")
    bytes_of = _precision(precision)
    training = mode == "training"
    master = bytes_of.master if training else 0
    state = OPTIMISERS[optimiser] * (bytes_of.master or bytes_of.weight)
    return Memory(
        mode=mode,
        batch_size=batch_size,
        weights=params * (bytes_of.weight + master) + buffer_bytes,
        gradients=params * bytes_of.gradient if training else 0,
        optimiser=params * state if training else 0,
        activations=batch_size * activation_bytes,
    )


def _precision(name: str) -> Precision:
    if name not in PRECISIONS:
        raise KeyError(f"{name!r} is no precision known here; try one of {', '.join(PRECISIONS)}")
    return PRECISIONS[name]


def peak_activation_bytes(trace: Trace, bytes_per_number: int = 4) -> int:
    """The most that is alive at once while one image passes, the image itself included."""
    owner = owners(trace)
    last_use: dict[str, int] = {}
    for at, op in enumerate(trace.ops):
        for source in (op.id, *op.inputs):
            last_use[owner[source]] = at
    ending: dict[int, list[str]] = {}
    for tensor, at in last_use.items():
        ending.setdefault(at, []).append(tensor)
    size = {op.id: prod(op.output_shape) * bytes_per_number for op in trace.ops if op.kind != "output"}
    alive = peak = 0
    for at, op in enumerate(trace.ops):
        if owner[op.id] == op.id and op.id in size:
            alive += size[op.id]
        peak = max(peak, alive)
        alive -= sum(size.get(tensor, 0) for tensor in ending.get(at, ()))
    return peak


# What the backward pass of an operation reads: its inputs, or its own result. Additions, means, views and
# concatenations need neither; a multiplication needs both factors.
_NEEDS_INPUTS = words(
    """
    addcmul avg_pool1d avg_pool2d avg_pool3d celu div div_ elu gelu group_norm hardswish hardswish_
    hardtanh hardtanh_ instance_norm batch_norm layer_norm leaky_relu_ leaky_relu linalg_vector_norm
    max_pool2d mish mul mul_ pow prelu rms_norm silu silu_ softplus upsample_bicubic2d
    """
)
_NEEDS_RESULT = words("amax exp hardsigmoid relu relu_ rsqrt sigmoid sigmoid_ softmax sqrt tanh tanh_")


def saved_activation_bytes(trace: Trace, bytes_per_number: int = 4) -> int:
    """What autograd keeps of one image from the forward to the backward pass, each tensor once."""
    owner = owners(trace)
    shape = {op.id: op.output_shape for op in trace.ops}
    kept = {owner[tensor] for op in trace.ops for tensor in _needed(op)}
    indices = sum(8 * prod(op.output_shape) for op in trace.ops if op.name.startswith("max_pool"))
    return sum(prod(shape[tensor]) for tensor in kept) * bytes_per_number + indices


def _needed(op: Op) -> Iterator[str]:
    if op.static or op.kind in ("input", "output"):
        return
    if op.macs or op.name in _NEEDS_INPUTS:
        products = ("mul", "mul_", "div", "div_")
        if op.name not in products or len(op.operands) > 1:  # scaling by a constant needs no tensor
            yield from op.inputs
    if op.name in _NEEDS_RESULT:
        yield op.id


_SCATTERING = words(
    "chunk diagonal expand expand_as movedim permute select slice split split_with_sizes swapaxes t "
    "transpose unbind unfold"
)


def owners(trace: Trace) -> Mapping[str, str]:
    """Operation -> the operation whose memory its result lives in: views live in what they view."""
    owner: dict[str, str] = {}
    scattered: dict[str, bool] = {}  # whether the elements lie out of order, so that a reshape must copy them
    for op in trace.ops:
        source = op.inputs[0] if op.inputs else ""
        loose = op.name in ("reshape", "flatten") and not scattered.get(source, False)
        viewed = op.name in VIEWS - {"flatten"} or loose or op.name.endswith("_")
        owner[op.id] = owner[source] if viewed and source else op.id
        scattered[op.id] = viewed and (op.name in _SCATTERING or scattered.get(source, False))
    return owner
