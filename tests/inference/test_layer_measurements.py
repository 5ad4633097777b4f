"""Time and output of every layer; what the hooks leave behind (nothing)."""

import dataclasses
import time

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from explorer import networks
from explorer.analysis import receptive_fields, trace
from explorer.analysis.structure.hierarchy import Hierarchy, hierarchy
from explorer.inference.layer_measurements import layer_activations, layer_times
from explorer.inference.weight_histograms import weight_histograms
from explorer.networks import Network

NAME = "torchvision:resnet18"


@pytest.fixture(scope="module")
def resnet18() -> Network:
    torch.manual_seed(0)
    return networks.load(f"random:{NAME}")


@pytest.fixture(scope="module")
def boxes() -> Hierarchy:
    traced = trace(NAME)
    return hierarchy(traced, receptive_fields(traced))


@pytest.fixture(scope="module")
def picture() -> Tensor:
    return torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def toy(resnet18: Network):
    """`toy(module)`: a network with this model."""
    return lambda *layers: dataclasses.replace(resnet18, model=nn.Sequential(*layers).eval())


class _Sleep(nn.Module):
    def __init__(self, seconds: float, inner: nn.Module | None = None) -> None:
        super().__init__()
        self.seconds = seconds
        self.inner = inner or nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        time.sleep(self.seconds)
        return self.inner(x) + 1


class _Fail(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        raise RuntimeError("no such layer after all")


class _ToChannelsLast(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 2, 3, 1)


def hooks(model: nn.Module) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


def test_a_module_has_its_own_time_and_not_that_of_its_parts(toy) -> None:
    network = toy(_Sleep(0.02, inner=_Sleep(0.08)), nn.ReLU())
    times = layer_times(network, torch.zeros(1, 3, 8, 8), passes=3, warm_up=0)
    (outer,), (inner,), (relu,) = times.own["0"], times.own["0.inner"], times.own["1"]
    assert 0.08 <= inner < 0.12
    assert 0.02 <= outer < 0.06
    assert relu < 0.02
    assert times.pass_seconds >= 0.1
    assert times.leaves == {"0.inner.inner", "1"}


def test_every_call_of_a_module_has_its_number(toy) -> None:
    shared = _Sleep(0.01)
    times = layer_times(toy(shared, nn.ReLU(), shared), torch.zeros(1, 3, 8, 8), passes=1, warm_up=0)
    assert len(times.own["0"]) == 2
    assert min(times.own["0"]) >= 0.01


def test_layers_find_their_time_in_the_diagram(resnet18: Network, boxes: Hierarchy, picture: Tensor) -> None:
    times = layer_times(resnet18, picture, passes=1, warm_up=1)
    overlay = times.overlay(boxes.trace)
    values = overlay.values(boxes, [node for node in boxes.root.walk() if node.leaf])
    computing = {node.id for node in boxes.root.walk() if node.leaf and node.kind not in ("input", "output")}
    assert set(values) == computing  # every operation stands in some module
    places = {op.dotted for op in boxes.trace.ops}
    whole = 1000 * sum(sum(calls) for path, calls in times.own.items() if path in places)
    assert overlay.value(boxes, boxes.root) == pytest.approx(whole)
    assert sum(overlay.values(boxes, boxes.root.children).values()) == pytest.approx(whole)
    assert times.own["layer1.0.relu"][0] * 1000 == pytest.approx(values["relu_1"])
    assert len(times.own["layer1.0.relu"]) == 2
    assert times.input_shape == (1, 3, 224, 224)


def test_statistics_are_those_of_the_output(resnet18: Network, picture: Tensor) -> None:
    found = layer_activations(resnet18, picture)
    with torch.no_grad():
        stem = resnet18.model.relu(resnet18.model.bn1(resnet18.model.conv1(picture)))
    (call,) = found.by_path["relu"]
    assert call.mean == pytest.approx(float(stem.mean()), rel=1e-5)
    assert call.deviation == pytest.approx(float(stem.std(correction=0)), rel=1e-5)
    assert call.zeros == pytest.approx(float((stem == 0).float().mean()))
    assert len(found.by_path["layer1.0.relu"]) == 2
    assert "layer1.0" not in found.by_path  # not a leaf


def test_statistics_reach_the_diagram(resnet18: Network, boxes: Hierarchy, picture: Tensor) -> None:
    found = layer_activations(resnet18, picture)
    zeros = found.overlays(boxes.trace)["zeros"]
    second = found.by_path["layer1.0.relu"][1]
    assert zeros.value(boxes, boxes.by_id["relu_2"]) == pytest.approx(100 * second.zeros)
    assert zeros.value(boxes, boxes.by_id["add_"]) is None  # no module's output
    of_stem = [found.by_path[path][0].zeros for path in ("conv1", "bn1", "relu", "maxpool")]
    assert zeros.value(boxes, boxes.by_id["stem"]) == pytest.approx(100 * np.mean(of_stem))


def _with_dead_channel() -> nn.Conv2d:
    layer = nn.Conv2d(3, 4, 3)
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.copy_(torch.tensor([-1.0, 1.0, 2.0, 3.0]))
    return layer


def test_a_dead_channel_is_counted_in_either_layout(toy) -> None:
    x = torch.zeros(1, 3, 8, 8)
    first = layer_activations(toy(_with_dead_channel(), nn.ReLU()), x).by_path["1"][0]
    assert (first.dead, first.zeros, first.mean) == (0.25, 0.25, 1.5)
    last = layer_activations(toy(_with_dead_channel(), _ToChannelsLast(), nn.ReLU()), x).by_path["2"][0]
    assert (last.dead, last.zeros) == (0.25, 0.25)


def test_a_vector_has_a_channel_a_number(toy) -> None:
    layer = nn.Linear(3, 4)
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.copy_(torch.tensor([-1.0, -2.0, 2.0, 3.0]))
    model = toy(nn.Conv2d(3, 3, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), layer, nn.ReLU())
    assert layer_activations(model, torch.zeros(1, 3, 8, 8)).by_path["4"][0].dead == 0.5


@pytest.mark.parametrize("measure", [layer_times, layer_activations])
def test_no_hook_is_left_and_nothing_has_changed(resnet18: Network, picture: Tensor, measure) -> None:
    model = resnet18.model
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.enable_grad():
        measure(resnet18, picture)
        assert torch.is_grad_enabled()
    assert hooks(model) == 0
    assert not model.training
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


@pytest.mark.parametrize("measure", [layer_times, layer_activations])
def test_no_hook_is_left_after_an_error(toy, measure) -> None:
    network = toy(nn.Conv2d(3, 4, 3), _Fail())
    with pytest.raises(RuntimeError, match="after all"):
        measure(network, torch.zeros(1, 3, 8, 8))
    assert hooks(network.model) == 0


def test_an_error_under_the_hooks_leaves_none(toy) -> None:
    """The second pass is the first one with hooks."""

    class FailsLater(nn.Module):
        calls = 0

        def forward(self, x: Tensor) -> Tensor:
            FailsLater.calls += 1
            if FailsLater.calls == 2:
                raise RuntimeError("out of memory")
            return x

    network = toy(nn.Conv2d(3, 4, 3), FailsLater())
    with pytest.raises(RuntimeError, match="out of memory"):
        layer_times(network, torch.zeros(1, 3, 8, 8), passes=2, warm_up=0)
    assert hooks(network.model) == 0


def test_at_least_one_pass(resnet18: Network, picture: Tensor) -> None:
    with pytest.raises(ValueError, match="passes is 0"):
        layer_times(resnet18, picture, passes=0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_layers_wait_for_their_kernels(resnet18: Network, picture: Tensor) -> None:
    network = dataclasses.replace(resnet18, model=networks.build(NAME).cuda())
    times = layer_times(network, picture.cuda())
    assert times.device.startswith("cuda")
    assert sum(sum(calls) for calls in times.own.values()) >= 0.5 * times.pass_seconds
    assert layer_activations(network, picture.cuda()).by_path["relu"][0].zeros > 0


def test_a_histogram_counts_every_weight(resnet18: Network) -> None:
    (found,) = weight_histograms(resnet18.model, "conv1")
    weights = resnet18.model.conv1.weight.detach().numpy().ravel()
    assert (found.parameter, found.shape, found.counts.sum()) == ("weight", (64, 3, 7, 7), weights.size)
    assert found.edges.dtype == np.float32
    assert (found.edges[0], found.edges[-1]) == (weights.min(), weights.max())
    assert np.abs(found.counts - np.histogram(weights, bins=61)[0]).max() <= 2  # values on an edge
    assert found.mean == pytest.approx(weights.mean(), abs=1e-6)
    assert found.deviation == pytest.approx(weights.std(), rel=1e-4)
    assert not found.counts.flags.writeable


def test_weight_first_then_bias_and_only_what_is_its_own(resnet18: Network) -> None:
    assert [each.parameter for each in weight_histograms(resnet18.model, "fc")] == ["weight", "bias"]
    assert weight_histograms(resnet18.model, "layer1") == ()
    assert weight_histograms(resnet18.model, "relu") == ()


def test_equal_and_broken_weights_have_a_histogram() -> None:
    norm = nn.BatchNorm2d(8)
    weight, _ = weight_histograms(nn.Sequential(norm), "0", bins=5)
    assert weight.counts.tolist() == [0, 0, 8, 0, 0]
    with torch.no_grad():
        norm.weight[:3] = torch.tensor([float("nan"), float("inf"), 3.0])
        norm.bias.fill_(float("nan"))
    weight, bias = weight_histograms(nn.Sequential(norm), "0", bins=4)
    assert (weight.counts.tolist(), weight.not_finite, bias.not_finite) == ([5, 0, 0, 1], 2, 8)
    assert bias.counts.sum() == 0


def test_no_histogram_of_a_layer_that_is_not_there(resnet18: Network) -> None:
    with pytest.raises(ValueError, match=r"'layer9' is not a layer of ResNet"):
        weight_histograms(resnet18.model, "layer9")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e38])
def test_an_output_that_is_not_finite_is_said_so_with_its_layer(toy, value: float) -> None:
    first, second = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 1)
    nn.init.constant_(second.weight, value)
    with pytest.raises(networks.CannotRun, match="the output of 1 is not finite"):
        layer_activations(toy(first, second), torch.full((1, 3, 4, 4), 100.0))
