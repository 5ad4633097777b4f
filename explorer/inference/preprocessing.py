"""A picture -> the tensor a network was trained on, and the very crop of the picture it shows.

The result equals timm's and torchvision's own evaluation transforms. They resize the whole picture and
then cut the crop out; here Pillow computes the crop alone, at the same scale and offset, so a strip of
20,000 x 1 pixels costs no more than any other picture and the crop's place falls out as numbers.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from explorer.networks import InputSpec

DISPLAY_SIDE = 448

_RESAMPLING = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


@dataclass(frozen=True)
class Prepared:
    """One picture, ready for one network.

    x: float32 [1, C, H, W], normalised. view: uint8 [H, W, 3], what the network sees.
    display: uint8 [h, w, 3], the same crop at the picture's own resolution, at most DISPLAY_SIDE a side
    unless the network itself sees more. view_box: (left, top, right, bottom) of the crop as fractions of
    the picture's width and height; outside 0-1 where a network pads.
    """

    x: Tensor
    view: np.ndarray
    display: np.ndarray
    view_box: tuple[float, float, float, float]


def prepare(image: Image.Image, spec: InputSpec) -> Prepared:
    """Resizes, crops and normalises `image` as `spec` says."""
    rgb = image if image.mode == "RGB" else image.convert("RGB")
    _, height, width = spec.shape
    if spec.crop_mode == "border":
        rgb, box = _bordered(rgb, spec)
        crop = (0.0, 0.0, float(rgb.width), float(rgb.height))
    else:
        crop = _crop_box(rgb.width, rgb.height, spec)
        box = (crop[0] / rgb.width, crop[1] / rgb.height, crop[2] / rgb.width, crop[3] / rgb.height)
    view = rgb.resize((width, height), _RESAMPLING[spec.interpolation], box=crop)
    if spec.channels == 1:
        view = view.convert("L")
    pixels = np.asarray(view)
    return Prepared(
        x=_normalised(pixels, spec),
        view=np.repeat(pixels[:, :, None], 3, axis=2) if spec.channels == 1 else pixels,
        display=_display(rgb, crop, (width, height)),
        view_box=box,
    )


def _crop_box(width: int, height: int, spec: InputSpec) -> tuple[float, float, float, float]:
    """The crop in pixels of the picture: the centre of what the resized picture would be."""
    _, crop_height, crop_width = spec.shape
    if spec.crop_mode == "squash":
        share = spec.resize / min(spec.shape[1:])
        new_width, new_height = math.floor(crop_width * share), math.floor(crop_height * share)
    elif crop_width != crop_height:
        scale = max(crop_width / width, crop_height / height) / spec.crop_pct
        new_width, new_height = round(width * scale), round(height * scale)
    elif width <= height:
        new_width, new_height = spec.resize, int(spec.resize * height / width)
    else:
        new_width, new_height = int(spec.resize * width / height), spec.resize
    new_width, new_height = max(new_width, crop_width), max(new_height, crop_height)
    left, top = round((new_width - crop_width) / 2), round((new_height - crop_height) / 2)
    across, down = width / new_width, height / new_height
    # min(): the last ulp must not stand outside the picture.
    return (
        left * across,
        top * down,
        min((left + crop_width) * across, width),
        min((top + crop_height) * down, height),
    )


def _bordered(image: Image.Image, spec: InputSpec) -> tuple[Image.Image, tuple[float, float, float, float]]:
    """The whole picture inside the input, the rest filled with the mean colour (timm's "border" mode)."""
    _, height, width = spec.shape
    scale = min(width / image.width, height / image.height) / spec.crop_pct
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    offset = ((width - size[0]) // 2, (height - size[1]) // 2)
    fill = tuple(round(255 * mean) for mean in (spec.mean * 3)[:3])
    canvas = Image.new("RGB", (width, height), fill)
    canvas.paste(image.resize(size, _RESAMPLING[spec.interpolation]), offset)
    left, top = -offset[0] / size[0], -offset[1] / size[1]
    return canvas, (left, top, left + width / size[0], top + height / size[1])


def _display(
    image: Image.Image, crop: tuple[float, float, float, float], view_size: tuple[int, int]
) -> np.ndarray:
    native = max(crop[2] - crop[0], crop[3] - crop[1])
    side = max(view_size)
    scale = max(side, min(round(native), DISPLAY_SIDE)) / side
    size = (round(view_size[0] * scale), round(view_size[1] * scale))
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR, box=crop))


def _normalised(pixels: np.ndarray, spec: InputSpec) -> Tensor:
    """uint8 [H, W] or [H, W, 3] -> float32 [1, C, H, W], by the same operations as torchvision's."""
    values = torch.tensor(pixels).view(*spec.shape[1:], spec.channels).permute(2, 0, 1).contiguous()
    mean = torch.tensor(spec.mean).view(-1, 1, 1)
    std = torch.tensor(spec.std).view(-1, 1, 1)
    return values.float().div_(255).sub_(mean).div_(std).unsqueeze(0)
