"""One pass, the same heatmap as captum, and a network left as it was found."""

import dataclasses

import numpy as np
import pytest
import torch
from captum._utils.gradient import compute_layer_gradients_and_eval
from captum.attr import LayerGradCam, LayerGradientXActivation
from PIL import Image
from torch import nn

from explorer import networks
from explorer.inference import (
    MEASURES,
    default_layer,
    explain,
    layers,
    top_features,
)
from explorer.inference.preprocessing import prepare
from explorer.inference.spatial import spatial_layers
from explorer.networks import InputSpec, Network
from tests.inference.tiny import tiny_network


@pytest.fixture(scope="module")
def random_network():
    """`random_network(name, image_size)`: random weights, each network built once."""
    built: dict[str, Network] = {}

    def make(name: str) -> Network:
        if name not in built:
            torch.manual_seed(0)
            built[name] = networks.load(f"random:{name}")
        return built[name]

    return make


def scaled(values: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both divided by the reference's largest magnitude: random networks give heatmaps of any size."""
    largest = np.abs(reference).max()
    return values / largest, reference / largest


# Four families, each with its default layer and one in the middle.
CAPTUM_CASES = [
    ("torchvision:resnet18", None),
    ("torchvision:resnet18", "layer2.0"),
    ("timm:convnext_atto", None),
    ("timm:convnext_atto", "stages.1"),
    ("torchvision:mobilenet_v3_small", None),
    ("torchvision:mobilenet_v3_small", "features.4"),
    ("torchvision:densenet121", None),
    ("torchvision:densenet121", "features.transition2"),
    ("timm:efficientnet_b0", None),
]


@pytest.mark.parametrize(("name", "layer"), CAPTUM_CASES)
def test_heatmap_before_normalisation_equals_captum_s(name, layer, random_network, chelsea):
    network = random_network(name)
    ours = explain(network, chelsea, layer=layer, target=7)
    x = prepare(chelsea, network.input).x
    theirs = LayerGradCam(network.model, network.model.get_submodule(ours.layer)).attribute(
        x.requires_grad_(), target=7, relu_attributions=True
    )
    reference = theirs[0, 0].detach().numpy()
    assert reference.any() or not ours.cam.any()
    np.testing.assert_allclose(ours.cam, reference, rtol=0, atol=1e-5)
    if reference.any():
        np.testing.assert_allclose(*scaled(ours.cam, reference), rtol=0, atol=1e-5)


def gradient_and_activation(
    network: Network, layer: str, x: torch.Tensor, target: int
) -> tuple[np.ndarray, np.ndarray]:
    """captum's, in the layer's own layout."""
    module = network.model.get_submodule(layer)
    gradients, outputs = compute_layer_gradients_and_eval(network.model, module, x.requires_grad_(), target)
    return gradients[0].detach().numpy(), outputs[0].detach().numpy()


def tokens_to_map(output: np.ndarray) -> np.ndarray:
    return output[0, 1:].T.reshape(-1, 14, 14)


def channels_last_to_map(output: np.ndarray) -> np.ndarray:
    return output[0].transpose(2, 0, 1)


# Layouts whose channels stand last, over which LayerGradCam would average.
@pytest.mark.parametrize(
    ("name", "layer", "to_map"),
    [
        ("timm:vit_tiny_patch16_224", None, tokens_to_map),
        ("timm:vit_tiny_patch16_224", "blocks.5", tokens_to_map),
        ("timm:swin_tiny_patch4_window7_224", None, channels_last_to_map),
        ("timm:swin_tiny_patch4_window7_224", "layers.1", channels_last_to_map),
    ],
)
def test_tokens_and_channels_last_equal_captum_s_gradient_put_in_order(
    name, layer, to_map, random_network, chelsea
):
    network = random_network(name)
    ours = explain(network, chelsea, layer=layer, target=3)
    x = prepare(chelsea, network.input).x
    gradient, activation = map(to_map, gradient_and_activation(network, ours.layer, x, 3))
    reference = np.einsum("c,chw->hw", gradient.mean((1, 2)), activation).clip(min=0)
    assert reference.any()
    np.testing.assert_allclose(*scaled(ours.cam, reference), rtol=0, atol=1e-5)
    np.testing.assert_allclose(ours.features, activation, atol=1e-5)


def test_hires_cam_equals_captum_s_gradient_times_activation(random_network, chelsea):
    network = random_network("torchvision:resnet18")
    ours = explain(network, chelsea, layer="layer3", method="HiResCAM")
    x = prepare(chelsea, network.input).x.requires_grad_()
    theirs = LayerGradientXActivation(network.model, network.model.layer3).attribute(x, ours.target)
    reference = theirs[0].sum(0).relu().detach().numpy()
    assert reference.any()
    np.testing.assert_allclose(*scaled(ours.cam, reference), rtol=0, atol=1e-5)
    np.testing.assert_allclose(
        *scaled(ours.contributions, theirs[0].sum((1, 2)).detach().numpy()), rtol=0, atol=1e-5
    )


def test_layer_cam_weighs_each_place_by_its_positive_gradient(random_network, chelsea):
    network = random_network("torchvision:resnet18")
    ours = explain(network, chelsea, layer="layer2", target=5, method="LayerCAM")
    x = prepare(chelsea, network.input).x
    gradient, activation = gradient_and_activation(network, "layer2", x, 5)
    reference = (gradient[0].clip(min=0) * activation[0]).sum(0).clip(min=0)
    assert reference.any()
    np.testing.assert_allclose(*scaled(ours.cam, reference), rtol=0, atol=1e-5)


def test_predictions_are_the_softmax_of_a_plain_forward_pass(random_network, chelsea):
    network = random_network("torchvision:resnet18")
    with torch.inference_mode():
        expected = network.model(prepare(chelsea, network.input).x)[0].softmax(0)
    answer = explain(network, chelsea, top_k=3)
    assert [p.index for p in answer.predictions] == expected.topk(3).indices.tolist()
    assert [p.probability for p in answer.predictions] == pytest.approx(
        expected.topk(3).values.tolist(), abs=1e-6
    )
    assert answer.target == answer.predictions[0].index
    assert len(explain(network, chelsea).predictions) == 5


def test_labels_come_from_the_network_and_unlabelled_outputs_say_so(chelsea):
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    named = explain(tiny_network(model, ("cat", "dog")), chelsea, target=1)
    assert {p.index: p.label for p in named.predictions} == {0: "cat", 1: "dog"}
    assert named.explained.label == "dog"
    assert named.target == 1
    assert sum(p.probability for p in named.predictions) == pytest.approx(1)
    assert explain(tiny_network(model), chelsea, target=1).explained.label == "output 1"


def test_features_are_the_layer_s_output(random_network, chelsea):
    network = random_network("torchvision:resnet18")
    seen = []
    handle = network.model.layer3.register_forward_hook(lambda m, i, o: seen.append(o.clone()))
    with torch.no_grad():
        network.model(prepare(chelsea, network.input).x)
    handle.remove()
    answer = explain(network, chelsea, layer="layer3")
    np.testing.assert_allclose(answer.features, seen[0][0].numpy(), atol=1e-6)


def test_the_network_runs_once(random_network, chelsea):
    network = random_network("torchvision:squeezenet1_1")
    passes = []
    handle = network.model.register_forward_hook(lambda *_: passes.append(1))
    try:
        explain(network, chelsea)
    finally:
        handle.remove()
    assert passes == [1]


def test_the_backward_pass_stops_at_the_layer(random_network, chelsea):
    network = random_network("torchvision:resnet18")
    wants_gradient = {}

    def watch(name):
        return lambda module, inputs, output: wants_gradient.update({name: output.requires_grad})

    handles = [
        getattr(network.model, n).register_forward_hook(watch(n)) for n in ("conv1", "layer2", "layer4")
    ]
    try:
        explain(network, chelsea, layer="layer3")
    finally:
        for handle in handles:
            handle.remove()
    assert wants_gradient == {"conv1": False, "layer2": False, "layer4": True}


def hook_count(model: nn.Module) -> int:
    return sum(
        len(m._forward_hooks) + len(m._forward_pre_hooks) + len(m._backward_hooks) for m in model.modules()
    )


def state(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def test_the_network_is_left_as_it_was(random_network, chelsea):
    model = random_network("torchvision:resnet18").model
    before = state(model)
    explain(random_network("torchvision:resnet18"), chelsea)
    assert hook_count(model) == 0
    assert not model.training
    assert all(p.grad is None and not p.requires_grad for p in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.is_grad_enabled()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"layer": "layer9"}, r"'layer9' is not a layer .* try one of layer4, "),
        ({"layer": "fc"}, "'fc' is not a layer"),
        ({"layer": ""}, "is not a layer"),
        ({"target": 1000}, "1000 is not a class .* 0 to 999"),
        ({"target": -1}, "-1 is not a class"),
        ({"method": "Guesswork"}, "try one of Grad-CAM"),
        ({"top_k": 0}, "at least one"),
    ],
)
def test_a_wrong_choice_is_answered_with_the_choices(arguments, says, random_network, chelsea):
    network = random_network("torchvision:resnet18")
    with pytest.raises(ValueError, match=says) as caught:
        explain(network, chelsea, **arguments)
    assert "\n" not in str(caught.value)
    assert hook_count(network.model) == 0


def offered_instead(network: Network, image: Image.Image) -> str:
    with pytest.raises(ValueError, match="try one of") as caught:
        explain(network, image, layer="none such")
    return str(caught.value).partition("try one of ")[2]


def test_of_many_layers_the_outermost_are_offered_instead(random_network, chelsea):
    network = random_network("torchvision:resnet18")
    said = offered_instead(network, chelsea)
    assert said == (
        f"layer4, conv1, bn1, relu, maxpool, layer1, layer2, layer3 and {len(layers(network)) - 8} more"
    )
    model = nn.Sequential(*(nn.Conv2d(3, 3, 1) for _ in range(8)), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    assert offered_instead(tiny_network(model), chelsea) == "7, 0, 1, 2, 3, 4, 5, 6"


def test_a_network_without_parameters_runs_on_the_cpu(chelsea):
    model = nn.Sequential(nn.AvgPool2d(2), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    assert explain(tiny_network(model), chelsea).device == "cpu"


@pytest.mark.parametrize(
    "nested",
    [
        lambda one, two: two,
        lambda one, two: (one, two),
        lambda one, two: [one, (two,)],
        lambda one, two: {"one": one, "more": {"two": two}},
    ],
)
def test_every_number_of_an_embedding_is_looked_at(nested, chelsea):
    class Embeds(nn.Module):
        def __init__(self, factor: float):
            super().__init__()
            self.conv, self.factor = nn.Conv2d(3, 4, 3), factor

        def forward(self, x):
            mean = self.conv(x).mean((2, 3))
            return nested(mean, mean * self.factor)

    finite, infinite = (
        dataclasses.replace(tiny_network(Embeds(factor)), outputs="embedding") for factor in (1.0, np.inf)
    )
    assert explain(finite, chelsea).answers_with == "embedding"
    with pytest.raises(networks.CannotRun, match="not finite"):
        explain(infinite, chelsea)
    with pytest.raises(ValueError, match="no class 0"):
        explain(finite, chelsea, target=0)
    with pytest.raises(ValueError, match="no class score"):
        top_features(explain(finite, chelsea), 1, "contribution")


class Fails(nn.Module):
    def forward(self, x):
        raise RuntimeError("broken on purpose")


def test_no_hook_and_no_grad_mode_remain_after_the_network_fails(chelsea):
    network = tiny_network(
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    )
    explain(network, chelsea)
    network.model[3] = Fails()
    with pytest.raises(RuntimeError, match="on purpose"):
        explain(network, chelsea)
    assert hook_count(network.model) == 0
    assert torch.is_grad_enabled()


def test_a_residual_block_that_adds_in_place_does_not_disturb_the_features(chelsea):
    class AddsInPlace(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3, padding=1)
            self.head = nn.Linear(3, 2)

        def forward(self, x):
            y = self.conv(x)
            y += x
            return self.head(y.mean((2, 3)))

    network = tiny_network(AddsInPlace())
    answer = explain(network, chelsea, layer="conv")
    with torch.no_grad():
        expected = network.model.conv(prepare(chelsea, network.input).x)[0]
    np.testing.assert_allclose(answer.features, expected.numpy(), atol=1e-6)


def test_a_layer_the_answer_does_not_depend_on_is_named(chelsea):
    class Auxiliary(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.unused, self.head = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3), nn.Linear(4, 2)

        def forward(self, x):
            self.unused(x)
            return self.head(self.used(x).mean((2, 3)))

    with pytest.raises(ValueError, match="does not depend on 'unused'; try 'used'"):
        explain(tiny_network(Auxiliary()), chelsea, layer="unused")


def test_a_network_that_looks_at_its_values_is_explained_too(chelsea):
    class LooksAtValues(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.head = nn.Conv2d(3, 4, 3), nn.Linear(4, 2)

        def forward(self, x):
            y = self.conv(x)
            return self.head((y if float(y.detach().sum()) > 0 else -y).mean((2, 3)))

    assert explain(tiny_network(LooksAtValues()), chelsea).layer == "conv"


def test_callers_in_any_grad_mode_get_the_same_answer(random_network, chelsea):
    network = random_network("torchvision:resnet18")
    expected = explain(network, chelsea)
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            assert (explain(network, chelsea).heatmap == expected.heatmap).all()


def test_the_same_picture_gives_the_same_bits(random_network, chelsea):
    network = random_network("timm:convnext_atto")
    first, *others = (explain(network, chelsea) for _ in range(3))
    for other in others:
        assert other.predictions == first.predictions
        assert (other.cam == first.cam).all()
        assert (other.features == first.features).all()


def test_an_explanation_is_frozen_and_on_the_cpu(random_network, chelsea):
    answer = explain(random_network("torchvision:resnet18"), chelsea, decode_seconds=0.25, load_seconds=0.5)
    with pytest.raises(dataclasses.FrozenInstanceError):
        answer.layer = "other"
    arrays = (answer.view, answer.display, answer.cam, answer.heatmap, answer.features, answer.contributions)
    assert not any(array.flags.writeable for array in arrays)
    assert answer.heatmap.dtype == np.float32
    assert answer.heatmap.shape == answer.view.shape[:2] == (224, 224)
    assert 0 <= answer.heatmap.min() <= answer.heatmap.max() == 1
    assert list(answer.seconds) == ["decode", "load", "forward", "backward"]
    assert (answer.seconds["decode"], answer.seconds["load"]) == (0.25, 0.5)
    assert answer.seconds["forward"] > 0 < answer.seconds["backward"]


def test_the_peak_is_a_place_in_the_original_picture(random_network):
    """A network that averages brightness: its evidence for the class is where the picture is white."""
    model = nn.Sequential(nn.Conv2d(3, 1, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1, 2))
    for parameter in model.parameters():
        nn.init.ones_(parameter)
    picture = Image.new("RGB", (200, 100))
    picture.paste("white", (120, 70, 130, 80))  # the crop keeps x from 0.25 to 0.75
    network = dataclasses.replace(
        tiny_network(model), input=InputSpec((3, 100, 100), resize=100, std=(1.0,) * 3)
    )
    x, y = explain(network, picture, target=0).heatmap_peak
    assert x == pytest.approx(125 / 200, abs=0.03)
    assert y == pytest.approx(75 / 100, abs=0.06)


def test_the_peak_is_the_middle_of_the_strongest_pixel(random_network, chelsea):
    answer = explain(random_network("torchvision:resnet18"), chelsea)
    heatmap = np.zeros((4, 8), np.float32)
    heatmap[1, 6] = 1
    answer = dataclasses.replace(answer, heatmap=heatmap, view_box=(0.25, 0.125, 0.75, 0.875))
    assert answer.heatmap_peak == (0.25 + 0.5 * 6.5 / 8, 0.125 + 0.75 * 1.5 / 4)


def test_a_heatmap_is_the_cam_drawn_out_around_the_middles_of_its_cells(random_network, chelsea):
    """At the edge of the picture, half a cell beyond the last middle, the last value stays."""
    answer = explain(random_network("torchvision:resnet18"), chelsea)

    def drawn_out(row: np.ndarray, size: int) -> np.ndarray:
        return np.interp((np.arange(size) + 0.5) * len(row) / size - 0.5, np.arange(len(row)), row)

    height, width = answer.heatmap.shape
    expected = np.apply_along_axis(drawn_out, 1, answer.cam, width)
    expected = np.apply_along_axis(drawn_out, 0, expected, height)
    assert answer.cam.shape == (7, 7)
    assert answer.heatmap == pytest.approx(expected / expected.max(), abs=1e-5)


def test_no_evidence_is_an_empty_heatmap_without_a_peak(chelsea):
    model = nn.Sequential(
        nn.Conv2d(3, 1, 1), nn.Sigmoid(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1, 2)
    )
    nn.init.constant_(model[4].weight, -1.0)
    answer = explain(tiny_network(model), chelsea, target=0)
    assert not answer.heatmap.any()
    assert answer.heatmap_peak is None


def test_contributions_of_a_linear_head_sum_to_the_class_score(chelsea):
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2, bias=False)
    )
    network = tiny_network(model)
    answer = explain(network, chelsea, target=1)
    with torch.no_grad():
        score = float(model(prepare(chelsea, network.input).x)[0, 1])
    assert answer.contributions.sum() == pytest.approx(score, abs=1e-5)


@pytest.mark.parametrize("measure", list(MEASURES))
def test_strongest_channels_come_first(measure, random_network, chelsea):
    answer = explain(random_network("torchvision:resnet18"), chelsea)
    features = top_features(answer, 12, measure)
    assert len(features) == 12
    strengths = [feature.strength for feature in features]
    assert strengths == sorted(strengths, reverse=True)
    everything = top_features(answer, 10_000, measure)
    assert sorted(feature.channel for feature in everything) == list(range(512))
    assert (features[0].map == answer.features[features[0].channel]).all()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("torchvision:resnet18", "layer4"),
        ("torchvision:vgg11", "features.19"),  # the last rectified convolution, not the pooling after it
        ("torchvision:densenet121", "features"),
        ("torchvision:squeezenet1_1", "classifier.2"),
        ("timm:convnext_atto", "stages"),
        ("timm:efficientnet_b0", "bn2"),
        ("timm:vit_tiny_patch16_224", "blocks.11.norm1"),
        ("timm:deit_tiny_distilled_patch16_224", "blocks.11.norm1"),
        ("timm:swin_tiny_patch4_window7_224", "norm"),
    ],
)
def test_the_default_layer_is_the_last_map_the_answer_is_read_from(name, expected):
    model = networks.build(name, device="meta")
    assert spatial_layers(model, networks.input_spec(name).shape).default == expected


def test_prefix_tokens_are_told_from_patches():
    for name, prefix, side in [
        ("timm:vit_tiny_patch16_224", 1, 14),
        ("timm:deit_tiny_distilled_patch16_224", 2, 14),
        ("timm:vit_small_patch14_reg4_dinov2", 5, 37),
    ]:
        found = spatial_layers(networks.build(name, device="meta"), networks.input_spec(name).shape)
        layer = found.by_path["blocks.3"]
        assert (layer.layout, layer.prefix, layer.height, layer.width) == ("tokens", prefix, side, side)


def test_layers_are_offered_in_the_order_they_finish_and_all_can_be_explained(random_network, chelsea):
    network = random_network("torchvision:resnet18")
    offered = layers(network)
    assert offered[0] == "conv1"
    assert offered[-1] == "layer4" == default_layer(network)
    assert offered.index("layer1.0.conv1") < offered.index("layer1.0") < offered.index("layer2.0.conv1")
    assert not {"avgpool", "fc", ""} & set(offered)
    for layer in offered[::7]:
        assert explain(network, chelsea, layer=layer).features.any()


def test_finding_layers_leaves_the_network_alone():
    model = networks.build("timm:resnet18")
    before = state(model)
    passes = []
    model.register_forward_hook(lambda *_: passes.append(1))
    spatial_layers(model, (3, 64, 64))
    assert passes == []
    assert hook_count(model) == 1
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
