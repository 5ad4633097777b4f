"""What a typed name means."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import timm
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision import models

from explorer import catalogue, networks
from explorer.networks import UnknownNetwork, names, resolve


def test_the_names_read_from_source_are_the_libraries_own() -> None:
    assert set(names()["timm"]) == set(timm.list_models())
    assert len(names()["timm"]) == 1371
    assert set(names()["torchvision"]) == set(models.list_models(module=models))


def test_resolving_needs_no_torch() -> None:
    program = (
        "import sys; from explorer.networks import names, resolve; resolve('resnet50'); names();"
        "resolve('timm:resnet18'); resolve('vit_h_14'); print({'timm', 'torch'} & sys.modules.keys())"
    )
    root = Path(__file__).resolve().parents[2]
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=root, check=True
    )
    assert run.stdout.strip() == "set()"


def test_every_build_in_the_catalogue_exists() -> None:
    for entry in catalogue.architectures().values():
        for build in (*entry.builders, *entry.variants.values()):
            assert str(resolve(build)) == build, entry.id


def test_a_bare_name_takes_the_catalogues_choice_first() -> None:
    reference = resolve("resnet50")
    assert str(reference) == catalogue.get("resnet50").builders[0]
    assert reference.architecture == "resnet50"
    assert "catalogue's choice" in reference.reason


@pytest.mark.parametrize(
    ("name", "reference", "owner"),
    [
        ("resnet26d", "timm:resnet26d", "timm's"),
        ("vit_h_14", "torchvision:vit_h_14", "torchvision's"),
        ("resnet26d.bt_in1k", "timm:resnet26d.bt_in1k", "timm's"),
    ],
)
def test_then_timms_then_torchvisions(name: str, reference: str, owner: str) -> None:
    assert str(resolve(name)) == reference
    assert resolve(name).reason.startswith(owner)


def test_a_prefix_says_which_builder_is_meant() -> None:
    assert str(resolve("timm:vgg16")) == "timm:vgg16"
    assert str(resolve("torchvision:vgg16")) == "torchvision:vgg16"
    assert resolve("timm:vgg16").architecture == resolve("torchvision:vgg16").architecture == "vgg16"
    assert str(resolve(" hf_hub:timm/resnet18.a1_in1k ")) == "hf-hub:timm/resnet18.a1_in1k"


def test_names_as_readers_see_them_work_too() -> None:
    assert str(resolve("ResNet-50")) == str(resolve("resnet-50")) == str(resolve("resnet50"))
    assert str(resolve("ResNet-18")) == "torchvision:resnet18"


def test_a_folder_is_known_by_the_network_in_it(tiny_folder: Path) -> None:
    config = json.loads((tiny_folder / "config.json").read_text())
    (tiny_folder / "config.json").write_text(json.dumps(config | {"architecture": "mobilenetv2_100"}))
    assert resolve(f"local-dir:{tiny_folder}").architecture == "mobilenet_v2"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("resnet51", "resnet50"),
        ("timm:resnet5O", "timm:resnet50"),
        ("torchvision:vgg61", "torchvision:vgg16"),
        ("timm:resnet50.nope", "resnet50.a1_in1k"),
        ("zoo:nope", "zoo:resnet20"),
        ("keras:resnet50", "torchvision"),
        ("hf-hub:noslash", "ORGANISATION/NAME"),
        ("hf-hub:../../etc/passwd", "ORGANISATION/NAME"),
        ("local-dir:/no/such/folder", "config.json"),
        ("bovw_svm", "no network"),
        ("", "resnet50"),
        ("x" * 100_000, "300"),
    ],
)
def test_an_unknown_name_is_one_sentence_with_a_way_out(name: str, hint: str) -> None:
    with pytest.raises(UnknownNetwork, match=r"^[^\n]{1,600}$") as error:
        resolve(name)
    assert hint in str(error.value)


@given(st.text(max_size=40))
@settings(max_examples=50, deadline=None)
def test_any_text_resolves_or_is_unknown(text: str) -> None:
    try:
        reference = resolve(text)
    except UnknownNetwork:
        return
    assert str(resolve(str(reference))) == str(reference)


def test_a_hosted_explorer_opens_only_what_its_host_laid_out(
    tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPLORER_HOSTED", "1")
    for shared in ("", str(tiny_folder.parent)):
        monkeypatch.setenv("EXPLORER_WEIGHTS", shared)
        with pytest.raises(UnknownNetwork, match="hosted"):
            resolve(f"local-dir:{tiny_folder}")
    assert resolve(f"folder:{tiny_folder.name}").builder == "folder"


def test_on_the_screen_a_folder_has_its_name_alone(tiny_folder: Path) -> None:
    reference = resolve(f"local-dir:{tiny_folder}")
    assert (reference.title, reference.shown) == (tiny_folder.name, f"local-dir:{tiny_folder.name}")
    for weights_id in (f"local-dir:{tiny_folder}", f"random:local-dir:{tiny_folder}"):
        assert str(tiny_folder.parent) not in networks.entry_of(weights_id).shown
    assert networks.entry_of("zoo:resnet20").shown == "zoo:resnet20"
