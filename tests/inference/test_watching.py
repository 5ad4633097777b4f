"""A layer's tensor is its own, whatever the network writes into it later; no hook outlives its `with`."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from explorer import networks
from explorer.inference import SAMPLES, decode, explain
from explorer.inference.layer_measurements import layer_activations
from explorer.inference.preprocessing import prepare
from explorer.inference.spatial import spatial_layers
from explorer.inference.watching import cut_after, hooked, inputs_of, outputs_of
from explorer.labs.inductive_bias import shifts
from explorer.labs.normalisation import networks as normalisation_networks
from explorer.labs.receptive_field import effective
from explorer.networks import InputSpec, Network

SIDE = 64

# What is written into in place behind these layers: a residual sum, a functional ReLU, or nothing.
WATCHED = [
    ("torchvision:resnet34", "layer3.2.bn2"),
    ("torchvision:resnet34", "layer2.0.downsample.1"),
    ("torchvision:googlenet", "conv3.bn"),
    ("torchvision:densenet121", "features.norm5"),
    ("timm:resnet18", "layer2.1.bn2"),
    ("timm:mobilenetv2_050", "blocks.2.1.bn3"),
    ("timm:convnext_atto", "stages.1.blocks.0.norm"),
]


@pytest.fixture(scope="module")
def small():
    """Networks with random weights, for inputs of 64 pixels."""
    kept: dict[str, Network] = {}

    def get(name: str) -> Network:
        if name not in kept:
            loaded = networks.load(f"random:{name}")
            spec = InputSpec((3, SIDE, SIDE), SIDE)
            kept[name] = Network(loaded.model, loaded.reference, loaded.weights, spec, loaded.labels)
        return kept[name]

    return get


def by_hand(model: nn.Module, path: str, x: Tensor) -> tuple[Tensor, Tensor]:
    """First input and output of the layer's last call, each copied at that very moment."""
    found: list[tuple[Tensor, Tensor]] = []
    before: list[Tensor] = []
    module = model.get_submodule(path)
    handles = [
        module.register_forward_pre_hook(lambda _, inputs: before.append(inputs[0].clone())),
        module.register_forward_hook(lambda _, __, output: found.append((before[-1], output.clone()))),
    ]
    model(x)
    for handle in handles:
        handle.remove()
    return found[-1]


def hooks(model: nn.Module) -> int:
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules())


@pytest.fixture(scope="module")
def cat():
    return decode(SAMPLES["chelsea"].load())


@pytest.mark.parametrize(("name", "path"), WATCHED)
def test_the_effective_field_reads_the_layers_own_output_and_gradient(small, name, path):
    model = small(name).model
    layer = spatial_layers(model, (3, SIDE, SIDE)).by_path[path]
    unit = (layer.height // 2, layer.width // 2)
    x = torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0)).requires_grad_()
    values = effective.unit_values(model, x, layer, unit)
    wanted = layer.to_map(by_hand(model, path, x)[1])[:, unit[0], unit[1]]
    assert torch.equal(values, wanted)
    assert torch.equal(*(torch.autograd.grad(each.sum(), x)[0] for each in (values, wanted)))
    assert hooks(model) == 0


@pytest.mark.parametrize(("name", "path"), WATCHED)
def test_shifts_compare_the_layers_own_maps(small, name, path):
    network = small(name)
    layer = spatial_layers(network.model, (3, SIDE, SIDE)).by_path[path]
    x = torch.randn(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    output = by_hand(network.model, path, x)[1]
    wanted = torch.stack([layer.to_map(output[n : n + 1]) for n in range(2)])
    assert torch.equal(shifts.answers(network, x, layer).maps, wanted)
    assert hooks(network.model) == 0


@pytest.mark.parametrize(("name", "path"), WATCHED)
def test_the_normalisation_lab_shows_the_norms_own_input_and_answer(small, cat, name, path):
    network = small(name)
    found = normalisation_networks.inside(network, cat, path)
    before, _ = by_hand(network.model, path, prepare(cat, network.input).x)
    axis = 1 if before.shape[1] == len(found.gamma) else -1
    assert np.array_equal(found.before, before.movedim(axis, 0).flatten(1).numpy())
    assert found.difference < 1e-3 * max(1.0, float(np.abs(found.after).max()))
    assert hooks(network.model) == 0


@pytest.mark.parametrize(("name", "path"), WATCHED)
def test_features_and_statistics_are_of_the_layers_own_output(small, cat, name, path):
    network = small(name)
    x = prepare(cat, network.input).x
    layer = spatial_layers(network.model, (3, SIDE, SIDE)).by_path[path]
    output = by_hand(network.model, path, x)[1]
    assert np.array_equal(explain(network, cat, layer=path).features, layer.to_map(output).numpy())
    if next(network.model.get_submodule(path).children(), None) is None:
        (measured,) = layer_activations(network, x).by_path[path]
        assert measured.mean == pytest.approx(float(output.double().mean()), rel=1e-4, abs=1e-7)


class _Overwrites(nn.Module):
    """Writes into everything it has been given or has made."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.same = nn.Conv2d(1, 1, 1), nn.Conv2d(1, 1, 1), nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = self.first(x)
        z = self.second(y)
        same = self.same(z)
        y = y.add_(5.0)
        z.mul_(0.0)
        return z + y + same


def test_each_call_keeps_its_own_input_and_output():
    model = _Overwrites().requires_grad_(False)
    x = torch.ones(1, 1, 2, 2)
    y = model.first(x).clone()
    z = model.second(y).clone()
    with inputs_of(model.second, model.same) as entered, outputs_of(model.first, model.second) as left:
        model(x)
        model(2 * x)
    assert torch.equal(entered[0], y)
    assert torch.equal(entered[1], z)
    assert torch.equal(left[0], y)
    assert torch.equal(left[1], z)
    assert len(entered) == len(left) == 4


def test_what_is_cut_out_is_not_written_into_even_where_the_layer_hands_on_its_input():
    model = _Overwrites().requires_grad_(False)
    x = torch.ones(1, 1, 2, 2)
    z = model.second(model.first(x)).clone()
    with torch.no_grad(), cut_after(model.same) as kept:
        out = model(x)
    assert torch.equal(kept[0], z)
    assert kept[0].is_leaf
    assert torch.equal(torch.autograd.grad(out.sum(), kept[0])[0], torch.ones_like(z))
    assert not torch.is_inference_mode_enabled()


@pytest.mark.parametrize("watch", [inputs_of, outputs_of, cut_after])
def test_no_hook_is_left_when_the_network_fails(watch):
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    with pytest.raises(RuntimeError), torch.no_grad(), watch(model[0]):
        model(torch.zeros(1, 5, 8, 8))
    assert hooks(model) == 0
    assert torch.is_grad_enabled()


def test_hooks_hung_up_before_one_that_cannot_be_are_taken_down():
    good = nn.ReLU()
    with pytest.raises(AttributeError), hooked([good, None], after=lambda *_: None):
        pass
    assert hooks(good) == 0


class _ActivatesInPlace(nn.Module):
    """A convolution, an activation that writes over its output, a norm."""

    def __init__(self, between: bool) -> None:
        super().__init__()
        self.conv, self.norm, self.between = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), between

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        if self.between:
            x = x.relu_()
        return self.norm(x).mean((2, 3))


@pytest.mark.parametrize(("between", "folds"), [(False, True), (True, False)])
def test_a_norm_behind_an_activation_in_place_does_not_melt_into_the_convolution(cat, between, folds):
    entry = networks.entry_of("random:timm:resnet18")
    spec = InputSpec((3, 16, 16), 16)
    network = Network(_ActivatesInPlace(between).eval(), entry.reference, entry, spec, ())
    fold = normalisation_networks.inside(network, cat, "norm").fold
    assert (fold is not None) == folds
    assert fold is None or fold.difference < 1e-5
