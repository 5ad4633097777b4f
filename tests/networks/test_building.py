"""Any network, built in the state the rest of the program counts on."""

import json
from pathlib import Path

import pytest
import torch
from torchvision import models

from explorer import networks


def in_place(model: torch.nn.Module) -> list[str]:
    return [name for name, module in model.named_modules() if getattr(module, "inplace", False)]


@pytest.mark.parametrize(
    "name",
    ["torchvision:mobilenet_v2", "torchvision:squeezenet1_1", "timm:test_resnet", "timm:test_efficientnet"],
)
def test_it_evaluates_and_overwrites_nothing(name: str) -> None:
    model = networks.build(name)
    assert not model.training
    assert in_place(model) == []
    assert all(not tensor.is_inference() for tensor in model.parameters())


@pytest.mark.parametrize(
    "member",
    [
        models.GoogLeNet_Weights.IMAGENET1K_V1,  # torchvision counts it without auxiliary heads,
        models.Inception_V3_Weights.IMAGENET1K_V1,  # and this one with
        models.RegNet_Y_400MF_Weights.IMAGENET1K_V2,  # does not build on torch's own meta device
        models.ViT_B_16_Weights.IMAGENET1K_SWAG_E2E_V1,  # 384 pixels: more positions than at 224
        models.MaxVit_T_Weights.IMAGENET1K_V1,
        models.DenseNet121_Weights.IMAGENET1K_V1,
    ],
    ids=str,
)
def test_parameters_are_those_torchvision_publishes(member: models.WeightsEnum) -> None:
    entry = networks.entry_of(f"torchvision:{member}")
    assert entry.input is not None
    model = networks.build(entry.reference, entry.input.image_size, device="meta")
    assert sum(parameter.numel() for parameter in model.parameters()) == member.meta["num_params"]
    tensors = (*model.parameters(), *model.buffers())
    assert {tensor.device.type for tensor in tensors} == {"meta"}


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("torchvision:vit_b_16", 384),
        ("torchvision:maxvit_t", 448),
        ("timm:vit_tiny_patch16_224", 384),
        ("timm:swin_tiny_patch4_window7_224", 256),
        ("timm:resnet18", 160),
        ("explorer:resnet20", 64),
    ],
)
def test_it_is_built_for_the_size_asked_for(name: str, size: int) -> None:
    model = networks.build(name, image_size=size, device="meta")
    assert model(torch.zeros(1, 3, size, size, device="meta")).shape[0] == 1


def test_without_a_size_a_network_is_built_for_its_own() -> None:
    name = "torchvision:vit_h_14"  # 518 pixels, which torchvision's builder must be told
    model = networks.build(name, device="meta")
    assert model(torch.zeros(1, *networks.input_spec(name).shape, device="meta")).shape == (1, 1000)


def test_what_computes_while_being_built_comes_without_memory_too() -> None:
    before = torch.get_rng_state()
    model = networks.build("timm:csatv2", device="meta")  # multiplies cosine tables in its constructor
    assert torch.equal(torch.get_rng_state(), before)  # and draws no weights that nobody keeps
    assert {parameter.device.type for parameter in model.parameters()} == {"meta"}


def test_meta_and_memory_give_the_same_network() -> None:
    real = networks.build("timm:test_vit", image_size=96)
    meta = networks.build("timm:test_vit", image_size=96, device="meta")
    assert {key: value.shape for key, value in real.state_dict().items()} == {
        key: value.shape for key, value in meta.state_dict().items()
    }


@pytest.mark.parametrize(
    ("name", "size"), [("explorer:zfnet", 160), ("zoo:vgg_small", 64), ("torchvision:maxvit_t", 256)]
)
def test_a_size_that_cannot_be_is_one_sentence(name: str, size: int) -> None:
    with pytest.raises(networks.CannotBuild, match=rf"^{name} cannot be built for {size} x {size}: [^\n]+$"):
        networks.build(name, image_size=size, device="meta")


def test_a_budget_is_kept_before_anything_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_MAX_PARAMS", "1e8")
    with pytest.raises(networks.CannotBuild, match=r"138 M parameters.*up to 100 M"):
        networks.build("torchvision:vgg16")
    with pytest.raises(networks.CannotBuild, match="138 M"):
        networks.load("random:torchvision:vgg16")
    assert networks.parameter_count(networks.resolve("torchvision:vgg16")) == 138_357_544
    assert networks.build("timm:test_resnet").training is False


def test_input_of_each_builder(tiny_folder: Path) -> None:
    torchvision = networks.input_spec("torchvision:resnet50")
    assert (torchvision.image_size, torchvision.resize, torchvision.interpolation) == (224, 232, "bilinear")
    timm = networks.input_spec("timm:vit_base_patch16_224")
    assert (timm.resize, timm.interpolation, timm.mean, timm.fixed) == (248, "bicubic", (0.5, 0.5, 0.5), True)
    grey = networks.input_spec("explorer:lenet5")
    assert (grey.shape, grey.mean, grey.fixed) == ((1, 32, 32), (0.5,), True)
    folder = networks.input_spec(f"local-dir:{tiny_folder}")
    assert (folder.image_size, folder.resize, folder.mean) == (96, 128, (0.1, 0.2, 0.3))
    assert networks.input_spec("timm:vit_base_patch16_sapiens2").shape == (3, 1024, 768)


def test_another_size_keeps_the_crop() -> None:
    spec = networks.input_spec("torchvision:resnet50")
    assert (spec.at(112).shape, spec.at(112).resize) == ((3, 112, 112), 116)
    assert spec.at(None) is spec
    assert spec.at(224) is spec


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"architecture": "os.system"}, "unknown to timm"),
        ({"architecture": None}, "unknown to timm"),
        ({"model_args": {"pretrained": True}}, "may not set pretrained"),
        (
            {"model_args": {"pretrained_cfg_overlay": {"url": "http://x"}}},
            "may not set pretrained_cfg_overlay",
        ),
        ({"model_args": {"checkpoint_path": "/etc/passwd"}}, "may not set checkpoint_path"),
        ({"model_args": [1]}, "must be tables"),
        ({"pretrained_cfg": "x"}, "must be tables"),
        ({"pretrained_cfg": {"input_size": [3, 0, 0]}}, "input_size must be"),
        ({"pretrained_cfg": {"mean": [0.5]}}, "mean must be 3 numbers"),
        ({"pretrained_cfg": {"std": [0, 0, 0]}}, "std must be"),
        ({"pretrained_cfg": {"crop_pct": float("nan")}}, "crop_pct must be"),
        ({"pretrained_cfg": {"label_names": "abc"}}, "label_names must be a list of names"),
        ({"num_classes": "many"}, "num_classes must be"),
    ],
)
def test_a_strangers_config_is_held_to_what_it_may_say(
    tiny_folder: Path, change: dict, complaint: str
) -> None:
    config = json.loads((tiny_folder / "config.json").read_text())
    (tiny_folder / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(networks.UnknownNetwork, match=complaint):
        networks.build(f"local-dir:{tiny_folder}")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "[" * 100_000, '{"architecture": "resnet18"', "\xff\xfe"]
)
def test_a_config_that_is_no_config_is_one_sentence(tiny_folder: Path, text: str) -> None:
    (tiny_folder / "config.json").write_text(text, encoding="latin-1")
    with pytest.raises(networks.UnknownNetwork, match=r"config\.json .*(JSON|table|unknown)"):
        networks.resolve(f"local-dir:{tiny_folder}")


def test_arguments_the_network_does_not_take_are_one_sentence(tiny_folder: Path) -> None:
    config = json.loads((tiny_folder / "config.json").read_text())
    (tiny_folder / "config.json").write_text(json.dumps(config | {"model_args": {"wings": 2}}))
    with pytest.raises(networks.CannotBuild, match="wings"):
        networks.build(f"local-dir:{tiny_folder}", device="meta")
