"""Stages as the papers draw them, written down by hand."""

import pytest

from explorer.analysis import stages, trace


def folded(name: str) -> dict[str, int]:
    return {stage.name: stage.repeats for stage in stages(trace(name))}


@pytest.mark.parametrize(
    ("name", "stem", "blocks", "head"),
    [
        ("torchvision:alexnet", 0, [1, 1, 3], 3),
        ("torchvision:vgg16", 0, [2, 2, 3, 3, 3], 3),
        ("torchvision:googlenet", 3, [2, 5, 2], 1),
        ("torchvision:inception_v3", 5, [3, 5, 3], 1),
        ("torchvision:resnet18", 1, [2, 2, 2, 2], 1),
        ("torchvision:resnet50", 1, [3, 4, 6, 3], 1),
        ("timm:resnet50", 1, [3, 4, 6, 3], 1),
        ("explorer:resnet20", 1, [3, 3, 3], 1),
        ("torchvision:densenet121", 1, [6, 12, 24, 16], 1),
        ("torchvision:mobilenet_v2", 1, [1, 2, 3, 4, 3, 3, 1], 2),
        ("torchvision:shufflenet_v2_x1_0", 1, [4, 8, 4], 2),
        ("torchvision:efficientnet_b0", 1, [1, 2, 2, 3, 3, 4, 1], 2),
        ("timm:efficientnet_b0", 1, [1, 2, 2, 3, 3, 4, 1], 2),
        ("torchvision:convnext_tiny", 1, [3, 3, 9, 3], 1),
        ("timm:convnextv2_atto", 1, [2, 2, 6, 2], 1),
        ("torchvision:vit_b_16", 1, [12], 1),
        ("torchvision:swin_t", 1, [2, 2, 6, 2], 1),
    ],
)
def test_structure_of_the_paper(name: str, stem: int, blocks: list[int], head: int) -> None:
    expected = {"stem": stem} if stem else {}
    expected |= {f"stage {i}": n for i, n in enumerate(blocks, start=1)}
    assert folded(name) == expected | {"head": head}


def test_resnet_50_in_full() -> None:
    found = stages(trace("torchvision:resnet50"))
    assert [stage.block for stage in found] == ["Conv2d", *["Bottleneck"] * 4, "Linear"]
    assert [stage.resolution for stage in found] == [(112, 112), (56, 56), (28, 28), (14, 14), (7, 7), (1, 1)]
    assert [stage.channels for stage in found] == [64, 256, 512, 1024, 2048, 1000]
    assert [stage.depth for stage in found] == [1, 9, 12, 18, 9, 1]
    assert [(s.identity_skips, s.projection_skips) for s in found[1:5]] == [(2, 1), (3, 1), (5, 1), (2, 1)]
    assert [stage.skip for stage in found] == ["", "add", "add", "add", "add", ""]


@pytest.mark.parametrize(
    ("name", "skip"),
    [
        ("torchvision:vgg16", ""),
        ("torchvision:googlenet", ""),
        ("torchvision:densenet121", "concat"),
        ("torchvision:mobilenet_v2", "add"),
        ("torchvision:vit_b_16", "add"),
    ],
)
def test_how_blocks_join_their_input(name: str, skip: str) -> None:
    assert {stage.skip for stage in stages(trace(name)) if stage.repeats > 1 and stage.name != "head"} == {
        skip
    }


def test_channels_last_stages_know_grid_and_width() -> None:
    found = stages(trace("torchvision:swin_t"))
    assert [(s.resolution, s.channels) for s in found[1:5]] == [
        ((56, 56), 96),
        ((28, 28), 192),
        ((14, 14), 384),
        ((7, 7), 768),
    ]
