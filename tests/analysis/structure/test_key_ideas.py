"""Key ideas, counted by hand from the papers' tables."""

from collections.abc import Mapping
from functools import cache

import pytest
from torch import Tensor, nn

from explorer import catalogue
from explorer.analysis import receptive_fields, trace, trace_module
from explorer.analysis.graph.operations import Op, Trace
from explorer.analysis.structure import key_ideas as module
from explorer.analysis.structure.hierarchy import hierarchy
from explorer.analysis.structure.key_ideas import key_ideas, main_ideas


@cache
def ideas(name: str) -> Mapping[str, frozenset[str]]:
    return _of(trace(name))


def _of(traced: Trace) -> Mapping[str, frozenset[str]]:
    return key_ideas(hierarchy(traced, receptive_fields(traced)))


def lit(name: str, idea: str) -> list[Op]:
    return [op for op in trace(name).ops if op.id in ideas(name).get(idea, ())]


def count(name: str, idea: str, *kinds: str) -> int:
    """How many of the lit operations are called, or play the part of, one of these."""
    return sum(op.kind in kinds or op.name.rstrip("_") in kinds for op in lit(name, idea))


@pytest.mark.parametrize(
    ("name", "idea", "kind", "expected"),
    [
        ("resnet50", "residual skip", "add", 3 + 4 + 6 + 3),
        ("resnet50", "residual skip", "conv2d", 4),  # the first block of each stage widens
        ("resnet50", "bottleneck", "spatial", 16),
        ("resnet50", "bottleneck", "pointwise", 32),
        ("resnet18", "residual skip", "add", 8),
        ("resnet18", "residual skip", "conv2d", 3),  # the first stage keeps its 64 channels
        ("resnet20_cifar", "residual skip", "add", 9),
        ("resnet20_cifar", "residual skip", "conv2d", 0),  # option A: shortcuts own no weights
        ("wrn28_10", "residual skip", "add", 12),  # (28 - 4) / 6 blocks in each of three stages
        ("resnext50", "grouped convolution", "conv2d", 16),
        ("googlenet", "parallel branches", "cat", 9),
        ("googlenet", "parallel branches", "conv2d", 9 * 6),
        ("squeezenet", "parallel branches", "cat", 8),
        ("densenet121", "dense concatenation", "cat", 6 + 12 + 24 + 16),
        ("se_resnet50", "squeeze-and-excitation gate", "mul", 16),
        ("se_resnet50", "squeeze-and-excitation gate", "conv2d", 32),
        ("senet154", "squeeze-and-excitation gate", "mul", 3 + 8 + 36 + 3),
        ("efficientnet_b0", "squeeze-and-excitation gate", "mul", 16),
        ("mobilenet_v3", "squeeze-and-excitation gate", "mul", 8),
        ("regnet_y_3_2gf", "squeeze-and-excitation gate", "mul", 2 + 5 + 13 + 1),
        ("mobilenet_v1", "depthwise convolution", "conv2d", 13),
        ("mobilenet_v2", "depthwise convolution", "conv2d", 17),
        ("mobilenet_v2", "inverted bottleneck", "depthwise", 16),  # the first block expands by 1
        ("efficientnet_b0", "inverted bottleneck", "depthwise", 15),  # likewise
        ("shufflenet_v1", "channel shuffle", "transpose", 4 + 8 + 4),
        ("shufflenet_v1", "grouped convolution", "conv2d", 2 * 16 - 1),  # not on the stem's 24 channels
        ("shufflenet_v2", "channel shuffle", "transpose", 4 + 8 + 4),
        ("convnext_t", "patchify stem", "conv2d", 1),
        ("convnext_t", "large kernel", "depthwise", 3 + 3 + 9 + 3),
        ("convnext_t", "inverted bottleneck", "linear", 2 * 18),
        ("convnextv2_atto", "global response normalisation", "linalg_vector_norm", 2 + 2 + 6 + 2),
        # Four modules with a pair and two more pairs in one branch, and one pair where the grid shrinks.
        ("inception_v3", "factorised convolution", "conv2d", 4 * (2 + 4) + 2),
        ("vit_b16", "patchify stem", "conv2d", 1),
        ("vit_b16", "attention", "scaled_dot_product_attention", 12),
        ("swin_t", "attention", "matmul", 2 * (2 + 2 + 6 + 2)),
        ("swin_t", "attention", "softmax", 2 + 2 + 6 + 2),
        ("resnest50", "split attention", "softmax", 16),
        ("vgg16", "stacked 3×3 convolutions", "conv2d", 13),
        ("alexnet", "stacked 3×3 convolutions", "conv2d", 3),
        ("alexnet", "large kernels first", "conv2d", 2),  # 11 and 5
        ("alexnet", "fully connected layers", "linear", 3),
        ("vgg16", "fully connected layers", "linear", 3),
        ("lenet5", "convolution and subsampling", "pool", 2),
        ("squeezenet", "narrow neck", "cat", 8),
        ("squeezenet", "narrow neck", "conv2d", 8 * 3),
        ("inception_v4", "forked 1×n and n×1", "conv2d", 3 * 2 * 2),
        ("resnet50d", "pooled shortcut", "pool", 3),  # where a stage halves the map
        ("shufflenet_v2", "channel split", "chunk", 3 + 7 + 3),  # not where the map is halved
        ("efficientnetv2_s", "fused inverted bottleneck", "spatial", 4 + 4),
        ("swin_t", "shifted windows", "roll", 2 * (1 + 1 + 3)),  # the last stage is one window
    ],
)
def test_counts_of_the_papers(name: str, idea: str, kind: str, expected: int) -> None:
    assert count(name, idea, kind) == expected


def test_every_inception_module_joins_four_branches() -> None:
    joins = [op for op in lit("googlenet", "parallel branches") if op.name == "cat"]
    assert [len(op.inputs) for op in joins] == [4] * 9


@pytest.mark.parametrize(
    ("name", "absent"),
    [
        ("vgg16", {"residual skip", "parallel branches", "bottleneck", "patchify stem", "large kernel"}),
        ("alexnet", {"large kernel", "patchify stem"}),  # 11x11, but in the first layer, and overlapping
        ("plain20", {"residual skip"}),
        (
            "resnet50",
            {"parallel branches", "dense concatenation", "inverted bottleneck", "grouped convolution"},
        ),
        ("mobilenet_v1", {"inverted bottleneck", "bottleneck", "residual skip"}),
        ("googlenet", {"dense concatenation", "factorised convolution", "bottleneck"}),
        ("densenet121", {"parallel branches", "residual skip"}),
        ("convnextv2_atto", {"squeeze-and-excitation gate"}),
        ("resnest50", {"squeeze-and-excitation gate"}),
        ("vit_b16", {"squeeze-and-excitation gate", "bottleneck", "fully connected layers"}),
        (
            "resnet50",
            {
                "large kernels first",
                "pooled shortcut",
                "fully connected layers",
                "convolution and subsampling",
            },
        ),
        ("googlenet", {"narrow neck", "forked 1×n and n×1"}),
        ("efficientnet_b0", {"fused inverted bottleneck"}),
        ("shufflenet_v1", {"channel split"}),
    ],
)
def test_what_is_not_there_is_not_found(name: str, absent: set[str]) -> None:
    assert not absent & set(ideas(name))


def small(*layers: nn.Module) -> Mapping[str, frozenset[str]]:
    return _of(trace_module(nn.Sequential(*layers).to("meta"), (1, 8, 32, 32), "small"))


def test_patches_are_a_stem_only() -> None:
    assert "patchify stem" in small(nn.Conv2d(8, 8, 4, stride=4))
    assert "patchify stem" not in small(nn.Conv2d(8, 8, 3), nn.Conv2d(8, 8, 2, stride=2))
    assert "patchify stem" not in small(nn.Conv2d(8, 8, 1))
    assert "patchify stem" not in small(nn.Conv2d(8, 8, 7, stride=2))


def test_a_norm_does_not_part_what_belongs_together() -> None:
    pair = [nn.Conv2d(8, 8, (1, 5)), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, (5, 1))]
    assert len(small(*pair)["factorised convolution"]) == 2
    assert "factorised convolution" not in small(nn.Conv2d(8, 8, (1, 5)), nn.Conv2d(8, 8, (1, 5)))


class _Scaled(nn.Module):
    """x times something, as a gate does."""

    def __init__(self, gate: nn.Module) -> None:
        super().__init__()
        self.gate = gate

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gate(x)


def test_a_gate_pools_weighs_and_squashes() -> None:
    pool, weigh = nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 8, 1)
    excited = small(nn.Conv2d(8, 8, 3), _Scaled(nn.Sequential(pool, weigh, nn.Sigmoid())))
    assert len(excited["squeeze-and-excitation gate"]) == 4
    for other in (
        nn.Sequential(pool, weigh),
        nn.Sequential(weigh, nn.Sigmoid()),
        nn.Sequential(pool, nn.Sigmoid()),
    ):
        assert "squeeze-and-excitation gate" not in small(nn.Conv2d(8, 8, 3), _Scaled(other))


def test_a_shuffle_puts_the_groups_side_by_side() -> None:
    assert len(small(nn.Conv2d(8, 8, 1), nn.ChannelShuffle(4))["channel shuffle"]) == 1


def test_special_ideas_come_first() -> None:
    assert next(iter(ideas("shufflenet_v1"))) == "channel shuffle"
    assert list(ideas("resnext50")) == ["grouped convolution", "bottleneck", "residual skip"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("resnet50", "residual skip"),
        ("wrn28_10", "residual skip"),
        ("resnext50", "grouped convolution"),
        ("densenet121", "dense concatenation"),
        ("googlenet", "parallel branches"),
        ("inception_v3", "factorised convolution"),
        ("vgg16", "stacked 3×3 convolutions"),
        ("se_resnet50", "squeeze-and-excitation gate"),
        ("mobilenet_v1", "depthwise convolution"),
        ("mobilenet_v2", "inverted bottleneck"),
        ("shufflenet_v2", "channel shuffle"),
        ("convnext_t", "large kernel"),
        ("convnextv2_atto", "global response normalisation"),
        ("swin_t", "attention"),
    ],
)
def test_the_most_important_idea_comes_first(name: str, expected: str) -> None:
    assert main_ideas(name, ideas(name))[0] == expected


def test_a_network_without_the_idea_of_its_family_has_no_main_idea() -> None:
    assert main_ideas("lenet5", {"grouped convolution": frozenset({"conv2d"})}) == ()


def test_a_network_outside_the_catalogue_shows_its_most_telling_idea() -> None:
    found = {"dense concatenation": frozenset("a"), "x": frozenset("b")}
    assert main_ideas("timm:ese_vovnet19b_dw", found) == ("dense concatenation",)
    assert main_ideas("timm:nothing", {}) == ()


def test_the_tables_name_ideas_that_exist_and_architectures_of_the_catalogue() -> None:
    named = {name for names in (*module._MAIN.values(), *module._MAIN_OF_FAMILY.values()) for name in names}
    assert named <= set(module._RULES)
    for start in module._MAIN:
        assert any(each.startswith(start) for each in catalogue.architectures()), start
    families = {each.family for each in catalogue.architectures().values()}
    assert set(module._MAIN_OF_FAMILY) <= families


def test_lit_operations_belong_to_the_network() -> None:
    for name in ("resnest50", "swin_t"):
        every = {op.id for op in trace(name).ops}
        assert all(ids <= every for ids in ideas(name).values())


def test_names_of_modules_play_no_part() -> None:
    found = small(nn.Conv2d(8, 16, 1), nn.Conv2d(16, 16, 3, groups=16), nn.Conv2d(16, 8, 1))
    assert set(found) == {"depthwise convolution", "inverted bottleneck"}
