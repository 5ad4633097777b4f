"""Data sets of small pictures, held whole in memory as bytes; CIFAR-10 as torchvision or as folders of
pictures.

A folder set is `ROOT/train/CLASS/*.jpg` and `ROOT/test/CLASS/*.jpg`. It is decoded once into one uint8
tensor and kept in a cache outside the repository, named after the folder's content, so that a changed
folder is decoded anew.
"""

import hashlib
import io
import logging
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from explorer.catalogue.writing import WriteError, write_whole

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
CIFAR10_FOLDER = "cifar-10-batches-py"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "cnn-explorer" / "data"


class DataError(ValueError):
    """A data set cannot be used; the message names the file or folder and what was expected there."""


@dataclass(frozen=True)
class ImageSet:
    """images: uint8 [N, 3, H, W]; labels: int64 [N], indices into `classes`; source: how a card names the
    data.
    """

    images: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    source: str

    def __len__(self) -> int:
        return len(self.labels)

    def first(self, count: int) -> "ImageSet":
        return ImageSet(self.images[:count], self.labels[:count], self.classes, self.source)

    def channel_statistics(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Mean and standard deviation of each channel on the 0-1 scale, over all pixels, to four digits."""
        counts = torch.stack([torch.bincount(self.images[:, c].flatten(), minlength=256) for c in range(3)])
        levels = torch.arange(256, dtype=torch.float64) / 255
        weights = counts / counts.sum(1, keepdim=True)
        mean = (weights * levels).sum(1)
        std = (weights * (levels - mean[:, None]).square()).sum(1).sqrt()
        return tuple(round(v, 4) for v in mean.tolist()), tuple(round(v, 4) for v in std.tolist())


def load(root: Path, split: str, cache: Path | None = CACHE) -> ImageSet:
    """The "train" or "test" part of the set under `root`; `cache=None` decodes without keeping the result.

    DataError when `root` holds neither folders of pictures nor torchvision's CIFAR-10.
    """
    if (root / CIFAR10_FOLDER).is_dir():
        return _load_torchvision(root, split)
    if not (root / split).is_dir():
        raise DataError(
            f"{root} holds neither {split}/CLASS/*.jpg nor torchvision's {CIFAR10_FOLDER}; "
            "unpack CIFAR-10 there and name the folder that holds train and test"
        )
    return _load_folder(root / split, cache)


def _load_torchvision(root: Path, split: str) -> ImageSet:
    from torchvision.datasets import CIFAR10

    try:
        cifar = CIFAR10(str(root), train=split == "train", download=False)
    except (RuntimeError, OSError) as error:
        raise DataError(f"torchvision cannot read CIFAR-10 under {root}: {error}") from error
    images = torch.from_numpy(cifar.data).permute(0, 3, 1, 2).contiguous()
    return ImageSet(images, torch.tensor(cifar.targets), tuple(cifar.classes), "CIFAR-10, lossless")


def _load_folder(folder: Path, cache: Path | None) -> ImageSet:
    classes = tuple(sorted(entry.name for entry in folder.iterdir() if entry.is_dir()))
    paths = [
        (path, label)
        for label, name in enumerate(classes)
        for path in sorted((folder / name).iterdir())
        if path.suffix.lower() in PICTURE_SUFFIXES
    ]
    if not paths:
        raise DataError(f"{folder} holds no pictures; expected {folder}/CLASS/*.jpg")
    filled = {label for _, label in paths}
    if empty := [name for label, name in enumerate(classes) if label not in filled]:
        raise DataError(
            f"{folder / empty[0]} holds no pictures: a class cannot be learned or tested without any; "
            f"add some ({', '.join(sorted(PICTURE_SUFFIXES))}) or remove the folder"
        )
    labels = torch.tensor([label for _, label in paths])
    kinds = sorted({path.suffix.lower().lstrip(".") for path, _ in paths})
    images = _decoded([path for path, _ in paths], cache)
    return ImageSet(images, labels, classes, f"folder of {', '.join(kinds)} pictures")


def _decoded(paths: list[Path], cache: Path | None) -> Tensor:
    """uint8 [N, 3, H, W] of all pictures, from the cache where the same files were decoded before."""
    if cache is None:
        return _decode(paths)
    digest = hashlib.sha256()
    for path in paths:
        status = path.stat()
        digest.update(f"{path.resolve()} {status.st_size} {status.st_mtime_ns}\n".encode())
    kept = cache / f"{digest.hexdigest()[:24]}.npz"
    try:
        with np.load(kept, allow_pickle=False) as archive:
            kept_images = archive["images"]
            if (
                kept_images.dtype == np.uint8
                and kept_images.shape[:2] == (len(paths), 3)
                and kept_images.ndim == 4
            ):
                return torch.from_numpy(kept_images)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError):
        pass  # decoded anew
    images = _decode(paths)
    whole = io.BytesIO()
    np.savez(whole, images=images.numpy())
    try:
        write_whole(kept, whole.getbuffer())
    except WriteError as error:
        logging.getLogger(__name__).warning("%s; the pictures are decoded anew each time", error)
    return images


def _decode(paths: list[Path]) -> Tensor:
    images: np.ndarray | None = None
    for index, path in enumerate(paths):
        try:
            with Image.open(path) as picture:
                pixels = np.asarray(picture.convert("RGB"))
        except (OSError, UnidentifiedImageError, SyntaxError, ValueError) as error:
            raise DataError(f"{path} cannot be read as a picture ({error})") from error
        if images is None:
            images = np.empty((len(paths), 3, *pixels.shape[:2]), np.uint8)
        height, width = images.shape[2:]
        if pixels.shape[:2] != (height, width):
            raise DataError(f"{path} is {pixels.shape[1]} x {pixels.shape[0]}, the set is {width} x {height}")
        images[index] = pixels.transpose(2, 0, 1)
    assert images is not None, "callers pass at least one path"
    return torch.from_numpy(images)


def normalise(images: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """uint8 [N, 3, H, W] -> float32 of the same shape, zero mean and unit deviation where the statistics
    fit.
    """
    scale = torch.tensor(std, device=images.device).view(3, 1, 1)
    shift = torch.tensor(mean, device=images.device).view(3, 1, 1)
    return (images.float() / 255 - shift) / scale


def crop_and_flip(images: Tensor, size: int, padding: int, generator: torch.Generator) -> Tensor:
    """A `size` x `size` part of each picture, mirrored half of the time: uint8 [N, 3, size, size].

    The part lies anywhere within the picture grown by `padding` black pixels on each side.
    """
    count, channels, height, width = images.shape
    padded = torch.nn.functional.pad(images, (padding,) * 4)
    top = torch.randint(0, height + 2 * padding - size + 1, (count, 1), generator=generator)
    left = torch.randint(0, width + 2 * padding - size + 1, (count, 1), generator=generator)
    mirrored = torch.rand(count, 1, generator=generator) < 0.5
    columns = torch.arange(size).expand(count, size)
    columns = left + torch.where(mirrored, columns.flip(1), columns)
    rows = top + torch.arange(size)
    return padded[
        torch.arange(count)[:, None, None, None],
        torch.arange(channels)[None, :, None, None],
        rows[:, None, :, None],
        columns[:, None, None, :],
    ]


def training_batches(
    data: ImageSet, batch_size: int, size: int, padding: int, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Shuffled, augmented uint8 batches; the last short batch is left out unless it is the only one."""
    order = torch.randperm(len(data), generator=generator)
    whole = max(len(data) // batch_size, 1)
    for step in range(whole):
        picked = order[step * batch_size : (step + 1) * batch_size]
        yield crop_and_flip(data.images[picked], size, padding, generator), data.labels[picked]
