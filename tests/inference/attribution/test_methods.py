"""Every method: a map or a sentence for every kind of network, which is left as it was."""

from dataclasses import replace

import numpy as np
import pytest
import timm
import torch
import torchvision
from captum.attr import FeatureAblation, Occlusion
from PIL import Image
from torch import nn

from explorer import networks
from explorer.inference import METHODS, DoesNotApply, explain
from explorer.inference.attribution import from_attention, from_captum, from_gradient, from_passes
from explorer.inference.attribution.evidence import Evidence, silent
from explorer.inference.preprocessing import prepare
from explorer.inference.spatial import spatial_layers
from explorer.networks import InputSpec, Network

SIDE = 64
# Kinds of network, with a layer of few channels: ReLU used again, dense, ReLU once a place, SiLU with gates,
# channels last, tokens, windows.
KINDS = {
    "resnet18": ("layer1", lambda: torchvision.models.resnet18()),
    "densenet121": (
        "features.denseblock1.denselayer2",
        lambda: torchvision.models.densenet121(),
    ),
    "resnet10t": ("layer1", lambda: timm.create_model("resnet10t")),
    "efficientnet_b0": ("blocks.1", lambda: timm.create_model("efficientnet_b0")),
    "convnext_atto": ("stages.0", lambda: timm.create_model("convnext_atto")),
    "vit_tiny": ("blocks.9", lambda: timm.create_model("vit_tiny_patch16_224", img_size=SIDE, embed_dim=48)),
    "swin_tiny": (
        "layers.0",
        lambda: timm.create_model("swin_tiny_patch4_window7_224", img_size=SIDE, embed_dim=24),
    ),
}


def network_of(model: nn.Module, side: int, labels: tuple[str, ...] = ()) -> Network:
    entry = networks.WeightsEntry("random:tiny", networks.resolve("timm:resnet18"), "tiny")
    model = model.eval().requires_grad_(False)
    return Network(model, entry.reference, entry, InputSpec((3, side, side), resize=side), labels)


@pytest.fixture(scope="module")
def random_network():
    """`random_network(kind)`: of KINDS, random weights, each built once."""
    built: dict[str, Network] = {}

    def make(kind: str) -> Network:
        if kind not in built:
            torch.manual_seed(0)
            built[kind] = network_of(KINDS[kind][1](), SIDE)
        return built[kind]

    return make


@pytest.fixture
def few_passes(monkeypatch):
    """The mechanism is the same with 9 patches as with 225."""
    for name, count in {"PATCHES": 4, "SUPERPIXELS": 5, "RISE_MASKS": 6}.items():
        monkeypatch.setattr(from_passes, name, count)
    for name, count in {"STEPS": 2, "NOISY": 2}.items():
        monkeypatch.setattr(from_captum, name, count)


def state(model: nn.Module) -> list[object]:
    """What a method could leave behind: hooks, modes, parameters, gradients."""
    return [
        (
            path,
            module.training,
            getattr(module, "inplace", None),
            [len(getattr(module, name)) for name in vars(module) if "hooks" in name],
            [(p.requires_grad, p.grad is None, p._version) for p in module.parameters(recurse=False)],
            [b._version for b in module.buffers(recurse=False)],
        )
        for path, module in model.named_modules()
    ]


@pytest.mark.parametrize("name", KINDS)
def test_each_method_gives_a_map_or_a_sentence_and_leaves_the_network_as_it_was(
    name, random_network, chelsea, few_passes
):
    network = random_network(name)
    before = state(network.model)
    maps = {}
    for method in METHODS:
        try:
            found = explain(network, chelsea, layer=KINDS[name][0], method=method)
        except DoesNotApply:
            assert METHODS[method].limits, f"{method} refuses and its row does not say where"
        else:
            assert (found.cam >= 0).all()
            assert np.isfinite(found.cam).all()
            assert found.method == method
            assert found.cam.any() or found.blank
            assert (found.cam.shape == found.heatmap.shape) == (METHODS[method].at == "picture") or (
                method in ("Attention rollout", "Guided Grad-CAM")
            )
            maps[method] = found.heatmap
        assert state(network.model) == before, f"{method} left something behind"
    assert len(maps) >= len(METHODS) - 4
    shown = [each for each in maps.values() if each.any()]
    assert all(not np.array_equal(one, other) for i, one in enumerate(shown) for other in shown[i + 1 :])


def evidence(network: Network, image: Image.Image, layer: str) -> Evidence:
    found = explain(network, image, layer=layer)
    target = found.target
    x = prepare(image, network.input).x
    place = spatial_layers(network.model, network.input.shape).by_path[layer]
    module = network.model.get_submodule(layer)
    kept = []
    handle = module.register_forward_hook(lambda _m, _i, output: kept.append(output))
    score = network.model(x.requires_grad_())[0, target]
    handle.remove()
    (gradient,) = torch.autograd.grad(score, kept[0])
    return Evidence(
        network,
        x.detach(),
        target,
        None,
        silent,
        place,
        torch.from_numpy(found.features.copy()),
        place.to_map(gradient),
    )


@pytest.fixture(scope="module")
def seen(random_network, chelsea) -> Evidence:
    return evidence(random_network("resnet10t"), chelsea, "layer2")


def close(found: torch.Tensor, expected: torch.Tensor) -> None:
    """Within 1e-4 of the largest value, which is not zero."""
    scale = expected.abs().max()
    assert scale > 0
    torch.testing.assert_close(found / scale, expected / scale, rtol=0, atol=1e-4)


def by_hand(weights: torch.Tensor, activation: torch.Tensor) -> torch.Tensor:
    return sum(w * a for w, a in zip(weights, activation, strict=True)).relu()


def test_one_class_against_another_follows_the_difference_of_their_scores(seen, chelsea):
    gradients = []
    for target in (3, 7):
        kept = []
        handle = seen.network.model.get_submodule("layer2").register_forward_hook(
            lambda _module, _inputs, output, kept=kept: kept.append(output)
        )
        score = seen.network.model(seen.x.clone().requires_grad_())[0, target]
        handle.remove()
        gradients.append(torch.autograd.grad(score, kept[0])[0][0])
    weights = (gradients[0] - gradients[1]).mean((1, 2))
    found = explain(seen.network, chelsea, layer="layer2", target=3, against=7)
    close(torch.from_numpy(found.cam.copy()), by_hand(weights, seen.activation))
    assert (found.target, found.against.index) == (3, 7)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_can_ask_why_the_one_and_not_the_other(method, random_network, chelsea):
    network = random_network("resnet10t")
    asked = {"layer": KINDS["resnet10t"][0], "method": method, "target": 3}
    try:
        alone, found = explain(network, chelsea, **asked), explain(network, chelsea, **asked, against=9)
    except DoesNotApply:
        return
    same = np.array_equal(alone.cam, found.cam)
    assert same != METHODS[method].of_a_class


def test_grad_cam_plus_plus_is_equation_19(seen):
    g, a = seen.gradient.double(), seen.activation.double()
    alpha = torch.zeros_like(g)
    for c in range(len(g)):
        below = 2 * g[c] ** 2 + a[c].sum() * g[c] ** 3
        alpha[c][g[c] != 0] = (g[c] ** 2 / (below + 1e-7))[g[c] != 0]
    close(from_gradient.grad_cam_plus_plus(seen).double(), by_hand((alpha * g.relu()).sum((1, 2)), a))


def test_xgrad_cam_is_equation_6(seen):
    g, a = seen.gradient.double(), seen.activation.double()
    weights = torch.stack([(g[c] * a[c]).sum() / (a[c].sum() + 1e-7) for c in range(len(a))])
    close(from_gradient.xgrad_cam(seen).double(), by_hand(weights, a))


def test_eigen_cam_is_the_first_principal_component(seen):
    places = seen.activation.flatten(1).T.double().numpy()
    covariance = np.cov(places.T)
    first = np.linalg.eigh(covariance)[1][:, -1]
    along = torch.from_numpy(places @ first).reshape(seen.activation.shape[1:])
    found = from_gradient.eigen_cam(seen).double()
    try:
        close(found, along.relu())
    except AssertionError:
        close(found, (-along).relu())


def test_score_cam_is_equation_4_channel_by_channel(seen):
    scores, weighed = [], [channel for channel in seen.activation if channel.min() < channel.max()]
    with torch.no_grad():
        for channel in weighed:
            mask = nn.functional.interpolate(channel[None, None], size=seen.x.shape[-2:], mode="bilinear")[
                0, 0
            ]
            mask = (mask - mask.min()) / (mask.max() - mask.min())
            scores.append(seen.network.model(seen.x * mask)[0, seen.target])
    close(from_passes.score_cam(seen), by_hand(torch.stack(scores).softmax(0), weighed))


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("resnet10t", "layer2"),
        ("densenet121", "features.denseblock1.denselayer2"),  # joined with what is before it
        ("vit_tiny", "blocks.9"),
    ],
)
def test_ablation_cam_silences_each_channel(name, layer, random_network, chelsea):
    at = evidence(random_network(name), chelsea, layer)
    module, axis = at.network.model.get_submodule(layer), 1 if at.layer.layout == "channels first" else -1

    def without(channel: int) -> torch.Tensor:
        def silence(_module, _inputs, output):
            output = output.clone()
            output.select(axis, channel).zero_()
            return output

        handle = module.register_forward_hook(silence)
        try:
            return at.network.model(at.x)[0]
        finally:
            handle.remove()

    with torch.no_grad():
        whole, rest = at.network.model(at.x)[0], torch.stack([*map(without, range(len(at.activation)))])
    for target in range(6):
        weights = (whole - rest)[:, target] / whole[target].abs()
        expected = by_hand(weights, at.activation)
        found = from_passes.ablation_cam(replace(at, target=target))
        if expected.any():
            close(found, expected)
            break
        assert not found.any()
    else:
        pytest.fail("no class is spoken for")


def test_occlusion_and_superpixels_equal_captum_s(seen, few_passes, monkeypatch):
    height, width = seen.x.shape[-2:]
    rows, columns = height // 4, width // 4

    def probability(pictures):
        return seen.network.model(pictures).softmax(1)

    with torch.no_grad():
        theirs = Occlusion(probability).attribute(
            seen.x, (3, 2 * rows, 2 * columns), (3, rows, columns), target=seen.target
        )
    close(from_passes.occlusion(seen), theirs[0, 0].relu())
    regions = (torch.arange(width) * 5 // width).expand(height, width)
    monkeypatch.setattr("skimage.segmentation.slic", lambda *_args, **_kwargs: regions.numpy() + 1)
    with torch.no_grad():
        theirs = FeatureAblation(probability).attribute(
            seen.x, target=seen.target, feature_mask=regions[None, None].expand(1, 3, -1, -1)
        )
    close(from_passes.superpixels(seen), theirs[0, 0].relu())


def test_rise_finds_the_quarter_that_the_answer_depends_on(chelsea):
    class Corner(nn.Module):
        def __init__(self):
            super().__init__()
            self.look = nn.Conv2d(3, 1, 1)

        def forward(self, x):
            seen = self.look(x)[:, 0]
            corner = x[:, :, :16, 16:].abs().mean((1, 2, 3))
            return torch.stack([10 * corner, 5 * corner.new_ones(len(x)) + 0 * seen.mean((1, 2))], 1)

    network = network_of(Corner(), 32, ("corner", "rest"))
    found = explain(network, chelsea, layer="look", method="RISE", target=0).cam
    assert found[:16, 16:].mean() > 3 * found[16:, :16].mean()


def test_rollout_multiplies_the_attention_that_timm_computes(random_network, chelsea):
    network = random_network("vit_tiny")
    at = evidence(network, chelsea, "blocks.9")
    kept, handles = [], []
    for block in network.model.blocks:
        block.attn.fused_attn = False
        handles.append(block.attn.attn_drop.register_forward_hook(lambda _m, _i, output: kept.append(output)))
    with torch.no_grad():
        network.model(at.x)
    for block, handle in zip(network.model.blocks, handles, strict=True):
        block.attn.fused_attn = True
        handle.remove()
    joint = torch.eye(17)
    for attention in kept:
        joint = (attention[0].mean(0) + torch.eye(17)) / 2 @ joint
    close(from_attention.attention_rollout(at), joint[0, 1:].reshape(4, 4))


def test_torchvision_s_attention_is_read_too(chelsea):
    model = torchvision.models.VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=4)
    network = network_of(model, 32)
    found = explain(network, chelsea, method="Attention rollout").cam
    assert found.shape == (4, 4)
    assert 0 < found.sum() < 1  # the rest is the class token's own


def test_a_blank_map_says_why(chelsea):
    class Against(nn.Module):
        def __init__(self):
            super().__init__()
            self.look = nn.Sequential(nn.Conv2d(3, 1, 1), nn.Softplus())

        def forward(self, x):
            strength = self.look(x).mean((1, 2, 3))
            return torch.stack([-strength, strength], 1)

    network = network_of(Against(), 32, ("no", "yes"))
    found = explain(network, chelsea, layer="look", target=0)
    assert not found.heatmap.any()
    assert "speaks against it" in found.blank
    assert not explain(network, chelsea, layer="look", target=1).blank
