"""A graph of ONNX's as a torch module: each operation a module at the place that its name tells, so that
whatever looks at a network looks at this one too.

The file is untrusted: it is parsed by the package `onnx`, no code comes with it, size and depth are bounded,
and weights beside it are read only from its own folder.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from explorer.networks.own.onnx_operations import OPERATIONS, NotHere

_LARGEST_BYTES = 2 << 30  # protobuf's own bound
_MOST_NODES = 20_000
_MOST_NUMBERS = 4096  # elements of a constant that may decide a shape
_OWN_DOMAINS = frozenset({"", "ai.onnx"})
_FLOATS = frozenset({1, 10, 11, 16})  # TensorProto.DataType: float, float16, double, bfloat16
_STATISTICS = slice(3, 5)  # inputs of a BatchNormalization that are no parameters
_LAYERS = frozenset(
    {"BatchNormalization", "Conv", "ConvTranspose", "Gemm", "GroupNormalization", "InstanceNormalization"}
    | {"LayerNormalization", "PRelu"}
)
_WORD = re.compile(r"\w{1,60}")


class Unreadable(ValueError):  # noqa: N818 - it is what a reader is told
    """The file is no graph that can be looked at here; the end of a sentence."""


@dataclass(frozen=True)
class Weight:
    """A tensor of the file that is learnt, or too large to decide a shape. parameter: else a buffer. proto:
    where its numbers are."""

    shape: tuple[int, ...]
    parameter: bool
    proto: Any


@dataclass(frozen=True)
class Node:
    """operation: ONNX's name; `known` in the table. inputs, outputs: names of values, "" for one left out.
    shape: of the first output where the file tells it, for what is not in the table."""

    operation: str
    known: bool
    path: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    shape: tuple[int, ...] | None

    def __deepcopy__(self, memo: dict[int, Any]) -> Node:
        return self  # nothing in it changes


@dataclass(frozen=True)
class Graph:
    """input_shape: (C, H, W), None for a side that the file leaves open. constants: small tensors by name,
    which may decide shapes. classes: columns of an output [N, K], None of any other or where it is not told.
    """

    folder: Path
    input: str
    input_shape: tuple[int | None, int | None, int | None]
    outputs: tuple[str, ...]
    nodes: tuple[Node, ...]
    weights: Mapping[str, Weight]
    constants: Mapping[str, Tensor]
    classes: int | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> Graph:
        return self

    def network(self, *, with_weights: bool = False) -> nn.Module:
        """with_weights: with the file's numbers, else as torch draws none: on meta it takes no memory.

        Raises Unreadable where the numbers cannot be read.
        """
        return _Network(self, with_weights)


def read(path: Path) -> Graph:
    """Raises Unreadable, also where the package `onnx` is not installed."""
    try:
        import onnx
    except ImportError:
        raise Unreadable("files of ONNX are read by the package onnx: pip install onnx") from None
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST_BYTES:
            raise Unreadable("it is no file, or one of over 2 GB")
        model = onnx.load(str(path), load_external_data=False)
    except Unreadable:
        raise
    except Exception as error:  # protobuf has an error for each kind of damage
        raise Unreadable("it is damaged, or no file of ONNX's") from error
    try:
        _check_size(model)
        if model.functions:
            from onnx import inliner

            model = inliner.inline_local_functions(model)
        with suppress(Exception):  # then shapes are what the operations of torch give
            model = onnx.shape_inference.infer_shapes(model)
        return _graph(model.graph, path.parent)
    except Unreadable:
        raise
    except Exception as error:  # references to nothing, attributes of the wrong kind, functions in a circle
        raise Unreadable(f"it is no valid graph: {type(error).__name__}") from error


def _check_size(model: Any) -> None:
    """Raises Unreadable for too many operations, those counted that its functions stand for: each of a few
    may call the next one twice.
    """
    bodies = {(each.domain, each.name): each.node for each in model.functions}

    @cache
    def inside(function: tuple[str, str]) -> int:
        return counted(bodies[function])

    def counted(nodes: Sequence[Any]) -> int:
        total = 0
        for node in nodes:
            called = (node.domain, node.op_type)
            total += inside(called) if called in bodies else 1
            total += sum(counted(graph.node) for each in node.attribute for graph in (each.g, *each.graphs))
        return total

    count = counted(model.graph.node)
    if count > _MOST_NODES:
        raise Unreadable(f"it has {count:,} operations; up to {_MOST_NODES:,} are read")


@lru_cache(maxsize=8)
def kept(path: Path, _changed: int, _size: int) -> Graph:
    """`read`, once a version of the file."""
    return read(path)


def _graph(graph: Any, folder: Path) -> Graph:
    given = {each.name: each for each in graph.initializer}
    inputs = [each for each in graph.input if each.name not in given]
    if len(inputs) != 1:
        said = ", ".join(each.name[:40] for each in inputs[:4]) or "none"
        raise Unreadable(f"it takes {len(inputs)} inputs ({said}), and one picture is what there is")
    sides = [d.dim_value if d.dim_value > 0 else None for d in inputs[0].type.tensor_type.shape.dim]
    if len(sides) != 4:
        raise Unreadable(f"its input has {len(sides)} dimensions, and a picture's are N, C, H, W")
    if sides[3] in (1, 3) and sides[1] not in (1, 3):
        raise Unreadable("its input has the channels last; N, C, H, W is read here")
    statistics = {
        name
        for node in graph.node
        if node.op_type == "BatchNormalization"
        for name in list(node.input)[_STATISTICS]
    }
    of_layers = {name for node in graph.node if node.op_type in _LAYERS for name in list(node.input)[1:]}
    weights, constants = {}, {}
    for name, proto in given.items():
        shape = tuple(proto.dims)
        count = math.prod(shape)
        # A single number is a setting that the exporter wrote down, unless a layer takes it for a weight.
        if proto.data_type in _FLOATS and (count > 1 or name in of_layers):
            weights[name] = Weight(shape, name not in statistics, proto)
        if count <= _MOST_NUMBERS and (proto.data_type not in _FLOATS or count <= 16):
            constants[name] = _values(proto, folder)
        elif name not in weights:
            weights[name] = Weight(shape, False, proto)
    shapes = {each.name: _static(each) for each in (*graph.value_info, *graph.output)}
    transposed = {
        each.output[0]: each.input[0]
        for each in graph.node
        if each.op_type == "Transpose" and each.input[0] in weights and len(weights[each.input[0]].shape) == 2
    }
    nodes = []
    for each in graph.node:
        attributes = {a.name: _attribute(a, folder) for a in each.attribute}
        if each.op_type == "Constant":
            constants[each.output[0]] = _constant(attributes)
            continue
        operation, inputs_of = each.op_type, list(each.input)
        if operation == "MatMul" and (weight := transposed.get(inputs_of[1])):
            # A linear layer as exporters write it; the transposition alone is nobody's layer.
            operation, inputs_of[1] = "Gemm", weight
            attributes = {"transB": 1}
        known = each.domain in _OWN_DOMAINS and each.op_type in OPERATIONS
        nodes.append(
            Node(
                operation,
                known,
                _path(each, given),
                tuple(inputs_of),
                tuple(each.output),
                MappingProxyType({**attributes, "outputs": len(each.output)}),
                shapes.get(each.output[0]) if each.output else None,
            )
        )
    return Graph(
        folder,
        inputs[0].name,
        (sides[1], sides[2], sides[3]),
        tuple(each.name for each in graph.output),
        tuple(nodes),
        MappingProxyType(weights),
        MappingProxyType(constants),
        _columns(graph.output),
    )


def _columns(outputs: Sequence[Any]) -> int | None:
    sides = [d.dim_value for d in outputs[0].type.tensor_type.shape.dim] if len(outputs) == 1 else []
    return sides[1] or None if len(sides) == 2 else None


def _static(info: Any) -> tuple[int, ...] | None:
    """A batch that is left open is one picture; None where another side is."""
    sides = [d.dim_value for d in info.type.tensor_type.shape.dim]
    sides[:1] = [sides[0] or 1] if sides else []
    return tuple(sides) if all(sides) else None


def _attribute(attribute: Any, folder: Path) -> Any:
    import onnx

    if attribute.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS):
        raise Unreadable("it branches or loops (a graph within the graph), which is not read")
    value = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return _values(value, folder) if isinstance(value, onnx.TensorProto) else value


def _constant(attributes: Mapping[str, Any]) -> Tensor:
    value = next(iter(attributes.values()))
    return value if isinstance(value, Tensor) else torch.tensor(value)


def _values(proto: Any, folder: Path) -> Tensor:
    """The numbers of a tensor. Raises Unreadable where they lie outside of the file's folder, or nowhere."""
    from onnx import external_data_helper, numpy_helper

    if external_data_helper.uses_external_data(proto):
        named = {each.key: each.value for each in proto.external_data}.get("location", "")
        beside = (folder / named).resolve()
        if not named or not beside.is_relative_to(folder.resolve()) or not beside.is_file():
            raise Unreadable(f"its weights lie in {named[:80]!r}, which is no file in its folder")
    try:
        # With the folder given, it reads what is beside the file.
        array = numpy_helper.to_array(proto, base_dir=str(folder))
    except Exception as error:
        raise Unreadable(f"the numbers of its tensor {proto.name[:60]!r} cannot be read") from error
    if proto.data_type == 16:  # bfloat16, which NumPy has not
        array = array.astype("float32")
    return torch.from_numpy(array.copy())


def _path(node: Any, weights: Mapping[str, Any]) -> tuple[str, ...]:
    """Where it stands among the modules: as torch's exporter notes it, by the name of its weight
    ("layer1.0.conv1.weight"), or by its own name ("/layer1/layer1.0/conv1/Conv"); () where none says it."""
    noted = {each.key: each.value for each in node.metadata_props}.get("pkg.torch.onnx.name_scopes", "")
    if scopes := re.findall(r"'([\w.]*)'", noted[:4096])[:-1]:
        return _words(scopes[-1].split("."))
    weight = next((name for name in node.input if name in weights), "")
    owner, dot, last = weight.rpartition(".")
    if dot and last in ("weight", "bias", "running_mean", "gamma", "scale") and "::" not in owner:
        return _words(owner.split("."))
    path: list[str] = []
    outer = ""
    for scope in node.name.strip("/").split("/")[:-1]:
        path.append(scope.removeprefix(f"{outer}.") if outer else scope)
        outer = scope
    return _words([word for each in path for word in each.split(".")])


def _words(parts: Sequence[str]) -> tuple[str, ...]:
    """As names of modules: no dots in them, nothing empty, bounded in depth."""
    return tuple(re.sub(r"\W", "_", part)[:60] for part in parts if part)[:12]


class _Network(nn.Module):
    """Runs the operations in their order; of a value only as long as somebody will read it."""

    graph: Graph
    steps: list[tuple[nn.Module, list[str]]]
    held: dict[str, tuple[nn.Module, str]]  # weight -> the first module that reads it, its name there

    def __init__(self, graph: Graph, with_weights: bool) -> None:
        super().__init__()
        self.graph, self.steps, self.held = graph, [], {}
        last_reader = {name: at for at, node in enumerate(graph.nodes) for name in node.inputs}
        # Paths of several operations, or with further paths inside: there they stand side by side.
        within = Counter(node.path[:depth] for node in graph.nodes for depth in range(len(node.path) + 1))
        for at, node in enumerate(graph.nodes):
            module = _kind(node.operation)(node)
            if within[node.path] > 1 or not node.path:
                _stand(self, node.path, node.operation.lower(), module)
            else:
                _stand(self, node.path[:-1], node.path[-1], module)
            for position, name in enumerate(node.inputs):
                if name in graph.weights and name not in self.held:
                    own = _own_name(name, position)
                    self.held[name] = module, own
                    _hold(module, own, graph, name, with_weights)
            read = {name for name in node.inputs if name} - set(graph.outputs)
            over = [name for name in read if last_reader[name] == at]
            self.steps.append((module, over))

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        graph = self.graph
        values: dict[str, Any] = {graph.input: x, "": None}
        for node, (module, over) in zip(graph.nodes, self.steps, strict=True):
            result = module([self._value(name, values, x) for name in node.inputs])
            several = result if isinstance(result, tuple) else (result,)
            values.update((name, each) for name, each in zip(node.outputs, several, strict=False) if name)
            for name in over:
                values.pop(name, None)
        outputs = tuple(self._value(name, values, x) for name in graph.outputs)
        return outputs if len(outputs) > 1 else outputs[0]

    def _value(self, name: str, values: Mapping[str, Any], x: Tensor) -> Any:
        if name in values:
            return values[name]
        if name in self.held and (name not in self.graph.constants):
            module, own = self.held[name]
            return getattr(module, own)
        if name in self.graph.constants:
            constant = self.graph.constants[name]
            return (
                constant if constant.ndim == 0 or not constant.is_floating_point() else constant.to(x.device)
            )
        raise NotHere(f"a value {name[:60]!r} that no operation makes")


# Attributes of the modules here, which no module inside can be called.
_OF_MODULES = frozenset({*dir(nn.Module()), *_Network.__annotations__, "node", "taken"})


class _Operation(nn.Module):
    """One operation, called as ONNX calls it."""

    node: Node

    def __init__(self, node: Node) -> None:
        super().__init__()
        self.node = node

    def forward(self, inputs: Sequence[Any]) -> Any:
        node = self.node
        if node.known:
            return OPERATIONS[node.operation](node.attributes, inputs)
        if node.shape is None:
            raise NotHere(
                f"{node.operation[:60]}, which is unknown here, and the file does not tell its shape"
            )
        given = [each for each in inputs if isinstance(each, Tensor)]
        if not any(each.is_meta for each in given):
            raise NotHere(f"{node.operation[:60]}, which is unknown here: its numbers cannot be computed")
        return _unknown(node.operation)(given, list(node.shape))


@cache
def _kind(operation: str) -> type[_Operation]:
    return type(operation if _WORD.fullmatch(operation) else "Operation", (_Operation,), {})


_library = torch.library.Library("onnx", "FRAGMENT")


@cache
def _unknown(operation: str) -> Callable[[Sequence[Tensor], Sequence[int]], Tensor]:
    """An operation of torch's with this name and a shape, which cannot be computed: of its costs and of what
    it sees nobody here knows, and all who look at a network say so."""
    name = operation if _WORD.fullmatch(operation) and operation.isidentifier() else "operation"
    if not hasattr(torch.ops.onnx, name):
        _library.define(f"{name}(Tensor[] inputs, int[] shape) -> Tensor")
        _library.impl(name, lambda inputs, shape: inputs[0].new_empty(shape), "Meta")
    return getattr(torch.ops.onnx, name)  # type: ignore[no-any-return]


def _stand(root: nn.Module, path: Sequence[str], name: str, module: nn.Module) -> None:
    """Put it below the scopes of its path; the second of a name is name_1. What a module of torch calls
    something else ("forward", "training") gets an underscore."""
    for word in map(_free, path):
        inner = root._modules.get(word)
        if inner is None:
            inner = Block()
            root.add_module(word, inner)
        root = inner
    name = _free(name) if _WORD.fullmatch(name) else "operation"
    taken = root.__dict__.setdefault("taken", Counter())
    root.add_module(f"{name}_{taken[name]}" if taken[name] else name, module)
    taken[name] += 1


def _free(name: str) -> str:
    return f"{name}_" if name in _OF_MODULES else name


class Block(nn.Module):
    """A module of the network that was exported, of which the file knows the name alone."""


def _own_name(name: str, position: int) -> str:
    last = name.rpartition(".")[2]
    return last if last in ("weight", "bias", "running_mean", "running_var") else f"tensor_{position}"


def _hold(module: nn.Module, own: str, graph: Graph, name: str, with_weights: bool) -> None:
    weight = graph.weights[name]
    if with_weights or not weight.parameter:
        tensor = _values(weight.proto, graph.folder) if with_weights else torch.zeros(weight.shape)
    else:
        tensor = torch.empty(weight.shape)
    if weight.parameter:
        module.register_parameter(own, nn.Parameter(tensor, requires_grad=tensor.is_floating_point()))
    else:
        module.register_buffer(own, tensor)
