"""The networks written here against their papers' figures; where none is printed, against the layer sizes."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models import resnet34

from explorer import networks
from explorer.networks.shufflenet_v1 import ShuffleNetV1
from explorer.networks.wide_resnet import WideResNet


def count(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def macs(model: nn.Module, *shape: int) -> float:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model.eval()(torch.zeros(1, *shape, device=next(model.parameters()).device))
    return counter.get_total_flops() / 2


@pytest.mark.parametrize(
    ("name", "params"),
    [
        (
            "lenet5",
            60_000,
        ),  # the paper's total: table I's sparse C3, trainable subsampling, fixed output codes
        ("zfnet", 62_357_608),  # no total printed; the sum over figure 3's layers
        ("plain20", 269_722),
        ("resnet20", 269_722),  # printed 0.27 M
        ("plain56", 853_018),
        ("resnet56", 853_018),  # printed 0.85 M
        ("plain34", 21_623_848),
        ("wrn28_10", 36_479_194),  # printed 36.5 M
        ("shufflenet_v1", 1_865_728),  # no total printed
    ],
)
def test_parameters_are_those_of_the_paper(name: str, params: int) -> None:
    assert networks.parameter_count(networks.resolve(f"explorer:{name}")) == params


@pytest.mark.parametrize("name", networks.names()["explorer"])
def test_it_answers_for_its_papers_input(name: str) -> None:
    spec = networks.input_spec(f"explorer:{name}")
    model = networks.build(f"explorer:{name}", device="meta")
    classes = 1000 if spec.image_size == 224 else 10
    assert model(torch.zeros(2, *spec.shape, device="meta")).shape == (2, classes)


def test_zfnet_has_the_map_sizes_of_figure_3() -> None:
    model = networks.build("explorer:zfnet", device="meta")
    x, sides = torch.zeros(1, 3, 224, 224, device="meta"), []
    for layer in model.get_submodule("features"):
        x = layer(x)
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d):
            sides.append(x.shape[-1])
    assert sides == [110, 55, 26, 13, 13, 13, 13, 6]


def test_plain34_is_resnet34_without_its_projections() -> None:
    twin = resnet34()
    projections = sum(count(module) for name, module in twin.named_modules() if name.endswith("downsample"))
    model = networks.build("explorer:plain34", device="meta")
    assert count(model) == count(twin) - projections
    assert sum(isinstance(module, nn.Conv2d | nn.Linear) for module in model.modules()) == 34
    assert macs(model, 3, 224, 224) == pytest.approx(3.6e9, rel=0.02)  # table 1


def test_plain34_has_the_map_sizes_of_table_1() -> None:
    model = networks.build("explorer:plain34", device="meta")
    x = model.get_submodule("stem")(torch.zeros(1, 3, 224, 224, device="meta"))
    shapes = [tuple((x := stage(x)).shape[1:]) for stage in model.get_submodule("stages")]
    assert shapes == [(64, 56, 56), (128, 28, 28), (256, 14, 14), (512, 7, 7)]


def test_wide_resnets_have_the_depth_in_their_name() -> None:
    # 6n + 4 counts the stem, 6n convolutions of the blocks and the three projections, not the classifier.
    convolutions = [module for module in WideResNet(28, 10).modules() if isinstance(module, nn.Conv2d)]
    assert len(convolutions) == 28
    assert count(WideResNet(16, 8)) == pytest.approx(11.0e6, rel=0.01)  # table 4
    assert count(WideResNet(40, 4)) == pytest.approx(8.9e6, rel=0.01)  # table 4


@pytest.mark.parametrize(("groups", "printed"), [(1, 143), (2, 140), (3, 137), (4, 133), (8, 137)])
def test_shufflenet_costs_what_table_1_prints(groups: int, printed: int) -> None:
    with torch.device("meta"):
        model = ShuffleNetV1(groups)
    assert macs(model, 3, 224, 224) / 1e6 == pytest.approx(printed, abs=1.5)


def test_channel_shuffle_deals_channels_out_over_groups() -> None:
    from explorer.networks.shufflenet_v1 import ChannelShuffle

    x = torch.arange(6.0).reshape(1, 6, 1, 1)
    assert ChannelShuffle(3)(x).flatten().tolist() == [0, 2, 4, 1, 3, 5]


def test_depths_that_do_not_exist_name_those_that_do() -> None:
    with pytest.raises(ValueError, match="6n \\+ 4"):
        WideResNet(27, 10)
    with pytest.raises(ValueError, match="try one of"):
        ShuffleNetV1(5)
