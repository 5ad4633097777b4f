"""Covering a photo by hand: which pixels go, and what is said of both answers."""

import numpy as np
import pytest
import torch
from torch import nn

from explorer import networks
from explorer.inference import SAMPLES, decode, explain
from explorer.labs import covering
from explorer.labs.covering import CELLS
from explorer.networks import InputSpec, Network


class TopLeft(nn.Module):
    """The first class as long as there is contrast in the top left quarter, else the second."""

    def __init__(self):
        super().__init__()
        self.look = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x):
        corner = 8 * x[:, :, :16, :16].abs().mean((1, 2, 3))
        return torch.stack([corner, torch.full_like(corner, 2.0)], 1) + 0 * self.look(x).mean()


@pytest.fixture(scope="module")
def chelsea():
    return decode(SAMPLES["chelsea"].load())


def network(outputs="classes") -> Network:
    entry = networks.WeightsEntry("random:corner", networks.resolve("timm:resnet18"), "corner")
    spec = InputSpec((3, 32, 32), resize=32)
    return Network(TopLeft().eval(), entry.reference, entry, spec, ("a", "b"), outputs=outputs)


def quarter(top: bool, left: bool) -> np.ndarray:
    cells = np.zeros((CELLS, CELLS), bool)
    cells[: CELLS // 2 if top else None, : CELLS // 2 if left else None] = True
    return cells if top and left else ~cells


def test_only_what_counts_costs_the_answer(chelsea):
    harmless = covering.covered(network(), chelsea, ~quarter(True, True))
    assert harmless.share == 0.75
    assert harmless.before == harmless.after
    harmful = covering.covered(network(), chelsea, quarter(True, True))
    assert [each.label for each in harmful.before] == [each.label for each in harmful.after] == ["a", "b"]
    assert harmful.share == 0.25
    assert harmful.now == 1
    assert harmful.after[0].probability == pytest.approx(float(torch.tensor([0.0, 2.0]).softmax(0)[0]))


def test_a_new_answer_is_shown_below_the_five(chelsea):
    lite = networks.load("box:tf_efficientnet_lite0")
    found = covering.covered(lite, chelsea, np.ones((CELLS, CELLS), bool))
    assert found.share == 1
    assert len(found.after) == 6
    assert found.after[-1].index == found.now == found.before[-1].index


def test_an_embedding_has_no_answer_to_lose(chelsea):
    with pytest.raises(ValueError, match="does not choose among classes"):
        covering.covered(network("embedding"), chelsea, quarter(True, True))


@pytest.mark.parametrize("side", [(224, 224), (260, 260), (30, 20), (7, 9)])
def test_cells_grow_to_the_whole_picture(side):
    cells = quarter(True, True)
    grown = covering.grown(cells, *side)
    assert grown.shape == side
    assert grown[0, 0]
    assert not grown[-1, -1]
    assert grown.mean() == pytest.approx(0.25, abs=0.08)


def test_the_strongest_cells_are_where_the_map_is_strongest(chelsea):
    found = explain(networks.load("box:tf_efficientnet_lite0"), chelsea)
    cells = covering.strongest(found, 0.1)
    assert cells.sum() == round(0.1 * CELLS * CELLS)
    inside = covering.grown(cells, *found.heatmap.shape)
    assert found.heatmap[inside].min() > np.median(found.heatmap)
    assert covering.anywhere(0.1).sum() == cells.sum()
    assert (covering.anywhere(0.1) == covering.anywhere(0.1)).all()


def test_a_mask_comes_back_from_a_link():
    cells = covering.anywhere(0.3)
    assert (covering.read(covering.written(cells)) == cells).all()
    assert covering.written(np.zeros_like(cells)) == ""
    assert not covering.read("").any()


@pytest.mark.parametrize("text", ["zz" * 32, "ff", "f" * 5000, "\u0663" * 64, "0x" + "f" * 62, " " * 64])
def test_what_is_no_mask_is_refused(text):
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        covering.read(text)
