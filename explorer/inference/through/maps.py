"""The strongest channels of each column, kept small while the picture passes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from explorer.inference.preprocessing import prepare
from explorer.inference.through.columns import Column
from explorer.inference.watching import hooked
from explorer.networks import Network
from explorer.networks.running import check_finite, device_of

KEPT = 8  # channels of a column
MOST_CELLS = 128  # along a side of what is kept of a map; a larger one is averaged down
_BRIGHT = 0.998  # share of the cells that are not cut off
_ENOUGH = 8192  # cells, to tell how bright these are


@dataclass(frozen=True, eq=False)
class Maps:
    """Channels of one layer, the strongest first, small enough to send.

    strengths: what they are sorted by. levels: uint8 [n, h, w], 0 at `low` and 255 at `high`: from zero where
    nothing is negative, else symmetric about zero. Beyond `high` lie some 0.2 % of the cells, which would
    leave the rest dark. step: cells of the layer along the side of one of these, whose mean it is.
    """

    channels: tuple[int, ...]
    strengths: tuple[float, ...]
    levels: np.ndarray
    low: float
    high: float
    step: int

    @property
    def signed(self) -> bool:
        return self.low < 0


class Strongest(NamedTuple):
    """Channels [n], their strengths [n] and maps [n, h, w], still on the network's device: the pass goes on
    meanwhile, and waits for none of it."""

    channels: Tensor
    strengths: Tensor
    maps: Tensor
    step: int

    def arrived(self) -> Maps:
        maps = self.maps.cpu().numpy()
        sizes = np.abs(maps).ravel()
        some = sizes[:: ceil(sizes.size / _ENOUGH) | 1]  # an odd step meets every column of a map
        at = ceil(_BRIGHT * some.size) - 1
        high = float(np.partition(some, at)[at]) or float(sizes.max()) or 1.0
        low = -high if maps.min() < 0 else 0.0
        levels = np.clip((maps - low) * (255 / (high - low)) + 0.5, 0, 255.5).astype(np.uint8)
        levels.flags.writeable = False
        return Maps(
            tuple(self.channels.tolist()), tuple(self.strengths.tolist()), levels, low, high, self.step
        )


def strongest(maps: Tensor, strengths: Tensor) -> Strongest:
    """Those of [C, h, w] that are strongest by `strengths` [C], either way."""
    chosen = strengths.abs().topk(min(KEPT, len(strengths))).indices
    step = ceil(max(maps.shape[1:]) / MOST_CELLS)
    kept = maps[chosen]
    if step > 1:
        kept = F.avg_pool2d(kept[None], step, ceil_mode=True, count_include_pad=False)[0]
    return Strongest(chosen, strengths[chosen], kept, step)


class Passage:
    """What has been seen of the columns of one pass."""

    def __init__(self) -> None:
        self._seen: dict[str, Strongest] = {}

    def see(self, column: Column, output: Tensor) -> None:
        with torch.no_grad():
            maps = column.layer.to_map(output.detach()).float()
            self._seen[column.layer.path] = strongest(maps, maps.abs().mean(dim=(1, 2)))

    def maps(self, name: str) -> Mapping[str, Maps]:
        """By the layer's path; a network that chooses its way by what it sees may have left some out.

        name: of the network, for CannotRun, which it raises where a strength is not finite.
        """
        for path, seen in self._seen.items():
            check_finite(f"{name} at {path}", seen.strengths)
        return MappingProxyType({path: seen.arrived() for path, seen in self._seen.items()})


@contextmanager
def passage(model: nn.Module, along: Sequence[Column]) -> Iterator[Passage]:
    """Sees what one pass inside the `with` hands on; of a layer that runs twice, its last output."""
    seen = Passage()
    columns = {model.get_submodule(column.layer.path): column for column in along}
    with hooked(columns, after=lambda module, _inputs, output: seen.see(columns[module], output)):
        yield seen


@torch.inference_mode(False)
@torch.no_grad()
def look(network: Network, image: Image.Image, along: Sequence[Column]) -> Mapping[str, Maps]:
    """The strongest channels of each column, by their mean absolute activation, of one forward pass.

    Raises CannotRun where they are not finite.
    """
    x = prepare(image, network.input).x
    with passage(network.model, along) as seen:
        network.model(x.to(device_of(network.model)))
    return seen.maps(network.weights.id)
