"""The deployed form computes what the trained one computes, with the published size."""

import copy

import pytest
import torch
from torch import nn

from explorer.networks import build, input_spec, resolve
from explorer.networks.deploying import deployed, is_fusible

# The smallest of every family of timm whose modules know a deployed form.
FUSIBLE = (
    "efficientvim_m1", "efficientvit_m0", "fastvit_t8", "ghostnetv3_050", "iformer_t", "lcnetv2_small",
    "levit_128s", "levit_conv_128s", "mobileone_s0", "mobileone_s1", "nextvit_small", "repghostnet_050",
    "repvgg_a0", "repvit_m0_9", "shvit_s1", "tiny_vit_5m_224",
)  # fmt: skip


def random_statistics(model: nn.Module) -> nn.Module:
    """Batch norms as after training: with a mean of zero and a variance of one hardly anything would move."""
    generator = torch.Generator().manual_seed(0)
    for name, buffer in model.named_buffers():
        if name.endswith("running_mean"):
            buffer.copy_(torch.randn(buffer.shape, generator=generator) * 0.3)
        elif name.endswith("running_var"):
            buffer.copy_(torch.rand(buffer.shape, generator=generator) + 0.5)
    return model


@pytest.mark.parametrize("name", FUSIBLE)
def test_both_forms_give_the_same_outputs(name: str) -> None:
    reference = resolve(f"timm:{name}")
    model = random_statistics(build(reference))
    before = copy.deepcopy(model.state_dict())
    side = input_spec(reference).image_size
    image = torch.randn(1, 3, side, side, dtype=torch.double, generator=torch.Generator().manual_seed(1))
    assert is_fusible(model)
    other = deployed(model)
    after = model.state_dict()
    assert after.keys() == before.keys()  # a copy was fused
    assert all(torch.equal(after[key], before[key]) for key in before)
    with torch.no_grad():
        expected, found = model.double()(image), other.double()(image)
    assert expected.std() > 0
    assert (expected - found).abs().max() < 1e-4 * expected.abs().max()  # weights were merged in float32


@pytest.mark.parametrize(
    ("name", "millions"),
    # MobileOne, https://arxiv.org/abs/2206.04040, table 8; RepVGG, https://arxiv.org/abs/2101.03697, table 4;
    # RepViT, https://arxiv.org/abs/2307.09283, table 1.
    [
        ("mobileone_s0", 2.1), ("mobileone_s1", 4.8), ("mobileone_s2", 7.8), ("mobileone_s3", 10.1),
        ("mobileone_s4", 14.8), ("repvgg_a0", 8.30), ("repvgg_a1", 12.78), ("repvgg_b0", 14.33),
        ("repvit_m0_9", 5.1), ("repvit_m1_1", 8.2),
    ],
)  # fmt: skip
def test_the_deployed_form_has_the_published_parameters(name: str, millions: float) -> None:
    model = deployed(build(resolve(f"timm:{name}"), device="meta"))
    digits = len(str(millions).partition(".")[2])
    count = sum(each.numel() for each in model.parameters()) / 1e6
    assert abs(count - millions) < 10**-digits  # rounded or cut off


@pytest.mark.parametrize("name", ["timm:resnet50", "torchvision:mobilenet_v2", "explorer:lenet5"])
def test_others_are_deployed_as_they_are_trained(name: str) -> None:
    assert not is_fusible(build(resolve(name), device="meta"))
