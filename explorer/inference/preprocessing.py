"""A picture -> the tensor a network was trained on, and the very crop of the picture it shows.

The result equals timm's and torchvision's own evaluation transforms, bit for bit, but for strips whose
resized whole would be huge (20,000 x 1 pixels become 5 million x 256): of these the crop alone is
computed, at the same scale and place.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from explorer.networks import InputSpec

DISPLAY_SIDE = 448
MOST_RESIZED_PIXELS = 4_000_000

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
        crop = (0.0, 0.0, float(width), float(height))
        view = rgb
    else:
        resized = _resized_size(rgb.width, rgb.height, spec)
        left, top = round((resized[0] - width) / 2), round((resized[1] - height) / 2)
        box = (
            left / resized[0],
            top / resized[1],
            (left + width) / resized[0],
            (top + height) / resized[1],
        )
        crop = (box[0] * rgb.width, box[1] * rgb.height, box[2] * rgb.width, box[3] * rgb.height)
        resampling = _RESAMPLING[spec.interpolation]
        if resized[0] * resized[1] <= MOST_RESIZED_PIXELS:
            view = rgb.resize(resized, resampling).crop((left, top, left + width, top + height))
        else:
            view = rgb.resize((width, height), resampling, box=crop)
    if spec.channels == 1:
        view = view.convert("L")
    pixels = np.array(view)
    return Prepared(
        x=_normalised(pixels, spec),
        view=np.repeat(pixels[:, :, None], 3, axis=2) if spec.channels == 1 else pixels,
        display=_display(rgb, crop, (width, height)),
        view_box=box,
    )


def _resized_size(width: int, height: int, spec: InputSpec) -> tuple[int, int]:
    """(width, height) of the whole picture at the scale at which the crop is cut out."""
    _, crop_height, crop_width = spec.shape
    if spec.crop_mode == "squash":
        share = spec.resize / min(spec.shape[1:])
        size = math.floor(crop_width * share), math.floor(crop_height * share)
    elif crop_width != crop_height:
        scale = max(crop_width / width, crop_height / height) / spec.crop_pct
        size = round(width * scale), round(height * scale)
    elif width <= height:
        size = spec.resize, int(spec.resize * height / width)
    else:
        size = int(spec.resize * width / height), spec.resize
    return max(size[0], crop_width), max(size[1], crop_height)


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
    native = math.floor(max(crop[2] - crop[0], crop[3] - crop[1]) + 0.01)
    side = max(view_size)
    scale = max(side, min(native, DISPLAY_SIDE)) / side
    size = (round(view_size[0] * scale), round(view_size[1] * scale))
    if max(abs(crop[2] - crop[0] - size[0]), abs(crop[3] - crop[1] - size[1])) < 1:
        # Shown pixel by pixel: resampling would cost a tenth of a small network's forward pass for nothing.
        left, top = (min(round(crop[i]), image.size[i] - size[i]) for i in (0, 1))
        return np.asarray(image.crop((left, top, left + size[0], top + size[1])))
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR, box=crop))


def _normalised(pixels: np.ndarray, spec: InputSpec) -> Tensor:
    """uint8 [H, W] or [H, W, 3] -> float32 [1, C, H, W], by the same operations as torchvision's."""
    values = torch.from_numpy(pixels).view(*spec.shape[1:], spec.channels).permute(2, 0, 1).contiguous()
    mean = torch.tensor(spec.mean).view(-1, 1, 1)
    std = torch.tensor(spec.std).view(-1, 1, 1)
    return values.float().div_(255).sub_(mean).div_(std).unsqueeze(0)
