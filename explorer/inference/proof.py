"""Whether a map may be believed: what the answer does when the places that it names go, or come first.

Deletion and insertion are those of Petsiuk et al. 2018 (https://arxiv.org/abs/1806.07421), average drop is
that of Chattopadhyay et al. 2018 (https://arxiv.org/abs/1710.11063), and weights made random from the last
layer on are Adebayo et al. 2018 (https://arxiv.org/abs/1810.03292). The curves stand beside those of maps
that know nothing: random ones as coarse as this one, and a blob in the middle, where things stand in photos.
A map should also go along when the picture is moved a little (after Alvarez-Melis and Jaakkola 2018,
https://arxiv.org/abs/1806.08049, who ask it of any small change).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.transforms.functional import gaussian_blur

from explorer.inference.attribution.evidence import Asked, Progress, silent
from explorer.inference.attribution.methods import METHODS
from explorer.inference.explaining import Explanation, explain, frozen
from explorer.inference.preprocessing import prepare
from explorer.inference.spatial import grown
from explorer.networks import Network
from explorer.networks.running import CannotRun

THIS, RANDOM, BLOB = "this map", "random map", "blob in the middle"
_STEPS = 12
_RANDOM_MAPS = 2
_COARSE = 14  # cells a side of a random map beside one of pixels
_SHIFT = 1 / 28  # of the view's side: 8 of 224 pixels
_BLUR = (11, 5.0)  # kernel in pixels and its sigma, as the authors' code has them for 224 x 224
_SEED = 0


@dataclass(frozen=True, eq=False)
class Proof:
    """Probability of the explained class; arrays not writable.

    share: [n], of the pixels that are gone or there, 0 to 1. deletion, insertion: [n] for THIS, RANDOM (the
    mean of some) and BLOB. average_drop: 0 to 1, of the probability, where the picture is dimmed by the map.
    randomised: (share of the layers made random, from the last on; rank correlation of the map then with this
    map); empty for methods of many passes. moved: (pixels of the view by which the picture was moved; mean
    rank correlation of the maps then, moved back, with this map); None for methods of many passes.
    """

    share: np.ndarray
    deletion: Mapping[str, np.ndarray]
    insertion: Mapping[str, np.ndarray]
    average_drop: float
    randomised: tuple[tuple[float, float], ...]
    moved: tuple[int, float] | None

    def to_json(self) -> dict[str, Any]:
        """The areas and what else is one number."""
        return {
            "deletion": {name: self.area(self.deletion, name) for name in self.deletion},
            "insertion": {name: self.area(self.insertion, name) for name in self.insertion},
            "average_drop": self.average_drop,
            "randomised": [
                {"share_of_layers": part, "rank_correlation": alike} for part, alike in self.randomised
            ],
            "moved": self.moved and {"pixels": self.moved[0], "rank_correlation": self.moved[1]},
        }

    def area(self, curves: Mapping[str, np.ndarray], which: str) -> float:
        """Under a curve, 0 to 1; small is good for deletion, large for insertion."""
        return float(np.trapezoid(curves[which], self.share))


def prove(
    network: Network, image: Image.Image, explanation: Explanation, progress: Progress | None = None
) -> Proof:
    """Tests the heatmap of `explanation`, which is of this network and image; about a hundred passes.

    Raises ValueError where there is no class, or nothing in the map.
    """
    if explanation.target is None:
        raise ValueError("an embedding has no class whose probability could fall")
    if not explanation.heatmap.any():
        raise ValueError(f"there is nothing to test: {explanation.blank}")
    device = torch.device(explanation.device)
    x = prepare(image, network.input).x.to(device)
    at = Asked(network, x, explanation.target, None, progress or silent)
    heatmap = torch.from_numpy(explanation.heatmap.copy()).to(device)
    maps = [heatmap, _blob(heatmap), *_random(explanation, heatmap)]
    orders = [each.flatten().argsort(descending=True, stable=True) for each in maps]
    blurred = gaussian_blur(x[0], [_BLUR[0], _BLUR[0]], [_BLUR[1], _BLUR[1]])
    whole, count = x[0].flatten(1), x.shape[-2] * x.shape[-1]

    def pictures() -> Iterator[Tensor]:
        for order in orders:
            for start, end in ((whole, torch.zeros_like(whole)), (blurred.flatten(1), whole)):
                for step in range(_STEPS + 1):
                    changed, first = start.clone(), order[: round(count * step / _STEPS)]
                    changed[:, first] = end[:, first]
                    yield changed.reshape(x.shape[1:])
        yield x[0] * heatmap

    passes = len(maps) * 2 * (_STEPS + 1) + 1
    answers = at.answers(pictures(), passes).cpu().numpy()
    curves = answers[:-1].reshape(len(maps), 2, _STEPS + 1)
    named = {THIS: curves[0], BLOB: curves[1], RANDOM: curves[2:].mean(axis=0)}
    before = float(curves[0, 0, 0])
    return Proof(
        share=frozen(np.linspace(0, 1, _STEPS + 1)),
        deletion=MappingProxyType({name: frozen(both[0]) for name, both in named.items()}),
        insertion=MappingProxyType({name: frozen(both[1]) for name, both in named.items()}),
        average_drop=max(0.0, before - float(answers[-1])) / before if before else 0.0,
        randomised=tuple(_randomised(network, image, explanation)),
        moved=_moved(network, image, explanation),
    )


def _random(explanation: Explanation, heatmap: Tensor) -> Iterator[Tensor]:
    """As coarse as the layer: pixels taken away all over would harm the answer more than any map does."""
    coarse = explanation.cam.shape != explanation.heatmap.shape
    cells = explanation.cam.shape if coarse else (_COARSE, _COARSE)
    generator = torch.Generator().manual_seed(_SEED)
    for _ in range(_RANDOM_MAPS):
        yield grown(torch.rand(cells, generator=generator).to(heatmap), heatmap.shape)


def _blob(heatmap: Tensor) -> Tensor:
    """A Gaussian in the middle."""
    rows, columns = (torch.linspace(-1, 1, side, device=heatmap.device) for side in heatmap.shape)
    return torch.exp(-2 * (rows[:, None] ** 2 + columns[None] ** 2))


def _randomised(
    network: Network, image: Image.Image, explanation: Explanation
) -> Iterator[tuple[float, float]]:
    """On a copy, from its last layer with parameters on: one layer, half of them, all."""
    if METHODS[explanation.method].long:
        return
    model = copy.deepcopy(network.model)
    layers = [reset for module in model.modules() if (reset := _reset(module))][::-1]
    done = 0
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        for until in sorted({1, len(layers) // 2, len(layers)} - {0}):
            for reset in layers[done:until]:
                reset()
            done = until
            try:
                found = _again(replace(network, model=model), image, explanation)
            except CannotRun:  # random weights may answer with what is no number
                return
            yield until / len(layers), _alike(explanation.cam, found.cam)


def _moved(network: Network, image: Image.Image, explanation: Explanation) -> tuple[int, float] | None:
    """In four directions; what comes into sight repeats the edge."""
    if METHODS[explanation.method].long:
        return None
    rows, columns = explanation.heatmap.shape
    by = max(1, round(_SHIFT * min(rows, columns)))
    left, top, right, bottom = explanation.view_box
    across = round(by * (right - left) * image.width / columns)
    down = round(by * (bottom - top) * image.height / rows)
    room = ((down, down), (across, across), (0, 0))
    wide = np.pad(np.asarray(image), room, mode="edge")
    found = []
    for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        from_left, from_top = across - x * across, down - y * down
        picture = wide[from_top : from_top + image.height, from_left : from_left + image.width]
        heatmap = _again(network, Image.fromarray(picture), explanation).heatmap
        found.append(_alike(_common(explanation.heatmap, -x * by, -y * by), _common(heatmap, x * by, y * by)))
    return by, float(np.mean(found))


def _common(heatmap: np.ndarray, x: int, y: int) -> np.ndarray:
    """What is left of it without x columns and y rows at its start, or its end where they are negative."""
    rows, columns = heatmap.shape
    return heatmap[max(y, 0) : rows + min(y, 0), max(x, 0) : columns + min(x, 0)]


def _again(network: Network, image: Image.Image, explanation: Explanation) -> Explanation:
    """The same question, of another network or picture."""
    return explain(
        network,
        image,
        layer=explanation.layer,
        target=explanation.target,
        against=explanation.against.index if explanation.against else None,
        method=explanation.method,
    )


def _alike(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's rank correlation; 0 where one of them is the same everywhere."""
    from scipy.stats import spearmanr

    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(spearmanr(one.ravel(), other.ravel()).statistic)


def _reset(module: nn.Module) -> Callable[[], None] | None:
    """What draws its parameters anew; None where it has none of its own."""
    own = next(module.parameters(recurse=False), None)
    return None if own is None else getattr(module, "reset_parameters", None)
