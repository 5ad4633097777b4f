"""Methods that need the layer's activation and the gradient there, and no further pass.

A_c is the activation of channel c, g_c the gradient of the class's score by it, both [h, w].
"""

import torch
from torch import Tensor

from explorer.inference.attribution.evidence import Evidence

# Keeps a quotient finite where all of its terms are zero; as in the authors' code.
_TINY = 1e-7


def _weighted(weights: Tensor, activation: Tensor) -> Tensor:
    """relu(sum_c w_c A_c), weights [c]."""
    return torch.einsum("c,chw->hw", weights, activation).relu()


def grad_cam(at: Evidence) -> Tensor:
    """relu(sum_c w_c A_c), with w_c the gradient's mean over the positions."""
    return _weighted(at.gradient.mean(dim=(1, 2)), at.activation)


def grad_cam_plus_plus(at: Evidence) -> Tensor:
    """w_c = sum_ij a_cij relu(g_cij), a = g^2 / (2 g^2 + g^3 sum_ij A_c): eq. 19, of the exponential."""
    g, total = at.gradient, at.activation.sum(dim=(1, 2), keepdim=True)
    share = torch.where(g != 0, g.square() / (2 * g.square() + total * g.pow(3) + _TINY), 0)
    return _weighted((share * g.relu()).sum(dim=(1, 2)), at.activation)


def xgrad_cam(at: Evidence) -> Tensor:
    """w_c = sum_ij g_cij A_cij / sum_ij A_cij: eq. 6, which makes the weights add up to the score."""
    total = at.activation.sum(dim=(1, 2))
    return _weighted((at.gradient * at.activation).sum(dim=(1, 2)) / (total + _TINY), at.activation)


def layer_cam(at: Evidence) -> Tensor:
    """relu(sum_c relu(g_c) A_c), place by place."""
    return (at.gradient.relu() * at.activation).sum(dim=0).relu()


def hires_cam(at: Evidence) -> Tensor:
    """relu(sum_c g_c A_c), place by place."""
    return (at.gradient * at.activation).sum(dim=0).relu()


def eigen_cam(at: Evidence) -> Tensor:
    """The activation along its first principal component over the channels, [h, w].

    A component has no sign: taken is the one that grows with the activation's strength.
    """
    places = at.activation.flatten(1).T.double()
    centred = places - places.mean(dim=0)
    _, _, components = torch.linalg.svd(centred, full_matrices=False)
    along = places @ components[0]
    if torch.dot(along - along.mean(), strength(at.activation).flatten().double()) < 0:
        along = -along
    found: Tensor = along.reshape(at.activation.shape[1:]).relu().to(at.activation.dtype)
    return found


def strength(activation: Tensor) -> Tensor:
    """Root mean square over the channels, [c, h, w] -> [h, w]; scaled first, so that no square overflows."""
    largest = activation.abs().max().clamp(min=torch.finfo(activation.dtype).tiny)
    found: Tensor = largest * (activation / largest).square().mean(dim=0).sqrt()
    return found
