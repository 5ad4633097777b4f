"""Where the norm stands, read off real traces, against the papers' figures."""

import pytest

from explorer import analysis
from explorer.labs.normalisation.places import Step, placement, typical_block

BN, RELU, PLUS = Step("norm", "BN"), Step("activation", "ReLU"), Step("merge", "+")
CONV = Step("spatial", "3×3")


@pytest.mark.parametrize(
    ("network", "expected", "norms", "layers", "way"),
    [
        ("torchvision:vgg16", "none", 0, 1, "3×3 ReLU"),
        ("torchvision:vgg16_bn", "post", 1, 1, "3×3 BN ReLU"),
        ("torchvision:resnet18", "post", 2, 2, "3×3 BN ReLU 3×3 BN + ReLU"),
        ("torchvision:resnet50", "post", 3, 3, "1×1 BN ReLU 3×3 BN ReLU 1×1 BN + ReLU"),
        ("timm:resnetv2_50", "pre", 3, 3, "BN ReLU 1×1 BN ReLU 3×3 BN ReLU 1×1 +"),
        ("torchvision:densenet121", "pre", 2, 2, "concat BN ReLU 1×1 BN ReLU 3×3"),
        ("torchvision:mobilenet_v2", "post", 3, 3, "1×1 BN ReLU6 dw 3×3 BN ReLU6 1×1 BN +"),
        ("torchvision:convnext_tiny", "between", 1, 3, "dw 7×7 LN linear GELU linear +"),
        ("timm:convnextv2_tiny", "between", 2, 3, "dw 7×7 LN linear GELU GRN linear +"),
        ("torchvision:vit_b_16", "pre", 2, 4, "LN linear attn linear + LN linear GELU linear +"),
        ("timm:swinv2_tiny_window8_256", "post", 2, 4, "linear attn linear LN + linear GELU linear LN +"),
        ("timm:nf_resnet50", "none", 0, 3, "ReLU 1×1 ReLU 3×3 ReLU 1×1 +"),
    ],
)
def test_the_typical_block(network, expected, norms, layers, way):
    """000 twice gives a ResNet bottleneck two norms (4.4, 4.6): the trace has three. That ConvNeXt has one a
    block holds, and so does 002's "before the activation" wherever there is batch norm.
    """
    block = typical_block(analysis.trace(network))
    assert " ".join(step.label for step in block.steps) == way
    assert (block.placement, block.norms, block.layers) == (expected, norms, layers)


def test_how_often_the_block_comes():
    assert typical_block(analysis.trace("torchvision:resnet50")).count == 16
    assert typical_block(analysis.trace("torchvision:vit_b_16")).count == 12


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((CONV, RELU), "none"),
        ((CONV, BN, RELU), "post"),
        ((CONV, RELU, BN), "post"),
        ((BN, CONV, PLUS), "pre"),
        ((CONV, BN, CONV, PLUS), "between"),
        ((CONV, PLUS, BN), "none + post-sum"),
        ((BN, CONV, PLUS, CONV, BN, PLUS), "pre + post"),
        ((RELU,), "none"),
    ],
)
def test_placement(steps, expected):
    assert placement(steps) == expected
