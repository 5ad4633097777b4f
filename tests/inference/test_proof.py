"""A map that is right proves itself against chance; one that is wrong does not."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from explorer import networks
from explorer.inference import SAMPLES, decode, explain
from explorer.inference.proof import BLOB, RANDOM, THIS, prove
from explorer.networks import InputSpec, Network


class Corner(nn.Module):
    """Says the first class as long as there is contrast in the top right quarter."""

    def __init__(self):
        super().__init__()
        self.look = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x):
        seen = self.look(x)
        corner = 4 * x[:, :, :16, 16:].abs().mean((1, 2, 3))
        return torch.stack([corner, torch.full_like(corner, 2.0)], 1) + 0 * seen.mean()


@pytest.fixture(scope="module")
def corner():
    """The network, a picture, and an explanation whose map is to be replaced."""
    entry = networks.WeightsEntry("random:corner", networks.resolve("timm:resnet18"), "corner")
    network = Network(
        Corner().eval().requires_grad_(False),
        entry.reference,
        entry,
        InputSpec((3, 32, 32), resize=32),
        ("a", "b"),
    )
    image = decode(SAMPLES["chelsea"].load())
    return network, image, explain(network, image, layer="look", target=0, method="EigenCAM")


def with_map(explanation, heatmap):
    return replace(explanation, heatmap=heatmap.astype("float32"), cam=heatmap.astype("float32"))


def test_the_right_place_falls_first_and_comes_first(corner):
    network, image, explanation = corner
    heatmap = np.zeros((32, 32))
    heatmap[:16, 16:] = 1
    proof = prove(network, image, with_map(explanation, heatmap))
    for other in (RANDOM, BLOB):
        assert proof.area(proof.deletion, THIS) < proof.area(proof.deletion, other)
        assert proof.area(proof.insertion, THIS) > proof.area(proof.insertion, other)
    assert proof.average_drop < 0.01  # all that counts is in sight


def test_the_wrong_place_does_no_better_than_chance(corner):
    network, image, explanation = corner
    heatmap = np.ones((32, 32))
    heatmap[:16, 16:] = 0
    proof = prove(network, image, with_map(explanation, heatmap))
    assert proof.area(proof.deletion, THIS) > proof.area(proof.deletion, RANDOM)
    assert proof.area(proof.insertion, THIS) < proof.area(proof.insertion, RANDOM)
    assert proof.average_drop > 0.3


def test_curves_begin_and_end_where_they_must(corner):
    network, image, explanation = corner
    calls = []
    proof = prove(network, image, explanation, lambda *passes: calls.append(passes))
    whole = explanation.explained.probability
    for curve in proof.deletion.values():
        assert curve[0] == pytest.approx(whole, abs=1e-5)
        assert curve[-1] == pytest.approx(float(torch.tensor([0.0, 2.0]).softmax(0)[0]), abs=1e-5)
    for curve in proof.insertion.values():
        assert curve[-1] == pytest.approx(whole, abs=1e-5)
    assert calls[-1][0] == calls[-1][1]


def test_grad_cam_of_a_trained_network_goes_with_its_weights_and_leaves_them_alone():
    network = networks.load("box:tf_efficientnet_lite0")
    image = decode(SAMPLES["chelsea"].load())
    before = {name: value.clone() for name, value in network.model.state_dict().items()}
    explanation = explain(network, image)
    proof = prove(network, image, explanation)
    assert proof.area(proof.deletion, THIS) < proof.area(proof.deletion, RANDOM)
    assert proof.area(proof.insertion, THIS) > proof.area(proof.insertion, RANDOM)
    shares, alike = zip(*proof.randomised, strict=True)
    assert shares[-1] == 1
    assert alike[-1] < 0.6
    assert all(torch.equal(before[name], value) for name, value in network.model.state_dict().items())


def test_nothing_to_prove_is_a_sentence(corner):
    network, image, explanation = corner
    with pytest.raises(ValueError, match="nothing to test"):
        prove(network, image, with_map(explanation, np.zeros((32, 32))))


class Brightest(nn.Module):
    """Its one layer is the picture itself, so that a map of it moves with the picture to the pixel."""

    def __init__(self):
        super().__init__()
        self.look = nn.Conv2d(3, 3, 1, bias=False)
        self.look.weight.data = torch.eye(3)[:, :, None, None]

    def forward(self, x):
        seen = self.look(x)
        return torch.stack([seen.square().mean((1, 2, 3)), seen.mean((1, 2, 3))], 1)


def test_a_map_that_goes_along_with_the_picture_is_stable(corner):
    network, _, _ = corner
    moving = replace(network, model=Brightest().eval().requires_grad_(False))
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8))
    along = explain(moving, image, layer="look", target=0, method="LayerCAM")
    assert prove(moving, image, along).moved == (1, pytest.approx(1, abs=0.01))
    stays = prove(network, image, with_map(along, np.random.default_rng(1).random((32, 32))))
    assert stays.moved[1] < 0.3
