"""Trained networks that come as packages with the requirements."""

from importlib.metadata import version
from pathlib import Path

import pytest
import torch

from explorer import networks
from explorer.networks import from_box

REQUIREMENTS = (Path(__file__).parents[2] / "requirements.txt").read_text()


@pytest.mark.parametrize("package", from_box.BOX.values(), ids=from_box.BOX)
def test_each_package_is_required_and_its_file_is_the_published_one(package: from_box.Package) -> None:
    assert f"{package.package}=={version(package.package)}\n" in REQUIREMENTS
    entry = from_box.entry(package.name)
    assert entry.on_this_machine
    assert from_box.fetch(entry, None) == entry.path


@pytest.mark.parametrize("name", from_box.BOX)
def test_every_tensor_of_the_file_stands_in_the_network(name: str) -> None:
    entry = networks.entry_of(f"box:{name}")
    assert entry.path is not None
    published = list(torch.load(entry.path, weights_only=True).values())
    network = networks.load(entry.id)
    loaded = list(network.model.state_dict().values())
    assert len(loaded) == len(published) == (296 if name.endswith("0") else 386)
    assert all(torch.equal(a, b) for a, b in zip(loaded, published, strict=True))
    assert len(network.labels) == 1000
    assert network.input.shape == networks.input_spec(f"timm:{name}").shape


def test_the_box_comes_first_and_belongs_to_its_architecture() -> None:
    assert [each.id for each in networks.on_this_machine()][:3] == [f"box:{name}" for name in from_box.BOX]
    assert networks.choose_weights("efficientnet_lite2").id == "box:tf_efficientnet_lite2"
    assert networks.choose_weights("timm:tf_efficientnet_lite0").id == "box:tf_efficientnet_lite0"


def test_another_file_under_the_same_name_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    changed = tmp_path / "changed.pth"
    changed.write_bytes(b"something else")
    monkeypatch.setattr(from_box, "_path", lambda package: changed)
    with pytest.raises(networks.WeightsUnavailable, match="not the one that was published"):
        networks.load("box:tf_efficientnet_lite0")


def test_without_the_packages_the_zoo_is_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(from_box, "_path", lambda package: None)
    assert networks.on_this_machine()[0].id.startswith("zoo:")
    with pytest.raises(networks.WeightsUnavailable, match=r"not installed; see requirements\.txt"):
        networks.load("box:tf_efficientnet_lite1")


def test_an_unknown_name_is_told_the_known_ones() -> None:
    with pytest.raises(ValueError, match="tf_efficientnet_lite2"):
        networks.entry_of("box:resnet50")
