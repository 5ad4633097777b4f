"""Feature maps as pictures: the strongest channels first, one scale for all maps shown together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from explorer.inference import Explanation
    from explorer.inference.explaining import Measure

PER_PAGE = 24
ACROSS = 12
_LARGEST_TILE = 112  # pixels; a larger map is averaged down, the screen shows no more


@dataclass(frozen=True)
class Grid:
    """One page of maps. tiles: uint8 [n, h, w], 0 at `low` and 255 at `high`; signed: low = -high.

    channels: their numbers; strengths: of each, by the measure asked for; page counts from 0.
    """

    tiles: np.ndarray
    channels: tuple[int, ...]
    strengths: tuple[float, ...]
    low: float
    high: float
    page: int
    pages: int
    total: int

    @property
    def signed(self) -> bool:
        return self.low < 0

    def atlas(self, table: np.ndarray) -> Image.Image:
        """All tiles in one picture, ACROSS to a row, without gaps; table: uint8 [256, 3]."""
        count, height, width = self.tiles.shape
        rows = -(-count // ACROSS)
        sheet = np.zeros((rows * ACROSS, height, width), np.uint8)
        sheet[:count] = self.tiles
        by_row = sheet.reshape(rows, ACROSS, height, width).swapaxes(1, 2)
        return Image.fromarray(table[by_row.reshape(rows * height, ACROSS * width)])


@cache
def colours(name: str | None) -> np.ndarray:
    """The 256 colours of a map, low to high, uint8 [256, 3]; None: the signed map, zero in its middle."""
    from explorer.inference.overlay import colored, colored_signed

    if name is None:
        return np.asarray(colored_signed(np.linspace(-1, 1, 256)[None])[0])
    return np.asarray(colored(np.linspace(0, 1, 256)[None], name)[0])


def grid(explanation: Explanation, page: int = 0, measure: Measure = "activation") -> Grid:
    """The page of maps numbered `page` (clamped), the strongest channels by `measure` first.

    One scale for the page, so that the tiles compare: from zero where nothing is negative, else symmetric
    about zero. It ends at the 99.8th percentile, or a single hot cell would leave the rest dark.
    """
    from explorer.inference import top_features

    total = len(explanation.features)
    pages = -(-total // PER_PAGE)
    page = min(max(page, 0), pages - 1)
    chosen = top_features(explanation, (page + 1) * PER_PAGE, measure)[page * PER_PAGE :]
    maps = np.stack([each.map for each in chosen])
    high = float(np.percentile(np.abs(maps), 99.8)) or float(np.abs(maps).max()) or 1.0
    low = -high if maps.min() < 0 else 0.0
    scaled = np.clip((maps - low) / (high - low), 0, 1) * 255
    return Grid(
        tiles=_small(np.rint(scaled).astype(np.uint8)),
        channels=tuple(each.channel for each in chosen),
        strengths=tuple(each.strength for each in chosen),
        low=low,
        high=high,
        page=page,
        pages=pages,
        total=total,
    )


def _small(tiles: np.ndarray) -> np.ndarray:
    longest = max(tiles.shape[1:])
    if longest <= _LARGEST_TILE:
        return tiles
    height, width = (max(1, round(side * _LARGEST_TILE / longest)) for side in tiles.shape[1:])
    return np.stack(
        [np.asarray(Image.fromarray(tile).resize((width, height), Image.Resampling.BOX)) for tile in tiles]
    )
