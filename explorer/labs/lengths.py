"""Lengths of tensors, in double precision, that neither under- nor overflow on the way.

In double precision the square of 1e-163 is zero and that of 1e155 infinite, though both are numbers. So what
is squared is divided by its largest entry first, as BLAS' dnrm2 does (Blue 1978,
https://doi.org/10.1145/355769.355771).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def norms(x: Tensor) -> Tensor:
    """Euclidean length of each row: [n, ...] -> float64 [n] on the CPU.

    0 for zeros and for no entries, infinite where an entry is, NaN where an entry is.
    """
    scale, scaled = _scaled(x)
    return scale * scaled.square().sum(1).sqrt()


def norm(x: Tensor) -> float:
    """Euclidean length of all entries; as `norms`."""
    return float(norms(x.reshape(1, -1))[0])


def rms(x: Tensor) -> float:
    """Root mean square of all entries; as `norms`, NaN for no entries."""
    scale, scaled = _scaled(x.reshape(1, -1))
    return float(scale[0] * scaled.square().mean().sqrt())


def unit(x: Tensor) -> Tensor:
    """x / |x| in the shape and precision of x; x itself where it has no direction: zero, or not finite."""
    largest = x.abs().amax()
    if largest == 0 or not largest.isfinite():
        return x
    scaled = x / largest
    return scaled / norm(scaled)


def _scaled(x: Tensor) -> tuple[Tensor, Tensor]:
    """(scales [n], rows [n, entries] divided by them), float64 on the CPU: no entry above 1, one of them 1.

    Divided, for the inverse of the smallest numbers is infinite. The scale is 1 where the largest entry is 0
    or not finite.
    """
    rows = x.detach().cpu().double().reshape(len(x), math.prod(x.shape[1:]))
    if not rows.shape[1]:
        return torch.ones(len(rows), dtype=torch.float64), rows
    largest = rows.abs().amax(1)
    scale = torch.where((largest > 0) & largest.isfinite(), largest, 1.0)
    return scale, rows / scale[:, None]
