"""Two networks side by side, checked by hand against the papers' tables."""

from functools import cache

import pytest

from explorer.analysis import receptive_fields, stats, trace
from explorer.analysis.comparing.alignment import AlignedStages, align
from explorer.analysis.structure.hierarchy import Hierarchy, hierarchy


@cache
def boxes(name: str, image_size: int | None = None) -> Hierarchy:
    traced = trace(name, image_size)
    return hierarchy(traced, receptive_fields(traced))


def rows(left: str, right: str) -> tuple[AlignedStages, ...]:
    return align(boxes(left), boxes(right))


def names(found: tuple[AlignedStages, ...]) -> list[tuple[str | None, str | None]]:
    return [(row.left and row.left.id, row.right and row.right.id) for row in found]


RESNET = ["stem", "stage-1", "stage-2", "stage-3", "stage-4", "head"]


def test_resnet50_and_101_differ_in_the_third_stage_alone() -> None:
    found = rows("resnet50", "resnet101")
    assert names(found) == [(name, name) for name in RESNET]
    assert [bool(row.differences) for row in found] == [False, False, False, True, False, False]
    third = found[3]
    assert third.resolution == (14, 14)
    assert third.differences == (
        "blocks: 6 × Bottleneck against 23 × Bottleneck",
        "7.10\u00a0M\u00a0params against 26.1\u00a0M\u00a0params (× 3.68)",
        "1.46\u00a0G\u00a0MACs against 5.18\u00a0G\u00a0MACs (× 3.54)",
    )


def test_resnext50_has_groups_and_wider_middles_at_nearly_the_same_cost() -> None:
    found = rows("resnet50", "resnext50")
    for row in found[1:5]:
        assert row.differences[0] == "groups: none against 32"
        assert len(row.differences) == 3  # groups, parameters, MACs
    assert found[0].differences == found[5].differences == ()
    sheets = [{stage.name: stage for stage in stats(name).stages} for name in ("resnet50", "resnext50")]
    ratio = sheets[1]["stage 1"].params / sheets[0]["stage 1"].params
    assert found[1].differences[1].endswith(f"(× {ratio:.3g})")


def test_vgg19_has_one_more_convolution_in_three_stages() -> None:
    found = rows("vgg16", "vgg19")
    assert [row.resolution for row in found] == [(224, 224), (112, 112), (56, 56), (28, 28), (14, 14), (1, 1)]
    blocks = [row.differences[:1] for row in found]
    assert blocks == [(), (), *[("blocks: 3 × Conv2d against 4 × Conv2d",)] * 3, ()]


def test_a_network_beside_itself_at_another_size() -> None:
    found = align(boxes("resnet50", 224), boxes("resnet50", 288))
    assert names(found) == [(name, name) for name in RESNET]
    assert [row.differences[0] for row in found[:5]] == [
        f"resolution: {small} × {small} against {large} × {large}"
        for small, large in ((112, 144), (56, 72), (28, 36), (14, 18), (7, 9))
    ]
    for row in found[:5]:  # (288 / 224)² = 1.653
        assert len(row.differences) == 2
        assert row.differences[1].endswith("(× 1.65)")
    assert found[5].differences == ()


@pytest.mark.parametrize("name", ["resnet50", "googlenet", "swin_t"])
def test_a_network_beside_itself_has_no_differences(name: str) -> None:
    assert all(row.differences == () for row in rows(name, name))


def test_a_gate_is_an_idea_on_one_side() -> None:
    for row in rows("resnet50", "se_resnet50")[1:5]:
        assert row.differences[0] == "ideas: none against squeeze-and-excitation gate"
        assert "(× 1.1" in row.differences[1]  # about 10 % more parameters, as the paper says
        assert "(+0." in row.differences[2]  # hardly any work


def test_what_convnext_changed_in_resnet() -> None:
    found = rows("resnet50", "convnext_t")
    assert names(found) == [("stem", None), (None, "stem"), *[(name, name) for name in RESNET[1:]]]
    assert found[0].differences == ("only in torchvision:resnet50",)
    assert found[4].differences[:-2] == (
        "blocks: 6 × Bottleneck against 9 × CNBlock",
        "channels: 1024 against 384",
        "kernels: 3×3 against 2×2, 7×7",
        "groups: none against depthwise",
        "norm: batch norm against layer norm",
        "activation: ReLU against GELU",
        "skips: identity, projection against identity",
        "ideas: bottleneck against inverted bottleneck",
    )


def test_densenet_hands_on_what_it_has_gathered() -> None:
    """56 x 56: 64 + 6 * 32 = 256 channels, as many as ResNet-50's; 7 x 7: 512 + 16 * 32 = 1024."""
    found = rows("resnet50", "densenet121")
    assert not [each for each in found[1].differences if each.startswith("channels")]
    assert "channels: 2048 against 1024" in found[4].differences
    assert "skips: identity, projection against into concatenations" in found[1].differences


def test_near_scales_meet_and_larger_grids_go_first() -> None:
    found = rows("alexnet", "vgg16")
    assert names(found) == [
        (None, "stage-1"),
        (None, "stage-2"),
        ("stage-1", "stage-3"),
        ("stage-2", "stage-4"),
        ("stage-3", "stage-5"),
        ("head", "head"),
    ]
    assert found[2].differences[0] == "resolution: 55 × 55 against 56 × 56"
    assert found[2].resolution == (55, 55)
    assert names(rows("vit_b16", "resnet50"))[0] == (None, "stem")


@pytest.mark.parametrize(
    ("left", "right"),
    [("mobilenet_v2", "resnet50"), ("googlenet", "squeezenet"), ("timm:hrnet_w18_small", "lenet5")],
)
def test_every_stage_stands_in_one_row_in_its_order(left: str, right: str) -> None:
    found = rows(left, right)
    for name, nodes in ((left, [row.left for row in found]), (right, [row.right for row in found])):
        stages = [node.id for node in boxes(name).root.children if node.kind == "stage"]
        assert [node.id for node in nodes if node is not None] == stages
    mirrored = align(boxes(right), boxes(left))
    assert sum(row.left is not None and row.right is not None for row in mirrored) == sum(
        row.left is not None and row.right is not None for row in found
    )
