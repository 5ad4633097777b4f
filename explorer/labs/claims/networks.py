"""Checks of claims about networks: each builds or traces the real one and counts.

Costs follow the convention of `explorer.analysis.graph.costs`: one multiply and one add are 1 MAC, and FLOPs
are twice the MACs.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Sequence
from statistics import median
from typing import Any

import torchvision

from explorer import networks as builders
from explorer.analysis import Op, Trace, stats, trace
from explorer.labs.claims.values import WORDS, Measured
from explorer.labs.gradients import paths
from explorer.labs.gradients.random_networks import one_thread
from explorer.labs.mistakes import cost_of_networks
from explorer.labs.receptive_field.theory import field_at

_LARGE = {"linear", "pointwise", "spatial", "grouped", "depthwise"}


def total(networks: Sequence[str], what: str, image_size: int | None = None) -> Measured:
    """params, macs, flops (2 x MACs), activations, weight_bytes or depth of each network."""
    values = []
    for name in networks:
        sheet = stats(name, image_size)
        values.append(2.0 * sheet.macs if what == "flops" else float(getattr(sheet, what)))
    at = f" at {image_size} pixels" if image_size else ""
    return Measured(tuple(values), f"{WORDS.get(what, what)} of {', '.join(networks)}{at}, counted")


def share(network: str, kinds: Sequence[str], what: str) -> Measured:
    """Percent of a network's params or macs that stands in operations of these kinds."""
    by_kind = stats(network).by_kind
    found = sum(getattr(by_kind[kind], f"{what}_share") for kind in kinds if kind in by_kind)
    return Measured((100 * found,), f"{' and '.join(kinds)} share of the {WORDS[what]} of {network}, counted")


def with_classes(networks: Sequence[str], classes: int) -> Measured:
    """Parameters with a last layer for so many classes; 0 for no last layer at all."""
    values = []
    for name in networks:
        head = _last_linear(trace(name))
        _, outputs = _matrix(head)
        own = head.params / outputs  # weights and bias of one class
        values.append(trace(name).params + own * (classes - outputs))
    head_text = f"a last layer of {classes} classes" if classes else "no last layer"
    return Measured(tuple(values), f"parameters of {', '.join(networks)} with {head_text}")


def classifier_inputs(networks: Sequence[str]) -> Measured:
    """Features that the last linear layer reads."""
    values = tuple(float(_matrix(_last_linear(trace(name)))[0]) for name in networks)
    return Measured(values, f"inputs of the last layer of {', '.join(networks)}")


def layer(network: str, paths: Sequence[str], what: str) -> Measured:
    """Of each module at these paths: weights (no biases), params, macs, kernel (height, width), stride, shape
    of its output, in_channels, out_channels, or field (receptive field in pixels). Several values each for
    kernel and shape.
    """
    traced = trace(network)
    values = [value for path in paths for value in _of_layer(traced, path, what)]
    return Measured(tuple(values), f"{WORDS.get(what, what)} of {', '.join(paths)} in {network}")


def _of_layer(traced: Trace, path: str, what: str) -> tuple[float, ...]:
    ops = _inside(traced, path)
    if not ops:
        raise ValueError(f"{path!r} is no module of {traced.name}")
    if what == "field":
        field = field_at(traced, path)
        if field is None:
            raise ValueError(f"{path!r} of {traced.name} has no place in the image")
        return (float(field.size[0]),)
    if what == "shape":
        return tuple(float(side) for side in ops[-1].output_shape[1:])
    if what in ("params", "macs"):
        return (float(sum(getattr(op, what) for op in ops)),)
    if what == "weights":
        return (float(sum(_weights(op) for op in ops)),)
    setting = next(op.attributes for op in ops if "kernel_size" in op.attributes)
    value: Any = setting[{"kernel": "kernel_size"}.get(what, what)]
    return tuple(map(float, value)) if isinstance(value, tuple) else (float(value),)


def _inside(traced: Trace, path: str) -> list[Op]:
    return [op for op in traced.ops if op.dotted == path or op.dotted.startswith(f"{path}.")]


def _weights(op: Op) -> int:
    """Kernels and matrices only: neither biases nor what norms learn."""
    if op.kind not in _LARGE:
        return 0
    return sum(math.prod(o.shape) for o in op.operands if o.argument == "weight" and o.is_parameter)


def _last_linear(traced: Trace) -> Op:
    linear = [op for op in traced.ops if op.name == "linear" and op.params]
    if not linear:
        raise ValueError(f"{traced.name} ends in no linear layer")
    return linear[-1]


def _matrix(op: Op) -> tuple[int, int]:
    """(inputs, outputs) of a linear layer."""
    outputs, inputs = next(o.shape for o in op.operands if o.argument == "weight")
    return inputs, outputs


def modules(network: str, name: str, under: str = "") -> Measured:
    """How many modules of this class there are, all told or under a path."""
    found = [
        path
        for path, of in trace(network).modules.items()
        if of == name and (not under or path.startswith(f"{under}."))
    ]
    return Measured((float(len(found)),), f"modules {name} {f'in {under} ' if under else ''}of {network}")


def paths_of(network: str, name: str) -> Measured:
    """Ways through a network's residual blocks of this class, each passed through or passed by."""
    found = modules(network, name)
    return Measured((float(paths.path_count(int(found.values[0]))),), f"2 to the power of the {found.how}")


def share_of_modules(network: str, name: str, what: str) -> Measured:
    """Percent of a network's params or macs that stands in modules of this class."""
    traced = trace(network)
    paths = tuple(f"{path}." for path, of in traced.modules.items() if of == name)
    found = sum(getattr(op, what) for op in traced.ops if f"{op.dotted}.".startswith(paths))
    told = f"{name} share of the {WORDS[what]} of {network}, {len(paths)} modules, counted"
    return Measured((100 * found / getattr(traced, what),), told)


def running_numbers(networks: Sequence[str]) -> Measured:
    """Numbers that norms keep as running means and variances, beside what is learned."""
    values = []
    for name in networks:
        state = builders.build(name).state_dict()
        values.append(
            float(sum(state[key].numel() for key in state if key.endswith(("running_mean", "running_var"))))
        )
    return Measured(tuple(values), f"running means and variances of {', '.join(networks)}")


def starts_at(network: str, parameter: str) -> Measured:
    """The largest value of a parameter as the network is built, before training."""
    largest = float(builders.build(network).get_parameter(parameter).detach().max())
    seven_digits = float(f"{largest:.7g}")  # what float32 holds
    return Measured((seven_digits,), f"{parameter} of {network} before training")


def operations(network: str, kind: str, under: str = "") -> Measured:
    """How often an operation of this kind runs in one forward pass, all told or under a path."""
    traced = trace(network)
    ops = _inside(traced, under) if under else list(traced.ops)
    count = sum(op.kind == kind for op in ops)
    return Measured((float(count),), f"{kind} operations {f'in {under} ' if under else ''}of {network}")


def blocks(network: str, name: str, of_first: bool = False) -> Measured:
    """Blocks of this class by stage; of_first: as multiples of the first stage's."""
    stages: dict[str, int] = {}
    for path, of in trace(network).modules.items():
        if of == name:
            parent = path.rpartition(".")[0]
            stages[parent] = stages.get(parent, 0) + 1
    counts = [float(count) for count in stages.values()]
    values = [count / counts[0] for count in counts] if of_first else counts
    return Measured(tuple(values), f"blocks by stage of {network}")


def input_side(networks: Sequence[str]) -> Measured:
    """Pixels a side that each network's own configuration asks for."""
    values = tuple(float(builders.input_spec(builders.resolve(name)).image_size) for name in networks)
    return Measured(values, f"input size in the configuration of {', '.join(networks)}")


def scaling_steps(
    base: str,
    scaled: Sequence[str],
    depth: float | None = None,
    width: float | None = None,
    resolution: float | None = None,
) -> Measured:
    """The phi that each given factor would need for each scaled EfficientNet, network by network.

    depth, width, resolution: what one step multiplies that dimension by, 1.2, 1.1 and 1.15 in the paper.
    """
    side = input_side([base]).values[0]
    values: list[float] = []
    told: list[str] = []
    for name in scaled:
        layers, channels = _multipliers(name)
        grown = {
            "depth": (layers, depth),
            "width": (channels, width),
            "resolution": (input_side([name]).values[0] / side, resolution),
        }
        for of, (by, factor) in grown.items():
            if factor is not None:
                values.append(math.log(by, factor))
                told.append(f"{name.partition(':')[2]} {of} × {by:.3g}, log to base {factor:g}")
    return Measured(tuple(values), "; ".join(told))


def _multipliers(name: str) -> tuple[float, float]:
    """(depth_mult, width_mult) as the installed torchvision defines an EfficientNet."""
    source = inspect.getsource(getattr(torchvision.models, name.partition(":")[2]))
    depth, width = (re.search(rf"{each}_mult=([0-9.]+)", source) for each in ("depth", "width"))
    if depth is None or width is None:
        raise ValueError(f"{name!r} is defined without multipliers of depth and width")
    return float(depth[1]), float(width[1])


def weights_crop(weights: str, what: str) -> Measured:
    """crop_size or resize_size of torchvision weights, "ResNet50_Weights.IMAGENET1K_V2", in pixels."""
    preparation: Any = torchvision.models.get_weight(weights).transforms()
    return Measured((float(getattr(preparation, what)[0]),), f"{what} of torchvision's {weights}")


def classes(weights: str) -> Measured:
    """Categories that torchvision weights can name."""
    names = torchvision.models.get_weight(weights).meta["categories"]
    return Measured((float(len(names)),), f"categories of torchvision's {weights}")


def times_the_latency(networks: Sequence[str], image_sizes: Sequence[int]) -> Measured:
    """Time of one picture through the first network by that through the second, on one core: the median of
    seven turns, one pass each, so that other work on the machine meets both.
    """
    models = [builders.build(name, size) for name, size in zip(networks, image_sizes, strict=True)]
    with one_thread():
        for model, size in zip(models, image_sizes, strict=True):
            cost_of_networks.passes(model, size, count=0, warm_up=1)
        turns = [
            [
                cost_of_networks.passes(model, size, count=1, warm_up=0)[0]
                for model, size in zip(models, image_sizes, strict=True)
            ]
            for _ in range(7)
        ]
    first, second = (f"{name} at {size}" for name, size in zip(networks, image_sizes, strict=True))
    ratio = median(ours / theirs for ours, theirs in turns)
    return Measured((ratio,), f"one picture through {first} against {second}, timed in turn on one core")
