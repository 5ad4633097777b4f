"""What is kept of the columns is what the layers gave out, of the one pass that the answer takes anyway."""

import numpy as np
import pytest
import torch
from torch import nn

from explorer import networks
from explorer.inference import explain
from explorer.inference.preprocessing import prepare
from explorer.inference.through.columns import columns
from explorer.inference.through.maps import KEPT, MOST_CELLS, look
from explorer.inference.watching import outputs_of
from explorer.networks import CannotRun
from tests.inference.tiny import tiny_network


def outputs(network, image, layer):
    """[C, h, w] of one layer of a pass of its own."""
    module = network.model.get_submodule(layer.path)
    with torch.no_grad(), outputs_of(module) as kept:
        network.model(prepare(image, network.input).x)
    return layer.to_map(kept[-1])


def convolutions(seed: int) -> nn.Module:
    """A few layers of any widths, strides and activations."""
    torch.manual_seed(seed)
    layers, channels = [], 3
    for _ in range(4):
        width, kernel, stride = (int(torch.randint(*ends, ())) for ends in ((2, 20), (1, 5), (1, 3)))
        layers += [nn.Conv2d(channels, width, kernel, stride, kernel // 2), (nn.ReLU(), nn.GELU())[seed % 2]]
        channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 5))


NETWORKS = {
    **{
        f"convolutions {seed}": lambda seed=seed: tiny_network(convolutions(seed), side=64)
        for seed in range(4)
    },
    "large maps": lambda: tiny_network(convolutions(0), side=300),
    "tokens": lambda: networks.load("random:timm:vit_tiny_patch16_224"),
    "channels last": lambda: networks.load("random:timm:swin_tiny_patch4_window7_224"),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_every_map_is_what_the_layer_gave_out(name, chelsea):
    network = NETWORKS[name]()
    along = columns(network)
    seen = explain(network, chelsea, along=along).passage
    for column in along:
        maps, whole = seen[column.layer.path], outputs(network, chelsea, column.layer)
        strengths = whole.abs().mean((1, 2))
        best = strengths.sort(descending=True).values[:KEPT]
        assert len(maps.channels) == min(KEPT, column.layer.channels)
        np.testing.assert_allclose(maps.strengths, best.numpy(), rtol=1e-4)
        for channel, strength, levels in zip(maps.channels, maps.strengths, maps.levels, strict=True):
            assert strength == pytest.approx(float(strengths[channel]), rel=1e-4)
            expected = averaged(whole[channel].numpy(), maps.step)
            assert max(levels.shape) <= MOST_CELLS
            told = maps.low + levels / 255 * (maps.high - maps.low)
            half_a_level = (maps.high - maps.low) / 510 * 1.01
            np.testing.assert_allclose(told, expected.clip(maps.low, maps.high), rtol=0, atol=half_a_level)


def averaged(values: np.ndarray, step: int) -> np.ndarray:
    """Means of step x step cells, of fewer at the far edges."""
    height, width = values.shape
    rows, cols = (range(0, side, step) for side in (height, width))
    return np.array([[values[r : r + step, c : c + step].mean() for c in cols] for r in rows])


def test_the_answer_is_the_same_and_takes_one_pass(chelsea):
    network = tiny_network(convolutions(1), side=64)
    passes = []
    network.model.register_forward_hook(lambda *_: passes.append(1))
    along = columns(network)
    passes.clear()
    with_columns = explain(network, chelsea, along=along)
    assert len(passes) == 1
    alone = explain(network, chelsea)
    assert with_columns.predictions == alone.predictions
    np.testing.assert_array_equal(with_columns.cam, alone.cam)
    assert not alone.passage


def test_nothing_is_left_hooked(chelsea):
    network = tiny_network(convolutions(2), side=32)
    along = columns(network)
    seen = look(network, chelsea, along)
    assert set(seen) == {column.layer.path for column in along}
    assert not any(each._forward_hooks or each._forward_pre_hooks for each in network.model.modules())
    assert all(parameter.grad is None for parameter in network.model.parameters())


def test_a_map_of_zeros_and_one_that_is_not_finite(chelsea):
    zeros = nn.Sequential(nn.Conv2d(3, 2, 1), nn.Flatten(), nn.Linear(2 * 8 * 8, 2))
    zeros[0].weight.data.zero_()
    zeros[0].bias.data.zero_()
    network = tiny_network(zeros, side=8)
    (maps,) = look(network, chelsea, columns(network)).values()
    assert (maps.low, maps.high, maps.levels.max()) == (0, 1, 0)
    zeros[0].bias.data.fill_(float("inf"))
    with pytest.raises(CannotRun, match="not finite"):
        look(network, chelsea, columns(network))
    assert not any(each._forward_hooks for each in network.model.modules())
