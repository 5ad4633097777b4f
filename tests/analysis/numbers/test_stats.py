"""The stats sheet: totals that equal the sum of the rows, depths the papers name, JSON as agreed."""

import json

import pytest

from explorer.analysis import Stats, stats, trace

FAMILIES = (
    "torchvision:alexnet",
    "torchvision:vgg11_bn",
    "torchvision:googlenet",
    "torchvision:inception_v3",
    "torchvision:resnet18",
    "torchvision:resnext50_32x4d",
    "torchvision:densenet121",
    "torchvision:squeezenet1_1",
    "torchvision:mobilenet_v3_small",
    "torchvision:shufflenet_v2_x1_0",
    "torchvision:efficientnet_b0",
    "torchvision:regnet_y_400mf",
    "torchvision:convnext_tiny",
    "torchvision:vit_b_16",
    "torchvision:swin_t",
    "explorer:lenet5",
    "explorer:zfnet",
    "explorer:resnet20",
    "timm:convnextv2_atto",
    "timm:dm_nfnet_f0",
    "timm:mixer_s16_224",
)


@pytest.mark.parametrize("name", FAMILIES)
def test_rows_stages_and_shares_sum_to_the_totals(name: str) -> None:
    sheet = stats(name)
    for what in ("params", "macs", "activations"):
        assert sum(getattr(layer, what) for layer in sheet.layers) == getattr(sheet, what)
    assert sum(stage.macs for stage in sheet.stages) == sheet.macs
    assert sum(stage.params for stage in sheet.stages) + sheet.idle_params == sheet.params
    assert sum(share.params_share for share in sheet.by_kind.values()) == pytest.approx(1)
    assert sum(share.macs_share for share in sheet.by_stage.values()) == pytest.approx(1)
    assert sheet.weight_bytes >= 4 * sheet.params
    placed = [op for stage in sheet.stages for op in stage.ops]
    assert len(placed) == len(set(placed)) == len(trace(name).ops)


@pytest.mark.parametrize(
    ("name", "depth"),
    [
        ("torchvision:alexnet", 8),
        ("torchvision:vgg16", 16),
        ("torchvision:googlenet", 22),
        ("torchvision:resnet18", 18),
        ("torchvision:resnet50", 50),
        ("torchvision:densenet121", 121),
        ("explorer:resnet20", 20),
    ],
)
def test_depth_is_the_number_in_the_name(name: str, depth: int) -> None:
    assert stats(name).depth == depth


def test_the_fully_connected_block_of_vgg_leaps_to_the_eye() -> None:
    sheet = stats("torchvision:vgg16")
    # 25088 x 4096 + 4096 x 4096 + 4096 x 1000 weights and their biases, of 138 million.
    assert sheet.by_kind["linear"].params == 123_642_856
    assert sheet.by_kind["linear"].params_share == pytest.approx(0.8936, abs=1e-4)
    assert sheet.by_kind["linear"].macs_share < 0.01
    assert sheet.by_stage["head"].params == 123_642_856


def test_the_auxiliary_classifier_has_rows_of_its_own() -> None:
    sheet = stats("torchvision:inception_v3")
    idle = [layer for layer in sheet.layers if layer.idle]
    assert {layer.path.split(".")[0] for layer in idle} == {"AuxLogits"}
    assert sum(layer.params for layer in idle) == sheet.idle_params == 27_161_264 - 23_834_568
    assert all(layer.macs == 0 and layer.receptive_field is None for layer in idle)


def test_parameters_outside_layers_have_rows() -> None:
    rows = {layer.path: layer for layer in stats("torchvision:convnext_tiny").layers if layer.params == 96}
    assert "features.1.0" in rows, "the layer scale of the first block"
    embedded = [layer for layer in stats("torchvision:vit_b_16").layers if layer.params == 197 * 768]
    assert [layer.name for layer in embedded] == ["add"]


def test_weight_bytes_are_fp32_parameters_and_buffers() -> None:
    plain = stats("torchvision:vgg16")
    assert plain.weight_bytes == 4 * 138_357_544
    normed = stats("torchvision:resnet18")
    # Two running statistics a channel in fp32 and a 64-bit counter for each of 20 batch norms.
    channels = sum(layer.params for layer in normed.layers if layer.kind == "norm") // 2
    assert normed.weight_bytes == 4 * normed.params + 2 * 4 * channels + 20 * 8


def test_activations_are_those_of_timms_published_table() -> None:
    """In millions, as timm's benchmark tables have them, for networks without attention."""
    for name, millions in (("timm:resnet50", 11.11), ("timm:efficientnet_b0", 6.75), ("timm:vgg16", 13.56)):
        assert stats(name, 224).activations / 1e6 == pytest.approx(millions, abs=0.01)


def test_json_has_the_agreed_keys_and_survives_json() -> None:
    sheet: Stats = stats("torchvision:resnet50")
    data = json.loads(json.dumps(sheet.to_json()))
    assert list(data) == [
        "model",
        "input_size",
        "params",
        "macs",
        "activations",
        "weight_bytes",
        "depth",
        "receptive_field",
        "deployed",
        "uncounted",
        "decided_by",
        "layers",
    ]
    assert data["model"] == "torchvision:resnet50"
    assert data["input_size"] == [3, 224, 224]
    assert data["params"] == 25_557_032
    assert data["receptive_field"] == {"size": 427, "stride": 32, "global_from": "avgpool"}
    assert list(data["layers"][0]) == ["path", "kind", "output_shape", "params", "macs", "receptive_field"]
    first = {"size": 7, "stride": 2, "global_from": None}
    assert data["layers"][0] == {
        "path": "conv1",
        "kind": "spatial",
        "output_shape": [1, 64, 112, 112],
        "params": 9408,
        "macs": 118_013_952,
        "receptive_field": first,
    }
    assert data["layers"][-1]["receptive_field"]["global_from"] == "avgpool"


def test_a_larger_image_costs_more_and_weighs_the_same() -> None:
    small, large = stats("torchvision:resnet18", 64), stats("torchvision:resnet18", 128)
    assert large.params == small.params
    assert large.macs - 512_000 == 4 * (small.macs - 512_000)  # all but the classifier
    assert large.receptive_field.size == small.receptive_field.size


def test_a_network_that_is_deployed_in_another_form_has_the_totals_of_both() -> None:
    """MobileOne-S0 has 2.1 M parameters and 275 M MACs in its paper, https://arxiv.org/abs/2206.04040."""
    sheet = stats("timm:mobileone_s0")
    assert (sheet.params, round(sheet.macs / 1e6)) == (5_293_272, 1052)
    deployed = sheet.deployed
    assert deployed is not None
    assert (deployed.params, round(deployed.macs / 1e6)) == (2_078_504, 275)
    assert deployed.weight_bytes == 4 * deployed.params  # no batch norm is left, so no running statistics
    assert deployed.activations < sheet.activations
    assert deployed.depth == sheet.depth
    told = sheet.to_json()["deployed"]
    assert told == {name: getattr(deployed, name) for name in told}
    assert set(told) == {"params", "macs", "activations", "weight_bytes", "depth"}


def test_others_have_one_form() -> None:
    assert stats("explorer:lenet5").to_json()["deployed"] is None
