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

from explorer.analysis.graph import Operand

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


def _product(left: str) -> Callable[[Sequence[Operand], Shape, Mapping[str, Any]], Cost]:
    """A matrix product whose contracted axis is the last one of the argument `left`."""

    def rule(operands: Sequence[Operand], output: Shape, _: Mapping[str, Any]) -> Cost:
        return Cost(prod(output) * _shape(operands, left)[-1], prod(output))

    return rule


def _einsum(operands: Sequence[Operand], output: Shape, attributes: Mapping[str, Any]) -> Cost:
    """Each combination of all letters is one multiply and add; one operand alone multiplies nothing."""
    if len(operands) < 2:
        return Cost(0, 0)
    terms = attributes["equation"].replace(" ", "").split("->")[0].split(",")
    extent: dict[str, int] = {}
    for term, operand in zip(terms, operands, strict=True):
        if "." in term:  # an ellipsis stands for the leading axes
            letters = term.replace("...", "")
            extent["..."] = max(
                extent.get("...", 1), prod(operand.shape[: len(operand.shape) - len(letters)])
            )
            extent.update(zip(letters, operand.shape[len(operand.shape) - len(letters) :], strict=True))
        else:
            extent.update(zip(term, operand.shape, strict=True))
    return Cost(prod(extent.values()) * (len(operands) - 1), prod(output))


def _attention(operands: Sequence[Operand], output: Shape, _: Mapping[str, Any]) -> Cost:
    """softmax(q k^T) v with q [..., L, E], k [..., S, E], v [..., S, V]."""
    query, key, value = (_shape(operands, argument) for argument in ("query", "key", "value"))
    scores = prod(query[:-1]) * key[-2]
    return Cost(scores * (query[-1] + value[-1]), scores + prod(output))


def _recurrent(operands: Sequence[Operand], output: Shape, _: Mapping[str, Any]) -> Cost:
    """Every weight matrix, of each layer and direction, multiplies once a step and sample of [B, T, F]."""
    steps = prod(_shape(operands, "input")[:2])
    weights = sum(prod(o.shape) for o in operands if o.argument == "params" and len(o.shape) == 2)
    return Cost(steps * weights, prod(output))


RULES: Mapping[str, Callable[[Sequence[Operand], Shape, Mapping[str, Any]], Cost]] = {
    "conv1d": _convolution,
    "conv2d": _convolution,
    "conv3d": _convolution,
    "convolution": _any_convolution,
    "conv_transpose1d": _transposed_convolution,
    "conv_transpose2d": _transposed_convolution,
    "conv_transpose3d": _transposed_convolution,
    "linear": _linear,
    "addmm": _product("mat1"),
    "addbmm": _product("batch1"),
    "baddbmm": _product("batch1"),
    "bmm": _product("self"),
    "mm": _product("self"),
    "mv": _product("self"),
    "matmul": _product("self"),
    "einsum": _einsum,
    "scaled_dot_product_attention": _attention,
    "lstm": _recurrent,
    "gru": _recurrent,
    "rnn_tanh": _recurrent,
    "rnn_relu": _recurrent,
}

# Products under the convention that have no rule above. The counter of torch knows more names than we do.
_OTHER_PRODUCTS = {"bilinear", "cdist", "chain_matmul", "deform_conv2d", "dot", "inner", "tensordot", "vdot"}
PRODUCTS = frozenset(
    {str(getattr(op, "__name__", op)).split(".")[0] for op in flop_registry} | _OTHER_PRODUCTS | set(RULES)
)


def cost(name: str, operands: Sequence[Operand], output: Shape, attributes: Mapping[str, Any]) -> Cost | None:
    """The cost of one operation; None when it should count and no rule says how much."""
    if name in RULES:
        return RULES[name](operands, output, attributes)
    return None if name in PRODUCTS else Cost(0, 0)
