"""Maps of one photo beside each other: which layers, which classes, and how far two agree."""

from dataclasses import replace

import numpy as np
import pytest

from explorer import networks
from explorer.inference import SAMPLES, decode, explain
from explorer.labs import many_maps


@pytest.fixture(scope="module")
def chelsea():
    return decode(SAMPLES["chelsea"].load())


@pytest.fixture(scope="module")
def lite():
    return networks.load("box:tf_efficientnet_lite0")


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("torchvision:resnet18", ("relu", "layer1", "layer2", "layer3", "layer4")),
        ("torchvision:vgg11", ("features.1", "features.4", "features.9", "features.14", "features.19")),
        (
            "torchvision:mobilenet_v3_small",
            ("features.0", "features.1", "features.3", "features.8", "features"),
        ),
        ("timm:swin_tiny_patch4_window7_224", ("layers.0", "layers.1", "layers.2", "norm")),
        (
            "timm:vit_tiny_patch16_224",
            ("blocks.0", "blocks.2", "blocks.4", "blocks.7", "blocks.9", "blocks.11.norm1"),
        ),
    ],
)
def test_the_ladder_has_the_end_of_each_stage(name, layers):
    found = many_maps.ladder(networks.load(f"random:{name}"))
    assert tuple(layer.path for layer in found) == layers


def test_a_method_that_does_not_apply_leaves_its_place_with_a_reason(lite, chelsea):
    found = list(many_maps.by_method(lite, chelsea, ("Grad-CAM", "Attention rollout")))
    assert [each.title for each in found] == ["Grad-CAM", "Attention rollout"]
    assert found[0].explanation is not None
    assert found[1].explanation is None
    assert "attention" in found[1].why


def test_four_maps_of_two_classes(lite, chelsea):
    tabby, tiger = (lite.labels.index(name) for name in ("tabby", "tiger cat"))
    found = list(many_maps.by_class(lite, chelsea, "Grad-CAM", tabby, tiger))
    assert [each.title for each in found] == [
        "tabby",
        "tiger cat",
        "tabby, not tiger cat",
        "tiger cat, not tabby",
    ]
    alone = many_maps.agreement(found[0].explanation, found[1].explanation)
    against = many_maps.agreement(found[2].explanation, found[3].explanation)
    assert alone > against


def test_a_map_agrees_with_itself_and_not_with_its_opposite(lite, chelsea):
    one = explain(lite, chelsea)
    opposite = replace(one, heatmap=1 - one.heatmap)
    even = replace(one, heatmap=np.full_like(one.heatmap, 0.5))
    assert many_maps.agreement(one, one) == pytest.approx(1)
    assert many_maps.agreement(one, opposite) == pytest.approx(-1)
    assert many_maps.agreement(one, even) is None


def test_maps_of_two_crops_are_compared_where_both_saw_the_photo(lite, chelsea):
    """The left half of a map, as another network might have seen it alone, is the same map there."""
    whole = explain(lite, chelsea)
    left, top, right, bottom = whole.view_box
    half = whole.heatmap.shape[1] // 2
    share = half / whole.heatmap.shape[1]
    part = replace(
        whole,
        heatmap=whole.heatmap[:, :half],
        view_box=(left, top, left + share * (right - left), bottom),
    )
    elsewhere = replace(whole, view_box=(right, top, right + 0.1, bottom))
    assert many_maps.agreement(whole, part) == pytest.approx(1)
    assert many_maps.agreement(whole, elsewhere) is None


def test_the_farthest_two_are_named(lite, chelsea):
    found = list(many_maps.by_method(lite, chelsea, ("Grad-CAM", "LayerCAM", "Saliency")))
    one, other, alike = many_maps.farthest(found)
    assert "Saliency" in (one.title, other.title)
    pairs = [(found[0], found[1]), (found[0], found[2]), (found[1], found[2])]
    assert alike == min(many_maps.agreement(a.explanation, b.explanation) for a, b in pairs)
    assert many_maps.farthest(found[:1]) is None
