"""What feeds one channel: asked for when somebody points at it, by one pass and one way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import torch
from PIL import Image

from explorer.inference.preprocessing import prepare
from explorer.inference.through.columns import PICTURE, Column
from explorer.inference.through.maps import Maps, strongest
from explorer.inference.watching import cut_after, outputs_of
from explorer.networks import Network
from explorer.networks.running import check_finite, device_of

# Ancona et al. 2018, https://arxiv.org/abs/1711.06104, call it gradient × input; here the input is a layer.
MEASURE = (
    "activation × gradient: what a channel holds, times how fast the mean of the chosen one grows with it, "
    "summed over the map. Through convolutions, poolings and rectifiers without bias it adds up to the mean."
)


@dataclass(frozen=True, eq=False)
class Inputs:
    """Where the mean activation of one channel comes from, by MEASURE.

    mean: of the channel over its map. given: by each source of its column what all channels of it give
    together, and, for each but the picture, `maps` of the channels that give most, either way, with what they
    give as their strengths; all in units of `mean`. picture: where it is a source, float32 [H, W], what each
    pixel gives.
    """

    mean: float
    given: Mapping[int, float]
    maps: Mapping[int, Maps]
    picture: np.ndarray | None


# The caller's thread may have any grad mode: a page's reruns move between threads.
@torch.inference_mode(False)
@torch.enable_grad()
def inputs(network: Network, image: Image.Image, along: Sequence[Column], at: int, channel: int) -> Inputs:
    """What feeds a channel of the column at that place in the row, from the columns it gets its values from.

    A source is cut from what comes before it, so what a column gives through another one is the other's.
    Raises ValueError where there is no such channel, CannotRun where a number is not finite.
    """
    column, find = along[at], network.model.get_submodule
    if not 0 <= channel < column.layer.channels:
        raise ValueError(
            f"{channel} is not a channel of {column.layer.path}; it has 0 to {column.layer.channels - 1}"
        )
    x = prepare(image, network.input).x.to(device_of(network.model))
    sources = [source for source in column.sources if source != PICTURE]
    with torch.set_grad_enabled(PICTURE in column.sources), ExitStack() as hooks:
        cuts = [hooks.enter_context(cut_after(find(along[source].layer.path))) for source in sources]
        outputs = hooks.enter_context(outputs_of(find(column.layer.path)))
        network.model(x.requires_grad_(PICTURE in column.sources))
    read = dict(zip(sources, (cut[-1] for cut in cuts), strict=True))
    if PICTURE in column.sources:
        read[PICTURE] = x
    mean = column.layer.to_map(outputs[-1])[channel].float().mean()
    gradients = (
        torch.autograd.grad(mean, list(read.values()), allow_unused=True) if mean.requires_grad else ()
    )
    given: dict[int, float] = {}
    maps: dict[int, Maps] = {}
    picture = None
    for source, gradient in zip(read, gradients, strict=False):
        if gradient is None:
            continue
        product = (read[source].detach() * gradient).float()
        check_finite(f"{network.weights.id} at {column.layer.path}", product)
        if source == PICTURE:
            picture = product[0].sum(dim=0).cpu().numpy()
            given[source] = float(picture.sum())
        else:
            layer = along[source].layer
            by_channel = layer.to_map(product).sum(dim=(1, 2))
            given[source] = float(by_channel.sum())
            maps[source] = strongest(layer.to_map(read[source].detach()).float(), by_channel).arrived()
    return Inputs(float(mean.detach()), MappingProxyType(given), MappingProxyType(maps), picture)
