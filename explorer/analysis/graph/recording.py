"""One eager pass: a network runs once, as it is, on tensors that have shapes and no values, and every
operation that it calls is written down.

Under `torch.inference_mode` torch hands a `TorchDispatchMode` the operations as the network calls them
(conv2d, linear, scaled_dot_product_attention), above autograd and before any falls into its parts: those that
torch.export shows, without its rules on control flow. Both modes belong to the thread and the hooks to a
private copy of the network, so nothing is patched or locked, and other threads run their networks meanwhile.
"""

from __future__ import annotations

import builtins
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

# Operations whose result, or its shape, is a matter of values.
_READS_VALUES = frozenset({torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape})
_ALSO_READS_VALUES = frozenset({"argwhere", "is_nonzero", "item", "where"})

# Operations that make of one tensor another of its layout, whatever their settings.
_POINTWISE = frozenset(
    {"elu", "gelu", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu", "relu", "sigmoid", "silu", "tanh"}
)

# Operation and shapes of its arguments -> shapes of what it makes; a kilobyte each, for all threads.
_KNOWN: dict[Hashable, Any] = {}
_MOST_KNOWN = 20_000

_Layout = tuple[torch.Size, tuple[int, ...], torch.dtype]
_SEED = 0  # of the noise that stands for an image where a network needs values


class NeedsValues(ValueError):  # noqa: N818 - it is what a reader is told
    """What the network does next is a matter of the image's values, or there is an operation of which nobody
    says what shape it gives: a pass that has only shapes ends here."""


@dataclass(frozen=True)
class Call:
    """One call of an operation, with the tensors themselves: who made what is a matter of their identity.

    path: the innermost module that was running. arguments: by their ATen names, defaults filled in. result:
    a tensor, or a tuple or list of them.
    """

    name: str
    library: str
    path: tuple[str, ...]
    arguments: Mapping[str, Any]
    reads: tuple[Tensor, ...]
    result: Any

    @property
    def in_place(self) -> bool:
        return self.name.endswith("_") and not self.name.startswith("_")


class Numbering:
    """Ids of the operations of a pass in the order of their calls: conv2d, conv2d_1, conv2d_2, ...

    As in torch.fx, whose names stand in links, what a trace leaves out has its number, and the name of a
    Python function is never used bare: slice_1, slice_2, ...
    """

    def __init__(self) -> None:
        self._numbers: Counter[str] = Counter()

    def ids(self, name: str, parts: int) -> tuple[str, ...]:
        """Of the next call: its own, then those of its `parts` results, 0 where it gives one tensor."""
        return tuple(map(self._taken, (name, *["getitem"] * parts)))

    def next_id(self, name: str) -> str:
        """Which the next call of this name will have."""
        number = self._numbers[name] + hasattr(builtins, name)
        return f"{name}_{number}" if number else name

    def _taken(self, name: str) -> str:
        taken = self.next_id(name)
        self._numbers[name] += 1
        return taken


@dataclass(frozen=True)
class Recording:
    """A forward pass. calls: in order. outputs: the tensors that come out. buffer_bytes: before the pass, in
    which some networks keep a table for the next one. decided_by: see `Trace`."""

    model: nn.Module
    image: Tensor
    calls: Sequence[Call]
    outputs: Sequence[Tensor]
    buffer_bytes: int
    decided_by: str = ""


def record(model: nn.Module, input_shape: Sequence[int], *, disposable: bool = False) -> Recording:
    """Run a module, on whatever device it lies, once for an image [N, C, H, W] in evaluation mode.

    It runs as a private copy without weights. disposable: it lies on meta and nobody else uses it, now or
    later; then it is not copied.
    Raises NeedsValues where the network asks for the image's values; whatever it raises itself at this shape
    passes through.
    """
    model = model if disposable else _without_weights(model)
    return _recorded(model.eval(), torch.empty(tuple(map(int, input_shape)), device="meta"))


def record_with_values(model: nn.Module, input_shape: Sequence[int]) -> Recording:
    """The same on a copy with its weights, where they lie, for an image of normal noise: a pass in full, for
    a network that NeedsValues. Whatever it raises passes through.
    """
    model = deepcopy(model, dict(_grown(model))).eval()
    device = next((each.device for each in (*model.parameters(), *model.buffers())), torch.device("cpu"))
    noise = torch.randn(tuple(map(int, input_shape)), generator=torch.Generator().manual_seed(_SEED))
    return _recorded(model, noise.to(device))


def _recorded(model: nn.Module, image: Tensor) -> Recording:
    buffer_bytes = sum(each.numel() * each.element_size() for each in model.buffers())
    dtype = next((each.dtype for each in model.parameters() if each.is_floating_point()), None)
    image = image.to(dtype or image.dtype)
    recorder = Recorder()
    if not image.is_meta:
        recorder.follow(image)
    for module in model.modules():
        module.register_forward_pre_hook(recorder.enter, prepend=True)
        module.register_forward_hook(recorder.leave, always_call=True)
    _give_every_name_its_own(model)
    for dotted, module in model.named_modules(remove_duplicate=False):
        recorder.places.setdefault(id(module), []).append(tuple(dotted.split(".")) if dotted else ())
    with torch.inference_mode(), recorder:
        result = model(image)
    outputs = [each for each in tree_leaves(result) if isinstance(each, Tensor)]
    return Recording(model, image, recorder.calls, outputs, buffer_bytes, recorder.decided_by)


def _give_every_name_its_own(model: nn.Module) -> None:
    """Put another object into every further place of a module that stands in several (CoaT's `mlp2`, `mlp3`
    and `mlp4`), so that a call tells by which name it was made. All share one state: hooks, too.
    """
    known: set[nn.Module] = set()
    for parent in list(model.modules()):
        for name, module in parent._modules.items():
            if module in known and not isinstance(module, torch.jit.ScriptModule):
                twin = object.__new__(type(module))
                object.__setattr__(twin, "__dict__", vars(module))
                parent._modules[name] = twin
            elif module is not None:
                known.add(module)


def _without_weights(model: nn.Module) -> nn.Module:
    """A copy whose parameters are on meta; buffers and other constants keep their values."""
    memo: dict[int, Any] = dict(_grown(model))
    for parameter in model.parameters():
        bare = torch.empty_like(parameter, device="meta")
        memo[id(parameter)] = nn.Parameter(bare, parameter.requires_grad)
    return deepcopy(model, memo)


def _grown(model: nn.Module) -> Iterator[tuple[int, Tensor]]:
    """Copies of the tensors that a module computed and kept, which deepcopy refuses, by their identity."""
    for module in model.modules():
        for value in (*vars(module).values(), *module.buffers(recurse=False)):
            if isinstance(value, Tensor) and not value.is_leaf:
                yield id(value), value.detach().clone()


class Recorder(TorchDispatchMode):
    """Writes down the calls of its thread. It holds every tensor until the end, so that an identity is never
    given twice.

    What an operation makes of tensors of these shapes is asked once: networks and their blocks repeat, and
    torch answers for meta tensors in Python (0.6 ms for a batch norm).
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls: list[Call] = []
        self.path: tuple[str, ...] = ()  # the innermost module that is running
        self.places: dict[int, list[tuple[str, ...]]] = {}  # paths of a module, by its identity
        self._outer: list[tuple[str, ...]] = []
        self._bare: dict[int, tuple[Tensor, Tensor]] = {}  # a constant with values, and its twin without
        self._of_image: set[int] = set()  # identities of what has values that come of the image's
        self.decided_by = ""

    def follow(self, image: Tensor) -> None:
        """Notice what decides by this image's values."""
        self._of_image.add(id(image))

    def enter(self, module: nn.Module, _inputs: Any) -> None:
        """What stands in several places runs in the one inside of who calls it."""
        self._outer.append(self.path)
        paths = self.places[id(module)]
        inside = (path for path in paths if path[: len(self.path)] == self.path)
        self.path = next(inside, paths[0])

    def leave(self, _module: nn.Module, _inputs: Any, _output: Any) -> None:
        self.path = self._outer.pop()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        arguments = named_arguments(func, args, kwargs or {})
        reads = tuple(tensors(arguments.values()))
        if any(tensor.is_meta for tensor in reads):
            result = self._on_meta(func, args, kwargs or {}, arguments, reads)
        else:
            result = func(*args, **(kwargs or {}))
            if not self._of_image.isdisjoint(map(id, reads)):
                self._of_image.update(map(id, tensors([result])))
                if (
                    not self.decided_by
                    and _reads_values(func)
                    and self._decides(operation_name(func), arguments)
                ):
                    self.decided_by = self._here(func)
        call = Call(operation_name(func), func.namespace, self.path, arguments, reads, result)
        if call.in_place:
            call = replace(call, result=reads[0])
            if not self._of_image.isdisjoint(map(id, reads)):
                self._of_image.add(id(reads[0]))
        if isinstance(call.result, (Tensor, tuple, list)):
            self.calls.append(call)
        return call.result

    def _on_meta(
        self,
        func: Any,
        args: Any,
        kwargs: dict[str, Any],
        arguments: Mapping[str, Any],
        reads: Sequence[Tensor],
    ) -> Any:
        key = (func, *map(_signature, arguments.values()))
        # torch wants a true view of what was made outside of inference mode: of a parameter.
        by_shape = not func.is_view or all(each.is_inference() for each in reads)
        makes = _KNOWN.get(key) if by_shape else None
        if makes is None and by_shape and (makes := _alike(func, arguments)) is not None:
            _keep(key, makes)
        if makes is not None:
            return [_bare(*each) for each in makes] if isinstance(makes, list) else _bare(*makes)
        args, kwargs = tree_map_only((Tensor, torch.device), self._brought_to_meta, (args, kwargs))
        try:
            result = func(*args, **kwargs)
        except RuntimeError as error:
            of_others = func.namespace != "aten"
            if not (_reads_values(func) or of_others or isinstance(error, NotImplementedError)):
                raise
            raise NeedsValues(
                f"{self._here(func)} asks for values computed from the image, and without weights there are "
                "only shapes"
            ) from None
        several = isinstance(result, (list, tuple))
        made = list(result) if several else [result]
        given = set(map(id, reads))
        if by_shape and all(isinstance(each, Tensor) and id(each) not in given for each in made):
            _keep(key, [_layout(each) for each in made] if several else _layout(result))
        return result

    def _decides(self, name: str, arguments: Mapping[str, Any]) -> bool:
        """Whether values of the image are what such an operation asks for: of an index only a mask's, and
        where there is something to choose from, none."""
        if name != "index":
            return name != "where" or "self" not in arguments
        masks = (each for each in tensors(arguments["indices"]) if each.dtype in (torch.bool, torch.uint8))
        return not self._of_image.isdisjoint(map(id, masks))

    def _here(self, func: Any) -> str:
        return f"{operation_name(func)} in {'.'.join(self.path) or 'the network itself'}"

    def _brought_to_meta(self, argument: Tensor | torch.device) -> Tensor | torch.device:
        """Where the image is, all that comes of it stays."""
        if isinstance(argument, torch.device):
            return torch.device("meta")
        if argument.is_meta:
            return argument
        if id(argument) not in self._bare:
            self._bare[id(argument)] = argument, torch.empty_like(argument, device="meta")
        return self._bare[id(argument)][1]


def _reads_values(func: Any) -> bool:
    return not _READS_VALUES.isdisjoint(func.tags) or operation_name(func) in _ALSO_READS_VALUES


def _keep(key: Hashable, makes: _Layout | list[_Layout]) -> None:
    if len(_KNOWN) >= _MOST_KNOWN:
        _KNOWN.clear()
    _KNOWN[key] = makes


def _alike(func: Any, arguments: Mapping[str, Any]) -> _Layout | None:
    """The layout of what such an operation makes of dense tensors, where that is plain to see; None where
    torch must say, which works it out in Python (1 ms for a batch norm, 2 for a concatenation).
    """
    name, first = operation_name(func), next(iter(arguments.values()), None)
    parts = list(tensors(arguments.values()))
    if not all(each.is_contiguous() and each.dtype is parts[0].dtype for each in parts):
        return None
    if name == "cat" and isinstance(first, (list, tuple)):
        axis, rank = arguments["dim"], parts[0].ndim
        if any(each.ndim != rank for each in parts) or not -rank <= axis < rank:
            return None
        axis %= rank
        if len({(*each.shape[:axis], *each.shape[axis + 1 :]) for each in parts}) > 1:
            return None
        sides = list(parts[0].shape)
        sides[axis] = sum(each.shape[axis] for each in parts)
        return _layout(torch.empty(sides, dtype=parts[0].dtype, device="meta"))
    if not isinstance(first, Tensor) or not first.is_floating_point():
        return None
    others = [each.shape for each in parts[1:]]
    if name == "batch_norm":
        alike = first.ndim > 1 and all(each == first.shape[1:2] for each in others)
    elif name == "layer_norm":
        normalised = torch.Size(arguments["normalized_shape"])
        alike = all(each == normalised for each in (first.shape[-len(normalised) :], *others))
    else:
        alike = name in _POINTWISE
    return _layout(first) if alike else None


def _layout(tensor: Tensor) -> _Layout:
    return tensor.shape, tensor.stride(), tensor.dtype


def _bare(shape: torch.Size, stride: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    return torch.empty_strided(shape, stride, dtype=dtype, device="meta")


def _signature(argument: Any) -> Hashable:
    """What the shape of a result depends on; 1, 1.0 and True are different arguments."""
    if isinstance(argument, Tensor):
        return _layout(argument)
    if isinstance(argument, (list, tuple)):
        return tuple(map(_signature, argument))
    return type(argument), argument


def tensors(arguments: Iterable[Any]) -> Iterator[Tensor]:
    """Those among the arguments and in the lists among them."""
    for argument in arguments:
        if isinstance(argument, Tensor):
            yield argument
        elif isinstance(argument, (list, tuple)):
            yield from tensors(argument)


def operation_name(func: Any) -> str:
    """The ATen name without namespace and overload."""
    return str(func.overloadpacket.__name__)


@cache
def _parameters(func: Any) -> tuple[tuple[str, bool, bool, Any], ...]:
    """Of an operation: (name, only by keyword, has a default, the default)."""
    return tuple(
        (each.name, each.kwarg_only, each.has_default_value(), each.default_value)
        for each in func._schema.arguments
    )


def named_arguments(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments by their names, defaults filled in, so that a rule need not know how the call was written."""
    named: dict[str, Any] = {}
    for position, (name, only_by_keyword, has_default, default) in enumerate(_parameters(func)):
        if not only_by_keyword and position < len(args):
            named[name] = args[position]
        elif name in kwargs:
            named[name] = kwargs[name]
        elif has_default:
            named[name] = default
    return named
