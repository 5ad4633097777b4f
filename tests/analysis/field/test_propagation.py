"""Receptive fields against closed forms, hand-derived networks, and the support of the gradient."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torchvision.ops import DeformConv2d

from explorer.analysis import ReceptiveField, Trace, receptive_fields, stats, stats_of, trace, trace_module
from explorer.analysis.field.propagation import unknown_operations

Layer = tuple[int, int, int]  # kernel, stride, padding


def by_hand(layers: list[Layer]) -> tuple[int, int, int]:
    """(size, stride, padding) of a chain, written out as in Araujo et al. 2019."""
    size, jump, padding = 1, 1, 0
    for kernel, stride, pad in layers:
        size += (kernel - 1) * jump
        padding += pad * jump
        jump *= stride
    return size, jump, padding


def last_field(traced: Trace) -> ReceptiveField:
    return receptive_fields(traced)[traced.ops[-1].id]


def field_of(name: str, path: str) -> ReceptiveField:
    """Of the last operation at a module path."""
    traced = trace(name)
    fields = receptive_fields(traced)
    return fields[[op.id for op in traced.ops if op.dotted == path][-1]]


def small(*layers: nn.Module, size: int = 33, channels: int = 2) -> Trace:
    return trace_module(nn.Sequential(*layers).to("meta"), (1, channels, size, size), "small")


def assert_is(field: ReceptiveField, expected: tuple[int, int, int]) -> None:
    size, stride, padding = expected
    assert field.size == (size, size)
    assert field.stride == (stride, stride)
    assert field.padding == (padding, padding)
    assert field.centre == ((size - 1) / 2 - padding,) * 2


def test_three_stacked_3x3_see_7() -> None:
    assert_is(last_field(small(*(nn.Conv2d(2, 2, 3, padding=1) for _ in range(3)))), (7, 1, 3))


def test_a_dilated_3x3_sees_like_a_5x5() -> None:
    assert_is(last_field(small(nn.Conv2d(2, 2, 3, padding=2, dilation=2))), (5, 1, 2))


def test_depthwise_and_pointwise_see_what_the_depthwise_sees() -> None:
    assert_is(last_field(small(nn.Conv2d(2, 2, 3, padding=1, groups=2), nn.Conv2d(2, 4, 1))), (3, 1, 1))


def test_height_and_width_are_kept_apart() -> None:
    field = last_field(small(nn.Conv2d(2, 2, (1, 7), stride=(1, 2), padding=(0, 3))))
    assert (field.size, field.stride, field.padding) == ((1, 7), (1, 2), (0, 3))
    assert field.positions == (33, 17)


def test_padding_same_is_what_it_pads() -> None:
    assert_is(last_field(small(nn.Conv2d(2, 2, 5, padding="same"))), (5, 1, 2))


# torchvision's builds, layer by layer; 1x1 convolutions, norms and activations widen nothing.
ALEXNET_CONV5 = [(11, 4, 2), (3, 2, 0), (5, 1, 2), (3, 2, 0), (3, 1, 1), (3, 1, 1), (3, 1, 1)]
VGG16 = [layer for n in (2, 2, 3, 3, 3) for layer in [*[(3, 1, 1)] * n, (2, 2, 0)]]
# Version 1.5: the stride of a stage stands on the 3x3 of its first block.
RESNET50 = [(7, 2, 3), (3, 2, 1)] + [
    (3, stride if block == 0 else 1, 1)
    for blocks, stride in ((3, 1), (4, 2), (6, 2), (3, 2))
    for block in range(blocks)
]
DENSENET121 = [(7, 2, 3), (3, 2, 1)]
for dense_layers in (6, 12, 24):
    DENSENET121 += [(3, 1, 1)] * dense_layers + [(2, 2, 0)]
DENSENET121 += [(3, 1, 1)] * 16
# (kernel, stride of the first block, blocks): the depthwise layers.
MOBILENET_V2 = [(3, 2, 1)] + [
    (3, stride if block == 0 else 1, 1)
    for stride, blocks in ((1, 1), (2, 2), (2, 3), (2, 4), (1, 3), (2, 3), (1, 1))
    for block in range(blocks)
]
EFFICIENTNET_B0 = [(3, 2, 1)] + [
    (kernel, stride if block == 0 else 1, kernel // 2)
    for kernel, stride, blocks in (
        (3, 1, 1),
        (3, 2, 2),
        (5, 2, 2),
        (3, 2, 3),
        (5, 1, 3),
        (5, 2, 4),
        (3, 1, 1),
    )
    for block in range(blocks)
]
CONVNEXT_T = [(4, 4, 0), *[(7, 1, 3)] * 3]
for convnext_blocks in (3, 9, 3):
    CONVNEXT_T += [(2, 2, 0), *[(7, 1, 3)] * convnext_blocks]


@pytest.mark.parametrize(
    ("name", "path", "layers", "size"),
    [
        ("torchvision:alexnet", "features.10", ALEXNET_CONV5, 163),
        ("torchvision:alexnet", "features.12", [*ALEXNET_CONV5, (3, 2, 0)], 195),
        ("torchvision:vgg16", "features.30", VGG16, 212),
        ("torchvision:resnet50", "layer4.2.conv3", RESNET50, 427),
        ("torchvision:densenet121", "features.denseblock4.denselayer16.conv2", DENSENET121, 2071),
        ("torchvision:mobilenet_v2", "features.18.0", MOBILENET_V2, 491),
        ("torchvision:efficientnet_b0", "features.8.0", EFFICIENTNET_B0, 851),
        ("torchvision:convnext_tiny", "features.7.2", CONVNEXT_T, 1688),
    ],
)
def test_field_derived_by_hand(name: str, path: str, layers: list[Layer], size: int) -> None:
    assert by_hand(layers)[0] == size
    assert_is(field_of(name, path), by_hand(layers))


def test_inception_sees_the_hull_of_its_branches() -> None:
    """torchvision's GoogLeNet has a 3x3 where the paper has the 5x5, so every module widens by two steps."""
    layers = [(7, 2, 3), (3, 2, 0), (3, 1, 1), (3, 2, 0), *[(3, 1, 1)] * 2, (3, 2, 0), *[(3, 1, 1)] * 5]
    layers += [(2, 2, 0), *[(3, 1, 1)] * 2]
    assert by_hand(layers)[0] == 379
    assert field_of("torchvision:googlenet", "inception5b").size == (379, 379)


def test_squeeze_and_excitation_is_global_beside_the_local_value() -> None:
    traced = trace("torchvision:efficientnet_b0")
    field = stats_of(traced).receptive_field
    assert (field.size, field.global_from) == ((851, 851), "features.1.0.block.1.avgpool")
    before = field_of("torchvision:efficientnet_b0", "features.1.0.block.0.2")
    assert (before.size, before.global_from) == ((7, 7), None)


def test_window_attention_is_global_from_there_and_patches_stay_local() -> None:
    field = stats_of(trace("torchvision:swin_t")).receptive_field
    assert (field.size, field.stride, field.global_from) == ((32, 32), (32, 32), "features.1.0.attn")
    assert field.positions == (7, 7)


def test_class_token_and_patches_keep_their_places() -> None:
    field = stats_of(trace("torchvision:vit_b_16")).receptive_field
    assert (field.size, field.stride, field.positions) == ((16, 16), (16, 16), (14, 14))
    assert field.global_from == "encoder.layers.encoder_layer_0.self_attention"


def test_global_response_norm_of_convnext_v2_is_global() -> None:
    field = stats_of(trace("timm:convnextv2_atto")).receptive_field
    assert field.global_from == "stages.0.blocks.0.mlp.grn"
    assert field.size == (1136, 1136)


def test_group_norm_reads_statistics_of_the_whole_map() -> None:
    field = last_field(small(nn.Conv2d(2, 2, 3, padding=1), nn.GroupNorm(1, 2)))
    assert (field.size, field.global_from, field.local) == ((3, 3), "1", True)


def test_batch_norm_and_channel_layer_norm_are_local() -> None:
    class ChannelsLast(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.LayerNorm(2)

        def forward(self, x: Tensor) -> Tensor:
            return self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    field = last_field(small(nn.Conv2d(2, 2, 3), nn.BatchNorm2d(2), ChannelsLast(), nn.Conv2d(2, 2, 3)))
    assert (field.size, field.global_from) == ((5, 5), None)


def test_layer_norm_over_positions_is_global() -> None:
    assert last_field(small(nn.LayerNorm([2, 33, 33]))).global_from == "0"


@pytest.mark.parametrize(
    "pool", [nn.AdaptiveAvgPool2d(1), nn.AvgPool2d(31), nn.MaxPool2d(31), nn.Conv2d(2, 2, 31)]
)
def test_whatever_covers_the_map_is_a_global_pooling(pool: nn.Module) -> None:
    field = last_field(small(nn.Conv2d(2, 2, 3), pool))
    assert (field.size, field.global_from, field.local) == ((33, 33), "1", False)


def test_fully_connected_layer_sees_all_positions_it_flattens() -> None:
    field = last_field(small(nn.Conv2d(2, 2, 3, stride=2), nn.Flatten(), nn.Linear(512, 3)))
    assert (field.size, field.global_from) == ((33, 33), "2")


def test_adaptive_pooling_to_an_uneven_grid_covers_its_largest_bin() -> None:
    field = last_field(small(nn.AdaptiveAvgPool2d(4), size=10))
    # Bins [0, 2], [2, 4], [5, 7], [7, 9] at steps of 2.5: from half a pixel before a step to two after it.
    assert field.stride == (2.5, 2.5)
    assert (field.size, field.padding) == ((3.5, 3.5), (0.5, 0.5))


class Branches(nn.Module):
    """1x1, 5x5 and pooled 3x3 side by side, concatenated."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Conv2d(2, 1, 1)
        self.five = nn.Conv2d(2, 1, 5, padding=2)
        self.pool = nn.AvgPool2d(3, stride=1, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.one(x), self.five(x), self.pool(x)], 1)


class Residual(nn.Module):
    """Two 3x3, the first with stride, beside a projection."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.a = nn.Conv2d(2, 2, 3, stride, 1)
        self.b = nn.Conv2d(2, 2, 3, 1, 1)
        self.skip = nn.Conv2d(2, 2, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        return self.skip(x) + self.b(self.a(x).relu())


class SpaceToDepth(nn.Module):
    """Every second pixel into its own channel, by slices; the convolution then reads them all."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Conv2d(8, 2, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        parts = [x[:, :, i::2, j::2] for i in (0, 1) for j in (0, 1)]
        return self.mix(torch.cat(parts, 1))


class Windows(nn.Module):
    """Cut into 4x4 windows, back to a map, and a 3x3 over it: the cut must leave no trace."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Conv2d(2, 2, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        windows = x.permute(0, 2, 3, 1).view(n, h // 4, 4, w // 4, 4, c).permute(0, 1, 3, 2, 4, 5)
        windows = windows.reshape(-1, 16, c) * 2.0
        back = windows.view(n, h // 4, w // 4, 4, 4, c).permute(0, 1, 3, 2, 4, 5).reshape(n, h, w, c)
        return self.mix(back.permute(0, 3, 1, 2))


class WindowMean(nn.Module):
    """The mean of each 4x4 window, taken over the split dimensions: a pooling without its name."""

    def forward(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        return x.view(n, c, h // 4, 4, w // 4, 4).mean((3, 5))


class Unfolded(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        places = nn.functional.unfold(x, 3, padding=1, stride=2)
        return places.sum(1, keepdim=True).view(x.shape[0], 1, x.shape[2] // 2, x.shape[3] // 2)


def positive(model: nn.Module) -> nn.Module:
    """Weights of one sign, so that no influence cancels."""
    for parameter in model.parameters():
        parameter.data.uniform_(0.1, 1.0)
    return model.double().eval()


def seen_rows(model: nn.Module, size: int, place: tuple[int, int], axis: int) -> tuple[int, int]:
    """First and last input row (axis 0) or column (axis 1) with a gradient from one output place."""
    torch.manual_seed(0)
    x = (torch.rand(1, 2, size, size, dtype=torch.float64) + 0.5).requires_grad_()
    model(x)[0, :, place[0], place[1]].sum().backward()
    assert x.grad is not None
    touched = x.grad.abs().sum((0, 1)).sum(1 - axis).nonzero().flatten().tolist()
    return touched[0], touched[-1]


ROUNDING = 1e-9


def seen_by_all(model: nn.Module, size: int, places: int) -> list[tuple[int, int]]:
    """First and last input row with a gradient from each place on the diagonal, a sample of a batch each."""
    torch.manual_seed(0)
    x = (torch.rand(places, 2, size, size, dtype=torch.float64) + 0.5).requires_grad_()
    each = torch.arange(places)
    model(x)[each, :, each, each].sum().backward()
    assert x.grad is not None
    rows = (x.grad.abs().sum((1, 3)) > 0).int()
    return list(zip(rows.argmax(1).tolist(), (size - 1 - rows.flip(1).argmax(1)).tolist(), strict=True))


@pytest.mark.parametrize(
    "model",
    [
        nn.Sequential(*(nn.Conv2d(2, 2, 3, padding=1) for _ in range(3))),
        nn.Sequential(nn.Conv2d(2, 2, 3, padding=2, dilation=2), nn.Conv2d(2, 2, 5, 2, 1)),
        nn.Sequential(Branches(), nn.Conv2d(4, 2, 3, 2)),
        nn.Sequential(Residual(2), Residual(1), Residual(2)),
        nn.Sequential(
            nn.Conv2d(2, 2, 7, 2, 3, groups=2), nn.Conv2d(2, 2, 1), nn.AvgPool2d(3, 2, ceil_mode=True)
        ),
        nn.Sequential(nn.Conv2d(2, 2, 4, 4), nn.Conv2d(2, 2, 3, padding=1)),
        SpaceToDepth(),
        nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(8, 2, 3, padding=1)),
        nn.Sequential(Windows(), nn.Conv2d(2, 2, 3)),
        nn.Sequential(nn.Conv2d(2, 2, 3, padding=1), WindowMean()),
        Unfolded(),
        nn.Sequential(nn.ZeroPad2d((1, 0, 2, 0)), nn.Conv2d(2, 2, 3, 2)),
    ],
    ids=lambda m: f"{type(m).__name__}-{len(list(m.modules()))}",
)
def test_field_is_the_support_of_the_gradient(model: nn.Module) -> None:
    size = 32
    model = positive(model)
    traced = trace_module(model, (1, 2, size, size), "small")
    assert unknown_operations(traced) == ()
    field = last_field(traced)
    assert field.global_from is None
    last = (field.positions[0] - 1, field.positions[1] - 1)
    for place in [(0, 0), (field.positions[0] // 2, field.positions[1] // 2), last]:
        for axis in (0, 1):
            low, high = field.interval(axis, place[axis])
            assert seen_rows(model, size, place, axis) == (max(0, low), min(size - 1, high))


def resized(**settings: object) -> nn.Module:
    return nn.Sequential(nn.Conv2d(2, 2, 3, padding=1), Resized(settings))


class Resized(nn.Module):
    def __init__(self, settings: dict[str, object]) -> None:
        super().__init__()
        self.settings = settings

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.interpolate(x, **self.settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "model",
    [
        resized(scale_factor=2, mode="nearest"),
        resized(scale_factor=2, mode="nearest-exact"),
        resized(scale_factor=2, mode="bilinear"),
        resized(scale_factor=2, mode="bilinear", align_corners=True),
        resized(scale_factor=2, mode="bicubic"),
        resized(scale_factor=1.3, mode="nearest"),
        resized(scale_factor=1.3, mode="nearest-exact"),
        resized(scale_factor=1.77, mode="nearest"),
        resized(scale_factor=1.3, mode="bilinear"),
        resized(size=45, mode="nearest-exact"),
        resized(size=45, mode="bicubic"),
        resized(size=20, mode="nearest-exact"),
        resized(size=20, mode="bicubic"),
        resized(size=12, mode="bilinear", antialias=True),
        resized(size=12, mode="bicubic", antialias=True),
        nn.ConvTranspose2d(2, 2, 3, stride=2, padding=1),
        nn.ConvTranspose2d(2, 2, 3, dilation=3, padding=1),
        nn.ConvTranspose2d(2, 2, 4, stride=3),
        nn.Sequential(nn.PixelShuffle(1), nn.Conv2d(2, 8, 3, padding=1), nn.PixelShuffle(2)),
        nn.Sequential(nn.Conv2d(2, 8, 3, padding=1), nn.PixelShuffle(2), nn.Conv2d(2, 2, 3, padding=1)),
        nn.Sequential(nn.Conv2d(2, 18, 1), nn.PixelShuffle(3), nn.MaxPool2d(3, 2), nn.Conv2d(2, 2, 3)),
        nn.Sequential(nn.Conv2d(2, 8, 1), nn.PixelShuffle(2), nn.ZeroPad2d(1), nn.Conv2d(2, 2, 3)),
        nn.Sequential(nn.Conv2d(2, 8, 1), nn.PixelShuffle(2), nn.ZeroPad2d((1, 0, 1, 0)), nn.Conv2d(2, 2, 3)),
        nn.Sequential(nn.Conv2d(2, 8, 1), nn.PixelShuffle(2), Unfolded()),
        nn.Sequential(nn.AdaptiveAvgPool2d(13), nn.Conv2d(2, 2, 3, padding=1)),
        nn.Sequential(nn.AdaptiveMaxPool2d(13), nn.Conv2d(2, 2, 3, padding=1)),
    ],
    ids=str,
)
def test_where_places_see_unevenly_the_field_is_the_tightest_band(model: nn.Module) -> None:
    model = positive(model)
    traced = trace_module(model, (1, 2, 32, 32), "small")
    assert unknown_operations(traced) == ()
    field = last_field(traced)
    assert field.global_from is None
    assert field.local
    slack = []
    for place, (first, last) in enumerate(seen_by_all(model, 32, field.positions[0])):
        low, high = field.interval(0, place)
        assert low - ROUNDING <= first <= last <= high + ROUNDING
        if first > 0 and last < 31:  # nothing is cut off at an edge
            slack.append((first - low, high - last))
    # A band that begins and ends between pixels reaches no further than to the next.
    assert min(s for s, _ in slack) < 1 - ROUNDING
    assert min(s for _, s in slack) < 1 - ROUNDING


def test_a_shuffle_that_undoes_another_leaves_no_trace() -> None:
    layers = (nn.PixelUnshuffle(2), nn.PixelShuffle(2), nn.Conv2d(2, 2, 3, padding=1))
    assert_is(last_field(small(*layers, size=32)), (3, 1, 1))


def test_shuffled_channels_keep_their_places() -> None:
    field = last_field(small(nn.Conv2d(4, 4, 3), nn.ChannelShuffle(2), nn.Conv2d(4, 4, 3), channels=4))
    assert (field.size, field.global_from) == ((5, 5), None)


def test_offsets_of_a_deformable_convolution_may_lead_anywhere() -> None:
    class Deformable(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("offsets", torch.zeros(1, 18, 33, 33))
            self.mix = DeformConv2d(2, 2, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            return self.mix(x, self.offsets)

    traced = small(Deformable())
    assert unknown_operations(traced) == ()
    field = last_field(traced)
    assert (field.size, field.global_from) == ((3, 3), "0.mix")


def test_a_flip_of_joined_positions_turns_every_one() -> None:
    class Backwards(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.flatten(2).flip(2).view(x.shape)

    field = last_field(small(nn.Conv2d(2, 2, 3, padding=1), Backwards()))
    assert field.interval(0, 0) == (31, 33)  # the first place sees the last pixels
    assert field.global_from is None


class Cropped(nn.Module):
    """Two readings of one image that walk over it at steps of 1 and 2, added in this order."""

    def __init__(self, *steps: int) -> None:
        super().__init__()
        self.steps = steps

    def forward(self, x: Tensor) -> Tensor:
        one, two = (x[:, :, : 16 * step : step, : 16 * step : step] for step in self.steps)
        return one + two


@pytest.mark.parametrize(("steps", "first", "last"), [((2, 1), -15, 0), ((1, 2), 0, 15)])
def test_branches_that_drift_apart_are_held_by_a_band_no_wider_than_the_drift(
    steps: tuple[int, int], first: int, last: int
) -> None:
    """The first one's step leads: i sees i and 2 i, which are 15 pixels apart at the last of 16 places."""
    field = last_field(small(Cropped(*steps), size=32))
    assert field.stride == (steps[0], steps[0])
    assert field.interval(0, 0) == (first, last)
    assert field.interval(1, 15) == (first + 15 * steps[0], last + 15 * steps[0])


def test_a_branch_of_fewer_dimensions_drifts_along_each_of_them() -> None:
    field = last_field(small(Function(lambda x: x[:, :, :16, :16] + x[0, 0, ::2, ::2]), size=32))
    assert (field.interval(0, 0), field.interval(1, 0)) == ((0, 15), (0, 15))


class Function(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def patches(x: Tensor, kernel: tuple[int, int], **settings: object) -> Tensor:
    """The sum of each window, where it lies."""
    return nn.functional.unfold(x, kernel, **settings).sum(1)  # type: ignore[arg-type]


def tokens_behind_two(x: Tensor) -> Tensor:
    return torch.cat([x.new_zeros(1, 2, 2), x.flatten(2)], 2)


@pytest.mark.parametrize(
    ("function", "places", "rows", "columns"),
    [
        (lambda x: x.chunk(5, 2)[1], (3, 20), (3, 3), (0, 0)),
        (lambda x: x.chunk(3, -1)[2], (12, 6), (0, 0), (14, 14)),
        (lambda x: x.split(5, 2)[2], (2, 20), (10, 10), (0, 0)),
        (lambda x: x.split([4, 16], 3)[1], (12, 16), (0, 0), (4, 4)),
        (lambda x: x.unbind(2)[4], (1, 20), (4, 4), (0, 0)),
        (lambda x: x.select(3, -2), (12, 1), (0, 0), (18, 18)),
        (lambda x: x[:, :, 7:12:3], (2, 20), (7, 7), (0, 0)),
        (lambda x: x[:, :, :, -5:], (12, 5), (0, 0), (15, 15)),
        (lambda x: x.narrow(2, -6, 4), (4, 20), (6, 6), (0, 0)),
        (lambda x: x.movedim((2, 3), (1, 2))[:, 3, 4:], (1, 16), (3, 3), (4, 4)),
        (lambda x: x.movedim(-1, 1)[:, 4:, :, 3:], (9, 16), (3, 3), (4, 4)),
        (lambda x: x.moveaxis(-1, 1)[:, 4:, :, 3:], (9, 16), (3, 3), (4, 4)),
        (lambda x: x.transpose(1, 3)[:, 4:], (12, 16), (0, 0), (4, 4)),
        (lambda x: x.swapaxes(1, -1)[:, 4:], (12, 16), (0, 0), (4, 4)),
        (lambda x: x.swapdims(-2, 1)[:, 4:], (8, 20), (4, 4), (0, 0)),
        (lambda x: x[0, 1].t()[4:], (12, 16), (0, 0), (4, 4)),
        (lambda x: x[0, 1].ravel()[40:].view(1, 10, 20), (10, 20), (2, 2), (0, 0)),
        (lambda x: x.unfold(2, 5, 3).sum(-1), (3, 20), (0, 4), (0, 0)),
        (lambda x: x.unfold(2, 1, 3).movedim(-1, 3).flatten(2, 3)[:, :, 2:], (2, 20), (6, 6), (0, 0)),
        (lambda x: x.unfold(2, 2, 3).movedim(-1, 3).flatten(2, 3)[:, :, 6:], (2, 20), (9, 9), (0, 0)),
        (lambda x: x[0].repeat(3, 1, 1, 1)[:, :, 4:], (8, 20), (4, 4), (0, 0)),
        (lambda x: x[:, :1].expand(1, 5, 12, 20)[:, 1:, 3:], (9, 20), (3, 3), (0, 0)),
        (lambda x: x[0, :, 2:].expand(4, 2, 10, 20), (10, 20), (2, 2), (0, 0)),
        (lambda x: x.roll(3, 2), (12, 20), (0, 0), (0, 0)),
        (lambda x: x.unflatten(3, (4, 5))[..., 2, :], (12, 5), (0, 0), (10, 10)),
        (lambda x: x.unflatten(3, (4, 5))[..., 2], (12, 4), (0, 0), (2, 2)),
        (lambda x: x[0, 0, 0].unsqueeze(-1).reshape(20)[3:], (1, 17), (0, 0), (3, 3)),
        (lambda x: x[0, 0, 0].reshape(20, 1)[3:], (1, 17), (0, 0), (3, 3)),
        (lambda x: patches(x, (1, 3), padding=(0, 1), stride=(1, 2)), (12, 10), (0, 0), (-1, 1)),
        (lambda x: patches(x, (3, 3), dilation=2), (8, 16), (0, 4), (0, 4)),
        (lambda x: x.split([4, 8], 2)[1][:, :, 1:], (7, 20), (5, 5), (0, 0)),
        (lambda x: tokens_behind_two(x)[:, :, 22:].view(1, 2, 11, 20), (11, 20), (1, 1), (0, 0)),
        (lambda x: nn.functional.pad(x, (1, 2, 3, 4)), (19, 23), (-3, -3), (-1, -1)),
        (lambda x: x.flip(3), (12, 20), (0, 0), (19, 19)),
        (lambda x: nn.functional.fold(nn.functional.unfold(x, 3), (12, 20), 3), (12, 20), (-2, 2), (-2, 2)),
        (lambda x: torch.stack([x, nn.functional.pad(x, (1, -1))], 2).sum(2), (12, 20), (0, 0), (-1, 0)),
        (lambda x: x.reshape(1, 2, 12, 20, 1)[:, :, 1:, 2:], (11, 18), (1, 1), (2, 2)),
        (lambda x: x.flatten(2)[:, :, 40:200].view(1, 2, 8, 20), (8, 20), (2, 2), (0, 0)),
        (lambda x: tokens_behind_two(x)[:, :, 2:42].view(1, 2, 2, 20), (2, 20), (0, 0), (0, 0)),
        (lambda x: tokens_behind_two(x)[:, :, 1:][:, :, 1:].view(x.shape), (12, 20), (0, 0), (0, 0)),
    ],
)
def test_what_only_moves_pixels_is_followed(
    function: Callable[[Tensor], Tensor],
    places: tuple[int, int],
    rows: tuple[int, int],
    columns: tuple[int, int],
) -> None:
    """rows, columns: what the first place sees."""
    field = last_field(trace_module(Function(function), (1, 2, 12, 20), "small"))
    assert field.positions == places
    assert (field.interval(0, 0), field.interval(1, 0)) == (rows, columns)
    assert field.local
    assert field.global_from is None


@pytest.mark.parametrize(
    ("function", "kept"),
    [
        (lambda x: x.sum(2), 1),
        (lambda x: torch.cat([x, x[:, :, :1]], 2), 1),
        (lambda x: x.repeat(1, 1, 2, 1), 1),
        (lambda x: x.norm(dim=2), 1),
        (lambda x: x.index_select(2, torch.arange(3, device=x.device)), 1),
        (lambda x: x[:, :, [0, 3]], 1),
        (lambda x: x.mean(3, keepdim=True), 0),
        (lambda x: x.max(3)[0], 0),
        (lambda x: x.amax((1, -1)), 0),
        (lambda x: torch.var_mean(x, 3)[1], 0),
        (lambda x: nn.functional.linear(x, ones(x, 4, 20)), 0),
        (lambda x: nn.functional.conv2d(x, ones(x, 4, 2, 1, 20)), 0),
        (lambda x: nn.functional.avg_pool2d(x, (1, 20)), 0),
        (lambda x: nn.functional.max_pool2d(x, (1, 20), return_indices=True)[0], 0),
        (lambda x: nn.functional.adaptive_avg_pool2d(x, (12, 1)), 0),
        (lambda x: nn.functional.adaptive_max_pool2d(x, (None, 1)), 0),
    ],
)
def test_what_is_summed_along_one_axis_keeps_its_places_along_the_other(
    function: Callable[[Tensor], Tensor], kept: int
) -> None:
    field = last_field(trace_module(Function(function), (1, 2, 12, 20), "small"))
    assert field.interval(kept, 5) == (5, 5)
    assert field.interval(1 - kept, 0) == (0, (12, 20)[1 - kept] - 1)
    assert field.local
    assert field.global_from is not None


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.softmax(3),
        lambda x: x.log_softmax(-2),
        lambda x: nn.functional.layer_norm(x, (20,)),
        lambda x: nn.functional.scaled_dot_product_attention(x, x, x),
        lambda x: torch.einsum("nchw,ncwk->nchw", x, x.transpose(2, 3)),
    ],
)
def test_what_looks_at_all_places_keeps_each_its_own(function: Callable[[Tensor], Tensor]) -> None:
    field = last_field(trace_module(Function(function), (1, 2, 12, 20), "small"))
    assert field.interval(0, 5) == (5, 5)
    assert field.local
    assert field.global_from is not None


@pytest.mark.parametrize(
    "function", [lambda x: x.softmax(1), lambda x: x.prod(1), lambda x: x.amax(1, keepdim=True)]
)
def test_what_looks_at_channels_alone_is_local(function: Callable[[Tensor], Tensor]) -> None:
    field = last_field(trace_module(Function(function), (1, 2, 12, 20), "small"))
    assert (field.interval(0, 5), field.interval(1, 5), field.positions) == ((5, 5), (5, 5), (12, 20))
    assert field.global_from is None


def test_none_of_the_tokens_see_nothing_more() -> None:
    """Transformers cut off their prefix tokens where there are none."""
    field = last_field(trace_module(Function(lambda x: x.flatten(2)[..., :0]), (1, 2, 12, 20), "small"))
    assert field.size == (1, 1)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x * x.mean((2, 3), keepdim=True),
        lambda x: x.mean(2, keepdim=True) * x,
        lambda x: x.mean(3, keepdim=True) * x,
        lambda x: torch.einsum("nchw,nc->nchw", x, x.mean((2, 3))),
        lambda x: torch.einsum("nc,nchw->nchw", x.mean((2, 3)), x),
    ],
)
def test_a_gate_leaves_the_places_it_weighs(function: Callable[[Tensor], Tensor]) -> None:
    field = last_field(trace_module(Function(function), (1, 2, 12, 20), "small"))
    assert (field.interval(0, 5), field.interval(1, 5)) == ((5, 5), (5, 5))
    assert field.global_from is not None
    assert field.local


def ones(like: Tensor, *shape: int) -> Tensor:
    return torch.ones(*shape, device=like.device)


@pytest.mark.parametrize(
    ("function", "followed"),
    [
        (lambda x: x @ ones(x, 33), 0),
        (lambda x: ones(x, 33) @ x, 1),
        (lambda x: torch.einsum("...hw,wk->...hk", x, ones(x, 33, 4)), 0),
        (lambda x: torch.einsum("nchw,hk", x, ones(x, 33, 4)), 1),
    ],
)
def test_products_with_vectors_and_short_equations_keep_the_other_axis(function, followed: int) -> None:
    field = last_field(small(Function(function)))
    assert field.interval(followed, 5) == (5, 5)
    assert field.interval(1 - followed, 0) == (0, 32)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: ones(x, 4, 2) @ x.transpose(1, 2),
        lambda x: x.movedim(1, -1) @ ones(x, 2, 4),
        lambda x: ones(x, 2) @ x.transpose(1, 2),
        lambda x: x.movedim(1, -1) @ ones(x, 2),
        lambda x: torch.baddbmm(x.flatten(2), ones(x, 1, 2, 3), ones(x, 1, 3, 33 * 33)).view(x.shape),
        lambda x: torch.max(x, ones(x, 1)),
        lambda x: nn.functional.batch_norm(x, ones(x, 2), ones(x, 2)),
        lambda x: nn.functional.instance_norm(x, ones(x, 2), ones(x, 2), use_input_stats=False),
    ],
)
def test_weights_and_fixed_statistics_leave_every_place(function: Callable[[Tensor], Tensor]) -> None:
    field = last_field(small(Function(function)))
    assert (field.interval(0, 5), field.interval(1, 5)) == ((5, 5), (5, 5))
    assert field.positions == (33, 33)
    assert field.global_from is None


@pytest.mark.parametrize(
    "function",
    [
        lambda x: nn.functional.batch_norm(x, None, None, training=True),
        nn.functional.instance_norm,
        lambda x: nn.functional.instance_norm(x, ones(x, 2), ones(x, 2), use_input_stats=True),
    ],
)
def test_statistics_of_the_picture_read_the_whole_of_it(function: Callable[[Tensor], Tensor]) -> None:
    field = last_field(small(nn.Conv2d(2, 2, 3, padding=1), Function(function)))
    assert (field.size, field.global_from, field.local) == ((3, 3), "1", True)


def test_of_two_images_multiplied_the_first_keeps_its_rows() -> None:
    field = last_field(small(nn.Conv2d(2, 2, 3, padding=1), Function(lambda x: x @ x.flip(3))))
    assert field.interval(0, 5) == (4, 6)
    assert field.interval(1, 0) == (-1, 33)
    assert (field.positions, field.global_from) == ((33, 1), "1")


def test_of_a_gate_multiplied_on_from_the_left_the_image_keeps_its_places() -> None:
    class Gated(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            gate = x.mean((2, 3))
            return (gate.unsqueeze(1) @ x.flatten(2)).view(1, 1, 33, 33)

    field = last_field(small(Gated()))
    assert (field.interval(0, 5), field.interval(1, 5)) == ((5, 5), (5, 5))
    assert (field.positions, field.global_from) == ((33, 33), "0")


def test_a_batch_that_a_product_sums_over_is_seen_whole() -> None:
    class Summed(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            rows = x[0].transpose(0, 1)  # the rows as a batch: [H, C, W]
            return torch.addbmm(rows.new_zeros(2, 4), rows, rows.new_ones(33, 33, 4))

    assert last_field(small(Summed())).interval(0, 0) == (0, 32)

    channels = Function(lambda x: torch.addbmm(ones(x, 33, 4), x[0], ones(x, 2, 33, 4)))
    field = last_field(small(channels))
    assert (field.interval(0, 5), field.interval(1, 0)) == ((5, 5), (0, 32))


@pytest.mark.parametrize("recurrent", [nn.LSTM(2, 4, batch_first=True), nn.GRU(2, 2, 2, bidirectional=True)])
def test_a_recurrent_layer_keeps_places_and_its_last_state_has_none(recurrent: nn.RNNBase) -> None:
    class Along(nn.Module):
        def __init__(self, state: bool) -> None:
            super().__init__()
            self.recurrent, self.state = recurrent, state

        def forward(self, x: Tensor) -> Tensor:
            tokens = x.flatten(2).permute((0, 2, 1) if recurrent.batch_first else (2, 0, 1))
            places, state = self.recurrent(tokens)
            if not self.state:
                return places.permute((0, 2, 1) if recurrent.batch_first else (1, 2, 0)).view(1, 4, 33, 33)
            return (state[0] if isinstance(state, tuple) else state) * 2

    local = last_field(small(Along(False)))
    assert (local.interval(0, 5), local.interval(1, 5), local.positions) == ((5, 5), (5, 5), (33, 33))
    assert local.global_from == "0.recurrent"
    whole = last_field(small(Along(True)))
    assert (whole.size, whole.local, whole.global_from) == ((33, 33), False, "0.recurrent")


def test_what_is_added_to_a_product_is_seen_too() -> None:
    class Added(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.wide = nn.Conv2d(2, 2, (7, 1), padding=(3, 0))

        def forward(self, x: Tensor) -> Tensor:
            return torch.baddbmm(self.wide(x)[0], x[0], x.new_ones(2, 33, 33))

    assert last_field(small(Added())).interval(0, 10) == (7, 13)


def test_branches_of_unlike_stride_meet_at_the_hull() -> None:
    class Pyramid(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fine = nn.Conv2d(2, 2, 3, padding=1)
            self.coarse = nn.Sequential(nn.Conv2d(2, 2, 3, 2, 1), nn.Upsample(scale_factor=2))

        def forward(self, x: Tensor) -> Tensor:
            return self.fine(x) + self.coarse(x)

    field = last_field(trace_module(Pyramid().to("meta"), (1, 2, 32, 32), "small"))
    # Coarse, even places: unit p/2 sees [p-1, p+1]; odd places, the unit before: [p-2, p]. Fine: [p-1, p+1].
    # The band around both kinds of places begins at p-2.
    assert field.interval(0, 10) == (8, 11)


def test_a_rule_that_is_missing_is_named_and_counts_as_global() -> None:
    class Sorted(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.cumsum(2)

    traced = small(Sorted())
    assert unknown_operations(traced) == ("cumsum",)
    assert last_field(traced).global_from == "0"


def test_every_value_on_the_sheet_is_a_finite_number() -> None:
    for name in ("timm:mobilevit_s", "timm:coat_tiny", "timm:hrnet_w18_small"):
        for field in receptive_fields(trace(name)).values():
            assert all(math.isfinite(v) for pair in (field.size, field.stride, field.padding) for v in pair)
            assert all(extent >= 1 for extent in field.size)


@pytest.mark.parametrize(
    ("network", "beyond"),
    [
        ("torchvision:swin_t", "mixed in windows from features.1.0.attn"),
        ("torchvision:vit_b_16", "global from encoder.layers.encoder_layer_0.self_attention"),
        ("timm:seresnet50", "global from layer1.0.se"),
    ],
)
def test_attention_in_windows_is_not_global(network: str, beyond: str) -> None:
    assert stats(network).receptive_field.beyond == beyond
