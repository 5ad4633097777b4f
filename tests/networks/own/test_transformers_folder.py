"""A folder of transformers is read by that package, and by nothing that lies in the folder."""

import json
import sys
from pathlib import Path

import pytest
import torch

from explorer.analysis import trace_module
from explorer.networks import UnknownNetwork
from explorer.networks.own import weights
from explorer.networks.own.registry import Settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A ResNet of three classes with one block a stage, as `save_pretrained` writes it."""
    transformers = pytest.importorskip("transformers")
    config = transformers.ResNetConfig(
        embedding_size=8,
        hidden_sizes=[8, 16],
        depths=[1, 1],
        layer_type="basic",
        id2label={0: "cat", 1: "dog", 2: "axolotl"},
        label2id={"cat": 0, "dog": 1, "axolotl": 2},
    )
    transformers.ResNetForImageClassification(config).save_pretrained(tmp_path / "pets")
    (tmp_path / "pets" / "preprocessor_config.json").write_text(
        json.dumps({"size": {"shortest_edge": 80}, "crop_size": {"height": 64, "width": 64}, "resample": 3})
    )
    return tmp_path / "pets"


def test_it_answers_as_transformers_does(folder: Path) -> None:
    from transformers import ResNetForImageClassification

    own = weights.opened(str(folder), Settings())
    spec = own.input_spec()
    assert (own.name, spec.shape, spec.resize, spec.interpolation) == ("pets", (3, 64, 64), 80, "bicubic")
    model, _, labels = own.read()
    assert labels == ("cat", "dog", "axolotl")
    theirs = ResNetForImageClassification.from_pretrained(folder).eval()
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(model.eval()(x), theirs(x).logits)
    assert trace_module(own.build(None), (1, 3, 64, 64), "own").params == theirs.num_parameters()


def test_code_in_the_folder_is_refused(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text()) | {"auto_map": {"AutoConfig": "evil.Config"}}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(UnknownNetwork, match=r"brings code of its own"):
        weights.opened(str(folder), Settings())


def test_without_the_package_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "resnet"}')
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(UnknownNetwork, match=r"pip install transformers\.$"):
        weights.opened(str(tmp_path), Settings())
