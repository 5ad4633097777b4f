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

_MODES = {1: "L", 3: "RGB"}  # Pillow's, by the channels that the network takes


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
    """Resizes, crops and normalises `image` as `spec` says; a network of one channel gets it in grey.

    Raises ValueError where the network takes neither one channel nor three.
    """
    if spec.channels not in _MODES:
        raise ValueError(
            f"This network takes {spec.channels:,} channels and a picture has 3, or 1 in grey, so it can be "
            "shown none."
        )
    mode = _MODES[spec.channels]
    picture = image if image.mode == mode else image.convert(mode)
    _, height, width = spec.shape
    resized = _resized_size(picture.width, picture.height, spec)
    left, top = _start(resized[0], width), _start(resized[1], height)
    box = (
        left / resized[0],
        top / resized[1],
        (left + width) / resized[0],
        (top + height) / resized[1],
    )
    pixels = np.array(_cut(picture, resized, (left, top), spec))
    return Prepared(
        x=_normalised(pixels, spec),
        view=np.repeat(pixels[:, :, None], 3, axis=2) if spec.channels == 1 else pixels,
        display=_display(picture.convert("RGB"), box, (width, height), _fill(spec)),
        view_box=box,
    )


def _resized_size(width: int, height: int, spec: InputSpec) -> tuple[int, int]:
    """(width, height) of the whole picture at the scale at which the crop is cut out.

    As torchvision's Resize and timm's ResizeKeepRatio compute it; no side vanishes, as it would there.
    """
    tall, wide = spec.scale_size
    if spec.crop_mode == "squash":
        return wide, tall
    if spec.crop_mode == "center" and tall == wide:
        size = (tall, int(tall * height / width)) if width <= height else (int(tall * width / height), tall)
    else:
        # The border mode shows all of the picture, the other fills the crop.
        ratio = (max if spec.crop_mode == "border" else min)(height / tall, width / wide)
        size = round(width / ratio), round(height / ratio)
    return max(1, size[0]), max(1, size[1])


def _start(size: int, crop: int) -> int:
    """Where a centred crop begins; below 0 where it is larger, as torchvision pads: half, rounded down."""
    return round((size - crop) / 2) if size >= crop else -((crop - size) // 2)


def _cut(
    image: Image.Image, resized: tuple[int, int], start: tuple[int, int], spec: InputSpec
) -> Image.Image:
    """The crop at `start` of the picture resized to `resized`; what lies outside is filled."""
    _, height, width = spec.shape
    resampling = Image.Resampling[spec.interpolation.upper()]
    left, top = max(0, start[0]), max(0, start[1])
    right, bottom = min(resized[0], start[0] + width), min(resized[1], start[1] + height)
    if resized[0] * resized[1] <= MOST_RESIZED_PIXELS:
        inside = image.resize(resized, resampling).crop((left, top, right, bottom))
    else:
        across, down = image.width / resized[0], image.height / resized[1]
        region = (left * across, top * down, right * across, bottom * down)
        inside = image.resize((right - left, bottom - top), resampling, box=region)
    if inside.size == (width, height):
        return inside
    canvas = Image.new(image.mode, (width, height), _fill(spec) if image.mode == "RGB" else _fill(spec)[0])
    canvas.paste(inside, (left - start[0], top - start[1]))
    return canvas


def _fill(spec: InputSpec) -> tuple[int, int, int]:
    """What lies around the picture: black, or the mean in the mode that expects a border."""
    if spec.crop_mode != "border":
        return 0, 0, 0
    red, green, blue = (round(255 * mean) for mean in (spec.mean * 3)[:3])
    return red, green, blue


def _display(
    image: Image.Image,
    box: tuple[float, float, float, float],
    view_size: tuple[int, int],
    fill: tuple[int, int, int],
) -> np.ndarray:
    crop = (box[0] * image.width, box[1] * image.height, box[2] * image.width, box[3] * image.height)
    native = math.floor(max(crop[2] - crop[0], crop[3] - crop[1]) + 0.01)
    side = max(view_size)
    scale = max(side, min(native, DISPLAY_SIDE)) / side
    size = (round(view_size[0] * scale), round(view_size[1] * scale))
    if box[0] < 0 or box[1] < 0 or box[2] > 1 or box[3] > 1:
        return _with_surroundings(image, crop, size, fill)
    if max(abs(crop[2] - crop[0] - size[0]), abs(crop[3] - crop[1] - size[1])) < 1:
        # Shown pixel by pixel: resampling would cost a tenth of a small network's forward pass for nothing.
        left, top = (min(round(crop[i]), image.size[i] - size[i]) for i in (0, 1))
        return np.asarray(image.crop((left, top, left + size[0], top + size[1])))
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR, box=crop))


def _with_surroundings(
    image: Image.Image,
    crop: tuple[float, float, float, float],
    size: tuple[int, int],
    fill: tuple[int, int, int],
) -> np.ndarray:
    """The region `crop` of the picture, which reaches beyond it, at `size`."""
    across, down = size[0] / (crop[2] - crop[0]), size[1] / (crop[3] - crop[1])
    left, top = max(0.0, crop[0]), max(0.0, crop[1])
    right, bottom = min(float(image.width), crop[2]), min(float(image.height), crop[3])
    inside = (max(1, round((right - left) * across)), max(1, round((bottom - top) * down)))
    canvas = Image.new("RGB", size, fill)
    shown = image.resize(inside, Image.Resampling.BILINEAR, box=(left, top, right, bottom))
    canvas.paste(shown, (round((left - crop[0]) * across), round((top - crop[1]) * down)))
    return np.asarray(canvas)


def _normalised(pixels: np.ndarray, spec: InputSpec) -> Tensor:
    """uint8 [H, W] or [H, W, 3] -> float32 [1, C, H, W], by the same operations as torchvision's."""
    values = torch.from_numpy(pixels).view(*spec.shape[1:], spec.channels).permute(2, 0, 1).contiguous()
    mean = torch.tensor(spec.mean).view(-1, 1, 1)
    std = torch.tensor(spec.std).view(-1, 1, 1)
    return values.float().div_(255).sub_(mean).div_(std).unsqueeze(0)
