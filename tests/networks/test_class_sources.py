"""The line the panel names is the line where the class begins."""

import importlib.util
from pathlib import Path

from explorer.networks import resolve
from explorer.networks.class_sources import class_sources


def line_of(source) -> str:
    package = importlib.util.find_spec(source.module.partition(".")[0])
    path = Path(package.origin).parent.parent / source.file
    return path.read_text("utf-8").splitlines()[source.line - 1]


def test_a_block_and_a_layer_are_found_in_their_packages():
    sources = class_sources(resolve("torchvision:resnet18"))
    assert sources["layer1.0"].file == "torchvision/models/resnet.py"
    assert line_of(sources["layer1.0"]).startswith("class BasicBlock(")
    assert sources["conv1"].module == "torch.nn.modules.conv"
    assert line_of(sources["conv1"]).startswith("class Conv2d(")
    assert line_of(sources[""]).startswith("class ResNet(")


def test_a_network_written_here_is_found_too():
    source = class_sources(resolve("lenet5"))[""]
    assert source.file.startswith("explorer/networks/")
    assert line_of(source).startswith("class ")
