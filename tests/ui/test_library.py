"""The library: the same numbers as the command line and the app, for names and for modules of one's own."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import nn

import explorer
from explorer.inference import SAMPLES


class Residual(nn.Module):
    """Two convolutions of 3 x 3 and the sum with what came in; an activation that overwrites its input."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 3, 3, padding=1)
        self.act = nn.ReLU(inplace=True)
        self.head = nn.Linear(3, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.second(self.act(self.first(x)))
        return self.head(x.mean((2, 3)))


@pytest.mark.parametrize("image", [32, (3, 32, 32), (1, 3, 32, 32), torch.zeros(1, 3, 32, 32)])
def test_a_module_of_ones_own_is_counted(image):
    found = explorer.stats(Residual(), image)
    assert found.params == (3 * 9 + 1) * 8 + (8 * 9 + 1) * 3 + (3 + 1) * 5
    assert found.macs == 32 * 32 * (27 * 8 + 72 * 3) + 3 * 5
    assert explorer.receptive_fields(Residual(), image)["second"].size == (5, 5)
    assert explorer.trace(Residual(), image).input_shape[-2:] == (32, 32)


def test_the_numbers_of_a_name_are_the_command_lines():
    told = subprocess.run(
        [sys.executable, "-m", "explorer", "stats", "lenet5"], capture_output=True, text=True, check=True
    )
    assert str(explorer.stats("lenet5")) == told.stdout.rstrip("\n")
    assert "<pre>" in explorer.stats("lenet5")._repr_html_()


def test_a_diagram_stands_alone_and_opens_what_is_asked(tmp_path):
    drawn = explorer.diagram(Residual(), 32, level="op", overlay="macs")
    drawn.save(tmp_path / "drawing.svg")
    root = ElementTree.fromstring((tmp_path / "drawing.svg").read_text("utf-8"))
    assert root.tag.endswith("svg")
    assert {"first", "second"} <= {
        text.partition(" ")[0] for text in drawn.svg.replace(">", " ").split()
    } or ("conv 3×3" in drawn.svg)
    assert drawn.svg.count("data-id") > explorer.diagram(Residual(), 32, level="stage").svg.count("data-id")


@pytest.mark.parametrize("wrong", [{"level": "x"}, {"flow": "x"}, {"overlay": "x"}, {"open": ["nothing"]}])
def test_what_there_is_not_is_said(wrong):
    with pytest.raises(ValueError, match="try one of"):
        explorer.diagram("lenet5", **wrong)


def test_a_module_of_ones_own_is_explained_and_stays_as_it_was():
    torch.manual_seed(0)
    model = Residual().train()
    labels = ("a", "b", "c", "d", "e")
    answer = explorer.explain(model, SAMPLES["chelsea"].load(), labels=labels, layer="second")
    found = answer.explanation
    assert {each.label for each in found.predictions} == set(labels)
    assert found.features.shape == (3, 224, 224)
    assert model.training
    assert model.act.inplace
    assert answer.overlay().size == Image.fromarray(found.display).size
    assert "data:image/png;base64," in answer._repr_html_()


def test_a_name_is_explained_by_its_weights_here():
    answer = explorer.explain("zoo:resnet20", SAMPLES["chelsea"].load())
    assert answer.explanation.predictions[0].label == "cat"
    assert "cat" in str(answer)


@pytest.mark.parametrize("wrong", [(3, 0, 32), (32, 32), (1, 1, 3, 32, 32)])
def test_what_is_no_shape_is_said(wrong):
    with pytest.raises(ValueError, match="no shape of an image"):
        explorer.trace(Residual(), wrong)
    with pytest.raises(ValueError, match="takes a square"):
        explorer.stats("resnet18", (3, 32, 64))


def test_the_package_itself_needs_no_torch():
    code = "import sys, explorer; print('torch' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(said.stdout.lower()) is False


SHOW = """
from urllib.request import urlopen
from torch import nn
import explorer

if __name__ == "__main__":
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    shown = [explorer.show(each, (3, 32, 32), browser=False) for each in (net, net)]
    with urlopen(shown[0].address) as page:
        print(*shown, page.status)
"""


def test_the_app_is_shown_on_a_module_of_this_process(tmp_path):
    """From another folder, so that its configuration is found beside its pages."""
    (tmp_path / "shown.py").write_text(SHOW)
    repository = str(Path(explorer.__file__).parents[1])
    told = subprocess.run(
        [sys.executable, "shown.py"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": repository},
    )
    *addresses, status = told.stdout.split()[-3:]
    (server, first), (same_server, second) = (each.split("?") for each in addresses)
    assert (first, second) == ("arch=own:Sequential", "arch=own:Sequential-2")
    assert (server, status) == (same_server, "200")


class Pair(nn.Module):
    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return x + y


class Both(nn.Module):
    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x, x + 1


@pytest.mark.parametrize(("module", "said"), [(Pair(), "takes 2 inputs"), (Both(), "answers with 2 tensors")])
def test_what_the_app_cannot_show_is_said_before_it_starts(module, said):
    with pytest.raises(ValueError, match=said):
        explorer.show(module, 32)
