"""What draws at random in training mode, whatever it is called; what keeps statistics."""

import pytest
import timm
import torch
import torch.nn.functional as F
from timm.layers import DropBlock2d, DropPath
from torch import Tensor, nn
from torchvision.ops import StochasticDepth

from explorer import networks
from explorer.inference.training_mode import BATCH_NORM, training_mode


class _Function(nn.Module):
    def __init__(self, function) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x, self.training)


def _attention(p: float):
    return lambda x, training: F.scaled_dot_product_attention(x, x, x, dropout_p=p if training else 0.0)


RANDOM = {
    "dropout": nn.Dropout(0.5),
    "of channels": nn.Dropout2d(0.5),
    "alpha": nn.AlphaDropout(0.5),
    "feature alpha": nn.FeatureAlphaDropout(0.5),
    "rrelu": nn.RReLU(),
    "drop path": DropPath(0.1),
    "stochastic depth": StochasticDepth(0.1, "row"),
    "drop block": DropBlock2d(0.1, 2),
    "function": _Function(lambda x, training: F.dropout(x, 0.5, training)),
    "gumbel": _Function(lambda x, training: F.gumbel_softmax(x) if training else x.softmax(-1)),
    "noise": _Function(lambda x, training: x + torch.randn_like(x) if training else x),
    "decides": _Function(lambda x, training: 2 * x if training and torch.rand(1) < 0.5 else x),
    "attention": _Function(_attention(0.5)),
    "multi-head attention": nn.TransformerEncoderLayer(8, 2, 8, dropout=0.0).eval(),
}
RANDOM["multi-head attention"].self_attn.dropout = 0.5
CALM = {
    "dropout of nothing": nn.Dropout(0.0),
    "drop path of nothing": DropPath(0.0),
    "stochastic depth of nothing": StochasticDepth(0.0, "row"),
    "layer norm": nn.LayerNorm(8),
    "attention without dropout": _Function(_attention(0.0)),
    "batch norm of the batch alone": nn.BatchNorm2d(3, track_running_stats=False),
}


class _Net(nn.Module):
    """The module in the middle, [N, 3, 8, 8] in and out."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x.flatten(1, 2) if isinstance(self.inner, nn.TransformerEncoderLayer) else x)


@pytest.mark.parametrize("name", RANDOM)
def test_what_draws_is_found(name: str):
    found = training_mode(_Net(RANDOM[name]), (3, 8, 8))
    assert list(found.random) == ["inner.self_attn" if name == "multi-head attention" else "inner"]
    assert found.differs


@pytest.mark.parametrize("name", CALM)
def test_what_draws_nothing_is_not(name: str):
    found = training_mode(_Net(CALM[name]), (3, 8, 8))
    assert (dict(found.random), found.statistics, found.differs) == ({}, (), False)


@pytest.mark.parametrize("norm", [nn.BatchNorm2d(3), nn.InstanceNorm2d(3, track_running_stats=True)])
def test_what_overwrites_its_statistics_is_found(norm: nn.Module):
    assert training_mode(_Net(norm), (3, 8, 8)).statistics == ("inner",)


def test_a_module_that_never_runs_is_none():
    model = _Net(nn.Identity())
    model.aside = nn.Dropout(0.5)
    assert not training_mode(model, (3, 8, 8)).differs


def test_the_network_and_the_generator_stay_as_they_were():
    model = nn.Sequential(nn.BatchNorm2d(3), _Function(lambda x, t: 2 * x if t and torch.rand(1) < 2 else x))
    model.eval()
    before, state = torch.random.get_rng_state(), {k: v.clone() for k, v in model.state_dict().items()}
    assert training_mode(model, (3, 8, 8)).statistics == ("0",)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert not any(module.training or module._forward_hooks for module in model.modules())


@pytest.mark.parametrize(
    ("name", "depths", "others", "statistics"),
    [
        ("torchvision:convnext_tiny", 17, 0, 0),  # 18 modules, the first with a rate of 0
        ("torchvision:efficientnet_b0", 9, 1, 49),  # 16 modules, nine of them behind a skip
        ("torchvision:resnet18", 0, 0, 20),
    ],
)
def test_of_known_networks(name: str, depths: int, others: int, statistics: int):
    model = networks.build(name, device="meta")
    found = training_mode(model, (3, 64, 64))
    kinds = list(found.random.values())
    assert kinds.count("stochastic depth") == depths
    assert len(kinds) == depths + others
    assert len(found.statistics) == statistics


@pytest.mark.parametrize("name", sorted(timm.list_models("test_*")))
def test_of_timm_s_networks_what_is_found_is_all_there_is(name: str) -> None:
    """What draws is put to rest: then two passes from different seeds agree, and before they do not."""
    model = _with_drops(name)
    x = torch.randn(2, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    found = training_mode(model, (3, 96, 96)).random
    assert found
    assert not torch.equal(_trained(model, x, 1), _trained(model, x, 2))
    for path in found:
        model.get_submodule(path).training = False
    assert torch.equal(_trained(model, x, 1), _trained(model, x, 2))


def _with_drops(name: str) -> nn.Module:
    """With every kind of drop that its constructor takes; batch norm keeps to its statistics."""
    rates = {"drop_rate": 0.5, "drop_path_rate": 0.5}
    sized = {"img_size": 96}
    for more in (rates | sized, rates):
        try:
            model = timm.create_model(name, **more)
            break
        except TypeError:
            continue
    for module in model.train().modules():
        if isinstance(module, BATCH_NORM):
            module.eval()
    return model


def _trained(model: nn.Module, x: Tensor, seed: int) -> Tensor:
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        return model(x)
