"""A number laid open comes to the network's own, for each kind of operation, by the lines that made it."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explorer import networks
from explorer.inference.arithmetic import Attended, Board, Changed, Given, Pooled, Step, Weighed, lay_open
from explorer.inference.arithmetic.board import TOLERANCE
from explorer.inference.preprocessing import prepare
from explorer.inference.watching import outputs_of
from explorer.networks import InputSpec, Network

SIDE = 16


class Net(nn.Module):
    """What is looked at, and a head, so that it is a classifier."""

    def __init__(self, looked_at: nn.Module):
        super().__init__()
        self.at = looked_at

    def forward(self, x: Tensor) -> Tensor:
        return self.at(x).flatten(1)[:, :2]


def conv(*channels: int, kernel: int = 3, **options: object) -> nn.Conv2d:
    return nn.Conv2d(*channels, kernel, **options)


class Residual(nn.Module):
    """A projected shortcut that is computed last, added in place, then rectified in place."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.shortcut = (
            conv(3, 4, padding=1),
            conv(4, 4, padding=1),
            conv(3, 4, kernel=1),
        )
        self.norm = nn.BatchNorm2d(4)

    def forward(self, x: Tensor) -> Tensor:
        out = self.norm(self.second(F.relu(self.first(x))))
        shortcut = self.shortcut(x)
        out += shortcut
        return F.relu_(out)


class Identity(Residual):
    """The shortcut is what the branch begins with."""

    def forward(self, x: Tensor) -> Tensor:
        x = self.shortcut(x)
        return x + self.norm(self.second(x))


class Gated(nn.Module):
    """Squeeze-and-excitation."""

    def __init__(self):
        super().__init__()
        self.conv, self.gate = conv(3, 6), nn.Conv2d(6, 6, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.hardswish(self.conv(x))
        return x * F.hardsigmoid(self.gate(x.mean((2, 3), keepdim=True)))


class Dense(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = conv(3, 4, padding=1), conv(7, 4, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.cat([x, torch.sigmoid(self.first(x))], 1)
        return torch.cat([x, self.second(x)], 1)


class PaddedBySide(nn.Module):
    """As networks converted from TensorFlow: one more row and column of zeros at the end."""

    def __init__(self):
        super().__init__()
        self.conv = conv(3, 4, stride=2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.pad(x, (0, 1, 0, 1)))


class ChannelsLast(nn.Module):
    """A ConvNeXt block."""

    def __init__(self):
        super().__init__()
        self.stem, self.depthwise = conv(3, 8, kernel=2, stride=2), conv(8, 8, kernel=7, padding=3, groups=8)
        self.norm, self.out, self.back = nn.LayerNorm(8), nn.Linear(8, 16), nn.Linear(16, 8)
        self.scale = nn.Parameter(torch.rand(8))

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        y = self.norm(self.depthwise(x).permute(0, 2, 3, 1))
        y = self.back(F.gelu(self.out(y))) * self.scale
        return x + y.permute(0, 3, 1, 2)


class Transformer(nn.Module):
    """Patches, a class token, attention and its projection."""

    def __init__(self, fused: bool):
        super().__init__()
        self.patches, self.token = conv(3, 8, kernel=4, stride=4), nn.Parameter(torch.rand(1, 1, 8))
        self.norm, self.qkv, self.proj, self.fused = nn.LayerNorm(8), nn.Linear(8, 24), nn.Linear(8, 8), fused

    def forward(self, x: Tensor) -> Tensor:
        x = torch.cat([self.token, self.patches(x).flatten(2).transpose(1, 2)], 1)
        q, k, v = self.qkv(self.norm(x)).reshape(1, 17, 3, 2, 4).permute(2, 0, 3, 1, 4).unbind(0)
        if self.fused:
            mixed = F.scaled_dot_product_attention(q, k, v)
        else:
            mixed = (q @ k.transpose(-2, -1) * 4**-0.5).softmax(-1) @ v
        return x + self.proj(mixed.transpose(1, 2).reshape(1, 17, 8))


class TorchAttention(nn.Module):
    """Of which torch makes one fused operation, where nobody watches."""

    def __init__(self):
        super().__init__()
        self.patches, self.mixed = (
            conv(3, 8, kernel=4, stride=4),
            nn.MultiheadAttention(8, 2, batch_first=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        return x + self.mixed(x, x, x, need_weights=False)[0]


class Windows(nn.Module):
    """Shifted windows of 2 x 2, channels last."""

    def __init__(self):
        super().__init__()
        self.stem, self.mix = conv(3, 8, kernel=4, stride=4), nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x).permute(0, 2, 3, 1).roll((-1, -1), (1, 2))
        x = x.view(1, 2, 2, 2, 2, 8).permute(0, 1, 3, 2, 4, 5).reshape(4, 4, 8)
        x = F.leaky_relu(self.mix(x))
        return x.view(1, 2, 2, 2, 2, 8).permute(0, 1, 3, 2, 4, 5).reshape(1, 4, 4, 8).roll((1, 1), (1, 2))


def after(*modules: nn.Module) -> nn.Module:
    return nn.Sequential(*modules)


KINDS = {
    "convolution": lambda: conv(3, 4, padding=1),
    "strided, dilated, in groups": lambda: after(
        conv(3, 6), conv(6, 4, stride=2, dilation=2, groups=2, padding=3)
    ),
    "padding of even kernels": lambda: conv(3, 4, kernel=4, padding="same"),
    "norm and activation": lambda: after(conv(3, 4, bias=False), nn.BatchNorm2d(4), nn.SiLU()),
    "group norm": lambda: after(conv(3, 4), nn.GroupNorm(2, 4), nn.PReLU(4)),
    "largest": lambda: after(conv(3, 4), nn.MaxPool2d(3, 2, padding=1, ceil_mode=True)),
    "mean": lambda: after(conv(3, 4), nn.AvgPool2d(3, 2, padding=1, ceil_mode=True)),
    "mean without padding": lambda: after(conv(3, 4), nn.AvgPool2d(3, 2, padding=1, count_include_pad=False)),
    "adaptive": lambda: after(conv(3, 4), nn.AdaptiveAvgPool2d(5)),
    "residual": lambda: Residual(),
    "identity": lambda: Identity(),
    "gate": lambda: Gated(),
    "dense": lambda: Dense(),
    "padded by side": lambda: PaddedBySide(),
    "channels last": lambda: ChannelsLast(),
    "attention, fused": lambda: Transformer(True),
    "attention, in parts": lambda: Transformer(False),
    "attention of torch": lambda: TorchAttention(),
    "windows": lambda: Windows(),
    "shuffle": lambda: after(conv(3, 8, stride=2), nn.PixelShuffle(2), nn.ChannelShuffle(2)),
}


def network_of(model: nn.Module) -> Network:
    entry = networks.WeightsEntry(id="random:tiny", reference=networks.resolve("timm:resnet18"), label="tiny")
    return Network(model.eval(), entry.reference, entry, InputSpec((3, SIDE, SIDE), resize=SIDE), ())


def made(kind: str) -> nn.Module:
    """With weights and statistics from one seed."""
    torch.manual_seed(0)
    module = KINDS[kind]()
    for each in module.modules():
        if isinstance(each, nn.BatchNorm2d):
            nn.init.normal_(each.running_mean)
            nn.init.uniform_(each.running_var, 0.5, 2)
    return module


def laid_open(looked_at: nn.Module, image) -> Board:
    return lay_open(network_of(Net(looked_at)), image, "at")


def steps_of(board: Board) -> tuple[Step, ...]:
    return board.cell(*board.strongest()).steps


@pytest.mark.parametrize("kind", KINDS)
def test_every_cell_opened_comes_to_the_network_s_number(kind, chelsea):
    board = laid_open(made(kind), chelsea)
    places = np.random.default_rng(0).permutation(board.maps.size)[:60]
    for at in places:
        opened = board.cell(*(int(each) for each in np.unravel_index(at, board.maps.shape)))
        assert opened.known, opened.steps
        assert opened.captured == board.maps[opened.channel, opened.row, opened.column]
        assert abs(opened.value - opened.captured) <= TOLERANCE * np.abs(board.maps).max()


def test_what_is_captured_is_what_the_layer_gives_without_being_watched(chelsea):
    board = laid_open(made("residual"), chelsea)
    network = network_of(Net(made("residual")))
    with torch.no_grad(), outputs_of(network.model.at) as outputs:
        network.model(prepare(chelsea, network.input).x)
    assert np.array_equal(board.maps, outputs[0][0].numpy())


def test_a_convolution_shows_its_patch_and_its_padding(chelsea):
    board = laid_open(made("convolution"), chelsea)
    step = board.cell(2, 0, 15).steps[0]
    assert isinstance(step, Weighed)
    corner = step.patch
    assert corner.inside.tolist() == [[False] * 3, [True, True, False], [True, True, False]]
    assert corner.corner == (-1, 14)
    pixels = prepare(chelsea, InputSpec((3, SIDE, SIDE), resize=SIDE)).x[0]
    assert np.array_equal(corner.numbers[:, 1:, :2], pixels[:, 0:2, 14:16].double().numpy())
    assert np.array_equal(step.kernel, made("convolution").weight[2].detach().double().numpy())
    assert step.partial.sum() == pytest.approx(step.value)


def test_zeros_put_around_the_map_before_a_convolution_count_as_padding(chelsea):
    patch = laid_open(made("padded by side"), chelsea).cell(0, 7, 7).steps[0].patch
    assert patch.inside.tolist() == [[True, True, False], [True, True, False], [False] * 3]
    assert patch.maps.shape == (3, SIDE, SIDE)


def test_a_group_reads_its_own_channels(chelsea):
    patch = laid_open(made("strided, dilated, in groups"), chelsea).cell(3, 1, 1).steps[0].patch
    assert (patch.first, len(patch.numbers)) == (3, 3)


def test_a_shortcut_is_a_number_and_the_branch_is_opened(chelsea):
    for kind in ("residual", "identity"):
        steps = steps_of(laid_open(made(kind), chelsea))
        assert steps[0].where == "at.second"
        (added,) = (step for step in steps if step.words.startswith("Added"))
        assert added.others[0].name == "at.shortcut"
        assert added.before + added.others[0].value == pytest.approx(added.value)


def test_attention_is_shown_for_the_strongest_input_of_its_projection(chelsea):
    for kind in ("attention, fused", "attention, in parts"):
        mixed, sum_, *_ = steps_of(laid_open(made(kind), chelsea))
        assert isinstance(mixed, Attended)
        assert isinstance(sum_, Weighed)
        assert mixed.weights.sum() == pytest.approx(1)
        assert (mixed.grid, mixed.prefix, len(mixed.values)) == ((4, 4), 1, 17)
        assert mixed.aside == sum_.strongest(1)[0]
        assert mixed.value == pytest.approx(sum_.patch.numbers[mixed.aside, 0, 0], abs=1e-5)


def test_a_pooling_says_which_number_it_took(chelsea):
    board = laid_open(made("largest"), chelsea)
    step = board.cell(1, 0, 0).steps[0]
    assert isinstance(step, Pooled)
    (numbers,), inside = step.patch.numbers, step.patch.inside
    assert numbers[step.taken] == numbers[inside].max() == step.value
    assert not inside[0].any()


def test_the_receptive_field_lies_where_the_cell_looks(chelsea):
    opened = laid_open(made("convolution"), chelsea).cell(0, 0, 5)
    assert opened.field == (4 / SIDE, -1 / SIDE, 7 / SIDE, 2 / SIDE)


def test_what_is_not_known_is_a_number_alone(chelsea):
    class Unknown(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = conv(3, 4)

        def forward(self, x: Tensor) -> Tensor:
            return torch.cumsum(self.conv(x), 3)

    board = laid_open(Unknown(), chelsea)
    opened = board.cell(0, 1, 2)
    (only,) = opened.steps
    assert not opened.known
    assert isinstance(only, Given)
    assert opened.value == opened.captured == board.maps[0, 1, 2]


def test_what_comes_after_the_unknown_is_opened_from_its_number(chelsea):
    class After(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = conv(3, 4)

        def forward(self, x: Tensor) -> Tensor:
            return F.relu(torch.cumsum(self.conv(x), 3))

    given, last = steps_of(laid_open(After(), chelsea))
    assert isinstance(given, Given)
    assert isinstance(last, Changed)
    assert last.value == max(0, given.value)


def test_lines_that_do_not_come_to_the_number_are_left_out(chelsea):
    """A module that hands out something else than its last operation made."""

    class Keeps(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = conv(3, 4)

        def forward(self, x: Tensor) -> Tensor:
            x = self.conv(x)
            self.kept = x * 2
            return x

    opened = (board := laid_open(Keeps(), chelsea)).cell(*board.strongest())
    assert not opened.known
    assert opened.value == opened.captured


def test_a_cell_outside_is_refused_with_what_there_is(chelsea):
    with pytest.raises(ValueError, match="4 is not a channel of at: they go from 0 to 3"):
        laid_open(made("convolution"), chelsea).cell(4, 0, 0)


def test_the_network_is_left_as_it_was(chelsea):
    network = network_of(Net(made("residual")))
    before = {name: tensor.clone() for name, tensor in network.model.state_dict().items()}
    lay_open(network, chelsea, "at")
    assert all(torch.equal(before[name], tensor) for name, tensor in network.model.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.model.modules())
