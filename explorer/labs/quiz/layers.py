"""Answers about layers and blocks: each is built on the meta device, traced, and counted.

The line of working is the layer's own formula from `analysis.formulas`; slips are the same arithmetic with a
plausible mistake in it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from explorer.analysis import Trace, trace_module
from explorer.analysis.numbers.formulas import Formula, formula
from explorer.labs.quiz.values import Answer, Slip, number

_SIDE = 32  # of a map whose size does not matter


def _traced(layers: Sequence[nn.Module], channels: int, side: int = _SIDE) -> Trace:
    block = nn.Sequential(*layers).to("meta")
    return trace_module(block, (1, channels, side, side), "a block of the quiz")


def _convolution(
    kernel: int, cin: int, cout: int, *, groups: int = 1, stride: int = 1, padding: int | None = None
) -> nn.Conv2d:
    around = kernel // 2 if padding is None else padding
    return nn.Conv2d(cin, cout, kernel, stride, around, groups=groups, bias=False)


def _written(traced: Trace, what: str) -> list[Formula]:
    return [each for op in traced.ops for each in formula(op) if each.what == what]


def _line(traced: Trace, what: str) -> str:
    """The formulas of all layers, one after the other, and their sum."""
    found = _written(traced, what)
    total = sum(each.value for each in found)
    if len(found) == 1:
        return f"{found[0].symbols} = {found[0].numbers} = {total:,}"
    parts = " + ".join(each.numbers for each in found)
    return f"{parts} = {' + '.join(f'{each.value:,}' for each in found)} = {total:,}"


def layer_weights(kernel: int, cin: int, cout: int, groups: int = 1) -> Answer:
    """Of one convolution without bias."""
    traced = _traced([_convolution(kernel, cin, cout, groups=groups)], cin)
    grouped = (
        Slip(kernel**2 * cin * cout, "forgets the groups"),
        Slip(kernel**2 * cin * cout // groups**2, "divides by the groups twice"),
    )
    plain = (
        Slip(kernel * cin * cout // groups, "counts k, not k²"),
        Slip(kernel**2 * cout, "forgets the input channels"),
        Slip(kernel**2 * (cin + cout), "adds the channels, which multiply"),
    )
    slips = (*grouped, *plain) if groups > 1 else plain
    return Answer(traced.params, _line(traced, "parameters"), slips)


def layer_macs(kernel: int, cin: int, cout: int, side: int) -> Answer:
    """Of one convolution that keeps the size."""
    traced = _traced([_convolution(kernel, cin, cout)], cin, side)
    return Answer(
        traced.macs,
        _line(traced, "MACs"),
        (
            Slip(2 * traced.macs, "counts FLOPs: a multiply and an add are one MAC"),
            Slip(traced.macs // kernel, "counts k, not k²"),
            Slip(traced.params, "counts the weights, each of which is used at every position"),
        ),
    )


def output_side(kernel: int, stride: int, padding: int, side: int) -> Answer:
    """Of one convolution on a square map."""
    traced = _traced([_convolution(kernel, 3, 8, stride=stride, padding=padding)], 3, side)
    (found,) = _written(traced, "output size") or _written(traced, "output size, height")
    return Answer(
        found.value,
        f"{found.symbols} = {found.numbers} = {found.value}",
        (
            Slip((side - kernel) // stride + 1, "forgets the padding"),
            Slip(side // stride, "divides by the stride only"),
            Slip((side + 2 * padding - kernel) // stride, "forgets to count the first position"),
            Slip(side + 2 * padding - kernel + 1, "forgets the stride"),
        ),
    )


def padding_for(kernel: int) -> Answer:
    """The least padding with which a convolution of stride 1 keeps the size, found by trying."""
    right = next(
        padding
        for padding in range(kernel)
        if _traced([_convolution(kernel, 1, 1, padding=padding)], 1).ops[-1].output_shape[-1] == _SIDE
    )
    return Answer(
        right,
        f"side + 2p − {kernel} + 1 = side, so p = ({kernel} − 1) / 2 = {right}",
        (
            Slip(kernel, "pads by the whole kernel"),
            Slip(kernel - 1, "pads one side only"),
            Slip(kernel // 2 + 1, "counts the middle too"),
        ),
    )


def reduced_macs(kernel: int, cin: int, narrow: int, cout: int, side: int) -> Answer:
    """A 1x1 down to `narrow` channels, then the k x k convolution."""
    traced = _traced([_convolution(1, cin, narrow), _convolution(kernel, narrow, cout)], cin, side)
    naive = _traced([_convolution(kernel, cin, cout)], cin, side).macs
    reduction, spatial = (op.macs for op in traced.ops if op.macs)
    return Answer(
        traced.macs,
        _line(traced, "MACs"),
        (
            Slip(naive, "is the cost without the 1×1"),
            Slip(spatial, f"leaves out the 1×1 itself, {number(reduction)} MACs"),
            Slip(2 * traced.macs, "counts FLOPs: a multiply and an add are one MAC"),
        ),
    )


def times_cheaper(kernel: int, cin: int, narrow: int, cout: int, side: int) -> Answer:
    """How many times the MACs fall when a 1x1 reduces the channels first."""
    naive = _traced([_convolution(kernel, cin, cout)], cin, side).macs
    reduced = _traced([_convolution(1, cin, narrow), _convolution(kernel, narrow, cout)], cin, side)
    return Answer(
        naive / reduced.macs,
        f"{naive:,} / {reduced.macs:,} = {number(naive / reduced.macs)}",
        (
            Slip(cin / narrow, "leaves out the cost of the 1×1 itself"),
            Slip((cin / narrow) ** 2, "squares the reduction, which is of the input channels only"),
            Slip(float(kernel**2), "is the window's area"),
        ),
    )


def separable_weights(kernel: int, cin: int, cout: int) -> Answer:
    """Depthwise k x k, then 1x1."""
    traced = _traced([_convolution(kernel, cin, cin, groups=cin), _convolution(1, cin, cout)], cin)
    return Answer(
        traced.params,
        _line(traced, "parameters"),
        (
            Slip(kernel**2 * cin * cout, "is an ordinary convolution"),
            Slip(cin * cout, "leaves out the depthwise half"),
            Slip(kernel**2 * cin, "leaves out the pointwise half"),
        ),
    )


def separable_saving(kernel: int, cin: int, cout: int) -> Answer:
    """How many times fewer MACs than the ordinary convolution."""
    separable = _traced([_convolution(kernel, cin, cin, groups=cin), _convolution(1, cin, cout)], cin).macs
    ordinary = _traced([_convolution(kernel, cin, cout)], cin).macs
    right = ordinary / separable
    return Answer(
        right,
        f"1 / (1 / {cout} + 1 / {kernel}²) = {ordinary // _SIDE**2:,} / {separable // _SIDE**2:,} "
        f"= {number(right)}",
        (
            Slip(float(kernel**2), "forgets the depthwise half, which is small but not nothing"),
            Slip(float(cout), "forgets the pointwise half"),
            Slip(float(kernel), "counts k, not k²"),
        ),
    )


def parallel_paths(channels: int, paths: int, width: int, kernel: int = 3) -> Answer:
    """ResNeXt's block as a sum of paths: 1x1 down to `width`, k x k, 1x1 up, `paths` times."""
    narrow = paths * width
    layers = [
        _convolution(1, channels, narrow),
        _convolution(kernel, narrow, narrow, groups=paths),
        _convolution(1, narrow, channels),
    ]
    traced = _traced(layers, channels)
    one = traced.params // paths
    spatial = kernel**2 * width**2
    return Answer(
        traced.params,
        f"{paths} · ({channels} · {width} + {kernel}² · {width} · {width} + {width} · {channels}) = "
        f"{paths} · {one:,} = {traced.params:,}",
        (
            Slip(one, "is one path"),
            Slip(2 * channels * narrow + kernel**2 * narrow**2, "forgets that the 3×3 is grouped"),
            Slip(paths * (channels * width + spatial), "leaves out the way back up"),
        ),
    )


def bottleneck_weights(channels: int, narrow: int, kernel: int = 3) -> Answer:
    """ResNet's bottleneck: 1x1 down, k x k, 1x1 up; norms left out."""
    layers = [
        _convolution(1, channels, narrow),
        _convolution(kernel, narrow, narrow),
        _convolution(1, narrow, channels),
    ]
    traced = _traced(layers, channels)
    return Answer(
        traced.params,
        _line(traced, "parameters"),
        (
            Slip(2 * kernel**2 * channels**2, "is a basic block: two 3×3 at full width"),
            Slip(kernel**2 * narrow**2, "counts the 3×3 only"),
            Slip(channels * narrow + kernel**2 * narrow**2, "leaves out the way back up"),
        ),
    )


def gate_weights(channels: int, reduction: int) -> Answer:
    """Squeeze-and-excitation: two linear layers without bias."""
    narrow = channels // reduction
    layers = [nn.AdaptiveAvgPool2d(1), _convolution(1, channels, narrow), _convolution(1, narrow, channels)]
    traced = _traced(layers, channels)
    return Answer(
        traced.params,
        f"2 · C · C / r = 2 · {channels} · {channels} / {reduction} = {traced.params:,}",
        (
            Slip(channels * narrow, "counts one of the two layers"),
            Slip(2 * channels**2, "forgets the reduction"),
            Slip(2 * narrow**2, "reduces both sides of each layer"),
        ),
    )


def wider(times: int) -> Answer:
    """Times the MACs of a 3x3 convolution whose input and output both get `times` the channels."""
    before, after = (_traced([_convolution(3, 16 * n, 16 * n)], 16 * n).macs for n in (1, times))
    return Answer(
        after / before,
        f"(n · Cin) · (n · Cout) = n² · Cin · Cout; here {after:,} / {before:,} = {number(after / before)}",
        (
            Slip(times, "widens one side only"),
            Slip(times**3, "widens the picture too"),
            Slip(times**2 * 9, "counts the window once more"),
        ),
    )


def norm_parameters(channels: int) -> Answer:
    """Learned numbers of a batch norm."""
    norm = nn.BatchNorm2d(channels)
    learned = sum(each.numel() for each in norm.parameters())
    kept = sum(each.numel() for each in norm.buffers() if each.dim())
    return Answer(
        learned,
        f"γ and β: 2 · C = 2 · {channels} = {learned}",
        (
            Slip(learned + kept, "counts the running mean and variance, which no gradient moves"),
            Slip(channels, "forgets β"),
            Slip(learned // 2 * channels, "mixes channels, which batch norm does not"),
        ),
    )


def dense_width(first: int, growth: int, layer: int) -> Answer:
    """Channels that a layer of a dense block reads: the shape that concatenation gives."""
    maps = [torch.empty(1, first, 1, 1, device="meta")]
    maps += [torch.empty(1, growth, 1, 1, device="meta") for _ in range(layer - 1)]
    right = torch.cat(maps, 1).shape[1]
    return Answer(
        right,
        f"k0 + k · (l − 1) = {first} + {growth} · {layer - 1} = {right}",
        (
            Slip(first + growth * layer, "counts the layer's own output"),
            Slip(growth * (layer - 1), "forgets what came into the block"),
            Slip(first * layer, "takes every layer for as wide as the input"),
            Slip(first, "adds, where a dense block concatenates"),
        ),
    )
