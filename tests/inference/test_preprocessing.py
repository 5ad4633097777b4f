"""What the network is given equals what timm's and torchvision's own evaluation transforms give."""

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from timm.data.transforms_factory import transforms_imagenet_eval
from torchvision.models import get_model_weights

from explorer.inference import preprocessing
from explorer.inference.preprocessing import DISPLAY_SIDE, prepare
from explorer.networks import InputSpec
from explorer.networks.inputs import from_pretrained_cfg, from_torchvision_transforms


@pytest.mark.parametrize(
    "name",
    [
        "resnet50.a1_in1k",
        "convnext_tiny.fb_in1k",
        "inception_v3.tv_in1k",
        "vit_base_patch16_siglip_224.webli",
    ],
)
def test_the_tensor_equals_timm_s(name, chelsea):
    cfg = timm.get_pretrained_cfg(name).to_dict()
    data = timm.data.resolve_data_config(pretrained_cfg=cfg)
    theirs = timm.data.create_transform(**data)(chelsea)
    ours = prepare(chelsea, from_pretrained_cfg(cfg)).x[0]
    assert ours.dtype == torch.float32
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


@pytest.mark.parametrize("name", ["resnet50", "efficientnet_b0", "convnext_tiny", "vit_b_16"])
def test_the_tensor_equals_torchvision_s(name, chelsea):
    transforms = get_model_weights(name).DEFAULT.transforms()
    ours = prepare(chelsea, from_torchvision_transforms(transforms, fixed=False)).x[0]
    torch.testing.assert_close(ours, transforms(chelsea), rtol=0, atol=0)


@pytest.mark.parametrize("crop_mode", ["center", "squash", "border"])
@pytest.mark.parametrize("size", [(451, 300), (299, 450), (224, 224), (37, 100), (1000, 70)])
def test_every_crop_mode_and_proportion_equals_timm_s(crop_mode, size, chelsea):
    picture = chelsea.resize(size)
    theirs = transforms_imagenet_eval(64, crop_pct=0.8, crop_mode=crop_mode, mean=(0.5,) * 3, std=(0.25,) * 3)
    spec = InputSpec((3, 64, 64), resize=80, mean=(0.5,) * 3, std=(0.25,) * 3, crop_mode=crop_mode)
    torch.testing.assert_close(prepare(picture, spec).x[0], theirs(picture), rtol=0, atol=0)


def test_a_strip_s_crop_alone_equals_the_crop_of_the_whole(chelsea, monkeypatch):
    spec = InputSpec((3, 64, 64), resize=80, interpolation="bicubic")
    whole = prepare(chelsea, spec)
    monkeypatch.setattr(preprocessing, "MOST_RESIZED_PIXELS", 0)
    alone = prepare(chelsea, spec)
    assert np.abs(alone.view.astype(int) - whole.view).max() <= 1  # the last bit of the scale
    assert np.abs(alone.view.astype(int) - whole.view).mean() < 0.05


def test_view_box_marks_the_crop_in_the_original_picture():
    spec = InputSpec((3, 200, 200), resize=250)
    left, top, right, bottom = prepare(Image.new("RGB", (1000, 500)), spec).view_box
    # 250 of 500 pixels a side remain, 200 of them are cut out: 400 pixels in the middle.
    assert (left, right) == pytest.approx((0.3, 0.7))
    assert (top, bottom) == pytest.approx((0.1, 0.9))


def test_view_is_the_very_crop_the_network_sees(chelsea):
    spec = InputSpec((3, 224, 224), resize=256)
    prepared = prepare(chelsea, spec)
    back = prepared.x[0].permute(1, 2, 0).numpy() * np.array(spec.std) + np.array(spec.mean)
    assert prepared.view.dtype == np.uint8
    assert (np.rint(back * 255) == prepared.view).all()


def test_a_small_network_s_crop_is_shown_at_the_picture_s_resolution(chelsea):
    prepared = prepare(chelsea, InputSpec((3, 32, 32), resize=32))
    assert prepared.view.shape == (32, 32, 3)
    assert prepared.display.shape == (300, 300, 3)
    large = chelsea.resize((4510, 3000))
    assert prepare(large, InputSpec((3, 32, 32), resize=32)).display.shape == (DISPLAY_SIDE, DISPLAY_SIDE, 3)
    tiny = prepare(chelsea.resize((9, 9)), InputSpec((3, 32, 32), resize=32))
    assert tiny.display.shape == (32, 32, 3)


def test_one_channel_networks_get_grey(chelsea):
    prepared = prepare(chelsea, InputSpec((1, 32, 32), resize=32, mean=(0.5,), std=(0.5,)))
    assert prepared.x.shape == (1, 1, 32, 32)
    assert prepared.view.shape == (32, 32, 3)
    assert (prepared.view[:, :, 0] == prepared.view[:, :, 2]).all()


@pytest.mark.parametrize("size", [(20_000, 1), (1, 20_000), (1, 1), (3, 2)])
@pytest.mark.parametrize("crop_mode", ["center", "squash", "border"])
def test_strips_and_specks_cost_no_more_than_photos(size, crop_mode):
    spec = InputSpec((3, 224, 224), resize=256, crop_mode=crop_mode)
    prepared = prepare(Image.new("RGB", size, (255, 0, 0)), spec)
    assert prepared.x.shape == (1, 3, 224, 224)
    assert prepared.x.isfinite().all()
    assert max(prepared.display.shape) <= DISPLAY_SIDE
