"""Answers about whole networks, read off their traces; networks are named by their catalogue ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from explorer import catalogue, networks
from explorer.analysis import Stats, memory, stats, trace
from explorer.analysis.structure.skips import skips
from explorer.labs.quiz.values import Answer, Slip, number


def _builder(network: str) -> str:
    return catalogue.get(network).builders[0]


def _name(network: str) -> str:
    return catalogue.get(network).name


def _sheet(network: str, side: int | None = None) -> Stats:
    return stats(_builder(network), side)


# Unit, what one says of the smaller, and where it is read.
MEASURES: Mapping[str, tuple[str, str, Callable[[Stats], float]]] = {
    "params": ("parameters", "has fewer parameters", lambda sheet: sheet.params),
    "macs": ("MACs", "needs fewer MACs", lambda sheet: sheet.macs),
    "field": ("pixels", "sees fewer pixels", lambda sheet: sheet.receptive_field.size[0]),
}


def greater(measure: str, networks: Sequence[str]) -> Answer:
    """The name of the one with more; at each network's own input size."""
    unit, less, read = MEASURES[measure]
    sheets = {_name(network): _sheet(network) for network in networks}
    right = max(sheets, key=lambda name: read(sheets[name]))
    told = "; ".join(f"{name}: {number(read(sheet))} {unit}" for name, sheet in sheets.items())
    return Answer(right, told, tuple(Slip(name, less) for name in sheets if name != right))


def times_fewer(networks: Sequence[str]) -> Answer:
    """How many times the second network's parameters are contained in the first's."""
    large, small = (_sheet(network) for network in networks)
    linear = sum(layer.params for layer in large.layers if layer.kind == "linear")
    right = large.params / small.params
    return Answer(
        right,
        f"{large.params:,} / {small.params:,} = {number(right)}",
        (
            Slip((large.params - linear) / small.params, "leaves out the linear layers"),
            Slip(large.macs / small.macs, "compares MACs"),
            Slip(4 * right, "compares the bytes of one with the numbers of the other"),
        ),
    )


def linear_share(network: str) -> Answer:
    """Per cent of all parameters that stand in linear layers."""
    sheet = _sheet(network)
    linear = [layer for layer in sheet.layers if layer.kind == "linear"]
    held, first = sum(layer.params for layer in linear), linear[0].params
    share = 100 * held / sheet.params
    return Answer(
        share,
        f"{held:,} / {sheet.params:,} = {number(share)} %",
        (
            Slip(100 * sum(layer.macs for layer in linear) / sheet.macs, "is their share of the MACs"),
            Slip(100 - share, "is the share of the convolutions"),
            Slip(100 * first / sheet.params, "counts the first of them only"),
        ),
    )


def first_linear(network: str) -> Answer:
    """Parameters of the first linear layer, bias included."""
    layer = next(layer for layer in _sheet(network).layers if layer.kind == "linear")
    outputs = layer.output_shape[-1]
    inputs = layer.macs // outputs
    return Answer(
        layer.params,
        f"Cin · Cout + Cout = {inputs:,} · {outputs:,} + {outputs:,} = {layer.params:,}",
        (
            Slip(_sheet(network).params, "is the whole network"),
            Slip(inputs + outputs, "adds what multiplies"),
            Slip(outputs * outputs, "is the second one"),
        ),
    )


def flops(network: str) -> Answer:
    """2 x MACs at the network's own input size."""
    sheet = _sheet(network)
    return Answer(
        2 * sheet.macs,
        f"2 · {sheet.macs:,} MACs = {2 * sheet.macs:,}",
        (
            Slip(sheet.macs, "counts MACs; papers often print these and call them FLOPs"),
            Slip(sheet.macs / 2, "divides where it should double"),
            Slip(sheet.params, "counts parameters"),
        ),
    )


def weight_bytes(network: str) -> Answer:
    """Of the weights in fp32, buffers included."""
    sheet = _sheet(network)
    buffers = sheet.weight_bytes - 4 * sheet.params
    return Answer(
        sheet.weight_bytes,
        f"4 · {sheet.params:,} + {buffers:,} for running statistics = {sheet.weight_bytes:,} bytes",
        (
            Slip(sheet.params, "takes one byte a weight"),
            Slip(2 * sheet.params, "takes two bytes a weight: that is fp16"),
            Slip(8 * sheet.params, "takes eight bytes a weight: that is fp64"),
        ),
    )


def bytes_a_parameter(optimiser: str) -> Answer:
    """In fp32 training, activations left out: measured on LeNet-5."""
    traced = trace("explorer:lenet5")
    needed = memory(traced, optimiser=optimiser)
    parts = [
        round(part / traced.params)
        for part in (needed.weights - traced.buffer_bytes, needed.gradients, needed.optimiser)
    ]
    right = sum(parts)
    return Answer(
        right,
        f"weight {parts[0]} + gradient {parts[1]} + state {parts[2]} = {right}",
        (
            Slip(parts[0], "counts the weight alone"),
            Slip(parts[0] + parts[1], "forgets the optimiser's state"),
            Slip(parts[0] + parts[2], "forgets the gradient"),
        ),
    )


def at_another_side(network: str, side: int, larger: int) -> Answer:
    """What happens to parameters and MACs when the picture's side grows."""
    before, after = (_sheet(network, each) for each in (side, larger))
    params, macs = after.params / before.params, after.macs / before.macs
    times = larger / side

    def words(of_params: float, of_macs: float) -> str:
        return f"Parameters × {of_params:.3g}, MACs × {of_macs:.3g}"

    return Answer(
        words(params, round(macs, 1)),
        f"{before.params:,} → {after.params:,} parameters; {before.macs:,} → {after.macs:,} MACs, "
        f"× {macs:.3f}",
        (
            Slip(words(times**2, times**2), "lets the weights grow with the picture, which they do not see"),
            Slip(words(1, times), "counts one side; a picture has two"),
            Slip(words(1, 1), "forgets that every weight is used at every position"),
        ),
    )


def last_map_side(network: str) -> Answer:
    """Positions along one side of the last feature map."""
    sheet = _sheet(network)
    found = sheet.receptive_field
    side, jump = found.positions[0], int(found.stride[0])
    return Answer(
        side,
        f"{sheet.input_size[1]} / {jump} = {side}",
        (
            Slip(side * 2, "halves once too seldom"),
            Slip(side * 4, "stops after the second stage"),
            Slip(sheet.input_size[1] // 4, "is the map after the stem"),
        ),
    )


def unit_distance(network: str) -> Answer:
    """Pixels between the fields of neighbouring units of the last map."""
    found = _sheet(network).receptive_field
    jump = int(found.stride[0])
    halvings = jump.bit_length() - 1
    return Answer(
        jump,
        " · ".join("2" for _ in range(halvings)) + f" = {jump}, one 2 for each halving",
        (
            Slip(2 * halvings, "adds the strides, which multiply"),
            Slip(int(found.size[0]), "is how far one unit sees"),
            Slip(found.positions[0], "is the number of units along a side"),
        ),
    )


def projections(network: str) -> Answer:
    """Shortcuts with weights of their own."""
    kinds = Counter(skips(trace(_builder(network))).values())
    right, all_of_them = kinds["projection"], kinds.total()
    return Answer(
        right,
        f"{all_of_them} shortcuts − {kinds['identity']} identities = {right}",
        (
            Slip(right - 1, "counts the halvings only: the first stage changes the channels"),
            Slip(all_of_them, "gives every block one"),
            Slip(0, "makes them all identities"),
        ),
    )


def normalised_pixel(network: str, value: int) -> Answer:
    """A red pixel from 0 to 255 as the network gets it."""
    spec = networks.input_spec(networks.resolve(_builder(network)))
    mean, std = spec.mean[0], spec.std[0]
    right = (value / 255 - mean) / std
    return Answer(
        right,
        f"({value} / 255 − {mean}) / {std} = {number(right)}",
        (
            Slip((value - mean) / std, "forgets to divide by 255"),
            Slip(value / 255 - mean, "forgets the standard deviation"),
            Slip((value / 255 - mean) * std, "multiplies by the standard deviation"),
        ),
    )


def kept_by_crop(weights: str) -> Answer:
    """Per cent of a square picture's area that resizing and centre crop leave to the network."""
    entries = networks.weights_of(weights.partition("_Weights")[0].lower())
    spec = next(each.input for each in entries if each.id == weights)
    assert spec is not None, f"{weights} does not say what it expects"
    right = 100 * spec.crop_pct**2
    return Answer(
        right,
        f"({spec.image_size} / {spec.resize})² = {number(right)} %",
        (
            Slip(100 * spec.crop_pct, "takes the side for the area"),
            Slip(100 - right, "is what is cut away"),
            Slip(100.0, "forgets the crop"),
        ),
    )
