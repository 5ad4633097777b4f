"""Shift a picture: does the feature map shift with it, does the answer stay?

Equivariance is f(T x) = T f(x): a map that moves with the picture. A strided layer keeps it for shifts by
whole strides only, and only where no unit sees the border. Invariance is f(T x) = f(x): an answer that stays.
Zhang 2019, https://arxiv.org/abs/1904.11486; Azulay and Weiss 2019, https://jmlr.org/papers/v20/19-519.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import ceil, floor, inf, nan

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from explorer.analysis import ReceptiveField, Trace, receptive_fields, trace
from explorer.inference.preprocessing import prepare
from explorer.inference.spatial import SpatialLayer, spatial_layers
from explorer.inference.watching import outputs_of
from explorer.labs.lengths import norm, unit
from explorer.networks import InputSpec, Network
from explorer.networks.running import probabilities

MOST_SHIFT = 32  # pixels: the stride of the deepest layers of most ImageNet networks
MOST_STEPS = 16  # of a sweep; a step is a whole number of pixels
_POSITIONS = "pos_embed"  # in the name of a parameter that says where a token stands
_TOGETHER = 8  # pictures in one batch: bounds the memory of an early layer's maps


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture with a margin around what the network sees, so that it can be shifted.

    x: float32 [1, C, H + 2 margin, W + 2 margin], normalised. real: pixels of the margin that are picture;
    the rest mirrors it.
    """

    x: Tensor
    margin: int
    real: int

    def shifted(self, dx: int, dy: int = 0) -> Tensor:
        """[1, C, H, W]: the content moved dx pixels to the right and dy down; at most `margin`."""
        if max(abs(dx), abs(dy)) > self.margin:
            raise ValueError(f"a shift of ({dx}, {dy}) pixels passes the margin of {self.margin}")
        top, left = self.margin - dy, self.margin - dx
        height, width = (side - 2 * self.margin for side in self.x.shape[2:])
        return self.x[:, :, top : top + height, left : left + width]


def most_shift(spec: InputSpec) -> int:
    """Pixels a picture is shifted at most: MOST_SHIFT, and a quarter of a small input."""
    return _most_shift(spec.shape[1:])


def _most_shift(side: tuple[int, ...]) -> int:
    return min(MOST_SHIFT, min(side) // 4)


def scene(image: Image.Image, spec: InputSpec) -> Scene:
    """`image` as `spec` prepares it, with a margin of `most_shift`; without shift it equals `prepare`."""
    margin = most_shift(spec)
    channels, height, width = spec.shape
    square = spec.crop_mode == "center" and height == width
    # Even, so that the larger crop's rounded place is the smaller one's.
    real = min(margin, (spec.resize - height) // 2) // 2 * 2 if square else 0
    wide = replace(spec, shape=(channels, height + 2 * real, width + 2 * real))
    rest = margin - real
    return Scene(F.pad(prepare(image, wide).x, (rest,) * 4, mode="reflect"), margin, real)


@dataclass(frozen=True)
class Place:
    """A layer whose map can be watched. side: height and width of the network's input in pixels.

    spoiled: what makes a unit depend on where it stands or on the whole picture, so that no shift is exact:
    the path of the first such operation, "" while there is none.
    """

    layer: SpatialLayer
    field: ReceptiveField
    side: tuple[int, int]
    spoiled: str


def places(network: Network) -> Mapping[str, Place]:
    """Every layer that can be watched, by its path, in the order they finish.

    A module's field is that of the last operation inside it. Raises what `trace` raises.
    """
    traced = trace(network.reference, network.input.image_size)
    fields, counted = receptive_fields(traced), _counting_places(traced)
    last = {
        ".".join(op.path[:depth]): op
        for op in traced.ops
        if op.id in fields and fields[op.id].local
        for depth in range(1, len(op.path) + 1)
    }
    _, height, width = network.input.shape
    known = spatial_layers(network.model, network.input.shape).by_path
    return {
        path: Place(
            layer,
            fields[last[path].id],
            (height, width),
            counted.get(last[path].id) or fields[last[path].id].global_from or "",
        )
        for path, layer in known.items()
        if path in last and (layer.height, layer.width) == fields[last[path].id].positions
    }


def _counting_places(traced: Trace) -> dict[str, str]:
    """Operations that depend on a position embedding, by id: the parameter's name."""
    counted: dict[str, str] = {}
    for op in traced.ops:
        own = next((o.source for o in op.operands if o.is_parameter and _POSITIONS in o.source), None)
        name = (
            own.removeprefix("param:") if own else next((counted[i] for i in op.inputs if i in counted), "")
        )
        if name:
            counted[op.id] = name
    return counted


def shrinks_by(model: nn.Module) -> tuple[str, ...]:
    """How a network's maps become smaller, in words, in order; a mean over all is none."""
    ways = (_way(module) for module in model.modules())
    return tuple(dict.fromkeys(way for way in ways if way))


def _way(module: nn.Module) -> str:
    if "blur" in type(module).__name__.lower():
        return "a blur before the stride"
    if not isinstance(module, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d) or _first(module.stride) <= 1:
        return ""
    if isinstance(module, nn.MaxPool2d):
        return "max pooling"
    if isinstance(module, nn.AvgPool2d):
        return "average pooling"
    return "patches" if 1 < _first(module.kernel_size) == _first(module.stride) else "strided convolutions"


def _first(of: int | tuple[int, ...]) -> int:
    return of if isinstance(of, int) else of[0]


def place_to_start(known: Mapping[str, Place]) -> str:
    """The deepest of the outer layers with units that see no border, so that the map can shift exactly."""

    def room(place: Place) -> int:
        most = _most_shift(place.side)
        return min(len(_interior(place, axis, most / place.field.stride[axis])) for axis in (0, 1))

    free = [path for path, place in known.items() if not place.spoiled and room(place) > 1]
    outer = [path for path in free if path.count(".") < 2] or free or list(known)
    deepest = max(known[path].field.stride for path in outer)
    return [path for path in outer if known[path].field.stride == deepest][-1]


@dataclass(frozen=True)
class Equivariance:
    """How well the moved map predicts the map of the moved picture.

    error: relative, ||moved map - map of moved picture|| / ||map of moved picture||. unmoved: the same for a
    map left where it was. correlation: Pearson's. cells: (down, right) the map should move. region: (top,
    left, bottom, right) of the cells that were compared. clean: none of their units sees the border.
    spoiled: see `Place`.
    """

    error: float
    unmoved: float
    correlation: float
    stride: tuple[float, float]
    cells: tuple[float, float]
    region: tuple[int, int, int, int]
    clean: bool
    spoiled: str

    @property
    def whole(self) -> bool:
        """The shift is a multiple of the layer's stride."""
        return all(float(each).is_integer() for each in self.cells)

    @property
    def exact(self) -> bool:
        """Theory says that the error is zero, but for rounding."""
        return self.whole and self.clean and not self.spoiled


def moved(features: Tensor, cells: float, axis: int) -> Tensor:
    """features at i - cells along `axis`, linear between cells; the caller cuts what wraps around."""
    part = cells - floor(cells)
    whole = features.roll(floor(cells), axis)
    return (1 - part) * whole + part * features.roll(floor(cells) + 1, axis) if part else whole


def relative_error(found: Tensor, expected: Tensor) -> float:
    """||found - expected|| / ||expected||; 0 where they are equal, infinite where only `expected` is zero."""
    off, size = norm(found.double() - expected.double()), norm(expected)
    if off == 0:
        return 0.0
    return off / size if size else inf


def correlation(a: Tensor, b: Tensor) -> float:
    """Pearson's correlation over all elements; NaN where a map is constant, which goes along with nothing."""
    a, b = (unit(each - each.mean()) for each in (a.double().flatten(), b.double().flatten()))
    return float((a @ b).clamp(-1, 1)) if a.any() and b.any() else nan


def equivariance(still: Tensor, shifted: Tensor, shift: tuple[int, int], place: Place) -> Equivariance:
    """still, shifted: [C, h, w], maps of the picture and of the one shifted by `shift` = (dy, dx) pixels.

    Compares the cells whose units see no border, neither before nor after the shift; where there are none
    (`clean` is False) all cells that both maps have.
    """
    field = place.field
    cells = (shift[0] / field.stride[0], shift[1] / field.stride[1])
    rows, columns = (_interior(place, axis, cells[axis]) for axis in (0, 1))
    clean = len(rows) > 0 and len(columns) > 0
    if not clean:
        rows, columns = (overlap(still.shape[1 + axis], cells[axis]) for axis in (0, 1))

    def cut(features: Tensor) -> Tensor:
        return features[:, rows.start : rows.stop, columns.start : columns.stop]

    predicted, found = cut(moved(moved(still, cells[0], 1), cells[1], 2)), cut(shifted)
    return Equivariance(
        error=relative_error(predicted, found),
        unmoved=relative_error(cut(still), found),
        correlation=correlation(predicted, found),
        stride=field.stride,
        cells=cells,
        region=(rows.start, columns.start, rows.stop, columns.stop),
        clean=clean,
        spoiled=place.spoiled,
    )


def _interior(place: Place, axis: int, cells: float) -> range:
    """Positions whose field stays inside the picture, before the shift and after it."""
    field = place.field
    size, stride, padding = field.size[axis], field.stride[axis], field.padding[axis]
    first = max(0, ceil(padding / stride))
    stop = min(field.positions[axis], floor((place.side[axis] - size + padding) / stride) + 1)
    return range(first + max(0, ceil(cells)), stop + min(0, floor(cells)))


def overlap(positions: int, cells: float) -> range:
    """Positions that both a map and the map moved by `cells` have."""
    return range(max(0, ceil(cells)), positions + min(0, floor(cells)))


@dataclass(frozen=True, eq=False)
class Answers:
    """logits: float32 [N, K]; maps: float32 [N, C, h, w] of one layer; both on the CPU."""

    logits: Tensor
    maps: Tensor


def answers(network: Network, x: Tensor, layer: SpatialLayer) -> Answers:
    """The network's logits and one layer's maps for pictures x [N, C, H, W]; leaves no hook behind."""
    device = next(network.model.parameters()).device
    maps, logits = [], []
    with torch.no_grad(), outputs_of(network.model.get_submodule(layer.path)) as seen:
        for part in x.split(_TOGETHER):
            logits.append(network.model(part.to(device)).float().cpu())
            out = seen[-1].float().cpu()
            maps += [layer.to_map(out[n : n + 1]) for n in range(len(out))]
            seen.clear()
    return Answers(torch.cat(logits), torch.stack(maps))


@dataclass(frozen=True, eq=False)
class Sweep:
    """The picture shifted to the right by 0, ... pixels; one entry a shift.

    probabilities: float32 [n, K]. change: of the logits, relative to those of the unshifted picture.
    """

    shifts: tuple[int, ...]
    equivariance: tuple[Equivariance, ...]
    probabilities: np.ndarray
    change: tuple[float, ...]

    @property
    def top(self) -> tuple[int, ...]:
        """Likeliest class at each shift."""
        return tuple(self.probabilities.argmax(axis=1).tolist())


def shifts(spec: InputSpec) -> tuple[int, ...]:
    """Shifts of a sweep in pixels, from 0 to `most_shift` in equal steps."""
    most = most_shift(spec)
    return tuple(range(0, most + 1, max(1, most // MOST_STEPS)))


def sweep(network: Network, picture: Scene, place: Place) -> Sweep:
    """Shift by shift: the map's equivariance and the answer, in one run of the network each."""
    by = shifts(network.input)
    found = answers(network, torch.cat([picture.shifted(dx) for dx in by]), place.layer)
    return Sweep(
        shifts=by,
        equivariance=tuple(
            equivariance(found.maps[0], shifted, (0, dx), place)
            for shifted, dx in zip(found.maps, by, strict=True)
        ),
        probabilities=probabilities(network, found.logits).numpy(),
        change=tuple(relative_error(logits, found.logits[0]) for logits in found.logits),
    )


def consistency(top: Sequence[int]) -> float:
    """Share of the pairs of shifts with one and the same likeliest class. Zhang 2019, section 4.2."""
    pairs = list(combinations(top, 2))
    return sum(a == b for a, b in pairs) / len(pairs)


def max_pool_1d(signal: Sequence[float], *, blur: bool) -> np.ndarray:
    """Max over neighbours, then every second value; with `blur` a [1, 2, 1] / 4 between the two.

    On a ring, so that a shift loses nothing. Zhang 2019, section 3.1 and figure 3.
    """
    dense = np.maximum(signal, np.roll(signal, -1))
    smooth = (np.roll(dense, 1) + 2 * dense + np.roll(dense, -1)) / 4
    return (smooth if blur else dense)[::2]
