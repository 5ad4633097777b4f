"""Shifts: what moves along, what stays, and by how much it fails; patches shuffled."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import nn

from explorer import networks
from explorer.inference.preprocessing import prepare
from explorer.labs.inductive_bias import patch_shuffle
from explorer.labs.inductive_bias import shifts as lab


@pytest.fixture(scope="module")
def vit() -> networks.Network:
    """timm's smallest ViT, 160 pixels, patches of 16; the positions drawn large enough to matter."""
    network = networks.load("random:timm:test_vit")
    torch.manual_seed(0)
    with torch.no_grad():
        network.model.pos_embed.normal_(std=1.0)
    return network


def state_of(network: networks.Network) -> list:
    model = network.model
    hooks = sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules())
    values = {name: value.clone() for name, value in model.state_dict().items()}
    return [hooks, [module.training for module in model.modules()], values]


def assert_as_before(network: networks.Network, before: list) -> None:
    hooks, modes, values = state_of(network)
    assert (hooks, modes) == (before[0], before[1])
    assert all(torch.equal(values[name], value) for name, value in before[2].items())


@pytest.mark.parametrize("weights_id", ["zoo:resnet20", "zoo:lenet5", "random:timm:test_vit"])
def test_the_unshifted_scene_is_what_the_network_is_given_elsewhere(cat, weights_id):
    spec = networks.load(weights_id).input
    assert torch.equal(lab.scene(cat, spec).shifted(0), prepare(cat, spec).x)


def test_a_scene_shifts_its_content_right_and_down(cat, vit):
    scene = lab.scene(cat, vit.input)
    still, moved = scene.shifted(0), scene.shifted(5, 3)
    assert torch.equal(moved[:, :, 3:, 5:], still[:, :, :-3, :-5])
    with pytest.raises(ValueError, match="passes the margin of 32"):
        scene.shifted(33)


def test_a_picture_of_one_colour_and_a_strip_have_scenes(vit):
    for size in ((8, 8), (1, 2000), (3000, 2)):
        scene = lab.scene(Image.new("RGB", size, (9, 99, 199)), vit.input)
        assert torch.allclose(scene.shifted(-32, 32), scene.shifted(0), atol=1e-6)


@given(st.integers(-20, 20), st.integers(1, 5), st.integers(0, 3))
@settings(max_examples=40, deadline=None)
def test_a_circular_convolution_commutes_with_every_shift_by_whole_strides(cells, kernel, seed):
    """f(T x) = T f(x), exact where there is no border: Goodfellow et al. 2016, section 9.2."""
    torch.manual_seed(seed)
    stride = 2
    net = nn.Conv2d(3, 4, 2 * kernel - 1, stride, padding=kernel - 1, padding_mode="circular")
    x = torch.randn(1, 3, 24, 24)
    with torch.no_grad():
        of_shifted, shifted = net(x.roll(cells * stride, 3))[0], lab.moved(net(x)[0], cells, 2)
    assert torch.allclose(of_shifted, shifted, atol=1e-5)


def test_half_a_cell_is_the_mean_of_two():
    assert lab.moved(torch.tensor([0.0, 2.0, 6.0, 4.0]), 0.5, 0)[1:].tolist() == [1.0, 4.0, 5.0]
    assert lab.moved(torch.tensor([0.0, 2.0, 6.0, 4.0]), -0.5, 0)[:-1].tolist() == [1.0, 4.0, 5.0]


def test_error_and_correlation_have_their_closed_forms():
    a = torch.tensor([3.0, 4.0])
    assert lab.relative_error(2 * a, a) == 1.0
    assert lab.relative_error(torch.zeros(2), torch.zeros(2)) == 0.0
    assert lab.correlation(a, -a) == pytest.approx(-1)
    assert lab.relative_error(a, torch.zeros(2)) == math.inf
    constant = torch.full((7, 13), 0.1)
    assert math.isnan(lab.correlation(constant, constant))
    assert math.isnan(lab.correlation(torch.full((2,), 2.0), a))


@pytest.mark.parametrize("size", [1e-30, 1.0, 1e30])
def test_errors_and_correlations_do_not_depend_on_the_size_of_the_numbers(size: float):
    """In float32 the squares of the first are zero and those of the last infinite."""
    a, b = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([2.0, 1.0, 4.0])
    assert lab.relative_error(size * a, size * b) == pytest.approx(math.sqrt(2 / 21), rel=1e-6)
    assert lab.correlation(size * a, size * b) == pytest.approx(lab.correlation(a, b), rel=1e-6)


@pytest.mark.parametrize("layer", ["layer1.0", "layer2.0"])
def test_a_trained_map_is_exact_at_multiples_of_its_stride_and_not_between(cat, resnet20, layer):
    before = state_of(resnet20)
    place = lab.places(resnet20)[layer]
    swept = lab.sweep(resnet20, lab.scene(cat, resnet20.input), place)
    assert swept.shifts == tuple(range(9))
    stride = {"layer1.0": 1, "layer2.0": 2}[layer]
    for shift, found in zip(swept.shifts, swept.equivariance, strict=True):
        assert found.exact == (shift % stride == 0)
        assert found.error < 1e-4 if found.exact else found.error > 0.1
        if shift:
            assert found.unmoved > found.error
    assert_as_before(resnet20, before)


def test_an_imagenet_network_is_exact_every_eighth_pixel(monkeypatch, shared_models, cat):
    monkeypatch.setenv("EXPLORER_WEIGHTS", str(shared_models))
    network = networks.load("folder:mobilenetv2_100.coral_in1k")
    known = lab.places(network)
    assert lab.place_to_start(known) == "blocks.2"
    swept = lab.sweep(network, lab.scene(cat, network.input), known["blocks.2"])
    assert swept.shifts == tuple(range(0, 33, 2))
    errors = {shift: found.error for shift, found in zip(swept.shifts, swept.equivariance, strict=True)}
    assert max(errors[shift] for shift in (0, 8, 16, 24, 32)) < 1e-4
    assert min(errors[shift] for shift in (2, 4, 6, 10, 12, 14, 30)) > 0.3
    assert {network.labels[index] for index in swept.top} == {"Egyptian cat"}


def test_where_every_unit_sees_the_border_no_shift_is_exact(cat, resnet20):
    place = lab.places(resnet20)["layer3.2"]
    assert place.field.size == (81, 81)
    found = lab.sweep(resnet20, lab.scene(cat, resnet20.input), place).equivariance[4]
    assert found.whole
    assert not found.clean
    assert not found.exact
    assert found.error > 0.01


def test_both_directions_of_a_shift_are_exact(cat, resnet20):
    place = lab.places(resnet20)["layer2.0"]
    scene = lab.scene(cat, resnet20.input)
    for dx, dy in ((-2, 4), (4, -6), (-8, 0)):
        maps = lab.answers(resnet20, torch.cat([scene.shifted(0), scene.shifted(dx, dy)]), place.layer).maps
        found = lab.equivariance(maps[0], maps[1], (dy, dx), place)
        assert found.exact
        assert found.error < 1e-4
        assert found.correlation == pytest.approx(1, abs=1e-5)


def test_patches_shift_by_whole_patches_until_positions_are_added(cat, vit):
    known = lab.places(vit)
    scene = lab.scene(cat, vit.input)
    patches = lab.sweep(vit, scene, known["patch_embed"])
    assert patches.shifts[8] == 16
    assert patches.equivariance[8].exact
    assert patches.equivariance[8].error < 1e-4
    assert patches.equivariance[4].error > 0.2
    assert known["blocks.0"].spoiled == "pos_embed"
    token = lab.sweep(vit, scene, known["blocks.0"]).equivariance[8]
    assert token.whole
    assert not token.exact
    assert token.error > 0.2


def test_an_error_on_the_way_leaves_no_hook(resnet20):
    before = state_of(resnet20)
    with pytest.raises(RuntimeError):
        lab.answers(resnet20, torch.zeros(1, 5, 32, 32), lab.places(resnet20)["layer1"].layer)
    assert_as_before(resnet20, before)


def test_consistency_counts_pairs():
    assert lab.consistency([1, 1, 1, 1]) == 1
    assert lab.consistency([1, 1, 2, 2]) == pytest.approx(2 / 6)


def test_zhangs_example_of_max_pooling():
    """Zhang 2019, figure 3: 00110011 and its shift by one."""
    signal = [0, 0, 1, 1, 0, 0, 1, 1]
    shifted = np.roll(signal, 1)
    assert lab.max_pool_1d(signal, blur=False).tolist() == [0, 1, 0, 1]
    assert lab.max_pool_1d(shifted, blur=False).tolist() == [1, 1, 1, 1]
    assert lab.max_pool_1d(signal, blur=True).tolist() == [0.5, 1, 0.5, 1]
    assert lab.max_pool_1d(shifted, blur=True).tolist() == [0.75] * 4


@given(st.sampled_from(patch_shuffle.GRIDS), st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_a_shuffle_keeps_every_pixel(grid, seed):
    x = torch.arange(3 * 32 * 32, dtype=torch.float32).view(1, 3, 32, 32)
    shuffled = patch_shuffle.shuffled(x, grid, seed)
    assert torch.equal(shuffled.flatten().sort().values, x.flatten())
    assert torch.equal(shuffled, x) == (grid == 1)


def test_without_positions_a_vit_does_not_see_that_its_patches_were_shuffled(cat, vit):
    """Attention is a sum over a set: only the position embedding says where a patch stands."""
    before = state_of(vit)
    x = lab.scene(cat, vit.input).shifted(0)
    mixed = patch_shuffle.shuffled(x, 10)  # 160 / 16: the network's own grid
    blind = [patch_shuffle.logits_of(vit, each, positions=False) for each in (x, mixed)]
    seeing = [patch_shuffle.logits_of(vit, each) for each in (x, mixed)]
    assert lab.relative_error(blind[1], blind[0]) < 1e-5
    assert lab.relative_error(seeing[1], seeing[0]) > 1e-4  # untrained attention hardly looks
    assert_as_before(vit, before)


def test_a_cnn_has_no_positions_to_take_away(cat, resnet20):
    x = lab.scene(cat, resnet20.input).shifted(0)
    assert patch_shuffle.logits_of(resnet20, x, positions=False) is None
