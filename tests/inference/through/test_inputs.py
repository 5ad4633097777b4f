"""What feeds a channel adds up to what the channel is."""

import numpy as np
import pytest
import torch
from captum.attr import LayerGradientXActivation
from torch import nn

from explorer import networks
from explorer.inference.preprocessing import prepare
from explorer.inference.through.columns import PICTURE, columns
from explorer.inference.through.inputs import inputs
from tests.inference.tiny import tiny_network


def without_biases(*widths: int) -> nn.Module:
    torch.manual_seed(0)
    layers, channels = [], 3
    for width in widths:
        layers += [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.ReLU(), nn.AvgPool2d(2)]
        channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 5))


def test_without_biases_the_inputs_add_up_to_the_mean(chelsea):
    network = tiny_network(without_biases(6, 12, 5), side=32)
    along = columns(network)
    for at, column in enumerate(along):
        for channel in range(column.layer.channels):
            found = inputs(network, chelsea, along, at, channel)
            assert sum(found.given.values()) == pytest.approx(found.mean, abs=1e-5)


def test_the_first_column_is_fed_by_pixels(chelsea):
    """Of a 1 x 1 convolution each pixel gives its weighted colour, by its share in the mean."""
    network = tiny_network(
        nn.Sequential(nn.Conv2d(3, 2, 1, bias=False), nn.Flatten(), nn.Linear(128, 2)), side=8
    )
    found = inputs(network, chelsea, columns(network), 0, 1)
    weights = network.model[0].weight.detach()[1]
    expected = (prepare(chelsea, network.input).x[0] * weights).sum(0) / 64
    np.testing.assert_allclose(found.picture, expected.numpy(), rtol=1e-4, atol=1e-7)
    assert list(found.given) == [PICTURE]
    assert not found.maps


class Sum(nn.Module):
    """Two ways that meet; the second, of which one channel is heard, gives three times as much."""

    def __init__(self):
        super().__init__()
        self.one, self.other = nn.Conv2d(3, 4, 1), nn.Conv2d(3, 4, 1)
        self.meet = nn.Conv2d(4, 2, 1, bias=False)
        self.meet.weight.data.copy_(torch.tensor([[1.0, 0, 0, 0], [0, 0, 0, 1]])[:, :, None, None])
        for way, size in ((self.one, 1.0), (self.other, 3.0)):
            way.weight.data.zero_()
            way.bias.data.fill_(size)

    def forward(self, x):
        return self.meet(self.one(x) + self.other(x)).mean((2, 3))


def test_two_sources_give_what_they_give(chelsea):
    network = tiny_network(Sum(), side=8)
    along = columns(network)
    at = [column.layer.path for column in along].index("meet")
    found = inputs(network, chelsea, along, at, 0)
    assert found.mean == pytest.approx(4)
    given = {along[source].layer.path: value for source, value in found.given.items()}
    assert given == pytest.approx({"one": 1, "other": 3})
    for maps in found.maps.values():
        assert maps.channels[0] == 0
        assert maps.strengths[1:] == (0, 0, 0)


def test_inputs_equal_captum_s_gradient_times_activation(chelsea):
    network = networks.load("random:torchvision:resnet18")
    along = columns(network)
    found = inputs(network, chelsea, along, 2, 5)

    class Mean(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = network.model

        def forward(self, x):
            model = self.model
            x = model.maxpool(model.relu(model.bn1(model.conv1(x))))
            return model.layer2(model.layer1(x)).mean((2, 3))

    x = prepare(chelsea, network.input).x.requires_grad_()
    theirs = LayerGradientXActivation(Mean(), network.model.layer1).attribute(x, 5)[0].sum((1, 2)).detach()
    assert found.given[1] == pytest.approx(float(theirs.sum()), rel=1e-4)
    strongest = theirs.abs().sort(descending=True).indices[:3].tolist()
    assert list(found.maps[1].channels[:3]) == strongest
    np.testing.assert_allclose(found.maps[1].strengths[:3], theirs[strongest].numpy(), rtol=1e-3)
    assert not any(each._forward_hooks or each._forward_pre_hooks for each in network.model.modules())
    assert all(
        parameter.grad is None and not parameter.requires_grad for parameter in network.model.parameters()
    )


def test_tokens_are_fed_by_the_block_before(chelsea):
    network = networks.load("random:timm:vit_tiny_patch16_224")
    along = columns(network)
    found = inputs(network, chelsea, along, 2, 0)
    assert list(found.given) == [1]
    assert found.maps[1].levels.shape == (8, 14, 14)


def test_a_channel_that_is_not_there_is_refused(chelsea):
    network = tiny_network(without_biases(6), side=16)
    with pytest.raises(ValueError, match="6 is not a channel of"):
        inputs(network, chelsea, columns(network), 0, 6)
