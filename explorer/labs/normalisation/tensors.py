"""Normalisation on plain tensors: who shares a mean with whom, what is done with it, and how sure it is.

Everything here takes numbers and gives numbers. `networks` looks into a loaded network,
`forgotten_eval` runs one in training mode, `places` reads off traces where the norm stands in a block.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor

EPS = 1e-5  # PyTorch's default of batch, group, instance and layer norm


@dataclass(frozen=True)
class Norm:
    """One way to normalise a tensor [N, C, H, W].

    axes: over which a statistic is taken, of the tensor split into [N, groups, C / groups, H, W].
    second: axes of the second step, of global response norm only. centred: whether the mean is subtracted.
    shares: who shares a statistic, in words. where: networks known for it. torch: what PyTorch calls it.
    """

    name: str
    axes: tuple[int, ...]
    shares: str
    where: str
    paper: str
    url: str
    torch: str
    centred: bool = True
    second: tuple[int, ...] = ()

    @property
    def needs_batch(self) -> bool:
        return 0 in self.axes


NORMS: Mapping[str, Norm] = MappingProxyType(
    {
        norm.name: norm
        for norm in (
            Norm(
                "Batch",
                (0, 3, 4),
                "one channel, in all pictures and at all positions",
                "ResNet, Inception v2 on, MobileNet, EfficientNet",
                "Ioffe and Szegedy 2015",
                "https://arxiv.org/abs/1502.03167",
                "batch_norm(x, None, None, training=True)",
            ),
            Norm(
                "Layer",
                (1, 2, 3, 4),
                "one picture, all its channels and positions",
                "recurrent networks; the layer norm of the Group Norm paper",
                "Ba et al. 2016",
                "https://arxiv.org/abs/1607.06450",
                "layer_norm(x, [C, H, W])",
            ),
            Norm(
                "Layer, by position",
                (1, 2),
                "one position of one picture, all channels",
                "ConvNeXt, ViT, Swin: a position is a token",
                "Liu et al. 2022",
                "https://arxiv.org/abs/2201.03545",
                "layer_norm(x.permute(0, 2, 3, 1), [C])",
            ),
            Norm(
                "Instance",
                (3, 4),
                "one channel of one picture",
                "style transfer",
                "Ulyanov et al. 2016",
                "https://arxiv.org/abs/1607.08022",
                "instance_norm(x)",
            ),
            Norm(
                "Group",
                (2, 3, 4),
                "one group of channels of one picture",
                "detection and segmentation with few pictures a batch",
                "Wu and He 2018",
                "https://arxiv.org/abs/1803.08494",
                "group_norm(x, groups)",
            ),
            Norm(
                "RMS, by position",
                (1, 2),
                "one position of one picture, all channels; a root mean square, no mean",
                "language models; some vision transformers",
                "Zhang and Sennrich 2019",
                "https://arxiv.org/abs/1910.07467",
                "rms_norm(x.permute(0, 2, 3, 1), [C])",
                centred=False,
            ),
            Norm(
                "GRN",
                (3, 4),
                "one channel of one picture; its length is then set against the channels' mean length",
                "ConvNeXt V2",
                "Woo et al. 2023",
                "https://arxiv.org/abs/2301.00808",
                "timm.layers.grn.GlobalResponseNorm",
                centred=False,
                second=(1, 2),
            ),
        )
    }
)


def standardise(x: Tensor, axes: Sequence[int], eps: float = EPS, centred: bool = True) -> Tensor:
    """(x - mean) / sqrt(variance + eps) over `axes`; without the mean, x / sqrt(mean of squares + eps)."""
    axes = tuple(axes)
    mean = x.mean(axes, keepdim=True) if centred else 0.0
    variance = (x - mean).square().mean(axes, keepdim=True)
    return (x - mean) / torch.sqrt(variance + eps)


def response(x: Tensor, eps: float = 1e-6) -> Tensor:
    """Global response norm of [N, C, H, W] before gamma, beta and the skip: x ||x|| / mean ||x||.

    The layer gives gamma * this + beta + x (Woo et al. 2023, equations 1 to 3).
    """
    length = x.square().sum((2, 3), keepdim=True).sqrt()
    return x * length / (length.mean(1, keepdim=True) + eps)


def normalise(x: Tensor, norm: Norm, groups: int = 1, eps: float = EPS) -> Tensor:
    """[N, C, H, W] -> the same shape, before gamma and beta. groups: must divide C; only "Group" reads it."""
    if norm.second:
        return response(x)
    split = x.unflatten(1, (groups, x.shape[1] // groups))
    return standardise(split, norm.axes, eps, norm.centred).flatten(1, 2)


def shared(
    norm: Norm, shape: tuple[int, int, int, int], cell: tuple[int, int, int, int], groups: int = 1
) -> np.ndarray:
    """Which cells of [N, C, H, W] share the statistic that `cell` is normalised by: uint8, 2 they do,
    1 they join in the second step (global response norm), 0 they do not."""
    n, c, h, w = shape
    found = np.zeros((n, groups, c // groups, h, w), np.uint8)
    at = (cell[0], *divmod(cell[1], c // groups), *cell[2:])
    for axes, mark in (((*norm.axes, *norm.second), 1), (norm.axes, 2)):
        if mark == 2 or norm.second:
            found[tuple(slice(None) if axis in axes else at[axis] for axis in range(5))] = mark
    return found.reshape(shape)


def sets(norm: Norm, shape: tuple[int, int, int, int], groups: int = 1) -> tuple[int, int]:
    """(how many statistics there are, how many cells each is taken over)."""
    split = (shape[0], groups, shape[1] // groups, *shape[2:])
    cells = math.prod(split[axis] for axis in norm.axes)
    return math.prod(split) // cells, cells


@dataclass(frozen=True)
class Steps:
    """Batch norm of a few numbers of one channel, step by step. unbiased: the variance over n - 1 that
    PyTorch puts into the running variance; nan for one number."""

    values: tuple[float, ...]
    mean: float
    variance: float
    unbiased: float
    normalised: tuple[float, ...]
    output: tuple[float, ...]


def worked(
    values: Sequence[float], gamma: float, beta: float, eps: float = EPS, digits: int | None = None
) -> Steps:
    """Algorithm 1 of Ioffe and Szegedy 2015. digits: round what is normalised before it is used, as on paper.

    Raises ValueError without a number.
    """
    if not values:
        raise ValueError("batch norm needs at least one number")
    mean = math.fsum(values) / len(values)
    squares = math.fsum((x - mean) ** 2 for x in values)
    variance = squares / len(values)
    normalised = tuple((x - mean) / math.sqrt(variance + eps) for x in values)
    if digits is not None:
        normalised = tuple(round(x, digits) for x in normalised)
    output = tuple(gamma * x + beta for x in normalised)
    unbiased = squares / (len(values) - 1) if len(values) > 1 else math.nan
    return Steps(tuple(values), mean, variance, unbiased, normalised, output)


@dataclass(frozen=True, eq=False)
class Noise:
    """How far the statistics of a batch are off those of all pictures, by batch size.

    mean_error: root mean square of (batch mean - mean), in standard deviations of the values. variance_error:
    the same of the variance, as a share of it. independent: what mean_error would be if every position were
    a draw of its own, 1 / sqrt(N H W). by_picture: what it must be when pictures are drawn whole,
    deviation of the pictures' own means / sqrt(N). All but independent are NaN where the values are all the
    same, which have no deviation to count in.
    """

    sizes: tuple[int, ...]
    mean_error: tuple[float, ...]
    variance_error: tuple[float, ...]
    independent: tuple[float, ...]
    by_picture: tuple[float, ...]


def batch_noise(values: np.ndarray, sizes: Sequence[int], draws: int = 400, seed: int = 0) -> Noise:
    """One channel's values [pictures, positions], from which batches of each size are drawn `draws` times,
    with replacement."""
    rng = np.random.default_rng(seed)
    values = values.astype(np.float64)  # a sum of equal float32 values is exact in it, their variance zero
    mean, variance = float(values.mean()), float(values.var()) or math.nan
    means, squares = values.mean(1), np.square(values - mean).mean(1)
    deviation = math.sqrt(variance)
    mean_error, variance_error = [], []
    for size in sizes:
        batches = rng.integers(len(values), size=(draws, size))
        off = means[batches].mean(1) - mean
        batch_variance = squares[batches].mean(1) - off**2
        mean_error.append(float(np.sqrt(np.square(off).mean())) / deviation)
        variance_error.append(float(np.sqrt(np.square(batch_variance / variance - 1).mean())))
    positions = values.shape[1]
    return Noise(
        tuple(sizes),
        tuple(mean_error),
        tuple(variance_error),
        tuple(1 / math.sqrt(size * positions) for size in sizes),
        tuple(float(means.std()) / deviation / math.sqrt(size) for size in sizes),
    )


def running(batches: Sequence[float], momentum: float, start: float = 0.0) -> tuple[float, ...]:
    """The running statistic after each batch, as PyTorch has it: new = (1 - momentum) old + momentum batch.

    TensorFlow and the papers' "moving average" call 1 - momentum the momentum.
    """
    found, value = [], start
    for batch in batches:
        value = (1 - momentum) * value + momentum * batch
        found.append(value)
    return tuple(found)


def expected_running(steps: int, momentum: float, mean: float, start: float = 0.0) -> tuple[float, ...]:
    """Where `running` stands on average after t = 1 to `steps`: mean + (1 - momentum)^t (start - mean)."""
    return tuple(mean + (1 - momentum) ** t * (start - mean) for t in range(1, steps + 1))


def running_noise(momentum: float) -> float:
    """How far `running` goes on wandering in the end, as a share of one batch's noise: sqrt(m / (2 - m))."""
    return math.sqrt(momentum / (2 - momentum))


def batch_means(values: np.ndarray, steps: int, size: int, seed: int = 0) -> tuple[float, ...]:
    """Means of `steps` batches of `size` pictures each, drawn from values [pictures, positions]."""
    drawn = np.random.default_rng(seed).integers(len(values), size=(steps, size))
    return tuple(values.mean(1)[drawn].mean(1).tolist())


def normal_pictures(pictures: int = 512, positions: int = 64, seed: int = 0) -> np.ndarray:
    """Independent normal numbers of mean 1 and deviation 2, [pictures, positions]: what theory assumes."""
    return np.random.default_rng(seed).normal(1.0, 2.0, (pictures, positions))


def random_maps(pictures: int, channels: int, side: int, seed: int = 0) -> Tensor:
    """[pictures, channels, side, side] of normal numbers in which every picture and every channel has a mean
    and a scale of its own, as real feature maps have."""
    generator = torch.Generator().manual_seed(seed)
    shapes = (pictures, 1, 1, 1), (1, channels, 1, 1)
    mean = sum(2 * torch.randn(shape, generator=generator) for shape in shapes)
    scale = torch.stack([torch.rand(shape, generator=generator) + 0.5 for shape in shapes[1:]]).sum(0)
    return mean + scale * torch.randn(pictures, channels, side, side, generator=generator)
