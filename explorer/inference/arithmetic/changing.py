"""How one number becomes another: operations element by element, and norms."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import sqrt
from types import MappingProxyType

import torch
from torch import Tensor

from explorer.analysis.graph.operations import Op
from explorer.inference.arithmetic.gathering import Index, broadcast
from explorer.inference.arithmetic.steps import Changed, Operand, figure, term
from explorer.inference.watching import KeptCall

# ATen name -> (what it is called, its closed form; {0}, {1}, ... are its numbers).
_FORMS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "add": ("Added", "{0} + {1}"),
        "sub": ("Taken off", "{0} − {1}"),
        "rsub": ("Taken from", "{1} − {0}"),
        "mul": ("Multiplied", "{0} × {1}"),
        "div": ("Divided", "{0} ÷ {1}"),
        "addcmul": ("Scaled and shifted", "{0} + {1} × {2}"),
        "maximum": ("Larger one", "max({0}, {1})"),
        "minimum": ("Smaller one", "min({0}, {1})"),
        "relu": ("ReLU", "max(0, {0})"),
        "relu6": ("ReLU6", "min(max(0, {0}), 6)"),
        "hardtanh": ("Cut off", "min(max({1}, {0}), {2})"),
        "leaky_relu": ("Leaky ReLU", "{0} if positive, else {1} × {0}"),
        "prelu": ("PReLU", "{0} if positive, else {1} × {0}"),
        "sigmoid": ("Sigmoid", "1 ÷ (1 + exp(−{0}))"),
        "tanh": ("Tanh", "tanh({0})"),
        "silu": ("SiLU", "{0} × sigmoid({0})"),
        "gelu": ("GELU", "{0} × Φ({0})"),
        "mish": ("Mish", "{0} × tanh(softplus({0}))"),
        "hardswish": ("Hard swish", "{0} × min(max(0, {0} + 3), 6) ÷ 6"),
        "hardsigmoid": ("Hard sigmoid", "min(max(0, {0} + 3), 6) ÷ 6"),
        "elu": ("ELU", "{0} if positive, else exp({0}) − 1"),
        "softplus": ("Softplus", "log(1 + exp({0}))"),
        "pow": ("Power", "{0} to the power of {1}"),
        "square": ("Square", "{0} × {0}"),
        "sqrt": ("Root", "√{0}"),
        "abs": ("Absolute", "|{0}|"),
        "neg": ("Sign turned", "−{0}"),
        "exp": ("Exponential", "exp({0})"),
    }
)
# A negative number that stands alone between brackets or commas needs none of its own.
_BRACKETED = re.compile(r"(?<=\()\((−[^() ]+)\)(?=\))|(?<=, )\((−[^() ]+)\)(?=[),])")
_PLAIN = {"alpha": 1, "beta": 1, "value": 1}  # settings that change nothing as they stand


def bias(op: Op, before: float, added: float) -> Changed:
    """What a convolution or a linear layer adds to its sum."""
    value = before + added
    formula = f"{term(before)} + {term(added)} = {figure(value)}"
    return Changed("Bias", op.dotted or op.id, formula, value, before, (Operand("bias", added),))


def elementwise(
    op: Op, call: KeptCall, index: Index, follows: int, before: float, names: Mapping[int, str]
) -> Changed:
    """The operation itself on single numbers. names: of the other operands, by their places."""
    numbers: dict[int, float] = {}

    def number(place: int, tensor: Tensor) -> Tensor:
        if place == follows:
            single = torch.tensor(before, dtype=torch.float64)
        else:
            single = tensor[_at(op, index, tensor)]
            single = single.double() if tensor.is_floating_point() else single.clone()
        numbers[place] = float(single)
        return single

    if op.name == "prelu":  # which wants whole channels
        _, slope = (number(place, tensor) for place, tensor in enumerate(call.reads))
        value = before if before > 0 else float(slope) * before
    else:
        value = float(call.again(number))
    others = tuple(Operand(names[place], each) for place, each in numbers.items() if place != follows)
    return Changed(
        _words(op, others), op.dotted or op.id, _formula(op, call, numbers, value), value, before, others
    )


def _at(op: Op, index: Index, tensor: Tensor) -> Index:
    """Where the number beside the one at `index` stands; of PReLU's slopes there is one a channel, or one."""
    if op.name == "prelu":
        return (index[1] if len(tensor) > 1 else 0,)
    return broadcast(index, tensor.shape)


def _words(op: Op, others: tuple[Operand, ...]) -> str:
    name = op.name.removesuffix("_")
    said = _FORMS[name][0] if name in _FORMS else name
    if name == "hardtanh" and (op.attributes.get("min_val"), op.attributes.get("max_val")) == (0, 6):
        said = "ReLU6"
    return f"{said}: {others[0].name}" if len(others) == 1 and name in ("add", "sub", "mul", "div") else said


def _formula(op: Op, call: KeptCall, numbers: Mapping[int, float], value: float) -> str:
    """Tensors and numbers among the arguments in their order."""
    name = op.name.removesuffix("_")
    places = iter(range(len(numbers)))
    shown = []
    for key, argument in call.arguments.items():
        if isinstance(argument, Tensor):
            shown.append(term(numbers[next(places)]))
        elif isinstance(argument, int | float) and not isinstance(argument, bool):
            if key in _PLAIN and argument == _PLAIN[key]:
                continue
            shown.append(term(float(argument)))
    scaled = name in ("add", "sub") and len(shown) == 3  # a + alpha b
    if scaled:
        shown = [shown[0], f"{shown[2]} × {shown[1]}"]
    form = _FORMS[name][1] if name in _FORMS else f"{name}({', '.join(shown)})"
    try:
        filled = form.format(*shown)
    except IndexError:
        filled = f"{name}({', '.join(shown)})"
    plain = _BRACKETED.sub(lambda found: found[1] or found[2], filled)
    return f"{plain} = {figure(value)}"


def normalisation(op: Op, call: KeptCall, index: Index, before: float) -> Changed | None:
    """(v - mean) / sqrt(variance + eps) * weight + bias; None for a form that is not known."""
    measured = _measured(op, call, index)
    if measured is None:
        return None
    mean, variance, eps, weight, added, words = measured
    spread = sqrt(variance + eps)
    value = (before - mean) / spread * weight + added
    top = f"({figure(before)} − {term(mean)})" if mean else figure(before)
    formula = f"{top} ÷ {figure(spread)} × {term(weight)} + {term(added)} = {figure(value)}"
    others = (
        Operand("mean", mean),
        Operand("standard deviation", spread),
        Operand("weight", weight),
        Operand("bias", added),
    )
    return Changed(words, op.dotted or op.id, formula, value, before, others)


def _measured(op: Op, call: KeptCall, index: Index) -> tuple[float, float, float, float, float, str] | None:
    """(mean, variance, eps, weight, bias, words)."""
    arguments = call.arguments
    inputs = arguments["input"]
    at: Index = (index[1],)  # of a channel

    def of(name: str, at: Index, otherwise: float) -> float:
        return otherwise if arguments.get(name) is None else float(arguments[name][at])

    if op.name == "batch_norm" or (op.name == "instance_norm" and not arguments["use_input_stats"]):
        if arguments.get("training"):
            return None
        mean, variance = of("running_mean", at, 0.0), of("running_var", at, 1.0)
        words = "Batch norm: mean and variance of the training pictures"
        eps = arguments["eps"]
    elif op.name in ("layer_norm", "rms_norm"):
        rank = len(arguments["normalized_shape"])
        at = index[len(index) - rank :]
        vector = inputs[index[: len(index) - rank]].double()
        eps = arguments["eps"]
        if op.name == "rms_norm":
            eps = torch.finfo(inputs.dtype).eps if eps is None else eps
            mean, variance = 0.0, float(vector.square().mean())
            words = "RMS norm: of the channels at this place"
        else:
            mean, variance = float(vector.mean()), float(vector.var(correction=0))
            words = "Layer norm: mean and variance of the channels at this place"
    elif op.name in ("group_norm", "instance_norm"):
        groups = arguments["num_groups"] if op.name == "group_norm" else inputs.shape[1]
        members = inputs.shape[1] // groups
        first = index[1] // members * members
        group = inputs[index[0], first : first + members].double()
        mean, variance, eps = float(group.mean()), float(group.var(correction=0)), arguments["eps"]
        words = "Group norm: mean and variance over the group and all places"
    else:
        return None
    return mean, variance, eps, of("weight", at, 1.0), of("bias", at, 0.0), words
