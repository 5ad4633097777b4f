"""One photo, many maps: by method, by layer, for one class against another; and how far they agree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image
from torch import nn

from explorer.inference import DoesNotApply, Explanation, explain
from explorer.inference.spatial import SpatialLayer, SpatialLayers, is_one_of_a_row, spatial_layers
from explorer.networks import Network

MOST = 6
_CELLS = 64  # a side of the grid on which maps are compared


@dataclass(frozen=True, eq=False)
class Map:
    """One of several. explanation: None where it cannot be made, and then `why` says the reason."""

    title: str
    explanation: Explanation | None
    why: str = ""


def by_method(network: Network, image: Image.Image, methods: Sequence[str]) -> Iterator[Map]:
    """The same layer and class, asked by each method."""
    for method in methods:
        try:
            yield Map(method, explain(network, image, method=method))
        except DoesNotApply as why:
            yield Map(method, None, str(why))


def by_layer(network: Network, image: Image.Image, method: str) -> Iterator[Map]:
    """The same class and method, from the first layers to the last."""
    for layer in ladder(network):
        yield Map(layer.path, explain(network, image, layer=layer.path, method=method))


def ladder(network: Network) -> tuple[SpatialLayer, ...]:
    """The end of each stage: the last layer of each size of map, blocks before what they are made of, and at
    the coarsest the usual one. Where the size never changes, as in a ViT, blocks in even steps. At most MOST.
    """
    found = spatial_layers(network.model, network.input.shape)
    before = list(found.by_path.values())[: list(found.by_path).index(found.default) + 1]
    whole = [layer for layer in before if not _in_a_block_that_shrinks(layer, found, network.model)]
    blocks = [layer for layer in whole if not layer.weighted and _has_children(layer, network.model)]
    ends = {(layer.height, layer.width): layer for layer in (*whole, *blocks, before[-1])}
    stages: list[SpatialLayer] = []
    for layer in sorted(ends.values(), key=before.index):
        if not stages or layer.height < stages[-1].height:  # a softmax over places is no finer map
            stages.append(layer)
    if len(stages) < 3:
        row = [layer for layer in before if is_one_of_a_row(network.model, layer.path)]
        stages = [*(row or before), before[-1]]
    steps = np.linspace(0, len(stages) - 1, MOST).round().astype(int)
    return tuple(dict.fromkeys(stages[step] for step in steps))


def _in_a_block_that_shrinks(layer: SpatialLayer, found: SpatialLayers, model: nn.Module) -> bool:
    """As the first convolutions of a strided block, which still have the size of the stage before."""
    parts = layer.path.split(".")
    for depth in range(1, len(parts)):
        around = found.by_path.get(".".join(parts[:depth]))
        if around is None or isinstance(model.get_submodule(around.path), nn.Sequential):
            continue
        if (around.height, around.width) != (layer.height, layer.width):
            return True
    return False


def _has_children(layer: SpatialLayer, model: nn.Module) -> bool:
    return any(True for _ in model.get_submodule(layer.path).children())


def by_class(network: Network, image: Image.Image, method: str, one: int, other: int) -> Iterator[Map]:
    """What speaks for each of two classes, and for each rather than the other."""
    for target, against in ((one, None), (other, None), (one, other), (other, one)):
        found = explain(network, image, method=method, target=target, against=against)
        assert found.explained is not None
        rather = f"{found.explained.label}, not {found.against.label}" if found.against else ""
        yield Map(rather or found.explained.label, found)


def agreement(one: Explanation, other: Explanation) -> float | None:
    """Spearman's rank correlation of two maps of one photo, -1 to 1, where both networks saw it.

    1: the same places in the same order; 0: as two maps that know nothing of each other. None where one of
    them is the same everywhere.
    """
    from scipy.stats import spearmanr

    left, top = np.maximum(one.view_box[:2], other.view_box[:2])
    right, bottom = np.minimum(one.view_box[2:], other.view_box[2:])
    if left >= right or top >= bottom:
        return None
    xs = left + (right - left) * (np.arange(_CELLS) + 0.5) / _CELLS
    ys = top + (bottom - top) * (np.arange(_CELLS) + 0.5) / _CELLS
    first, second = _at(one, xs, ys).ravel(), _at(other, xs, ys).ravel()
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    return float(spearmanr(first, second).statistic)


def _at(explanation: Explanation, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """The heatmap at places of the photo, [len(ys), len(xs)]; places as fractions of its width and height."""
    left, top, right, bottom = explanation.view_box
    height, width = explanation.heatmap.shape
    columns = ((xs - left) / (right - left) * width).astype(int).clip(0, width - 1)
    rows = ((ys - top) / (bottom - top) * height).astype(int).clip(0, height - 1)
    return explanation.heatmap[np.ix_(rows, columns)]


def farthest(maps: Sequence[Map]) -> tuple[Map, Map, float] | None:
    """The two that agree least, and how far they do; None where no two can be compared."""
    pairs = [
        (one, other, alike)
        for at, one in enumerate(maps)
        for other in maps[at + 1 :]
        if one.explanation and other.explanation
        if (alike := agreement(one.explanation, other.explanation)) is not None
    ]
    return min(pairs, key=lambda pair: pair[2], default=None)
