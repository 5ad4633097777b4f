"""The ideas an architecture is known for, found in its graph by their structure, never by a name.

Each idea is a rule over `Ways` that gives the operations to light up; `key_ideas` holds those a network
has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from explorer import catalogue
from explorer.analysis.graph.operations import Op
from explorer.analysis.graph.roles import words
from explorer.analysis.structure.dataflow import Ways, union
from explorer.analysis.structure.hierarchy import Hierarchy

_LARGE_KERNEL = 7
_CONVOLUTIONS = words("conv1d conv2d conv3d convolution")
_SQUASHING = words("sigmoid sigmoid_ hardsigmoid hardsigmoid_ hardtanh hardtanh_ relu6 relu6_ tanh clamp")


def key_ideas(hierarchy: Hierarchy) -> Mapping[str, frozenset[str]]:
    """Idea -> ids of the operations that realise it. Only ideas that are there, the most telling first."""
    graph = Ways(hierarchy)
    found = {name: frozenset(op.id for op in rule(graph)) for name, rule in _RULES.items()}
    return {name: ids for name, ids in found.items() if ids}


def main_ideas(architecture: str, ideas: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    """Which of a network's ideas to light up first: what the sentence on what to look for speaks of.

    architecture: a catalogue id. What the architecture brought, else what its family stands for; for a
    network that is not in the catalogue the most telling idea. Empty where none of that is in its graph.
    """
    known = catalogue.architectures().get(architecture)
    if known is None:
        return tuple(ideas)[:1]
    starts = [start for start in _MAIN if architecture.startswith(start)]
    brought = _MAIN[max(starts, key=len)] if starts else ()
    for wanted in (brought, _MAIN_OF_FAMILY.get(known.family, ())):
        if found := tuple(name for name in wanted if name in ideas):
            return found
    return ()


def _channels(op: Op) -> tuple[int, int]:
    """(in, out) of a layer."""
    if "in_channels" in op.attributes:
        return op.attributes["in_channels"], op.attributes["out_channels"]
    weight = next(o.shape for o in op.operands if o.learnt)
    return weight[-1], op.output_shape[-1]


def _pointwise(op: Op) -> bool:
    return set(op.attributes.get("kernel_size", (1,))) == {1}


def _kind(*kinds: str) -> Callable[[Ways], Iterator[Op]]:
    def rule(graph: Ways) -> Iterator[Op]:
        yield from (op for op in graph.layers if op.kind in kinds)

    return rule


def _residual(graph: Ways) -> Iterator[Op]:
    """The additions, and what stands on the skips into them (He et al. 2015)."""
    for (source, merge), kind in graph.skips.items():
        if kind == "concat":
            continue
        others = union(graph.behind[i] for i in graph.ops[merge].inputs if i != source)
        yield from graph.named(graph.behind[source] & ~others)
        yield graph.ops[merge]


def _dense(graph: Ways) -> Iterator[Op]:
    """Concatenations of an earlier tensor with what was made of it (Huang et al. 2017)."""
    yield from (graph.ops[merge] for (_, merge), kind in graph.skips.items() if kind == "concat")


def _branches(graph: Ways) -> Iterator[Op]:
    """From where ways part to where they are concatenated; every way does something (Szegedy et al. 2014)."""
    dense = {merge for (_, merge), kind in graph.skips.items() if kind == "concat"}
    for op in graph.live:
        if op.name not in ("cat", "concat") or op.id in dense or op.id not in graph.local:
            continue
        ways = [graph.behind[i.id] for i in graph.inputs(op)]
        if len(ways) < 2:
            continue
        shared = ways[0]
        for way in ways[1:]:
            shared &= way
        own = [graph.named(way & ~shared) for way in ways]
        working = all(any(inner.weighted or inner.kind == "pool" for inner in way) for way in own)
        if working and any(inner.weighted for way in own for inner in way):
            yield from (inner for way in own for inner in way)
            yield op


def _gates(wanted: Callable[[list[Op]], bool]) -> Callable[[Ways], Iterator[Op]]:
    """Multiplications of a map by something that has lost its positions, with all that made the latter."""

    def rule(graph: Ways) -> Iterator[Op]:
        for op in graph.live:
            sources = graph.inputs(op)
            gates = [source for source in sources if source.id not in graph.local]
            if op.name not in ("mul", "mul_") or op.id not in graph.local or len(gates) != 1:
                continue
            way = _global_way(graph, gates[0])
            if len(sources) == 2 and wanted(way):
                yield from way
                yield op

    return rule


def _global_way(graph: Ways, end: Op) -> list[Op]:
    """What led here since the positions were summed away."""
    found: dict[str, Op] = {}
    waiting = [end]
    while waiting:
        op = waiting.pop()
        if op.id not in found and op.id not in graph.local:
            found[op.id] = op
            waiting += graph.inputs(op)
    return sorted(found.values(), key=lambda op: graph.number[op.id])


def _squeezes_and_excites(way: list[Op]) -> bool:
    """Pool, weigh, squash (Hu et al. 2017)."""
    return any(op.weighted for op in way) and any(op.name in _SQUASHING for op in _after_weights(way))


def _splits_attention(way: list[Op]) -> bool:
    """The same with a softmax across the branches (Zhang et al. 2020)."""
    return any(op.weighted for op in way) and any(op.name == "softmax" for op in _after_weights(way))


def _normalises_response(way: list[Op]) -> bool:
    """Norms over all positions, divided by their mean (Woo et al. 2023)."""
    return any(op.name == "linalg_vector_norm" for op in way) and not any(op.weighted for op in way)


def _after_weights(way: list[Op]) -> list[Op]:
    last = max((n for n, op in enumerate(way) if op.weighted), default=-1)
    return way[last + 1 :]


def _shuffle(graph: Ways) -> Iterator[Op]:
    """[C] -> [g, C/g] -> [C/g, g] -> [C] (Zhang et al. 2017)."""
    for last in graph.live:
        if last.name in ("channel_shuffle", "native_channel_shuffle"):
            yield last
            continue
        swap = graph.inputs(last)[0] if len(graph.inputs(last)) == 1 else None
        first = graph.inputs(swap)[0] if swap is not None and len(graph.inputs(swap)) == 1 else None
        if (
            swap is None
            or first is None
            or not graph.inputs(first)
            or swap.name not in ("transpose", "permute")
        ):
            continue
        start, split, swapped = graph.inputs(first)[0].output_shape, first.output_shape, swap.output_shape
        if (
            len(start) == 4
            and last.output_shape == start
            and {first.kind, last.kind} == {"reshape"}
            and split == (start[0], split[1], start[1] // split[1], *start[2:])
            and swapped == (start[0], split[2], split[1], *start[2:])
        ):
            yield from (first, swap, last)


def _split(graph: Ways) -> Iterator[Op]:
    """[C] -> [C/2] and [C/2], for two ways (Ma et al. 2018)."""
    for op in graph.live:
        if (
            op.name in ("split", "chunk")
            and op.id in graph.local
            and len(graph.inputs(op)[0].output_shape) == 4
        ):
            yield op


def _patchify(graph: Ways) -> Iterator[Op]:
    """A first convolution whose windows do not overlap (Dosovitskiy et al. 2020)."""
    first = graph.layers[0] if graph.layers else None
    if first is None or first.name not in _CONVOLUTIONS or _pointwise(first):
        return
    if tuple(first.attributes["stride"]) == tuple(first.attributes["kernel_size"]):
        yield first


def _large_kernels(graph: Ways) -> Iterator[Op]:
    """Beyond the first layer, where large kernels are old (Liu et al. 2022)."""
    for op in graph.layers[1:]:
        if min(op.attributes.get("kernel_size", (1,))) >= _LARGE_KERNEL and len(op.output_shape) == 4:
            yield op


def _factorised(graph: Ways) -> Iterator[Op]:
    """1 x n and n x 1, one behind the other (Szegedy et al. 2015)."""
    for op in graph.layers:
        before = graph.before.get(op.id)
        if before is None:
            continue
        one, other = (tuple(o.attributes.get("kernel_size", (1,))) for o in (before, op))
        if len(one) == 2 and one == other[::-1] and min(one) == 1 < max(one):
            yield from (before, op)


def _stacked(graph: Ways) -> Iterator[Op]:
    """3 x 3 behind 3 x 3 on one grid (Simonyan and Zisserman 2014)."""

    def plain(op: Op) -> bool:
        return op.kind == "spatial" and tuple(op.attributes["kernel_size"]) == (3, 3)

    for op in graph.layers:
        before = graph.before.get(op.id)
        if (
            before is not None
            and plain(op)
            and plain(before)
            and before.output_shape[2:] == op.output_shape[2:]
        ):
            yield from (before, op)


def _threes(graph: Ways) -> Iterator[tuple[Op, list[Op], Op]]:
    """A pointwise layer, the spatial ones behind it, and the pointwise one behind those."""
    for last in graph.layers:
        if not _pointwise(last):
            continue
        middle: list[Op] = []
        op = graph.before.get(last.id)
        while op is not None and not _pointwise(op) and len(middle) < 3:
            middle.insert(0, op)
            op = graph.before.get(op.id)
        if op is not None and _pointwise(op):
            yield op, middle, last


def _bottleneck(graph: Ways) -> Iterator[Op]:
    """Narrow in the middle: 1 x 1 down, the spatial layer, 1 x 1 up (He et al. 2015).

    The first block of a network comes from something as narrow: there the skip over the three tells.
    """
    for first, middle, last in _threes(graph):
        (wide, narrow), (_, end) = _channels(first), _channels(last)
        bits = union(1 << graph.number[op.id] for op in (first, *middle, last))
        if middle and narrow < end and (narrow < wide or any(bits & ~main == 0 for main in graph.jumped)):
            yield from (first, *middle, last)


def _inverted(graph: Ways) -> Iterator[Op]:
    """Wide in the middle (Sandler et al. 2018); the perceptron of a transformer block is one too, with
    nothing spatial in it."""
    for first, middle, last in _threes(graph):
        (start, wide), (_, end) = _channels(first), _channels(last)
        if wide > start and wide > end:
            yield from (first, *middle, last)


def _attention(graph: Ways) -> Iterator[Op]:
    """Products of image with image, and what lies between the two of one module (Vaswani et al. 2017)."""
    previous: dict[tuple[str, ...], Op] = {}
    for op in graph.live:
        if op.kind != "attention":
            continue
        start = previous.get(op.path)
        if start is not None:
            bit = 1 << graph.number[start.id]
            since = graph.named(graph.behind[op.id] & ~graph.behind[start.id])
            way = [start, *(o for o in since if graph.behind[o.id] & bit)]
            yield from (o for o in way if not any(i.weighted for i in way))
        previous[op.path] = op
        yield op


def _source(graph: Ways, op: Op) -> Op | None:
    """The layer whose result an operation reads, through what has one input only."""
    while len(sources := graph.inputs(op)) == 1:
        op = sources[0]
        if op.weighted:
            return op
    return None


def _pooled_shortcut(graph: Ways) -> Iterator[Op]:
    """Skips on which a pooling makes the map smaller, with all that stands on them (He et al. 2018)."""
    for (source, merge), kind in graph.skips.items():
        if kind == "concat":
            continue
        others = union(graph.behind[i] for i in graph.ops[merge].inputs if i != source)
        on_it = graph.named(graph.behind[source] & ~others)
        if any(op.kind == "pool" for op in on_it):
            yield from (*on_it, graph.ops[merge])


def _forked(graph: Ways) -> Iterator[Op]:
    """1 x n and n x 1, side by side on one input (Szegedy et al. 2016)."""
    by_input: dict[str, list[Op]] = {}
    for op in graph.layers:
        by_input.setdefault(op.inputs[0], []).append(op)
    for together in by_input.values():
        kernels = {tuple(op.attributes.get("kernel_size", (1,))): op for op in together}
        for kernel, op in kernels.items():
            if len(kernel) == 2 and min(kernel) == 1 < max(kernel) and kernel[::-1] in kernels:
                yield op


def _narrow_neck(graph: Ways) -> Iterator[Op]:
    """A pointwise layer to few channels, and all that reads it, concatenated (Iandola et al. 2016)."""
    for op in graph.live:
        if op.name not in ("cat", "concat") or op.id not in graph.local:
            continue
        wide = [source if source.weighted else _source(graph, source) for source in graph.inputs(op)]
        necks = {neck.id for each in wide if each is not None and (neck := _source(graph, each)) is not None}
        if len(wide) < 2 or None in wide or len(necks) != 1:
            continue
        neck = graph.ops[necks.pop()]
        if _pointwise(neck) and _channels(neck)[1] < _channels(neck)[0]:
            yield from (neck, *(each for each in wide if each is not None), op)


def _fused(graph: Ways) -> Iterator[Op]:
    """Wide in the middle, where a whole 3 x 3 does the widening (Tan and Le 2021)."""
    for last in graph.layers:
        first = graph.before.get(last.id)
        if first is None or first.kind != "spatial" or not _pointwise(last):
            continue
        (start, wide), (_, end) = _channels(first), _channels(last)
        if start < wide > end:
            yield from (first, last)


def _shifted_windows(graph: Ways) -> Iterator[Op]:
    """The map is rolled before it is cut into windows, and rolled back (Liu et al. 2021)."""
    yield from (op for op in graph.live if op.name == "roll")


def _large_first(graph: Ways) -> Iterator[Op]:
    """Several large kernels at the beginning, each smaller than the one before (Krizhevsky et al. 2012)."""
    first: list[Op] = []
    for op in graph.layers:
        kernel = min(op.attributes.get("kernel_size", (1,)))
        if kernel <= 3 or (first and kernel >= min(first[-1].attributes["kernel_size"])):
            break
        first.append(op)
    if len(first) > 1:
        yield from first


def _fully_connected(graph: Ways) -> Iterator[Op]:
    """Two layers or more once the positions are gone, before the answer (LeCun et al. 1989)."""
    gates = union(graph.behind[op.id] for op in graph.live if op.id in graph.local)
    layers = [op for op in graph.live if op.weighted and op.id not in graph.local]
    layers = [op for op in layers if not gates >> graph.number[op.id] & 1]
    if len(layers) > 1:
        yield from layers


def _subsampled(graph: Ways) -> Iterator[Op]:
    """Poolings whose windows do not overlap, and the convolutions that they read (LeCun et al. 1989)."""
    for op in graph.live:
        sizes = {tuple(op.attributes.get(name, ())) for name in ("kernel_size", "stride")}
        if (
            op.kind != "pool"
            or op.id not in graph.local
            or len(sizes) != 1
            or max(sizes.pop(), default=0) < 2
        ):
            continue
        read = _layers_behind(graph, op)
        if read and all(each.kind in ("spatial", "grouped") for each in read):
            yield from (*read, op)


def _layers_behind(graph: Ways, op: Op) -> list[Op]:
    """The nearest layers on all ways that lead to an operation."""
    found: dict[str, Op] = {}
    waiting, seen = graph.inputs(op), {op.id}
    while waiting:
        source = waiting.pop()
        if source.id in seen:
            continue
        seen.add(source.id)
        if source.weighted:
            found[source.id] = source
        else:
            waiting += graph.inputs(source)
    return list(found.values())


# The order of the reading aid: what few networks have stands first.
_RULES: Mapping[str, Callable[[Ways], Iterator[Op]]] = MappingProxyType(
    {
        "channel shuffle": _shuffle,
        "channel split": _split,
        "split attention": _gates(_splits_attention),
        "dense concatenation": _dense,
        "forked 1×n and n×1": _forked,
        "narrow neck": _narrow_neck,
        "parallel branches": _branches,
        "factorised convolution": _factorised,
        "global response normalisation": _gates(_normalises_response),
        "patchify stem": _patchify,
        "large kernel": _large_kernels,
        "squeeze-and-excitation gate": _gates(_squeezes_and_excites),
        "shifted windows": _shifted_windows,
        "attention": _attention,
        "fused inverted bottleneck": _fused,
        "inverted bottleneck": _inverted,
        "depthwise convolution": _kind("depthwise"),
        "grouped convolution": _kind("grouped"),
        "bottleneck": _bottleneck,
        "residual skip": _residual,
        "pooled shortcut": _pooled_shortcut,
        "stacked 3×3 convolutions": _stacked,
        "large kernels first": _large_first,
        "convolution and subsampling": _subsampled,
        "fully connected layers": _fully_connected,
    }
)

# By the beginning of a catalogue id, the longest first.
_MAIN: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "lenet5": ("convolution and subsampling",),
        "alexnet": ("large kernels first", "fully connected layers"),
        "zfnet": ("large kernels first",),
        "vgg": ("stacked 3×3 convolutions", "fully connected layers"),
        "googlenet": ("parallel branches",),
        "inception_v3": ("factorised convolution",),
        "inception_v4": ("forked 1×n and n×1",),
        "squeezenet": ("narrow neck",),
        "resnet200": ("bottleneck", "residual skip"),
        "wide_resnet": ("bottleneck", "residual skip"),
        "resnet50d": ("pooled shortcut",),
        "resnetrs": ("stacked 3×3 convolutions", "squeeze-and-excitation gate"),
        "resnext": ("grouped convolution",),
        "regnet_x": ("grouped convolution",),
        "regnet_y": ("grouped convolution",),
        "densenet": ("dense concatenation",),
        "se_": ("squeeze-and-excitation gate",),
        "se_resnext": ("squeeze-and-excitation gate", "grouped convolution"),
        "senet": ("squeeze-and-excitation gate", "grouped convolution"),
        "resnest": ("split attention",),
        "mobilenet_v1": ("depthwise convolution",),
        "mobilenet_v2": ("inverted bottleneck", "residual skip"),
        "mobilenet_v3": ("squeeze-and-excitation gate", "fully connected layers"),
        "shufflenet_v1": ("channel shuffle", "grouped convolution"),
        "shufflenet_v2": ("channel shuffle", "channel split"),
        "efficientnet": ("inverted bottleneck", "squeeze-and-excitation gate"),
        "efficientnet_lite": ("inverted bottleneck",),
        "efficientnetv2": ("fused inverted bottleneck",),
        "vit": ("patchify stem", "attention"),
        "swin": ("attention", "shifted windows"),
        "convnext": ("large kernel", "inverted bottleneck"),
        "convnextv2": ("global response normalisation",),
    }
)
_MAIN_OF_FAMILY: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "plain": ("stacked 3×3 convolutions",),
        "residual": ("residual skip",),
        "inception": ("parallel branches",),
        "compact": ("depthwise convolution",),
        "attention": ("squeeze-and-excitation gate",),
        "scaled": ("inverted bottleneck",),
        "convnext": ("large kernel",),
        "transformer": ("attention",),
    }
)
