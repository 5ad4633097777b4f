"""What ships is whole: cards say what the files hold, and the accuracy on a card can be measured again."""

import hashlib
import io
import json
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from explorer.networks import zoo
from explorer.networks.zoo import ZooError
from explorer.training.data import ImageSet
from explorer.training.evaluation import evaluate
from explorer.training.model_cards import shipped

CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
TEST_PICTURES_A_CLASS = 100


def test_the_whole_zoo_is_shipped():
    assert zoo.names() == tuple(zoo.ZOO)


@pytest.mark.parametrize("name", zoo.ZOO)
def test_a_card_describes_its_weights(name: str):
    card = zoo.card(name)
    model = shipped(name)
    assert card.name == name
    assert card.params == sum(parameter.numel() for parameter in model.parameters())
    assert card.labels == CIFAR10
    assert card.weights_sha256 == hashlib.sha256(zoo.weights_path(name).read_bytes()).hexdigest()
    assert card.epochs == card.recipe["epochs"] == len(card.curves["test_accuracy_percent"])
    assert card.seed == card.recipe["seed"]
    assert "JPEG" in card.dataset_note
    # Weights of half precision, so the last epoch's own evaluation differs by rounding only.
    assert card.test_accuracy_percent == pytest.approx(card.curves["test_accuracy_percent"][-1], abs=0.3)
    assert all(torch.isfinite(value).all() for value in model.state_dict().values())
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_resnet20_passes_82_percent():
    assert zoo.card("resnet20").test_accuracy_percent > 82


@pytest.mark.parametrize("name", ["resnet20", "vgg_small"])
def test_chelsea_is_a_cat(name: str):
    """Prepared as the card says: shorter side to 32 with antialiasing, then the centre."""
    from skimage.data import chelsea

    card = zoo.card(name)
    picture = Image.fromarray(chelsea())
    scale = card.image_size / min(picture.size)
    width, height = (round(side * scale) for side in picture.size)
    pixels = np.asarray(picture.resize((width, height), Image.Resampling[zoo.INTERPOLATION.upper()]))
    left, top = (width - card.image_size) // 2, (height - card.image_size) // 2
    pixels = pixels[top : top + card.image_size, left : left + card.image_size]
    x = (torch.from_numpy(pixels / 255).float() - torch.tensor(card.mean)) / torch.tensor(card.std)
    answer = shipped(name)(x.permute(2, 0, 1)[None]).argmax().item()
    assert card.labels[answer] == "cat"


def test_resnet20_scores_on_a_part_of_the_test_set_what_its_card_says(shared_cifar: Path):
    """1,000 test pictures, 100 a class: within 3.5 points, three standard deviations of such a sample."""
    card = zoo.card("resnet20")
    measured = evaluate(shipped("resnet20"), _test_pictures(shared_cifar), card.mean, card.std)
    assert measured.total == 10 * TEST_PICTURES_A_CLASS
    assert measured.accuracy_percent == pytest.approx(card.test_accuracy_percent, abs=3.5)


def _test_pictures(archive: Path) -> ImageSet:
    """The first test pictures of each class, read from the archive without unpacking it."""
    images, labels = [], []
    wanted = len(CIFAR10) * TEST_PICTURES_A_CLASS
    with tarfile.open(archive) as tar:
        for member in tar:
            parts = Path(member.name).parts
            if "test" not in parts or not member.isfile():
                continue
            label = CIFAR10.index(parts[-2])
            if labels.count(label) < TEST_PICTURES_A_CLASS:
                file = tar.extractfile(member)
                assert file is not None
                images.append(np.asarray(Image.open(io.BytesIO(file.read())).convert("RGB")))
                labels.append(label)
            if len(labels) == wanted:
                break
    pixels = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
    return ImageSet(pixels, torch.tensor(labels), CIFAR10, "archive")


def test_an_unknown_name_lists_the_zoo():
    with pytest.raises(ZooError, match="'resnet18' is not in the zoo; try one of resnet20, vgg_small"):
        zoo.card("resnet18")


def _without(fields: dict[str, object], key: str) -> dict[str, object]:
    return {name: value for name, value in fields.items() if name != key}


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda fields: _without(fields, "seed"), r"is not a card: missing \['seed'\]"),
        (lambda fields: fields | {"std": [0.2, 0.2, 0]}, "std above zero"),
        (lambda fields: fields | {"test_accuracy_percent": 182}, "outside 0-100"),
        (lambda fields: fields | {"epochs": 99}, "one value for each of 99 epochs"),
    ],
    ids=["missing", "zero-std", "accuracy", "curves"],
)
def test_a_damaged_card_is_named(tmp_path: Path, spoil, sentence: str):
    fields = json.loads(zoo.card_path("resnet20").read_text())
    path = tmp_path / "resnet20.json"
    path.write_text(json.dumps(spoil(fields)))
    with pytest.raises(ZooError, match=sentence):
        zoo.read_card(path)


@pytest.mark.parametrize(
    "change",
    [
        {"mean": ["a", "b", "c"]},
        {"labels": 5},
        {"curves": None},
        {"curves": {"test_accuracy_percent": "hello world"}},
        {"recipe": [1]},
        {"test_accuracy_percent": "82"},
        {"std": [float("nan")] * 3},
        {"image_size": -32},
        {"epochs": True},
        {"title": 5},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_value_of_another_kind_is_named(tmp_path: Path, change: dict[str, object]):
    path = tmp_path / "resnet20.json"
    path.write_text(json.dumps(json.loads(zoo.card_path("resnet20").read_text()) | change))
    with pytest.raises(ZooError, match=rf"^resnet20\.json is not a card: .*{next(iter(change))}"):
        zoo.read_card(path)


@pytest.mark.parametrize("text", ["[" * 200_000, "\0", "", "[]", '{"epochs": 1' + "0" * 5000 + "}"])
def test_one_spoilt_card_takes_nothing_else_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, capsys
):
    from explorer import networks
    from explorer.__main__ import main

    shutil.copytree(zoo.FOLDER, tmp_path / "zoo")
    monkeypatch.setattr(zoo, "FOLDER", tmp_path / "zoo")
    (tmp_path / "zoo" / "vgg_small.json").write_text(text)
    assert [each.id for each in networks.weights_of("zoo:resnet20")] == ["zoo:resnet20"]
    assert "zoo:vgg_small" not in {each.id for each in networks.on_this_machine()}
    with pytest.raises(ZooError, match=r"^vgg_small\.json "):
        networks.load("zoo:vgg_small")
    assert main(["list"]) == 0
    said = capsys.readouterr().err
    assert said.startswith("explorer: zoo:vgg_small cannot be used: vgg_small.json ")
    assert said.count("\n") == 1


def test_damaged_weights_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(zoo, "FOLDER", tmp_path)
    with pytest.raises(ZooError, match=r"resnet20\.safetensors cannot be read"):
        zoo.load_state("resnet20")
    (tmp_path / "resnet20.safetensors").write_bytes(b"\x08" + b"\x00" * 20)
    with pytest.raises(ZooError, match=r"resnet20\.safetensors cannot be read"):
        zoo.load_state("resnet20")
