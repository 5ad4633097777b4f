"""Cut a picture into patches and shuffle them: texture stays, shape goes. What does a network still say?

Naseer et al. 2021, https://arxiv.org/abs/2105.10497, section 3.2; Brendel and Bethge 2019,
https://arxiv.org/abs/1904.00760 (texture suffices); Geirhos et al. 2019, https://arxiv.org/abs/1811.12231
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call

from explorer.networks import Network

GRIDS = (1, 2, 4, 7, 8, 14)  # patches along a side; 14 is the grid of a ViT/16 at 224 pixels
_POSITIONS = ("pos_embed", "encoder.pos_embedding")  # timm's name and torchvision's


def shuffled(x: Tensor, grid: int, seed: int = 0) -> Tensor:
    """x [N, C, H, W] cut into grid x grid patches that change places, the same way at every size.

    What is left over at the right and lower edge, where grid does not divide the side, stays.
    """
    side = x.shape[2] // grid, x.shape[3] // grid
    deal = np.random.default_rng(seed)
    order = deal.permutation(grid * grid)
    while grid > 1 and (order == np.arange(grid * grid)).all():  # one deal in 24 of four patches moves none
        order = deal.permutation(grid * grid)
    out = x.clone()
    for place, source in enumerate(order):
        (row, column), (from_row, from_column) = divmod(place, grid), divmod(int(source), grid)
        out[:, :, row * side[0] : (row + 1) * side[0], column * side[1] : (column + 1) * side[1]] = x[
            :,
            :,
            from_row * side[0] : (from_row + 1) * side[0],
            from_column * side[1] : (from_column + 1) * side[1],
        ]
    return out


def logits_of(network: Network, x: Tensor, *, positions: bool = True) -> Tensor | None:
    """[N, K]; positions=False: with the position embedding zero, None where there is none to take away.

    The network itself is left as it is: the zeros stand in for the parameter during this call only.
    """
    own = dict(network.model.named_parameters())
    name = next((each for each in _POSITIONS if each in own), None)
    if not positions and name is None:
        return None
    instead = {} if positions else {str(name): torch.zeros_like(own[str(name)])}
    device = next(iter(own.values())).device
    with torch.no_grad():
        return functional_call(network.model, instead, (x.to(device),)).float().cpu()
