"""The gallery of blocks: each specimen is there, in its network's own graph, with what makes its family."""

import re
from dataclasses import replace
from html import unescape
from urllib.parse import parse_qs

import pytest

from explorer import catalogue
from explorer.ui.families import view

LABELS = {  # what must stand in the drawing, by architecture, in this order
    "vgg16": ["conv 3×3", "ReLU", "conv 3×3", "ReLU", "max pool 2×2"],
    "googlenet": ["max pool 3×3", "concat"],
    "resnet50": [
        "conv 1×1",
        "batch norm",
        "ReLU",
        "conv 3×3",
        "batch norm",
        "ReLU",
        "conv 1×1",
        "add",
        "ReLU",
    ],
    "densenet121": ["concat", "batch norm", "ReLU", "conv 1×1", "batch norm", "ReLU", "conv 3×3"],
    "mobilenet_v2": ["conv 1×1 · BN · ReLU6", "depthwise 3×3 · BN · ReLU6", "conv 1×1", "batch norm", "add"],
    "shufflenet_v1": ["grouped conv 1×1", "channel shuffle", "depthwise 3×3", "grouped conv 1×1", "add"],
    "efficientnet_b0": ["depthwise 3×3 · BN · SiLU", "SqueezeExcitation", "conv 1×1 · BN", "add"],
    "se_resnet50": ["global average pool", "conv 1×1", "ReLU", "conv 1×1", "sigmoid", "multiply", "add"],
    "vit_b16": ["layer norm", "MultiheadAttention", "add", "layer norm", "linear", "GELU", "linear", "add"],
    "convnext_t": ["depthwise 7×7", "layer norm", "linear", "GELU", "linear", "learned scale", "add"],
}


@pytest.fixture(scope="module")
def painted():
    return {each.architecture: view.paint(each) for each in view.SPECIMENS}


def test_every_family_of_networks_is_there():
    shown = {each.entry.family for each in view.SPECIMENS}
    assert shown == set(catalogue.FAMILIES) - {"handcrafted"}


@pytest.mark.parametrize("architecture", LABELS)
def test_the_block_has_what_makes_its_family(painted, architecture):
    drawn = iter(painted[architecture].names)
    missing = [label for label in LABELS[architecture] if label not in drawn]  # in order: `in` consumes
    assert not missing


def test_four_branches_and_the_skips(painted):
    def skips(name: str) -> int:
        return len(re.findall(r'class="edge skip', painted[name].svg))

    into_concat = re.findall(r'data-target="cat"', painted["googlenet"].svg)
    assert len(into_concat) == 4
    assert skips("vgg16") == skips("googlenet") == 0
    assert skips("resnet50") == skips("mobilenet_v2") == skips("convnext_t") == 1
    assert skips("vit_b16") == 2


def test_links_lead_into_the_block(painted):
    for each in view.SPECIMENS:
        query = parse_qs(each.link.removeprefix("?"))
        assert query["arch"] == [each.architecture]
        assert query["inside"] == [each.block]
        assert query.get("open", [""])[0].split() == list(each.opened)


def test_a_card_says_name_network_year_and_what_to_look_for(painted):
    cards = view.gallery(view.SPECIMENS, list(painted.values()))
    cards = unescape(cards)
    assert cards.count("<article") == len(view.SPECIMENS)
    for each in view.SPECIMENS:
        assert f"<h2>{each.name}</h2>" in cards
        assert f"{each.entry.name} · {each.entry.year}</a><p>{each.look}</p>" in cards
    assert 'aria-label="Block of ResNet-50: conv 1×1, batch norm, ReLU, conv 3×3' in cards


def test_a_block_that_is_not_there_is_an_error():
    first = view.SPECIMENS[2]
    with pytest.raises(KeyError):
        view.paint(replace(first, block="layer9.1"))
    with pytest.raises(KeyError, match="no such part"):
        view.paint(replace(first, opened=("no such part",)))
