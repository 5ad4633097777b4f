"""What stands for a network when a picture goes through it."""

import pytest
import torch
from torch import nn

from explorer import networks
from explorer.inference.through.columns import PICTURE, columns
from explorer.networks import CannotRun
from tests.inference.tiny import tiny_network


@pytest.fixture(scope="module")
def loaded():
    """`loaded(name)`: random weights, each network built once."""
    built = {}
    return lambda name: built.setdefault(name, networks.load(f"random:{name}"))


# As the papers' tables have them: (path, channels, side) of what each stage hands on.
STAGES = {
    "torchvision:vgg16": [
        ("features.3", 64, 224),
        ("features.8", 128, 112),
        ("features.15", 256, 56),
        ("features.22", 512, 28),
        ("features.29", 512, 14),
    ],
    "torchvision:googlenet": [
        ("conv3", 192, 56),
        ("inception3b", 480, 28),
        ("inception4e", 832, 14),
        ("inception5b", 1024, 7),
    ],
    "torchvision:resnet18": [
        ("relu", 64, 112),
        ("layer1", 64, 56),
        ("layer2", 128, 28),
        ("layer3", 256, 14),
        ("layer4", 512, 7),
    ],
    "torchvision:densenet121": [
        ("features.relu0", 64, 112),
        ("features.denseblock1", 256, 56),
        ("features.denseblock2", 512, 28),
        ("features.denseblock3", 1024, 14),
        ("features.denseblock4", 1024, 7),
    ],
    "timm:swin_tiny_patch4_window7_224": [
        ("patch_embed", 96, 56),
        ("layers.0", 96, 56),
        ("layers.1", 192, 28),
        ("layers.2", 384, 14),
        ("layers.3", 768, 7),
    ],
}


@pytest.mark.parametrize("name", STAGES)
def test_every_stage_is_shown_by_what_it_hands_on(name, loaded):
    found = columns(loaded(name))
    assert [(c.layer.path, c.layer.channels, c.layer.height) for c in found] == STAGES[name]
    assert [c.sources for c in found] == [(PICTURE,), *((at,) for at in range(len(found) - 1))]
    assert sum(c.macs_share for c in found) == pytest.approx(1, abs=0.02)  # but for the classifier
    sizes = [c.field.size for c in found]
    assert sizes == sorted(sizes)


def test_cells_see_what_the_literature_says(loaded):
    """ResNet-18's whole is 435 pixels: Araujo et al. 2019, table 1, whose last layer is the same."""
    found = columns(loaded("torchvision:resnet18"))
    assert [c.field.size[0] for c in found] == [7, 43, 99, 211, 435]


def test_an_opened_stage_shows_its_blocks_and_an_opened_block_its_layers(loaded):
    network = loaded("torchvision:resnet18")
    closed, blocks, layers = (columns(network, opened) for opened in ("", "stage 2", "layer2.0"))
    assert [c.inside for c in closed] == ["", "stage 1", "stage 2", "stage 3", "stage 4"]
    assert [c.layer.path for c in blocks] == ["relu", "layer1", "layer2.0", "layer2.1", "layer3", "layer4"]
    assert blocks[2].inside == "layer2.0"
    inside = {c.layer.path: c for c in layers if c.unit == "layer2.0"}
    assert list(inside) == [
        f"layer2.0.{each}"
        for each in ("conv1", "bn1", "conv2", "bn2", "downsample.0", "downsample.1", "relu")
    ]
    # Both ways into the block's addition, and from the block before to both of its branches.
    by_path = [c.layer.path for c in layers]
    assert {by_path[s] for s in inside["layer2.0.relu"].sources} == {"layer2.0.bn2", "layer2.0.downsample.1"}
    assert [by_path[s] for s in inside["layer2.0.downsample.0"].sources] == ["layer1"]


def test_where_the_longest_stage_has_no_map_the_others_stand(loaded):
    assert [c.layer.path for c in columns(loaded("zoo:lenet5"))] == ["squash1", "c3"]


def test_what_is_not_there_opens_nothing(loaded):
    network = loaded("torchvision:resnet18")
    assert columns(network, "stage 99") == columns(network)


def test_a_network_on_one_grid_is_shown_by_its_blocks(loaded):
    network = loaded("timm:vit_tiny_patch16_224")
    found = columns(network)
    assert [c.layer.path for c in found] == ["patch_embed", *(f"blocks.{n}" for n in (1, 3, 5, 7, 9, 11))]
    assert len(columns(network, "stage 1")) == 13
    assert found[-1].field.beyond == "global from blocks.0.attn"


class TwoWays(nn.Module):
    """Two convolutions side by side, added."""

    def __init__(self):
        super().__init__()
        self.one, self.other = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(3, 4, 1)
        self.last = nn.Sequential(nn.Conv2d(4, 6, 2, stride=2), nn.ReLU())
        self.head = nn.Linear(6, 3)

    def forward(self, x):
        return self.head(self.last(self.one(x) + self.other(x)).mean((2, 3)))


def test_where_two_ways_meet_both_are_sources():
    found = columns(tiny_network(TwoWays(), side=8))
    assert [(c.layer.path, c.sources) for c in found] == [
        ("one", (PICTURE,)),
        ("other", (PICTURE,)),
        ("last", (0, 1)),
    ]
    assert [c.field.size for c in found] == [(3, 3), (1, 1), (4, 4)]
    assert [c.macs for c in found] == [8 * 8 * 4 * 3 * 9, 8 * 8 * 4 * 3, 4 * 4 * 6 * 4 * 4]


def test_a_network_that_cannot_be_traced_is_told():
    class Stubborn(TwoWays):
        def forward(self, x):
            if x.is_meta or torch.is_inference_mode_enabled():
                raise RuntimeError("it needs numbers")
            return super().forward(x)

    with pytest.raises(CannotRun, match="cannot be traced: it needs numbers"):
        columns(tiny_network(Stubborn(), side=8))
