"""Methods that read a transformer's attention."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from explorer.inference.attribution.evidence import DoesNotApply, Evidence
from explorer.inference.spatial import spatial_layers


def attention_rollout(at: Evidence) -> Tensor:
    """How much of each patch reaches the answer, [h, w]: the product over the blocks of A/2 + I/2, with A the
    attention's mean over the heads. The class token's row where there is one, else the mean of all.

    It asks no class: attention is the same for each.
    """
    with torch.no_grad(), _Attention() as seen:
        at.network.model(at.x)
    sides = {tuple(each.shape) for each in seen.weights}
    if not sides:
        raise DoesNotApply(
            "Attention rollout follows attention from block to block, and this network has none that can be "
            "read; Grad-CAM takes any layer with a place in the picture."
        )
    layers = spatial_layers(at.network.model, at.network.input.shape)
    patches = layers.by_path[layers.default]
    tokens = patches.prefix + patches.height * patches.width
    if sides != {(1, tokens, tokens)}:
        raise DoesNotApply(
            "Attention rollout needs blocks in which every patch may look at every other; this network looks "
            "within windows, or joins patches on its way. Grad-CAM takes any of its layers."
        )
    joint = torch.eye(tokens, device=at.x.device)
    for attention in seen.weights:
        mixed = attention[0] + torch.eye(tokens, device=at.x.device)
        joint = mixed / mixed.sum(dim=-1, keepdim=True) @ joint
    row = joint[0] if patches.prefix else joint.mean(dim=0)
    return row[patches.prefix :].reshape(patches.height, patches.width)


class _Attention(TorchFunctionMode):
    """Keeps the weights of every attention of a pass, [N, T, T], mean over the heads."""

    def __init__(self) -> None:
        super().__init__()
        self.weights: list[Tensor] = []

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given = dict(kwargs or {})
        if func is F.multi_head_attention_forward:
            output, weights = func(*args, **{**given, "need_weights": True, "average_attn_weights": True})
            self.weights.append(weights)
            return output, weights if given.get("need_weights", True) else None
        if func is F.scaled_dot_product_attention:
            self.weights.append(_weights(*args, **given))
        return func(*args, **given)


def _weights(
    query: Tensor,
    key: Tensor,
    value: Tensor | None = None,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    **_other: Any,
) -> Tensor:
    """softmax(Q K^T scale + mask), [N, T, T], mean over the heads."""
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    found = (query @ key.transpose(-2, -1)) * scale
    if attn_mask is not None:
        found = (
            found.masked_fill(~attn_mask, -torch.inf) if attn_mask.dtype == torch.bool else found + attn_mask
        )
    return found.softmax(dim=-1).mean(dim=1).float()
