"""A layer's arithmetic, written out: the formula in symbols, with this layer's numbers in it, and its value.

The numbers are the symbols filled in and the value is the numbers worked out, so the three cannot disagree;
that the value is also what the trace counts is for the tests to say. Costs follow the convention of `costs`:
one multiply and one add are 1 MAC, and adding a bias is none.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor, prod
from typing import Any

from explorer.analysis.field.propagation import ReceptiveField
from explorer.analysis.graph.einsum import terms
from explorer.analysis.graph.operations import Op
from explorer.analysis.graph.roles import CONVOLUTIONS, words

_POOLS = words("avg_pool1d avg_pool2d avg_pool3d max_pool1d max_pool2d max_pool2d_with_indices")
_NORMS = words("batch_norm group_norm instance_norm layer_norm rms_norm")
_RECURRENT = words("gru lstm rnn_relu rnn_tanh")


@dataclass(frozen=True)
class Formula:
    """what: "parameters", "MACs", "receptive field" or "output size", the latter two by axis where the axes
    differ. symbols: "k² · Cin · Cout / groups". numbers: "3² · 64 · 64 / 1". value: what they come to."""

    what: str
    symbols: str
    numbers: str
    value: int


def formula(op: Op, fields: Mapping[str, ReceptiveField] | None = None) -> tuple[Formula, ...]:
    """What one operation costs and makes. fields: receptive fields by operation id, for that formula too.

    Empty for operations that only move or reshape. Parameters counted at an earlier use are not written
    again.
    """
    found = [*_parameters(op), *_macs(op), *_output_size(op)]
    if fields is not None:
        found += _receptive_field(op, fields)
    return tuple(found)


_NUMBER_OF = re.compile(r"[A-Za-z]+")
_TYPED = str.maketrans({"·": "*", "−": "-", "²": "**2", "⌊": "floor(", "⌋": ")", "⌈": "ceil(", "⌉": ")"})
_OPERATORS: Mapping[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_ROUNDING: Mapping[str, Callable[[Fraction], int]] = {"floor": floor, "ceil": ceil}


def evaluated(numbers: str) -> int:
    """ "3² · 64 · 64 / 1" -> 36864, exactly. Raises ValueError on anything but whole numbers and the signs
    + − · / ² ⌊ ⌋ ⌈ ⌉ ( )."""

    def work_out(node: ast.expr) -> Fraction:
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            return _OPERATORS[type(node.op)](work_out(node.left), work_out(node.right))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _ROUNDING:
            return Fraction(_ROUNDING[node.func.id](work_out(node.args[0])))
        if isinstance(node, ast.Constant) and type(node.value) is int:
            return Fraction(node.value)
        raise ValueError(f"{numbers!r} is not an arithmetic expression")

    value = work_out(ast.parse(numbers.translate(_TYPED), mode="eval").body)
    if value.denominator != 1:
        raise ValueError(f"{numbers!r} comes to {value}, which is not a whole number")
    return int(value)


def _filled(what: str, symbols: str, values: Mapping[str, int]) -> Formula:
    numbers = _NUMBER_OF.sub(lambda match: str(values[match[0]]), symbols)
    return Formula(what, symbols, numbers, evaluated(numbers))


def _shape(op: Op, *arguments: str) -> tuple[int, ...]:
    return next((o.shape for o in op.operands if o.argument in arguments), ())


def _owned(op: Op, argument: str) -> bool:
    return any(o.argument == argument and o.is_parameter for o in op.operands)


def _parameters(op: Op) -> Iterator[Formula]:
    """Only where they come to what the trace counts here, not at a second use. "others": what a weight that
    is computed (standardised, say) is worked out from beside itself."""
    if not op.params:
        return
    if op.name in CONVOLUTIONS or op.name == "linear":
        symbols, values = _kernel(op) if op.name in CONVOLUTIONS else _matrix(op)
        symbols += " + Cout" if _shape(op, "bias") else ""
        found = _filled("parameters", symbols, values)
        if found.value < op.params and not _owned(op, "weight"):
            others = {"others": op.params - found.value}
            found = _filled("parameters", f"{symbols} + others", values | others)
    elif op.name in _NORMS:
        learned = _owned(op, "weight") + _owned(op, "bias")
        found = _filled("parameters", f"{learned} · C", {"C": prod(_shape(op, "weight", "bias"))})
    else:
        found = _sizes([o.shape for o in op.operands if o.is_parameter])
    if found.value == op.params:
        yield found


def _matrix(op: Op) -> tuple[str, dict[str, int]]:
    outputs, inputs = _shape(op, "weight")
    return "Cin · Cout", {"Cin": inputs, "Cout": outputs}


def _sizes(shapes: Sequence[tuple[int, ...]]) -> Formula:
    """Of tensors that are learned as they are: scales, class tokens, tables of positions."""
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    named = [[(next(letters), side) for side in shape if side > 1] for shape in shapes[:5]]
    symbols = " + ".join(" · ".join(letter for letter, _ in sides) or "1" for sides in named)
    return _filled("parameters", symbols or "0", dict(pair for sides in named for pair in sides))


def _kernel(op: Op) -> tuple[str, dict[str, int]]:
    """Weights of a convolution: in symbols, and what these stand for."""
    symbols, values = _sides(op.attributes["kernel_size"])
    values |= {"Cin": op.attributes["in_channels"], "Cout": op.attributes["out_channels"]}
    groups = op.attributes.get("groups", 1)
    if groups > 1:
        return f"{symbols} · Cin · Cout / groups", values | {"groups": groups}
    return f"{symbols} · Cin · Cout", values


def _sides(kernel: Sequence[int]) -> tuple[str, dict[str, int]]:
    if len(kernel) == 2 and len(set(kernel)) == 1:
        return "k²", {"k": kernel[0]}
    if len(kernel) == 1:
        return "k", {"k": kernel[0]}
    names = ("kd", "kh", "kw")[-len(kernel) :]
    return " · ".join(names), dict(zip(names, kernel, strict=True))


def _macs(op: Op) -> Iterator[Formula]:
    """Only where they come to what the trace counts here."""
    if op.macs:
        yield from (found for found in _macs_by_name(op) if found.value == op.macs)


def _macs_by_name(op: Op) -> Iterator[Formula]:
    if op.name in CONVOLUTIONS:
        yield _convolution_macs(op)
    elif op.name == "linear":
        symbols, values = _matrix(op)
        values |= {"positions": prod(op.output_shape) // values["Cout"]}
        yield _filled("MACs", f"{symbols} · positions", values)
    elif op.name == "scaled_dot_product_attention":
        query, key, value = (_shape(op, argument) for argument in ("query", "key", "value"))
        names = ("heads", "queries", "keys", "dim", "dimv")
        values = dict(zip(names, (prod(query[:-2]), query[-2], key[-2], query[-1], value[-1]), strict=True))
        yield _filled("MACs", "heads · queries · keys · (dim + dimv)", values)
    elif op.name == "einsum":
        yield from _einsum_macs(op)
    elif op.name in _RECURRENT:
        weights = sum(prod(o.shape) for o in op.operands if o.argument == "params" and len(o.shape) == 2)
        steps = prod(_shape(op, "input")[:2])
        yield _filled("MACs", "steps · weights", {"steps": steps, "weights": weights})
    else:
        yield from _product_macs(op)


def _convolution_macs(op: Op) -> Formula:
    """At every position of the output; a transposed convolution spreads every position of the input."""
    symbols, values = _kernel(op)
    transposed = "transpose" in op.name or bool(op.attributes.get("transposed"))
    shape = _shape(op, "input") if transposed else op.output_shape
    axes = ("D", "H", "W") if len(shape) == 5 else ("H", "W") if len(shape) == 4 else ("L",)
    names = [f"{axis}in" for axis in axes] if transposed else list(axes)
    values |= dict(zip(names, shape[2:], strict=True))
    if shape[0] != 1:
        names, values = ["N", *names], values | {"N": shape[0]}
    return _filled("MACs", " · ".join([symbols, *names]), values)


def _einsum_macs(op: Op) -> Iterator[Formula]:
    """Every combination of the letters, once for each operand after the first."""
    letters, _ = terms(op.attributes["equation"], [operand.shape for operand in op.operands])
    extent: dict[str, int] = {}
    for term, operand in zip(letters, op.operands, strict=True):
        extent |= dict(zip(term, operand.shape, strict=True))
    times = len(op.operands) - 1
    yield _filled("MACs", " · ".join([*extent, *([str(times)] if times > 1 else [])]), extent)


def _product_macs(op: Op) -> Iterator[Formula]:
    left = _shape(op, "mat1", "batch1", "mat") or _shape(op, "self")
    right = [o.shape for o in op.operands][-1]
    if not left:
        return
    if len(left) < 2 or len(right) < 2 or len(op.output_shape) < 2:
        yield _filled("MACs", "outputs · inner", {"outputs": prod(op.output_shape), "inner": left[-1]})
        return
    rows, columns = op.output_shape[-2:]
    batch = prod(op.output_shape[:-2])
    values = {"batch": batch, "rows": rows, "inner": left[-1], "columns": columns}
    yield _filled("MACs", ("batch · " if batch != 1 else "") + "rows · inner · columns", values)


@dataclass(frozen=True)
class _Window:
    """What slides along one axis."""

    n: int
    k: int
    s: int
    p: int
    d: int
    out: int
    extra: int = 0  # a transposed convolution's output padding


def _windows(op: Op) -> tuple[_Window, ...]:
    """By axis; () for what has none, or pads by name."""
    if op.name not in CONVOLUTIONS | _POOLS:
        return ()
    settings = op.attributes
    kernel, padding = settings["kernel_size"], settings["padding"]
    if isinstance(padding, str):
        if padding != "valid":
            return ()
        padding = 0
    axes = len(op.output_shape) - 2 if op.name in CONVOLUTIONS else int(re.findall(r"(\d)d", op.name)[0])
    columns = [
        _shape(op, "input", "self")[-axes:],
        _along(kernel, axes),
        _along(settings.get("stride") or kernel, axes),
        _along(padding, axes),
        _along(settings.get("dilation", 1), axes),
        op.output_shape[-axes:],
        _along(settings.get("output_padding", 0), axes),
    ]
    return tuple(_Window(*row) for row in zip(*columns, strict=True))


def _along(value: Any, axes: int) -> tuple[int, ...]:
    values = tuple(value) if isinstance(value, tuple) else (value,)
    return values * axes if len(values) == 1 else values


def _by_axis(
    what: str, windows: Sequence[_Window], write: Callable[[str, _Window], Formula]
) -> Iterator[Formula]:
    if len(set(windows)) == 1:
        yield write(what, windows[0])
        return
    names = ("depth", "height", "width")[-len(windows) :]
    yield from (write(f"{what}, {name}", window) for name, window in zip(names, windows, strict=True))


def _output_size(op: Op) -> Iterator[Formula]:
    windows = _windows(op)
    transposed = "transpose" in op.name or bool(op.attributes.get("transposed"))
    rounding = "⌈⌉" if op.attributes.get("ceil_mode") else "⌊⌋"

    def write(what: str, window: _Window) -> Formula:
        values = {letter: getattr(window, letter) for letter in "nkspd"} | {"extra": window.extra}
        if transposed:
            return _filled(what, "(n − 1) · s − 2 · p + d · (k − 1) + extra + 1", values)
        symbols = f"{rounding[0]}(n + 2 · p − d · (k − 1) − 1) / s{rounding[1]} + 1"
        found = _filled(what, symbols, values)
        # Rounded up, the last window may begin in the padding: there it is left out.
        return found if found.value == window.out else _filled(what, f"{symbols} − 1", values)

    if windows:
        yield from _by_axis("output size", windows, write)


def _receptive_field(op: Op, fields: Mapping[str, ReceptiveField]) -> Iterator[Formula]:
    """r of this layer from r and jump (the stride of all layers before it) of what it reads; 2-D only. Not
    written where the channels of what it reads see different places (space to depth)."""
    windows, here = _windows(op), fields.get(op.id)
    source = next((fields[o.source] for o in op.operands if o.source in fields), None)
    if len(windows) != 2 or here is None or source is None or "transpose" in op.name or not here.local:
        return
    known = [(int(r), int(jump)) for r, jump in zip(source.size, source.stride, strict=True)]
    if known != [(r, jump) for r, jump in zip(source.size, source.stride, strict=True)]:
        return  # behind a resizing the steps are fractions
    written = []
    for axis, window in enumerate(windows):
        values = {"r": known[axis][0], "k": window.k, "d": window.d, "jump": known[axis][1]}
        written.append(_filled("receptive field", "r + (k − 1) · d · jump", values))
    if [each.value for each in written] != list(here.size):
        return
    if len(set(written)) == 1:
        yield written[0]
        return
    for name, each in zip(("height", "width"), written, strict=True):
        yield replace(each, what=f"receptive field, {name}")
