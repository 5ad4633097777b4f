"""Which weights a network has, which are here, and what a loaded network is like."""

import dataclasses
import hashlib
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save
from torchvision import models

from explorer import networks
from explorer.networks import from_torchvision, zoo

MOBILENET = "mobilenetv2_100.coral_in1k"


@pytest.fixture
def weights_folder(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EXPLORER_WEIGHTS", str(tiny_folder.parent))
    return tiny_folder.parent


def test_a_network_has_its_own_builders_weights_first_then_the_others() -> None:
    ids = [entry.id for entry in networks.weights_of("resnet50")]
    assert ids[0] == "torchvision:ResNet50_Weights.IMAGENET1K_V2"
    assert "timm:resnet50.a1_in1k" in ids
    assert len(ids) == len(set(ids))
    assert not any(each.startswith("random:") for each in ids)


def test_an_entry_about_a_recipe_prefers_its_weights() -> None:
    assert networks.choose_weights("resnet50_a1").id == "timm:resnet50.a1_in1k"


def test_a_tag_means_those_weights_only() -> None:
    assert [entry.id for entry in networks.weights_of("timm:resnet18.a1_in1k")] == ["timm:resnet18.a1_in1k"]


def test_an_entry_says_what_is_published_about_it() -> None:
    entry = networks.entry_of("torchvision:ResNet50_Weights.IMAGENET1K_V1")
    assert entry.facts["top1"].value == 76.13
    assert entry.facts["top1"].source == "torchvision ResNet50_Weights.IMAGENET1K_V1"
    assert entry.bytes == pytest.approx(97.8 * 2**20, rel=0.001)
    assert entry.input is not None
    assert entry.input.resize == 256
    assert networks.entry_of("timm:resnet50.a1_in1k").licence == "apache-2.0"


def test_every_torchvision_entry_finds_its_way_back() -> None:
    members = [each for name in networks.names()["torchvision"] for each in models.get_model_weights(name)]
    assert len(members) == 115
    for member in members:
        entry = networks.entry_of(f"torchvision:{member}")
        assert models.get_model_weights(entry.reference.name)[member.name] is member


@pytest.mark.parametrize(
    ("weights_id", "complaint"),
    [
        ("resnet50", "ids begin with"),
        ("torchvision:ResNet50_Weights.V9", "IMAGENET1K_V1"),
        ("torchvision:Nope_Weights.V1", "no classification weights"),
        ("timm:resnet50.nope", "resnet50.a1_in1k"),
        ("folder:nope", "No folder called 'nope'"),
        ("zoo:nope", "No network is called 'zoo:nope'"),
        ("local-dir:/no/such", "config.json"),
    ],
)
def test_an_id_that_means_nothing_is_a_sentence(weights_id: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+$") as error:
        networks.load(weights_id)
    assert complaint in str(error.value)


def test_weights_of_another_network_are_refused() -> None:
    with pytest.raises(ValueError, match="weights of torchvision:resnet50, not of torchvision:vgg16"):
        networks.choose_weights("vgg16", "torchvision:ResNet50_Weights.IMAGENET1K_V1")
    assert networks.choose_weights("resnet50", "timm:resnet50.a1_in1k").reference.builder == "timm"


def test_a_network_nobody_trained_says_so_and_offers_random_weights() -> None:
    with pytest.raises(networks.WeightsUnavailable, match="random:explorer:zfnet"):
        networks.choose_weights("zfnet")
    assert networks.choose_weights("zfnet", "random:zfnet").id == "random:explorer:zfnet"


def test_random_weights_are_the_same_every_time_and_leave_the_generator_alone() -> None:
    before = torch.random.get_rng_state()
    first, second = (networks.load("random:explorer:resnet20") for _ in range(2))
    assert torch.equal(torch.random.get_rng_state(), before)
    pairs = zip(first.model.parameters(), second.model.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)
    assert first.weights.untrained
    assert "learnt nothing" in first.weights.label
    assert first.labels == ()


def test_a_folder_of_weights_is_found_and_chosen(weights_folder: Path) -> None:
    entry = networks.choose_weights("timm:test_resnet")
    assert entry.id == "folder:tiny"
    assert entry.on_this_machine
    network = networks.load(entry.id)
    assert network.labels == ("cat", "dog", "axolotl")
    assert network.weights.licence == "cc0-1.0"
    assert (network.input.image_size, network.input.mean) == (96, (0.1, 0.2, 0.3))
    assert network.model(torch.zeros(1, 3, 96, 96)).shape == (1, 3)


def test_folders_of_other_networks_and_broken_ones_are_left_out(weights_folder: Path) -> None:
    for name, config in (("broken", "{"), ("empty", '{"architecture": "test_resnet"}')):
        (weights_folder / name).mkdir()
        (weights_folder / name / "config.json").write_text(config)
    assert [entry.id for entry in networks.on_this_machine() if entry.id.startswith("folder:")] == [
        "folder:tiny"
    ]
    assert not any(entry.id.startswith("folder:") for entry in networks.weights_of("timm:resnet18"))


def test_a_loaded_network_is_frozen_and_can_still_take_gradients(weights_folder: Path) -> None:
    with torch.inference_mode():
        network = networks.load("folder:tiny")
    assert not network.model.training
    assert not any(each.requires_grad or each.is_inference() for each in network.model.parameters())
    assert not any(getattr(module, "inplace", False) for module in network.model.modules())
    x = torch.rand(1, 3, 96, 96, requires_grad=True)
    network.model(x).sum().backward()
    assert x.grad is not None
    assert x.grad.abs().sum() > 0


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> zoo.ModelCard:
    """A zoo of one network, its weights random."""
    content = save({key: value.half() for key, value in zoo.build("resnet20").state_dict().items()})
    card = zoo.ModelCard(
        name="resnet20",
        title="ResNet-20",
        architecture="resnet20_cifar",
        network="",
        params=269_722,
        labels=tuple("abcdefghij"),
        image_size=32,
        mean=(0.4, 0.5, 0.6),
        std=(0.1, 0.2, 0.3),
        preparation="",
        dataset="CIFAR-10",
        dataset_note="",
        test_images=10_000,
        test_accuracy_percent=81.5,
        train_accuracy_percent=90.0,
        evaluation="top-1",
        recipe={},
        epochs=1,
        seed=0,
        curves={},
        seconds_per_epoch=1.0,
        hardware="",
        versions={},
        weights_sha256=hashlib.sha256(content).hexdigest(),
        licence="Apache-2.0",
    )
    monkeypatch.setattr(zoo, "FOLDER", tmp_path)
    (tmp_path / "resnet20.safetensors").write_bytes(content)
    (tmp_path / "resnet20.json").write_text(json.dumps(dataclasses.asdict(card)))
    return card


def test_the_zoo_trains_what_is_written_here(shipped: zoo.ModelCard) -> None:
    entry = networks.choose_weights("resnet20_cifar")
    assert entry.id == "zoo:resnet20"
    assert entry.facts["cifar10_error"].value == 18.5
    network = networks.load(entry.id)
    assert network.reference.architecture == "resnet20_cifar"
    assert (network.labels, network.input.mean, network.input.std) == (
        shipped.labels,
        shipped.mean,
        shipped.std,
    )
    assert (network.input.image_size, network.input.resize) == (32, 32)
    assert next(network.model.parameters()).dtype == torch.float32


def test_a_small_relative_never_stands_in_for_the_large_network() -> None:
    assert networks.resolve("zoo:vgg_small").architecture is None
    assert not any(entry.id.startswith("zoo:") for entry in networks.weights_of("vgg16"))


def test_a_zoo_file_its_card_does_not_describe_is_refused(shipped: zoo.ModelCard) -> None:
    zoo.weights_path("resnet20").write_bytes(zoo.weights_path("resnet20").read_bytes() + b" ")
    with pytest.raises(networks.WeightsUnavailable, match="not the one its card describes"):
        networks.load("zoo:resnet20")
    zoo.weights_path("resnet20").unlink()
    with pytest.raises(networks.WeightsUnavailable, match="lacks its file"):
        networks.load("zoo:resnet20")


def test_a_damaged_file_is_a_sentence_that_names_what_works(weights_folder: Path, tiny_folder: Path) -> None:
    other = weights_folder / "other"
    other.mkdir()
    for file in tiny_folder.iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    (other / "model.safetensors").write_bytes(b"\x10" * 100)
    with pytest.raises(networks.WeightsUnavailable, match=r"^folder:other cannot be read: [^\n]*folder:tiny"):
        networks.load("folder:other")


def test_weights_of_another_shape_are_a_sentence(weights_folder: Path, tiny_folder: Path) -> None:
    config = json.loads((tiny_folder / "config.json").read_text())
    (tiny_folder / "config.json").write_text(json.dumps(config | {"architecture": "test_resnet2"}))
    with pytest.raises(ValueError, match="unknown to timm"):
        networks.load("folder:tiny")
    (tiny_folder / "config.json").write_text(json.dumps(config | {"architecture": "test_vit"}))
    with pytest.raises(networks.WeightsUnavailable, match="cannot be read"):
        networks.load("folder:tiny")


class Payload:
    def __reduce__(self):
        return (Path("never-created").touch, ())


def test_a_pickle_with_code_in_it_does_not_run(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tiny_folder / "model.safetensors").unlink()
    torch.save({"state_dict": Payload()}, tiny_folder / "pytorch_model.bin")
    with pytest.raises(networks.WeightsUnavailable, match="cannot be read"):
        networks.load(f"local-dir:{tiny_folder}")
    assert not Path("never-created").exists()


def test_a_folder_without_weights_says_what_is_missing(tiny_folder: Path) -> None:
    (tiny_folder / "model.safetensors").unlink()
    with pytest.raises(networks.WeightsUnavailable, match=r"holds none of model\.safetensors"):
        networks.load(f"local-dir:{tiny_folder}")


@pytest.mark.parametrize(
    ("member", "as_published"),
    [
        (
            models.DenseNet121_Weights.IMAGENET1K_V1,
            lambda state: {
                key.replace("norm1", "norm.1").replace("conv2", "conv.2"): value
                for key, value in state.items()
            },
        ),
        (
            models.GoogLeNet_Weights.IMAGENET1K_V1,
            lambda state: state | {"aux1.conv.conv.weight": torch.zeros(1), "aux2.fc2.bias": torch.zeros(1)},
        ),
    ],
    ids=["DenseNet-121", "GoogLeNet"],
)
def test_old_torchvision_files_are_understood(
    member: models.WeightsEnum, as_published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As these files name their tensors: with dots where no module may have one, with heads left out here."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    entry = networks.entry_of(f"torchvision:{member}")
    saved = from_torchvision.build(entry.reference.name).state_dict()
    (tmp_path / "checkpoints").mkdir()
    torch.save(as_published(dict(saved)), tmp_path / "checkpoints" / Path(member.url).name)
    network = networks.load(f"torchvision:{member}")
    loaded = network.model.state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in saved.items())
    assert len(network.labels) == 1000
    assert network.weights.on_this_machine


def test_real_weights_know_their_labels_and_preparation(shared_models: Path) -> None:
    network = networks.load(f"local-dir:{shared_models / MOBILENET}")
    assert "Egyptian cat" in network.labels[285]
    assert len(network.labels) == 1000
    assert network.input.mean == network.input.std == (0.5, 0.5, 0.5)
    assert (network.input.image_size, network.input.resize) == (224, 256)
    # config.json's model_args ask for TensorFlow's padding; without it the network answers worse.
    assert {type(module).__name__ for module in network.model.modules()} >= {"Conv2dSame"}


def test_real_weights_fit_the_catalogues_name_for_them(
    shared_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPLORER_WEIGHTS", str(shared_models))
    assert networks.choose_weights("mobilenet_v2").id == f"folder:{MOBILENET}"
    chosen = networks.choose_weights("mobilenet_v2", f"local-dir:{shared_models / MOBILENET}")
    assert chosen.on_this_machine


@pytest.mark.parametrize(
    "name", ["resnetv2_50x1_bit.goog_in21k", "convnext_tiny.fb_in22k", "convnext_nano.r384_ad_in12k"]
)
def test_larger_imagenets_have_names_too(name: str) -> None:
    import timm

    from explorer.networks.labels import of_imagenet

    classes = timm.get_pretrained_cfg(name).num_classes
    assert len(of_imagenet(classes)) == classes
    assert of_imagenet(512) == ()
