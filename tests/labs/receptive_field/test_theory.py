"""The theoretical field, layer by layer: published tables, sizes derived by hand, the image as a whole."""

from dataclasses import replace

import pytest

from explorer.analysis import trace
from explorer.labs.receptive_field import theory as lab
from explorer.labs.receptive_field.published import PUBLISHED, STRIDE_BEFORE_THE_3X3, measured

Step = tuple[int, int]  # kernel, stride


def chain(steps: list[Step]) -> tuple[int, int]:
    """(size, jump): each window adds (k - 1) jumps, each stride multiplies the jump."""
    size, jump = 1, 1
    for kernel, stride in steps:
        size += (kernel - 1) * jump
        jump *= stride
    return size, jump


def first_strided(kernel: int, stride: int, blocks: int) -> list[Step]:
    return [(kernel, stride)] + [(kernel, 1)] * (blocks - 1)


def last_local(name: str) -> lab.LayerField:
    return lab.local(lab.layer_fields(trace(name)))[-1]


AGREE = [row for row in PUBLISHED if row.build]


@pytest.mark.parametrize("row", AGREE, ids=lambda row: row.name)
def test_the_published_field_is_ours_where_the_network_is_the_same(row) -> None:
    field = measured(row.build)
    assert field.size == (row.size.value,) * 2
    assert field.stride == (row.stride.value,) * 2
    if not row.cause:
        assert field.padding == (row.padding.value,) * 2


DIFFERENT = {row.name: row for row in PUBLISHED if not row.build}


def test_every_published_network_agrees_or_has_a_cause() -> None:
    assert len(PUBLISHED) == 11
    assert sorted(DIFFERENT) == [
        "inception_v2",
        "resnet_v1_101",
        "resnet_v1_152",
        "resnet_v1_200",
        "resnet_v1_50",
    ]
    for row in DIFFERENT.values():
        assert row.cause
        assert measured(row.nearest).size != (row.size.value,) * 2


# Blocks of the four stages; a stage's stride is 2 but for one of them.
RESNETS = {
    "resnet_v1_50": ((3, 4, 6, 3), 427),
    "resnet_v1_101": ((3, 4, 23, 3), 971),
    "resnet_v1_152": ((3, 8, 36, 3), 1451),
    "resnet_v1_200": ((3, 24, 36, 3), 1707),
}


@pytest.mark.parametrize("name", RESNETS)
def test_where_the_stride_stands_is_the_whole_difference(name: str) -> None:
    """The same 3x3s, halved in the last block of stages 1 to 3 (TF-Slim) or in the first of 2 to 4 (here)."""
    blocks, ours = RESNETS[name]
    stem = [(7, 2), (3, 2)]
    slim = stem + [
        (3, 2 if b == n - 1 and stage < 3 else 1) for stage, n in enumerate(blocks) for b in range(n)
    ]
    here = stem + [(3, 2 if b == 0 and stage > 0 else 1) for stage, n in enumerate(blocks) for b in range(n)]
    assert chain(slim) == (DIFFERENT[name].size.value, 32)
    assert chain(here) == (ours, 32)
    assert measured(DIFFERENT[name].nearest).size == (ours, ours)


@pytest.mark.parametrize("name", STRIDE_BEFORE_THE_3X3)
def test_a_stride_before_the_3x3_gives_the_published_field(name: str) -> None:
    """timm's legacy SE-ResNets stride on the first 1x1; beside their gates they are TF-Slim's ResNets."""
    field = measured(STRIDE_BEFORE_THE_3X3[name])
    assert field.size == (DIFFERENT[name].size.value,) * 2
    assert field.padding == (DIFFERENT[name].padding.value,) * 2
    assert field.global_from == "layer1.0.se_module"


# kernel, stride and blocks of each stage, from the papers' tables; only windows wider than 1 stand here.
CONVNEXT_T = [(4, 4), *[(7, 1)] * 3, (2, 2), *[(7, 1)] * 3, (2, 2), *[(7, 1)] * 9, (2, 2), *[(7, 1)] * 3]
EFFICIENTNET_B0 = [
    (3, 2),
    *first_strided(3, 1, 1),
    *first_strided(3, 2, 2),
    *first_strided(5, 2, 2),
    *first_strided(3, 2, 3),
    *first_strided(5, 1, 3),
    *first_strided(5, 2, 4),
    *first_strided(3, 1, 1),
]
SHUFFLENET_V2 = [(3, 2), (3, 2), *first_strided(3, 2, 4), *first_strided(3, 2, 8), *first_strided(3, 2, 4)]
MOBILENET_V3_LARGE = [
    (3, 2),
    *[(3, 1), (3, 2), (3, 1)],
    *first_strided(5, 2, 3),
    *first_strided(3, 2, 4),
    *first_strided(3, 1, 2),
    *first_strided(5, 2, 3),
]
MOBILENET_V3_SMALL = [
    (3, 2),
    *[(3, 2), (3, 2), (3, 1)],
    *first_strided(5, 2, 3),
    *first_strided(5, 1, 2),
    *first_strided(5, 2, 3),
]


@pytest.mark.parametrize(
    ("name", "steps", "size", "gate"),
    [
        ("torchvision:convnext_tiny", CONVNEXT_T, 1688, None),
        ("torchvision:efficientnet_b0", EFFICIENTNET_B0, 851, "features.1.0.block.1.avgpool"),
        ("torchvision:shufflenet_v2_x1_0", SHUFFLENET_V2, 527, None),
        ("torchvision:mobilenet_v3_large", MOBILENET_V3_LARGE, 595, "features.4.block.2.avgpool"),
        ("torchvision:mobilenet_v3_small", MOBILENET_V3_SMALL, 639, "features.1.block.1.avgpool"),
        ("timm:convnext_tiny", CONVNEXT_T, 1688, None),
        ("timm:efficientnet_b0", EFFICIENTNET_B0, 851, "blocks.0.0.se"),
        ("timm:mobilenetv3_large_100", MOBILENET_V3_LARGE, 595, "blocks.2.0.se"),
    ],
)
def test_exact_local_size_of_what_other_tools_give_up_on(
    name: str, steps: list[Step], size: int, gate: str | None
) -> None:
    assert chain(steps) == (size, 32)
    field = last_local(name).field
    assert (field.size, field.stride, field.global_from) == ((size, size), (32, 32), gate)


def test_size_stride_and_jump_by_layer_of_alexnet() -> None:
    layers = lab.local(lab.layer_fields(trace("torchvision:alexnet")))
    rows = [(la.path, la.kernel[0], la.stride[0], la.size, la.jump) for la in layers]
    assert rows == [
        ("features.0", 11, 4, 11, 4),
        ("features.2", 3, 2, 19, 8),
        ("features.3", 5, 1, 51, 8),
        ("features.5", 3, 2, 67, 16),
        ("features.6", 3, 1, 99, 16),
        ("features.8", 3, 1, 131, 16),
        ("features.10", 3, 1, 163, 16),
        ("features.12", 3, 2, 195, 32),
        ("avgpool", 1, 1, 195, 32),  # from 6 x 6 to 6 x 6
    ]


def test_a_branch_sees_less_than_the_module_it_is_in() -> None:
    layers = {la.path: la.size for la in lab.layer_fields(trace("torchvision:googlenet"))}
    assert layers["inception3a.branch1.conv"] < layers["inception3a.branch2.1.conv"]


def test_labels_are_unique_although_a_module_may_run_twice() -> None:
    labels = [la.label for la in lab.layer_fields(trace("torchvision:vit_b_16"))]
    assert len(labels) == len(set(labels))
    assert "encoder.layers.encoder_layer_0.self_attention #2" in labels


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("torchvision:resnet50", "avgpool"),
        ("torchvision:efficientnet_b0", "features.1.0.block.1.avgpool"),
        ("torchvision:vit_b_16", "encoder.layers.encoder_layer_0.self_attention"),
        ("timm:convnextv2_atto", "stages.0.blocks.0.mlp.grn"),
    ],
)
def test_where_everything_is_seen_at_once(name: str, first: str) -> None:
    found = lab.global_at(lab.layer_fields(trace(name)))
    assert found is not None
    assert found.path == first


def test_the_whole_image_by_layer_n() -> None:
    """VGG-16 sees 212 pixels at its end: never the whole of 224. Of 128 pixels conv5_2 sees all: 164 wide,
    its middle unit, 4, from 4 x 16 - 74 = -10 to 153; conv5_1 begins at 4 x 16 - 58 = 6."""
    layers = lab.layer_fields(trace("torchvision:vgg16"))
    assert lab.whole_image_at(layers, (224, 224)) is None
    covering = lab.whole_image_at(lab.layer_fields(trace("torchvision:vgg16", 128)), (128, 128))
    assert covering is not None
    assert (covering.path, covering.size) == ("features.26", 164)
    assert lab.box(covering.field, (4, 4)) == (-10, -10, 154, 154)
    assert lab.every_unit_at(layers, (224, 224)) is None


def test_every_unit_sees_all_later_than_the_middle_one() -> None:
    """A corner's unit needs a field twice as wide: ResNet-50's 427 end at pixel 213, ResNet-101 has 971."""
    fifty = lab.layer_fields(trace("torchvision:resnet50"))
    assert lab.every_unit_at(fifty, (224, 224)) is None
    assert lab.box(lab.local(fifty)[-1].field, (0, 0)) == (-213, -213, 214, 214)
    layers = lab.layer_fields(trace("torchvision:resnet101"))
    middle, every = lab.whole_image_at(layers, (224, 224)), lab.every_unit_at(layers, (224, 224))
    assert middle is not None
    assert every is not None
    assert middle.number < every.number
    assert middle.size < 447 <= every.size


def test_source_000_on_32_pixels_the_first_block_of_convnext_sees_almost_all() -> None:
    """ "covers almost the entire image immediately": 4 + 6 x 4 = 28 of 32 pixels, by theory."""
    layers = lab.layer_fields(trace("torchvision:convnext_tiny", 32))
    first = next(la for la in layers if la.kind == "depthwise")
    assert first.size == 28
    assert lab.seen_share(first.field, (32, 32), lab.middle_unit(first.field)) == pytest.approx(
        0.7656, abs=1e-4
    )


def test_source_002_vgg_has_no_3x3_in_its_fully_connected_layers() -> None:
    """It gives "13 conv layers and 3 FC layers, all with 3x3 filters"; its own count of the first FC layer,
    7 x 7 x 512 x 4096 = 102 million, shows that one to read all 7 x 7 places of the last map."""
    layers = lab.layer_fields(trace("torchvision:vgg16"))
    assert [la.kernel for la in layers if la.kind == "spatial"] == [(3, 3)] * 13
    assert [la.kernel for la in layers if la.kind == "linear"] == [(1, 1)] * 3
    weight = next(op for op in trace("torchvision:vgg16").ops if op.dotted == "classifier.0" and op.params)
    assert weight.params == 7 * 7 * 512 * 4096 + 4096


def test_the_central_unit_is_where_its_field_is_central() -> None:
    """ResNet-50's unit p is centred at 32 p: of 320 pixels the middle, 159.5, is nearest to unit 5's."""
    field = lab.local(lab.layer_fields(trace("torchvision:resnet50")))[-1].field
    assert field.centre == (0, 0)
    assert lab.central_unit(field, (320, 320)) == (5, 5)
    uneven = replace(field, centre=(31, 31))  # as with TensorFlow's padding
    assert lab.central_unit(uneven, (320, 320)) == (4, 4)


def test_a_unit_and_its_box() -> None:
    """conv1 of AlexNet: 11 pixels at stride 4, 2 of padding; unit 1 reads from 2 to 12."""
    field = lab.layer_fields(trace("torchvision:alexnet"))[0].field
    assert lab.box(field, (1, 0)) == (2, -2, 13, 9)
    assert lab.unit_at(field, 0, 1) == (0, 54)
    assert lab.unit_at(field, 0.5, 0.5) == (27, 27)
    assert lab.seen_share(field, (224, 224), (1, 0)) == pytest.approx(11 * 9 / 224**2)
    assert lab.outside_share(field, (224, 224), (1, 0)) == pytest.approx(2 / 11)
