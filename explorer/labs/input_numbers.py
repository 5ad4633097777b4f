"""Numbers into a network and back: (x - mean) / std, and the picture that such numbers mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from explorer.networks import InputSpec


def normalise(x: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """(x - mean) / std by channel; x: [N, C, H, W]."""
    return (x - torch.tensor(mean).view(-1, 1, 1)) / torch.tensor(std).view(-1, 1, 1)


def understood(x: Tensor, spec: InputSpec) -> np.ndarray:
    """[1, C, H, W] normalised -> uint8 [H, W, 3], as a network of this `spec` understands it."""
    mean, std = (torch.tensor(each).view(-1, 1, 1) for each in (spec.mean, spec.std))
    pixels = ((x[0].cpu() * std + mean) * 255).round().clamp(0, 255).byte()
    return pixels.expand(3, -1, -1).permute(1, 2, 0).contiguous().numpy()
