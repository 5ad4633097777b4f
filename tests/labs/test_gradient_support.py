"""The theoretical field confirmed on twelve networks: no pixel outside it has influence, its edges have.

All-positive weights, so that nothing cancels; see `all_positive` for what else is replaced and why. Sizes are
chosen so that the middle unit's field lies inside the image on all sides, and so that no border pixel falls
between the last window and the edge, where an unpadded stride would never read it.
"""

import pytest
import timm
import torch
from torch import nn
from torchvision.ops import SqueezeExcitation

from explorer.analysis import trace, trace_module
from explorer.inference.spatial import spatial_layers
from explorer.labs.receptive_field.theory import field_at, middle_unit
from explorer.networks import build
from tests.labs.all_positive_networks import all_positive, influence_on, support


def dilated_resnet() -> nn.Module:
    """The last two stages keep their size and spread their windows by 2 and 4."""
    return timm.create_model("resnet10t", output_stride=8).eval()


@pytest.mark.parametrize(
    ("network", "side", "path", "size"),
    [
        ("torchvision:alexnet", 263, "features.12", 195),  # large windows, overlapping poolings
        ("torchvision:squeezenet1_1", 127, "features.7", 63),  # branches joined
        ("torchvision:googlenet", 160, "inception4a", 107),  # branches of 1x1, 3x3 and a pooling
        ("torchvision:densenet121", 80, "features.denseblock1", 59),  # everything read again and again
        ("zoo:resnet20", 96, "layer3", 81),  # skips
        ("timm:regnetx_002", 160, "s3", 127),  # groups
        ("timm:mobilenetv2_100", 128, "blocks.2", 59),  # depthwise
        ("torchvision:shufflenet_v2_x0_5", 160, "stage2", 63),  # channels split and shuffled
        ("torchvision:efficientnet_b0", 160, "features.3", 67),  # beside its gates
        ("torchvision:mobilenet_v3_small", 160, "features.4", 63),  # beside its gates
        ("timm:convnext_atto", 176, "stages.1", 152),  # patches, 7x7 depthwise
        (dilated_resnet, 224, "layer4", 199),  # dilation
    ],
    ids=lambda each: getattr(each, "__name__", str(each)),
)
def test_the_theoretical_field_is_the_support_of_the_gradient(
    network, side: int, path: str, size: int
) -> None:
    model = network() if callable(network) else build(network, side)
    shape = (3, side, side)
    traced = trace(network, side) if isinstance(network, str) else trace_module(model, (1, *shape), "dilated")
    field = field_at(traced, path)
    assert field is not None
    assert field.size == (size, size)
    positive = all_positive(model, without=(SqueezeExcitation,))
    layer = spatial_layers(model, shape).by_path[path]
    first, last = (0, 0), (field.positions[0] - 1, field.positions[1] - 1)
    for unit in (first, middle_unit(field), last):
        expected = []
        for axis in (0, 1):
            low, high = field.interval(axis, unit[axis])
            expected.append((max(0, low), min(side - 1, high)))
            assert unit in (first, last) or (low >= 0 and high < side)
        assert support(positive, shape, layer, unit) == tuple(expected)


def test_a_gate_reaches_past_the_local_field() -> None:
    """With its squeeze-and-excitation left in, the same unit of EfficientNet-B0 depends on every pixel."""
    model, shape = build("torchvision:efficientnet_b0", 96), (3, 96, 96)
    layer = spatial_layers(model, shape).by_path["features.3"]
    local = support(all_positive(model, without=(SqueezeExcitation,)), shape, layer, (6, 6))
    assert local == ((15, 81), (15, 81))
    gated = all_positive(model)
    assert support(gated, shape, layer, (6, 6)) == ((0, 95), (0, 95))


def test_holes_of_a_dilated_window_are_inside_the_field_and_without_influence() -> None:
    model = nn.Sequential(nn.Conv2d(3, 2, 3, padding=2, dilation=2), nn.Conv2d(2, 2, 1))
    layer = spatial_layers(model, (3, 9, 9)).by_path["1"]
    influence = influence_on(all_positive(model), (3, 9, 9), layer, (4, 4))
    assert influence[4].nonzero().flatten().tolist() == [2, 4, 6]


def test_the_network_itself_stays_as_it_was() -> None:
    model = build("torchvision:squeezenet1_1", 64)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    kinds = [type(module) for module in model.modules()]
    all_positive(model)
    assert [type(module) for module in model.modules()] == kinds
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
