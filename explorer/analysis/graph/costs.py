"""What an operation costs: a table from its ATen name to a rule over shapes.

Convention: 1 MAC = one multiply and one add of a convolution, a linear layer, a matrix product or an
attention product. Nothing else counts: no norm, activation, pooling, addition, softmax. FLOPs = 2 x MACs.
This is the convention of torchvision's `weights.meta["_ops"]`. `activations` = output elements of the same
operations; both products of an attention count, fused or not, so that one network has one number whatever
kernel runs it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

from torch.utils.flop_counter import flop_registry

from explorer.analysis.graph.einsum import terms
from explorer.analysis.graph.operations import Operand
from explorer.analysis.graph.roles import words

Shape = tuple[int, ...]


class Cost(NamedTuple):
    macs: int
    activations: int


def _shape(operands: Sequence[Operand], argument: str) -> Shape:
    for operand in operands:
        if operand.argument == argument:
            return operand.shape
    raise KeyError(argument)


def _convolution(operands: Sequence[Operand], output: Shape, _: Mapping[str, Any]) -> Cost:
    """Each output element sums over kernel x in_channels / groups, which is the weight without its first
    axis."""
    return Cost(prod(output) * prod(_shape(operands, "weight")[1:]), prod(output))


def _transposed_convolution(operands: Sequence[Operand], output: Shape, _: Mapping[str, Any]) -> Cost:
    """Each input element is spread over kernel x out_channels / groups."""
    return Cost(prod(_shape(operands, "input")) * prod(_shape(operands, "weight")[1:]), prod(output))


def _any_convolution(operands: Sequence[Operand], output: Shape, attributes: Mapping[str, Any]) -> Cost:
    rule = _transposed_convolution if attributes.get("transposed") else _convolution
    return rule(operands, output, attributes)


def _linear(operands: Sequence[Operand], output: Shape, _: Mapping[str, Any]) -> Cost:
    return Cost(prod(output) * _shape(operands, "weight")[-1], prod(output))


def _product(left: str, *, summed: str = "") -> Callable[[Sequence[Operand], Shape, Mapping[str, Any]], Cost]:
    """A matrix product whose contracted axis is the last one of the argument `left`. summed: the argument
    whose first axis is a batch that is summed over too."""

    def rule(operands: Sequence[Operand], output: Shape, _: Mapping[str, Any]) -> Cost:
        terms = _shape(operands, summed)[0] if summed else 1
        return Cost(prod(output) * _shape(operands, left)[-1] * terms, prod(output))

    return rule


def _outer(operands: Sequence[Operand], output: Shape, _: Mapping[str, Any]) -> Cost:
    """A column times a row: the contracted axis has one place."""
    return Cost(prod(output), prod(output))


def _vector_dot(operands: Sequence[Operand], output: Shape, attributes: Mapping[str, Any]) -> Cost:
    places = _shape(operands, "x")[attributes["dim"]]
    return Cost(prod(output) * places, prod(output))


def _tensordot(operands: Sequence[Operand], output: Shape, attributes: Mapping[str, Any]) -> Cost:
    shape = _shape(operands, "self")
    return Cost(prod(output) * prod(shape[d] for d in attributes["dims_self"]), prod(output))


def _einsum(operands: Sequence[Operand], output: Shape, attributes: Mapping[str, Any]) -> Cost:
    """Each combination of all letters is one multiply and add; one operand alone multiplies nothing."""
    if len(operands) < 2:
        return Cost(0, 0)
    letters, _ = terms(attributes["equation"], [operand.shape for operand in operands])
    extent: dict[str, int] = {}
    for term, operand in zip(letters, operands, strict=True):
        for letter, size in zip(term, operand.shape, strict=True):
            extent[letter] = max(size, extent.get(letter, 1))  # a side of one place is repeated
    return Cost(prod(extent.values()) * (len(operands) - 1), prod(output))


def _attention(operands: Sequence[Operand], output: Shape, _: Mapping[str, Any]) -> Cost:
    """softmax(q k^T) v with q [..., L, E], k [..., S, E], v [..., S, V]."""
    query, key, value = (_shape(operands, argument) for argument in ("query", "key", "value"))
    scores = prod(query[:-1]) * key[-2]
    return Cost(scores * (query[-1] + value[-1]), scores + prod(output))


def _recurrent(operands: Sequence[Operand], output: Shape, _: Mapping[str, Any]) -> Cost:
    """Every weight matrix, of each layer and direction, multiplies once a step and sample: of [B, T, F], or
    of packed sequences [steps of all, F]."""
    sequences = next(o for o in operands if o.argument in ("input", "data"))
    weights = sum(prod(o.shape) for o in operands if o.argument == "params" and len(o.shape) == 2)
    return Cost(prod(sequences.shape[:-1]) * weights, prod(output))


def _recurrent_cell(operands: Sequence[Operand], output: Shape, _: Mapping[str, Any]) -> Cost:
    """One step of it, of [B, F]."""
    weights = prod(_shape(operands, "w_ih")) + prod(_shape(operands, "w_hh"))
    return Cost(prod(_shape(operands, "input")[:-1]) * weights, prod(output))


RULES: Mapping[str, Callable[[Sequence[Operand], Shape, Mapping[str, Any]], Cost]] = {
    "conv1d": _convolution,
    "conv2d": _convolution,
    "conv3d": _convolution,
    "convolution": _any_convolution,
    "conv_transpose1d": _transposed_convolution,
    "conv_transpose2d": _transposed_convolution,
    "conv_transpose3d": _transposed_convolution,
    "deform_conv2d": _convolution,  # reading between pixels is an interpolation, which counts nothing
    "linear": _linear,
    "addmm": _product("mat1"),
    "addmv": _product("mat"),
    "addr": _outer,
    "addbmm": _product("batch1", summed="batch1"),
    "baddbmm": _product("batch1"),
    "bmm": _product("self"),
    "dot": _product("self"),
    "ger": _outer,
    "linalg_matmul": _product("self"),
    "linalg_vecdot": _vector_dot,
    "mm": _product("self"),
    "mv": _product("self"),
    "matmul": _product("self"),
    "outer": _outer,
    "tensordot": _tensordot,
    "vdot": _product("self"),
    "einsum": _einsum,
    "scaled_dot_product_attention": _attention,
    "lstm": _recurrent,
    "gru": _recurrent,
    "rnn_tanh": _recurrent,
    "rnn_relu": _recurrent,
    "lstm_cell": _recurrent_cell,
    "gru_cell": _recurrent_cell,
    "rnn_tanh_cell": _recurrent_cell,
    "rnn_relu_cell": _recurrent_cell,
}

# Operations that multiply and add under the convention, or nearly so, and have no rule above: they are named
# as not counted. The counter of torch knows more names than we do.
_UNPRICED = words(
    """
    bilinear cdist chain_matmul conv_tbc inner kron _native_multi_head_attention
    _transformer_encoder_layer_fwd
    """
)
PRODUCTS = frozenset(
    {str(getattr(op, "__name__", op)).split(".")[0] for op in flop_registry} | _UNPRICED | set(RULES)
)
_UNPRICED_FAMILIES = ("fft_", "linalg_")  # transforms, decompositions, solvers
_FREE_OF_FAMILIES = words(
    """
    fft_fftfreq fft_fftshift fft_ifftshift fft_rfftfreq linalg_cross linalg_diagonal linalg_matrix_norm
    linalg_norm linalg_vector_norm
    """
)
_TORCH = words("aten prims higher_order")
# From outside torch, and known to compute no products: torchvision reads boxes between pixels.
_FREE_FROM_OUTSIDE = words("nms ps_roi_align ps_roi_pool roi_align roi_pool")


def cost(
    name: str,
    operands: Sequence[Operand],
    output: Shape,
    attributes: Mapping[str, Any],
    *,
    library: str = "aten",
) -> Cost | None:
    """The cost of one operation; None when it should count, or may, and no rule says how much.

    library: who registered it. What comes from neither torch nor the lists above may compute anything.
    """
    name = name.removesuffix("_")  # in place it computes the same
    if name in RULES:
        return RULES[name](operands, output, attributes)
    unpriced = (
        name in PRODUCTS
        or (name.lstrip("_").startswith(_UNPRICED_FAMILIES) and name not in _FREE_OF_FAMILIES)
        or (library not in _TORCH and name not in _FREE_FROM_OUTSIDE)
    )
    return None if unpriced else Cost(0, 0)
