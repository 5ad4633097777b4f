"""From a module to a `Trace`: torch.export on the meta device, one graph node after the other turned into an
`Op`.

Constants (masks, coordinate grids) and operations that do nothing at inference (dropout, alias, casts) leave
no trace; their readers are wired to what they passed through. A parameter belongs to the first operation on
the image that it reaches: a standardised weight to its convolution, not to the arithmetic that standardises
it.
"""

from __future__ import annotations

import logging
import operator
import threading
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.export.graph_signature import InputKind
from torch.fx import config as fx_config
from torch.fx._lazy_graph_module import _use_lazy_graph_module
from torch.fx._symbolic_trace import _Patcher

from explorer.analysis.graph.costs import cost
from explorer.analysis.graph.operations import Idle, Op, Operand, Trace, freeze
from explorer.analysis.graph.roles import CONVOLUTIONS, FACTORIES, IDENTITIES, VIEWS, role
from explorer.networks.deploying import is_fusible

EXPORT_LOCK = (
    threading.Lock()
)  # torch.export is not re-entrant, and the attention switch below is process-wide


def trace_module(model: nn.Module, input_shape: Sequence[int], name: str) -> Trace:
    """Export a module, on whatever device it lies, for one input [N, C, H, W] and read the graph.

    The module is put in evaluation mode for the duration and given back as it was. Whatever torch.export or
    the module itself raises at this shape passes through.
    """
    shape = tuple(int(n) for n in input_shape)
    like = next((t for t in model.parameters() if t.is_floating_point()), torch.empty(0, device="meta"))
    image = torch.empty(shape, device=like.device, dtype=like.dtype)
    training = [m for m in model.modules() if m.training]
    with EXPORT_LOCK, _hooks_of_this_thread(), _plain_and_quiet():
        try:
            model.eval()
            with torch.no_grad():
                program = torch.export.export(model, (image,), strict=False)
        finally:
            for module in training:
                module.training = True
    return _Reader(model, program).read(name, shape)


@contextmanager
def _hooks_of_this_thread() -> Iterator[None]:
    """While it traces, torch.fx takes over calls and attributes of nn.Module in the whole process: forward
    passes of other threads would be taken for parts of the traced network. They go past it here.
    """
    here, patch_method = threading.get_ident(), _Patcher.patch_method

    def patch_for_this_thread(
        patcher: _Patcher, cls: type, name: str, new_fn: Callable[..., Any], deduplicate: bool = True
    ) -> None:
        plain = getattr(cls, name)

        @wraps(new_fn)
        def hooked(*args: Any, **kwargs: Any) -> Any:
            return (new_fn if threading.get_ident() == here else plain)(*args, **kwargs)

        patch_method(patcher, cls, name, hooked, deduplicate)

    _Patcher.patch_method = patch_for_this_thread  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        _Patcher.patch_method = patch_method  # type: ignore[method-assign]


@contextmanager
def _plain_and_quiet() -> Iterator[None]:
    """Process-wide settings of torch for the time of an export, all put back afterwards.

    The fused path of MultiheadAttention hides its products, so it is off. Stack traces, a sixth of the time,
    are not recorded; the Python source of the intermediate graphs, a tenth of it, is not written, as nobody
    runs it. A refused input size is raised, but not also logged with a traceback; neither are the attributes
    in which some networks of timm cache a table while they run.
    """
    logger = logging.getLogger("torch._subclasses.fake_tensor")
    before = torch.backends.mha.get_fastpath_enabled(), fx_config.do_not_emit_stack_traces, logger.disabled
    try:
        torch.backends.mha.set_fastpath_enabled(False)
        fx_config.do_not_emit_stack_traces = True
        logger.disabled = True
        with _use_lazy_graph_module(True), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before[0])
        fx_config.do_not_emit_stack_traces = before[1]
        logger.disabled = before[2]


@dataclass
class _Value:
    """What a node of the graph stands for: the operation that made it, or a parameter, or a constant."""

    source: str
    shape: tuple[int, ...]
    params: frozenset[str] = frozenset()
    also: tuple[str, ...] = ()  # operations that wrote into it through a view


@dataclass
class _Reader:
    """Walks the exported graph once."""

    model: nn.Module
    program: Any
    values: dict[fx.Node, _Value] = field(default_factory=dict)
    ops: list[Op] = field(default_factory=list)
    owners: dict[str, str] = field(default_factory=dict)  # parameter -> id of the operation that counts it
    pending: dict[str, frozenset[str]] = field(
        default_factory=dict
    )  # static op -> parameters nobody counted yet
    uncounted: set[str] = field(default_factory=set)

    def read(self, name: str, input_shape: tuple[int, ...]) -> Trace:
        kinds = {
            spec.arg.name: spec
            for spec in self.program.graph_signature.input_specs
            if hasattr(spec.arg, "name")
        }
        canonical = {id(p): n for n, p in self.model.named_parameters()}
        shared = {n: canonical[id(p)] for n, p in self.model.named_parameters(remove_duplicate=False)}
        for node in self.program.graph.nodes:
            if node.op == "placeholder":
                spec = kinds[node.name]
                if spec.kind is InputKind.USER_INPUT:
                    self.ops.append(Op(node.name, "input", (), (), input_shape, attributes={"op": "input"}))
                    self.values[node] = _Value(node.name, input_shape)
                elif spec.kind is InputKind.PARAMETER:
                    parameter = shared.get(spec.target, spec.target)
                    self.values[node] = _Value(f"param:{parameter}", _shape(node), frozenset({parameter}))
                else:
                    self.values[node] = _Value("constant", _shape(node))
            elif node.op == "call_function":
                self._call(node)
            elif node.op == "output":
                self._output(node)
            else:
                self.values[node] = _Value("constant", _shape(node))
        sizes = {n: p.numel() for n, p in self.model.named_parameters()}
        counted: dict[str, int] = defaultdict(int)
        owners = self._final_owners()
        for parameter, owner in owners.items():
            counted[owner] += sizes[parameter]
        return Trace(
            name=name,
            ops=tuple(replace(op, params=counted[op.id]) if op.id in counted else op for op in self.ops),
            modules={n: type(m).__name__ for n, m in self.model.named_modules()},
            input_shape=input_shape,
            idle=tuple(Idle(n, size) for n, size in sizes.items() if n not in owners),
            buffer_bytes=sum(b.numel() * b.element_size() for b in self.model.buffers()),
            uncounted=tuple(sorted(self.uncounted)),
            fusible=is_fusible(self.model),
        )

    def _final_owners(self) -> Mapping[str, str]:
        """What static operations still hold belongs to them after all."""
        waiting = {p: op for op, params in self.pending.items() for p in params}
        return {**waiting, **self.owners}

    def _output(self, node: fx.Node) -> None:
        reads = [self.values[n] for n in node.all_input_nodes if n in self.values]
        inputs = _unique(s for v in reads if v.source != "constant" for s in (v.source, *v.also))
        shape = reads[0].shape if reads else ()
        self.ops.append(Op("output", "output", (), inputs, shape, attributes={"op": "output"}))

    def _call(self, node: fx.Node) -> None:
        name = _name(node)
        reads = [self.values[n] for n in node.all_input_nodes if n in self.values]
        constant = name in FACTORIES or all(v.source == "constant" for v in reads)
        if constant or not isinstance(node.meta.get("val"), (Tensor, tuple, list)):
            self.values[node] = _Value("constant", _shape(node))
            return
        if name in IDENTITIES and reads and isinstance(node.args[0], fx.Node):
            self.values[node] = self.values[node.args[0]]
            return
        op, params = self._op(node, name, reads)
        self.ops.append(op)
        self.values[node] = _Value(op.id, op.output_shape, params if op.static else frozenset())
        if name.endswith("_") and not name.startswith("_") and isinstance(node.args[0], fx.Node):
            self._written(node.args[0], self.values[node])

    def _op(self, node: fx.Node, name: str, reads: Sequence[_Value]) -> tuple[Op, frozenset[str]]:
        arguments = _arguments(node)
        operands = tuple(self._operands(arguments))
        attributes: dict[str, Any] = {"op": name}
        attributes |= {key: _literal(value) for key, value in arguments.items() if _is_setting(value)}
        weight = next((o.shape for o in operands if o.argument == "weight"), None)
        if name == "deform_conv2d":  # written with a word for each axis
            for setting, short in (("stride", "stride"), ("padding", "pad"), ("dilation", "dilation")):
                attributes[setting] = (attributes.pop(f"{short}_h"), attributes.pop(f"{short}_w"))
        if name in CONVOLUTIONS and weight is not None:
            flip = "transpose" in name
            groups = attributes.get("groups", 1)
            attributes["in_channels"] = weight[0] if flip else weight[1] * groups
            attributes["out_channels"] = weight[1] * groups if flip else weight[0]
            attributes["kernel_size"] = weight[2:]
        shape = _shape(node)
        priced = cost(name, operands, shape, attributes, library=_library(node))
        if priced is None:
            self.uncounted.add(name)
        static = all(
            v.source == "constant" or v.source.startswith("param:") or v.source in self.pending for v in reads
        )
        params = frozenset().union(*(v.params for v in reads))
        if static and not (priced and priced.macs):
            self.pending[node.name] = params
        else:
            if static:
                self.pending[node.name] = frozenset()
            for parameter in params:
                self.owners.setdefault(parameter, node.name)
        inputs = _unique(
            s
            for v in reads
            if v.source != "constant" and not v.source.startswith("param:")
            for s in (v.source, *v.also)
        )
        live = sum(1 for s in inputs if s not in self.pending)
        op = Op(
            id=node.name,
            kind=role(name, attributes, operands, live),
            path=_path(node),
            inputs=inputs,
            output_shape=shape,
            macs=priced.macs if priced else 0,
            attributes=attributes,
            operands=operands,
            activations=priced.activations if priced else 0,
            static=static,
        )
        return op, params

    def _operands(self, arguments: Mapping[str, Any]) -> Iterator[Operand]:
        for argument, value in arguments.items():
            for node in value if isinstance(value, (list, tuple)) else [value]:
                if isinstance(node, fx.Node):
                    held = self.values[node]
                    yield Operand(argument, held.source, held.shape)

    def _written(self, target: fx.Node, value: _Value) -> None:
        """An in-place operation: who reads the tensor later reads what was written."""
        self.values[target] = value
        while _name(target) in VIEWS and isinstance(target.args[0], fx.Node):
            target = target.args[0]
            held = self.values[target]
            self.values[target] = _Value(held.source, held.shape, held.params, (*held.also, value.source))


def _name(node: fx.Node) -> str:
    if node.target is operator.getitem:
        return "getitem"
    packet = getattr(node.target, "overloadpacket", node.target)
    return str(getattr(packet, "__name__", packet))


def _library(node: fx.Node) -> str:
    """Who registered the operation: "aten" is torch."""
    return str(getattr(node.target, "namespace", "aten"))


def _shape(node: fx.Node) -> tuple[int, ...]:
    """Shape of the result; of the first tensor where there are several; () where there is none."""
    value = node.meta.get("val")
    while isinstance(value, (tuple, list)) and value:
        value = value[0]
    return tuple(int(n) for n in value.shape) if isinstance(value, Tensor) else ()


def _path(node: fx.Node) -> tuple[str, ...]:
    stack = node.meta.get("nn_module_stack") or {"": ("", "")}
    dotted = list(stack.values())[-1][0]
    return tuple(dotted.split(".")) if dotted else ()


def _arguments(node: fx.Node) -> dict[str, Any]:
    """Arguments by their names, defaults filled in, so that a rule need not know how the call was written."""
    schema = getattr(node.target, "_schema", None)
    if schema is None:
        named: dict[str, Any] = {"self": node.args[0]} if node.args else {}
        return named | ({"index": node.args[1]} if len(node.args) > 1 else {}) | dict(node.kwargs)
    named = {}
    for position, argument in enumerate(schema.arguments):
        if not argument.kwarg_only and position < len(node.args):
            named[argument.name] = node.args[position]
        elif argument.name in node.kwargs:
            named[argument.name] = node.kwargs[argument.name]
        elif argument.has_default_value():
            named[argument.name] = argument.default_value
    return named


def _is_setting(value: Any) -> bool:
    return not isinstance(value, fx.Node) and not (
        isinstance(value, (list, tuple)) and value and all(isinstance(v, fx.Node) for v in value)
    )


def _literal(value: Any) -> Any:
    """Numbers, strings and tuples of them; a tensor inside a list leaves its place marked."""
    if isinstance(value, (list, tuple)):
        return tuple(_literal(v) for v in value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return freeze(value)
    return "tensor" if isinstance(value, fx.Node) else str(value)


def _unique(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))
