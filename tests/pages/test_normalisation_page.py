"""The Normalisation page as a visitor meets it: links, sliders, and the numbers they move."""

import re
from functools import partial

import pytest
from streamlit.testing.v1 import AppTest

from explorer.inference import SAMPLES
from explorer.labs.normalisation import tensors
from explorer.serving import pool
from explorer.ui.kit import lab
from explorer.ui.normalisation.controls import Choices
from explorer.ui.normalisation.numbers import numbers
from tests.pages import opening


@pytest.fixture(autouse=True)
def own_pool(monkeypatch):
    monkeypatch.delenv("EXPLORER_WEIGHTS", raising=False)
    monkeypatch.setattr(pool, "_shared", pool.Pool(device="cpu"))


opened = partial(opening.opened, "pages/normalisation.py", arch="resnet50")


def said(app: AppTest) -> str:
    return "\n".join(each.value for each in app.markdown)


def steps(app: AppTest) -> list[float]:
    """The last line of the worked example."""
    found = re.search(r"y = .*?\[(.*?)\]", said(app))
    return [float(number) for number in found.group(1).split(r",\;")]


def leases() -> int:
    counters = pool.shared().counters()
    return counters.hits + counters.misses


def test_the_axes_need_no_network_and_say_who_shares_a_mean():
    app = opened()
    assert "8 statistics of 256 cells" in said(app)
    assert "mean 0.00 and deviation 1.00 after" in said(app)
    app.button_group(key="nkind").set_value("Layer, by position").run()
    assert "256 statistics of 8 cells" in said(app)
    app.button_group(key="nkind").set_value("Group").run()
    assert "8 statistics of 256 cells" in said(app)
    app.select_slider(key="ngroups").set_value(8).run()
    assert "32 statistics of 64 cells" in said(app)
    assert not app.exception
    assert leases() == 0


def test_a_link_puts_the_axes_on_a_layer_of_a_network():
    app = opened(nview="Axes", nkind="Instance", ntensor="layer2.0.bn1", weights="zoo:resnet20", npic="2")
    assert "8 channels of what enters `layer2.0.bn1`" in said(app)
    assert "32 statistics of 64 cells" in said(app)
    assert app.slider(key="npic").value == 2
    app.slider(key="nchan").set_value(8).run()
    assert not app.exception
    assert leases() == 2  # the list of layers, and the maps; a slider asks no network


def test_the_sliders_of_the_worked_example_move_its_numbers():
    app = opened(nview="One batch")
    assert steps(app) == [-1.683, 0.106, 1.894, 3.683]
    app.slider(key="gamma").set_value(-1.0).run()
    assert steps(app) == [2.342, 1.447, 0.553, -0.342]
    app.slider(key="beta").set_value(0.0).run()
    assert steps(app) == [1.342, 0.447, -0.447, -1.342]
    app.text_input(key="nvalues").set_value("1 3").run()
    assert steps(app) == [1.0, -1.0]
    app.button(key="lab_reset").click().run()
    assert steps(app) == [-1.683, 0.106, 1.894, 3.683]
    assert not app.exception


def test_a_link_holds_the_worked_example():
    app = opened(nview="One batch", nvalues="10, 20", gamma="1.5", beta="-2.0")
    expected = tensors.worked((10, 20), 1.5, -2.0).output
    assert steps(app) == pytest.approx(expected, abs=6e-4)


@pytest.mark.parametrize("text", ["", "cat", "1,2,3,4,5,6,7,8,9", "nan", "1e300"])
def test_numbers_that_cannot_be_used_give_the_first_ones(text):
    assert numbers(text)[0] == (2, 4, 6, 8)
    assert "One to 8 numbers" in numbers(text)[1]


def test_numbers_may_stand_apart_in_any_way():
    assert numbers(" 1;2 3,-4.5 ") == ((1, 2, 3, -4.5), "")


def test_histograms_of_a_layer_run_the_network_once():
    app = opened(nview="One batch", nsource="A layer", weights="zoo:resnet20")
    assert any(f"{len(SAMPLES) * 16 * 32 * 32:,} values" in each.value for each in app.caption)
    asked = leases()
    app.slider(key="gamma").set_value(0.5).run()
    assert not app.exception
    assert leases() == asked


def test_noise_and_running_mean_follow_their_sliders():
    app = opened(nview="Statistics")
    values = tensors.normal_pictures()
    noise = tensors.batch_noise(values, (2, 16, 64))
    assert "A batch of 16 pictures" in said(app)
    app.select_slider(key="nbatch").set_value(64).run()
    (shown,) = re.findall(r"its mean off by \*\*([\d.]+) σ", said(app))
    assert float(shown) == pytest.approx(noise.independent[2], rel=0.2)
    assert "wanders 0.23 times" in said(app)
    app.slider(key="momentum").set_value(0.5).run()
    assert "wanders 0.58 times" in said(app)


def test_in_training_mode_the_company_changes_the_answer():
    app = opened(nview="Train or eval", weights="zoo:resnet20", sample="chelsea")
    (wrong, of) = re.findall(r"In training mode (\d+) of (\d+) batches", said(app))[0]
    assert int(of) == len(SAMPLES) + 1
    assert int(wrong) >= 1
    assert "19 batch norms" in said(app)
    app.select_slider(key="ncompany").set_value(2).run()
    assert not app.exception
    with pool.shared().lease("zoo:resnet20") as network:
        assert not any(module.training for module in network.model.modules())
        assert int(network.model.bn1.num_batches_tracked) == 4290


def test_without_batch_norm_company_changes_nothing():
    app = opened(nview="Train or eval", weights="zoo:convnext_cifar")
    assert "This network has no batch norm" in said(app)


def test_a_layer_channel_by_channel():
    app = opened(nview="In a network", weights="zoo:resnet20", nlayer="layer1.0.bn1")
    assert "channel 1 of 16" in said(app)
    assert "Folded into `layer1.0.conv1`" in said(app)
    asked = leases()
    app.slider(key="nmap").set_value(4).run()
    assert "channel 4 of 16" in said(app)
    assert leases() == asked
    app.selectbox(key="nlayer_box").set_value("layer3.0.bn1").run()
    assert "of 64: running mean" in said(app)
    assert app.query_params["nlayer"] == "layer3.0.bn1"
    app.slider(key="nmap").set_value(60).run()
    app.selectbox(key="nlayer_box").set_value("bn1").run()
    assert not app.exception
    assert "channel 1 of 16" in said(app)  # a channel that this layer does not have


def test_a_link_holds_layer_and_channel():
    app = opened(nview="In a network", weights="zoo:resnet20", nlayer="layer3.0.bn1", nmap="60")
    assert "channel 60 of 64" in said(app)


def test_layer_norm_is_not_folded():
    app = opened(nview="In a network", weights="zoo:convnext_cifar")
    assert "**Layer norm**, channel 1 of 48" in said(app)
    assert "Folded into" not in said(app)


def test_a_network_without_norms_says_so():
    app = opened(nview="In a network", weights="zoo:lenet5")
    assert ["no norm layer" in each.value for each in app.info] == [True]
    app = opened(nview="Axes", ntensor="layer", weights="zoo:lenet5")
    assert "this network has no norm layer" in said(app)


def test_where_the_norm_stands():
    app = opened(nview="In blocks", arch="resnet20_cifar")
    table = next(each.value for each in app.markdown if each.value.startswith("| Network"))
    rows = {line.split(" | ")[0].strip("| "): line for line in table.splitlines()}
    assert "| 2 | 2 | post |" in next(row for name, row in rows.items() if "chosen" in name)
    assert "| 3 | 3 | post |" in rows["ResNet-50"]
    assert "| 1 | 3 | between |" in rows["ConvNeXt-T"]
    assert "| 2 | 4 | pre |" in rows["ViT-B/16"]
    assert "| 0 | 1 | none |" in rows["VGG-16"]


@pytest.mark.parametrize("view", ["Axes", "One batch", "Statistics", "In a network"])
def test_nonsense_in_the_link_gives_the_first_values(view):
    first = lab.first_values(Choices)
    nonsense = dict.fromkeys((*first, "nothing"), "-1e9;<b>")
    app = opened(**{**nonsense, "nview": view})
    assert not app.exception
    for key in ("gamma", "momentum", "npic", "nmap"):
        for found in (each for each in app.slider if each.key == key):
            assert found.value == max(first[key], found.min)
    if view == "One batch":
        assert steps(app) == [-1.683, 0.106, 1.894, 3.683]


def test_an_unknown_view_is_the_first():
    app = opened(nview="No such view")
    assert "statistics of 256 cells" in said(app)
