"""Layer counts, parameter counts and behaviour of the 32 x 32 networks against their papers."""

import pytest
import torch
from torch import nn

from explorer.analysis.graph.recording import record
from explorer.networks import cifar, lenet


def params(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def test_lenet5_is_the_paper_s_layer_by_layer():
    """Trainable parameters as the paper's section II.B lists them, 60,000 in all."""
    model = cifar.BUILDERS["lenet5"]()
    layers = {"c1": 156, "s2": 12, "c3": 1516, "s4": 32, "c5": 48_120, "f6": 10_164, "output": 0}
    assert {name: params(getattr(model, name)) for name in layers} == layers
    assert params(model) == 60_000 == sum(layers.values())


def test_each_c3_map_sees_only_the_maps_of_table_1():
    """By the gradient: the paper's table has 60 crosses, in columns of 3, 4 and 6."""
    c3 = lenet.LeNet5().c3
    x = torch.randn(1, 6, 14, 14, requires_grad=True)
    seen = []
    for out in c3(x)[0]:
        (gradient,) = torch.autograd.grad(out.sum(), x, retain_graph=True)
        seen.append(frozenset(gradient[0].abs().sum((1, 2)).nonzero().flatten().tolist()))
    assert seen == [frozenset(row) for rows in lenet.C3_TABLE for row in rows]
    assert sum(map(len, seen)) == 60
    assert len(set(seen)) == 16


def test_lenet5_output_is_minus_the_squared_distance_to_codes_equally_far_apart():
    output = lenet.DistanceOutput(84, 10)
    x = torch.randn(5, 84)
    expected = -torch.cdist(x.double(), output.codes.double()).square()
    assert torch.allclose(output(x).double(), expected, atol=1e-3)
    assert set(output.codes.flatten().tolist()) == {-1.0, 1.0}
    between = torch.pdist(output.codes)
    assert between.min() > 0.8 * between.max()


def test_subsampling_sums_scales_and_shifts():
    layer = lenet.Subsampling(1)
    layer.coefficient.data.fill_(0.5)
    layer.bias.data.fill_(1)
    x = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    assert layer(x).item() == 0.5 * 10 + 1


@pytest.mark.parametrize(
    ("depth", "count", "printed"), [(20, 269_722, "0.27"), (56, 853_018, "0.85"), (110, 1_727_962, "1.7")]
)
def test_residual_and_plain_twins_count_what_table_6_prints(depth: int, count: int, printed: str):
    twins = [cifar.CifarResNet(depth, residual) for residual in (True, False)]
    assert [params(twin) for twin in twins] == [count, count]
    assert f"{count / 1e6:.{len(printed) - 2}f}" == printed
    for twin in twins:
        weighted = [m for m in twin.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
        assert len(weighted) == depth


def test_depth_must_be_6n_plus_2():
    with pytest.raises(ValueError, match="depth 21 is not 6n"):
        cifar.CifarResNet(21, True)


def test_option_a_takes_every_second_pixel_and_pads_channels_with_zeros():
    x = torch.randn(2, 16, 8, 8)
    out = cifar.PadShortcut(16)(x)
    assert out.shape == (2, 32, 4, 4)
    assert torch.equal(out[:, 8:24], x[:, :, ::2, ::2])
    assert out[:, :8].abs().sum() == out[:, 24:].abs().sum() == 0


def test_a_residual_block_whose_branch_is_zero_passes_its_input_on():
    block = cifar.CifarBlock(16, 16, 1, residual=True).eval()
    nn.init.zeros_(block.bn2.weight)
    x = torch.rand(1, 16, 8, 8)
    assert torch.equal(block(x), x)
    plain = cifar.CifarBlock(16, 16, 1, residual=False).eval()
    nn.init.zeros_(plain.bn2.weight)
    assert plain(x).abs().sum() == 0


def test_most_of_the_small_vgg_is_fully_connected():
    model = cifar.vgg_small()
    assert params(model.classifier) > params(model) / 2
    assert [m.kernel_size for m in model.features if isinstance(m, nn.Conv2d)] == [(3, 3)] * 6


def test_convnext_norm_normalises_the_channels_of_each_pixel():
    x = 3 + 2 * torch.randn(2, 64, 4, 4)
    out = cifar.ChannelNorm(64)(x)
    assert out.mean(1).abs().max() < 1e-5
    assert (out.var(1, unbiased=False) - 1).abs().max() < 1e-3


def test_convnext_block_without_layer_scale_is_the_identity():
    x = torch.randn(1, 8, 5, 5)
    assert torch.equal(cifar.ConvNeXtBlock(8, 0.0)(x), x)


@pytest.mark.parametrize("name", sorted(cifar.BUILDERS))
def test_every_network_runs_on_the_meta_device_and_alters_no_input(name: str):
    with torch.device("meta"):
        model = cifar.BUILDERS[name]()
    recording = record(model, (2, 1 if name == "lenet5" else 3, 32, 32), disposable=True)
    assert [output.shape for output in recording.outputs] == [(2, 10)]
    assert not {call.name for call in recording.calls if call.in_place}
