"""Cover parts of the photo, and ask the network again: what does its answer hang on?"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from explorer.inference.explaining import Explanation, Prediction
from explorer.inference.preprocessing import prepare
from explorer.networks import Network
from explorer.networks.labels import output_name
from explorer.networks.running import probabilities

CELLS = 16  # a side
_DIGITS = CELLS * CELLS // 4
_SEED = 0


@dataclass(frozen=True)
class Covered:
    """before, after: the same classes in the same order, the likeliest five of the whole picture, then what
    is likeliest now where it is none of them. now: its index. share: of the picture that is covered, 0 to 1.
    """

    before: tuple[Prediction, ...]
    after: tuple[Prediction, ...]
    now: int
    share: float


def covered(network: Network, image: Image.Image, cells: np.ndarray) -> Covered:
    """Both answers, of one pass. cells: bool [CELLS, CELLS] of the network's view; what is covered becomes
    the mean colour of the training pictures, which is zero once a picture is prepared.

    Raises ValueError for a network that does not choose among classes.
    """
    if network.outputs != "classes":
        raise ValueError(f"{network.weights.id} does not choose among classes, so none can be lost.")
    x = prepare(image, network.input).x.to(next(network.model.parameters()).device)
    gone = torch.from_numpy(grown(cells, *x.shape[-2:])).to(x.device)
    with torch.inference_mode():
        whole, rest = probabilities(network, network.model(torch.cat([x, x.masked_fill(gone, 0)]))).cpu()
    shown = whole.topk(min(5, len(whole))).indices.tolist()
    now = int(rest.argmax())
    classes = shown if now in shown else [*shown, now]

    def answer(values: torch.Tensor) -> tuple[Prediction, ...]:
        return tuple(Prediction(output_name(network.labels, i), i, float(values[i])) for i in classes)

    return Covered(answer(whole), answer(rest), now, float(gone.float().mean()))


def grown(cells: np.ndarray, height: int, width: int) -> np.ndarray:
    """bool [CELLS, CELLS] -> bool [height, width]."""
    rows, columns = (np.arange(side) * CELLS // side for side in (height, width))
    return cells[np.ix_(rows, columns)]


def strongest(explanation: Explanation, share: float) -> np.ndarray:
    """The cells that a map names first, as many as make `share` of the picture; bool [CELLS, CELLS]."""
    heatmap = Image.fromarray(explanation.heatmap).resize((CELLS, CELLS), Image.Resampling.BOX)
    return _first(np.asarray(heatmap), share)


def anywhere(share: float) -> np.ndarray:
    """As many cells, drawn at random; the same ones each time."""
    return _first(np.random.default_rng(_SEED).random((CELLS, CELLS)), share)


def _first(values: np.ndarray, share: float) -> np.ndarray:
    cells = np.zeros(CELLS * CELLS, bool)
    cells[np.argsort(-values.ravel(), kind="stable")[: round(share * cells.size)]] = True
    return cells.reshape(CELLS, CELLS)


def written(cells: np.ndarray) -> str:
    """For a link: hexadecimal, row by row; "" where nothing is covered."""
    return np.packbits(cells).tobytes().hex() if cells.any() else ""


def read(text: str) -> np.ndarray:
    """What `written` wrote. Raises ValueError for what it never writes."""
    if not text:
        return np.zeros((CELLS, CELLS), bool)
    if not re.fullmatch(f"[0-9a-f]{{{_DIGITS}}}", text):
        raise ValueError(f"a mask has {_DIGITS} hexadecimal digits")
    bits = np.unpackbits(np.frombuffer(bytes.fromhex(text), np.uint8))
    return bits.reshape(CELLS, CELLS).astype(bool)
