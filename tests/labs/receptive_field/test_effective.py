"""The effective field against closed forms of linear stacks, and what must hold of any network."""

from math import log, pi, sqrt

import numpy as np
import pytest
import torch
from torch import nn

from explorer.inference.spatial import spatial_layers
from explorer.labs.receptive_field import effective as lab
from explorer.networks import InputSpec, load

PIXELS = 101


def averaging(layers: int, kernel: int = 3) -> nn.Sequential:
    """One channel, every window the mean of what it reads: Luo et al.'s uniform weights without a ReLU."""
    convs = [nn.Conv2d(1, 1, kernel, padding=kernel // 2, bias=False) for _ in range(layers)]
    for conv in convs:
        nn.init.constant_(conv.weight, 1 / kernel**2)
    return nn.Sequential(*convs).double().eval()


def energy_of(layers: int, kernel: int = 3) -> np.ndarray:
    model = averaging(layers, kernel)
    x = torch.zeros(1, 1, PIXELS, PIXELS, dtype=torch.float64)
    layer = lab.SpatialLayer(str(layers - 1), "Conv2d", 1, PIXELS, PIXELS, "channels first")
    return lab.gradient_energy(model, x, layer, (PIXELS // 2, PIXELS // 2), seed=0)


def test_the_gradient_of_averages_is_the_repeated_convolution() -> None:
    """Luo et al., section 2.1: the gradient of n uniform layers is the box convolved n times with itself."""
    line = np.array([1.0])
    for _ in range(6):
        line = np.convolve(line, np.full(3, 1 / 3))
    expected = np.zeros((PIXELS, PIXELS))
    expected[44:57, 44:57] = np.outer(line, line)
    np.testing.assert_allclose(np.sqrt(energy_of(6)), expected, atol=1e-12)


@pytest.mark.parametrize(("layers", "kernel"), [(10, 3), (20, 3), (40, 3), (10, 5), (6, 7)])
def test_the_width_grows_with_the_root_of_the_depth(layers: int, kernel: int) -> None:
    """A normal bell of variance n (k2 - 1) / 12 passes 4.55 % inside a circle of radius s sqrt(2 ln 22)."""
    sigma = sqrt(layers * (kernel**2 - 1) / 12)
    predicted = sqrt(pi * 2 * log(1 / (1 - lab.SHARE))) * sigma
    width = lab.effective_width(energy_of(layers, kernel))
    assert width == pytest.approx(predicted, rel=0.05)
    assert width < 1 + layers * (kernel - 1)


def test_the_share_of_the_theoretical_field_shrinks_with_depth() -> None:
    shares = [lab.effective_width(energy_of(n)) / (2 * n + 1) for n in (5, 10, 20, 40)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] / shares[-1] == pytest.approx(sqrt(40 / 5), rel=0.1)  # 1 / sqrt(n), Luo et al., eq. 13


def test_one_window_of_equal_weights_is_effective_all_over() -> None:
    energy = energy_of(1, 7)
    assert lab.effective_width(energy) == 7
    assert lab.energy_side(energy) == 7


def test_the_square_that_holds_the_energy() -> None:
    energy = np.zeros((9, 9))
    energy[4, 4] = 0.95
    energy[3, 3:6] = energy[5, 3:6] = 0.05 / 6
    assert lab.energy_side(energy, 0.9) == 1
    assert lab.energy_side(energy, 0.96) == 3
    assert lab.energy_side(np.zeros((9, 9))) == 0


def test_nothing_has_influence_on_a_dead_unit() -> None:
    energy = np.zeros((5, 5))
    assert lab.effective_width(energy) == 0
    assert not lab.relative_strength(energy).any()


def test_random_signs_add_channels_up_without_cancelling() -> None:
    """Two channels, y and -y: their plain sum has no gradient at all, the mean over signs is 2 (dy/dx)^2."""
    model = nn.Conv2d(1, 2, 1, bias=False)
    with torch.no_grad():
        model.weight[:] = torch.tensor([3.0, -3.0]).view(2, 1, 1, 1)
    layer = lab.SpatialLayer("", "Conv2d", 2, 3, 3, "channels first")
    x = torch.zeros(1, 1, 3, 3)
    passes = [lab.gradient_energy(model, x, layer, (1, 1), seed)[1, 1] for seed in range(200)]
    assert np.mean(passes) == pytest.approx(18, rel=0.15)


@pytest.fixture(scope="module")
def trained():
    return load("zoo:resnet20")


@pytest.fixture(scope="module")
def untrained():
    return load("random:zoo:resnet20")


def measured(network, passes: int, inputs: str = "Noise") -> lab.EffectiveField:
    """Of the last map of ResNet-20, which sees 81 pixels: an input of 96 cuts nothing off."""
    spec = lab.roomy(network.input, 81)
    assert spec.image_size == 96
    found = lab.start(network.model, spec)
    for _ in range(passes):
        found = lab.measure(network.model, spec, found, inputs)
    return found


def test_no_pixel_outside_the_theoretical_field_is_touched(untrained) -> None:
    """layer1.0.conv1 of ResNet-20 sees 5 pixels around its unit."""
    found = lab.start(untrained.model, untrained.input, "layer1.0.conv1", (10, 20))
    found = lab.measure(untrained.model, untrained.input, found)
    rows, columns = found.energy.nonzero()
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (8, 12, 18, 22)


def test_an_untrained_network_has_a_normal_bell(untrained) -> None:
    """Luo et al., section 2: the squared gradient of a deep random network falls off like exp(-r2 / s2)."""
    energy = measured(untrained, 20).energy
    rows, columns = np.indices(energy.shape)
    row, column = (np.average(axis, weights=energy) for axis in (rows, columns))
    square = (rows - row) ** 2 + (columns - column) ** 2
    spread = np.average(square, weights=energy)  # s2 of the bell in the plane
    inside = [energy[square < n * spread].sum() / energy.sum() for n in (0.5, 1, 2, 3)]
    assert inside == pytest.approx([1 - np.exp(-n) for n in (0.5, 1, 2, 3)], abs=0.03)


@pytest.mark.parametrize("inputs", lab.INPUTS)
def test_source_000_the_effective_field_is_much_smaller_than_the_theoretical(
    trained, untrained, inputs
) -> None:
    """[000] part 7.1 after Luo et al.: "much smaller"; of 81 pixels by theory both use about half or less."""
    for network in (trained, untrained):
        assert 10 < lab.effective_width(measured(network, 10, inputs).energy) < 0.55 * 81


def test_here_training_narrows_the_field_on_noise(trained, untrained) -> None:
    """Luo et al., section 4.2, saw it widen for another network on CIFAR-10; the zoo's ResNet-20 does not."""
    before, after = (lab.effective_width(measured(each, 20).energy) for each in (untrained, trained))
    assert after < 0.85 * before


def test_a_measurement_leaves_the_network_as_it_was(trained) -> None:
    state = {name: value.clone() for name, value in trained.model.state_dict().items()}
    measured(trained, 1)
    assert all(torch.equal(value, state[name]) for name, value in trained.model.state_dict().items())
    assert not any(module._forward_hooks for module in trained.model.modules())
    assert not trained.model.training
    assert all(p.grad is None and not p.requires_grad for p in trained.model.parameters())


def test_hooks_are_gone_after_an_error(trained) -> None:
    layer = spatial_layers(trained.model, (3, 32, 32)).by_path["layer3"]
    with pytest.raises(RuntimeError):
        lab.gradient_energy(trained.model, torch.zeros(1, 5, 32, 32), layer, (0, 0), 0)
    assert not any(module._forward_hooks for module in trained.model.modules())


def test_the_same_pass_gives_the_same_numbers(trained) -> None:
    np.testing.assert_array_equal(measured(trained, 2).energy, measured(trained, 2).energy)
    assert measured(trained, 2).passes == 2


def test_a_layer_without_a_map_is_refused(trained) -> None:
    with pytest.raises(ValueError, match="'fc' has no map"):
        lab.start(trained.model, trained.input, "fc")


@pytest.mark.parametrize(
    ("side", "fixed", "field", "used"),
    [
        (32, False, 81, 96),
        (224, False, 100, 224),
        (224, False, 427, 320),
        (600, False, 3000, 320),
        (384, True, 16, 384),
    ],
)
def test_the_input_has_room_for_the_field_where_the_network_allows(side, fixed, field, used) -> None:
    assert lab.roomy(InputSpec((3, side, side), side, fixed=fixed), field).image_size == used


def test_a_network_for_one_size_only_says_so() -> None:
    network = load("zoo:vgg_small")
    with pytest.raises(ValueError, match="takes no input of 96 x 96"):
        lab.start(network.model, network.input.at(96))


def test_a_photo_is_prepared_as_the_weights_expect(trained) -> None:
    x = lab.photo(trained.input, 3)
    assert x.shape == (1, 3, 32, 32)
    assert torch.equal(x, lab.photo(trained.input, 3))
    assert -3 < float(x.min()) < float(x.max()) < 3
