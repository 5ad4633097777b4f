"""What a network expects of a picture: size, crop, interpolation, mean and standard deviation."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

# As timm, torchvision and Pillow call them.
Interpolation = Literal["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]
CropMode = Literal["center", "squash", "border"]
INTERPOLATIONS: tuple[str, ...] = get_args(Interpolation)
CROP_MODES: tuple[str, ...] = get_args(CropMode)

GREY = "Grey pictures are normalised with the average of the three colours' mean and deviation."
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class InputSpec:
    """How a picture becomes the tensor [1, C, H, W] a network was trained on.

    shape: (C, H, W) in pixels. resize: the shorter side in pixels before the crop.
    crop_mode: "center" keeps the proportions and cuts the middle out, "squash" resizes both sides to
    `resize`, "border" pads instead of cutting. mean, std: per channel, for values from 0 to 1.
    fixed: the network takes this size only, unless it is built for another one.
    crop_share: timm's crop_pct, from which both sides before the crop follow; None where only `resize` is
    stated. Above 1 the crop is larger than the resized picture, and black around it.
    """

    shape: tuple[int, int, int]
    resize: int
    interpolation: Interpolation = "bilinear"
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    fixed: bool = False
    crop_mode: CropMode = "center"
    crop_share: float | None = None

    @property
    def image_size(self) -> int:
        """Side in pixels; the longer one of the few networks whose input is not square."""
        return max(self.shape[1:])

    @property
    def channels(self) -> int:
        return self.shape[0]

    @property
    def crop_pct(self) -> float:
        """The share of the resized picture's side that the crop keeps."""
        return self.crop_share or min(self.shape[1:]) / self.resize

    @property
    def scale_size(self) -> tuple[int, int]:
        """(height, width) that the crop is cut out of, in pixels; the shorter one is `resize`."""
        shorter = min(self.shape[1:])
        height, width = (
            self.resize if side == shorter else max(1, math.floor(side / self.crop_pct))
            for side in self.shape[1:]
        )
        return height, width

    def at(self, image_size: int | None) -> "InputSpec":
        """The same preparation for a square input of another size; None keeps it as it is."""
        if image_size is None or self.shape[1:] == (image_size, image_size):
            return self
        resize = max(1, math.floor(image_size / self.crop_pct))
        return replace(self, shape=(self.channels, image_size, image_size), resize=resize)

    def with_channels(self, channels: int) -> "InputSpec":
        """For pictures of as many channels; of another number mean and deviation are each the average."""
        mean, std = (
            each if len(each) == channels else (sum(each) / len(each),) * channels
            for each in (self.mean, self.std)
        )
        return replace(self, shape=(channels, *self.shape[1:]), mean=mean, std=std)


def usual(shape: tuple[int, int, int], *, fixed: bool = False) -> InputSpec:
    """For a network of which nobody says more: colours normalised as ImageNet's, anything else around 0.5;
    the crop from a picture of 256 : 224, a small picture whole.
    """
    channels, *sides = shape
    resize = round(min(sides) * 256 / 224) if min(sides) >= 224 else min(sides)
    if channels == 3:
        return InputSpec(shape, resize, fixed=fixed)
    return InputSpec(shape, resize, mean=(0.5,) * channels, std=(0.5,) * channels, fixed=fixed)


def from_pretrained_cfg(cfg: Mapping[str, Any]) -> InputSpec:
    """From timm's configuration of one set of weights; its train-time size, not `test_input_size`.

    Raises ValueError for an interpolation or crop mode that nobody here knows.
    """
    from timm.data import resolve_data_config

    data = resolve_data_config(pretrained_cfg={"input_size": (3, 224, 224), **cfg})
    channels, height, width = data["input_size"]
    for setting, known in (("interpolation", INTERPOLATIONS), ("crop_mode", CROP_MODES)):
        if data[setting] not in known:
            raise ValueError(f"{setting} {data[setting]!r} is none of {', '.join(known)}")
    return InputSpec(
        shape=(channels, height, width),
        resize=max(1, math.floor(min(height, width) / data["crop_pct"])),
        interpolation=data["interpolation"],
        mean=tuple(data["mean"]),
        std=tuple(data["std"]),
        fixed=bool(cfg.get("fixed_input_size", False)),
        crop_mode=data["crop_mode"],
        crop_share=data["crop_pct"],
    )


def from_torchvision_transforms(transforms: Any, fixed: bool) -> InputSpec:
    """From the preset that a torchvision weight entry carries."""
    (size,), (resize,) = transforms.crop_size, transforms.resize_size
    return InputSpec(
        shape=(3, size, size),
        resize=resize,
        interpolation=transforms.interpolation.value,
        mean=tuple(transforms.mean),
        std=tuple(transforms.std),
        fixed=fixed,
    )


def size_argument(spec: InputSpec, image_size: int | None) -> dict[str, int]:
    """What makes timm build a network of fixed input size for another one; {} where nothing is needed."""
    if image_size is None or not spec.fixed or spec.at(image_size) == spec:
        return {}
    return {"img_size": image_size}
