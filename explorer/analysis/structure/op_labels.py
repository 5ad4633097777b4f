"""What stands on a box of the diagram: the field's word for an operation, and its settings in a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from explorer.analysis.graph.operations import Op
from explorer.analysis.graph.roles import words
from explorer.analysis.structure.module_tree import CONTAINERS

_WORDS: Mapping[str, str] = {
    "_adaptive_avg_pool2d": "adaptive average pool",
    "adaptive_avg_pool2d": "adaptive average pool",
    "adaptive_max_pool2d": "adaptive max pool",
    "avg_pool2d": "average pool",
    "batch_norm": "batch norm",
    "cat": "concat",
    "elu": "ELU",
    "gelu": "GELU",
    "hardsigmoid": "hard sigmoid",
    "hardswish": "hard swish",
    "hardtanh": "hard tanh",
    "leaky_relu": "leaky ReLU",
    "linalg_vector_norm": "L2 norm",
    "max_pool2d": "max pool",
    "max_pool2d_with_indices": "max pool",
    "mul": "multiply",
    "pow": "power",
    "prelu": "PReLU",
    "relu": "ReLU",
    "relu6": "ReLU6",
    "scaled_dot_product_attention": "attention",
    "selu": "SELU",
    "silu": "SiLU",
    "sub": "subtract",
}
_MATRIX_PRODUCTS = words(
    "addbmm addmm addmv baddbmm bmm dot einsum linalg_matmul matmul mm mv tensordot vdot"
)
_LAYERS = frozenset({"spatial", "pointwise", "depthwise", "grouped", "linear"})
_SHORT: Mapping[str, str] = {"batch norm": "BN", "layer norm": "LN", "group norm": "GN"}
_CONVOLUTIONS: Mapping[str, str] = {"depthwise": "depthwise", "grouped": "grouped conv"}


def label(ops: Sequence[Op]) -> str:
    """Of one operation, or of a run of them that the diagram takes for one thing."""
    op = telling(ops)
    if op is None:
        return _run(ops)
    name = op.name.rstrip("_")
    if kernel := op.attributes.get("kernel_size"):
        if name == "deform_conv2d":
            word = "deformable conv"
        elif name.startswith("conv"):
            word = _CONVOLUTIONS.get(op.kind, "transposed conv" if "transpose" in name else "conv")
        else:
            word = _word(name)
        return f"{word} {'×'.join(str(n) for n in _all(kernel))}"
    if op.kind == "pool" and _global(op):
        return "global max pool" if "max" in name else "global average pool"
    if name == "hardtanh" and (op.attributes.get("min_val"), op.attributes.get("max_val")) == (0, 6):
        return "ReLU6"
    if name == "mul" and any(o.is_parameter for o in op.operands):
        return "learned scale"
    if name in _MATRIX_PRODUCTS:
        return "matrix product"
    return _word(name)


def telling(ops: Sequence[Op]) -> Op | None:
    """The one operation of a run that does more than move values about, if there is just one."""
    doing = [op for op in ops if op.kind != "reshape" and not op.static] if len(ops) > 1 else ops
    return doing[0] if len(doing) == 1 else None


def detail(ops: Sequence[Op]) -> str:
    """Stride, dilation and groups where they are not 1, and the shape that comes out (without the batch)."""
    op = telling(ops)
    parts = []
    settings = op.attributes if op is not None else {}
    for key in ("stride", "dilation", "groups"):
        value = settings.get(key)
        depthwise = key == "groups" and value == settings.get("in_channels")
        if value and set(_all(value)) != {1} and not depthwise:
            sides = dict.fromkeys(_all(value))
            parts.append(f"{key} {'×'.join(str(n) for n in (sides if len(sides) == 1 else _all(value)))}")
    if text := shape(ops[-1].output_shape):
        parts.append(text)
    return " · ".join(parts)


def shape(of: Sequence[int]) -> str:
    """ "64 × 56 × 56" of [1, 64, 56, 56]; a lone scalar or nothing is ""."""
    return " × ".join(str(n) for n in of[1:])


def block_name(module_class: str, path: Sequence[str], ops: Sequence[Op]) -> str:
    """ "conv 3×3 · BN · ReLU" for one layer with its norm and activation; else its class; where that says
    nothing (a Sequential), its own name."""
    around = [op for op in ops if op.kind not in _LAYERS and op.kind != "reshape"]
    if sum(op.kind in _LAYERS for op in ops) == 1 and all(op.kind in ("norm", "activation") for op in around):
        return " · ".join(_SHORT.get(label([op]), label([op])) for op in ops if op.kind != "reshape")
    if module_class and module_class not in CONTAINERS:
        return module_class.strip("_")
    if not path:
        return "network"
    return path[-1] if not path[-1].isdigit() else ".".join(path[-2:])


def _run(ops: Sequence[Op]) -> str:
    if all(op.static for op in ops):
        return "learned table" if any(op.params for op in ops) else "fixed table"
    names = [op.name for op in ops]
    middle = [name for name in names if name not in ("contiguous", "getitem")]
    if len(middle) == 3 and middle[1] in ("transpose", "permute"):
        ranks = len(ops[0].output_shape), len(ops[-1].output_shape)
        if ranks == (5, 4) and {middle[0], middle[2]} <= {"view", "reshape", "flatten"}:
            return "channel shuffle"
    words = list(dict.fromkeys(_word(name) for name in names if name != "getitem"))
    return " + ".join(words[:2]) + (" …" if len(words) > 2 else "")


def _word(name: str) -> str:
    return _WORDS.get(name.rstrip("_"), name.strip("_").replace("_", " "))


def _global(op: Op) -> bool:
    if op.name == "mean":
        return True
    return len(op.output_shape) == 4 and set(op.output_shape[2:]) == {1}


def _all(value: object) -> tuple[object, ...]:
    return tuple(value) if isinstance(value, tuple) else (value,)
