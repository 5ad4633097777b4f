"""A network of the visitor's own on the pages: chosen like any other, once the command line registered it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from explorer.networks.own import registry
from explorer.networks.own.registry import Settings
from explorer.serving import measurements, pool
from explorer.ui.frame import picker
from tests.pages.opening import opened
from tests.serving.test_measurements import RESNET

CODE = """
from torch import nn

def net():
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2))

trained = net()
"""


@pytest.fixture(autouse=True)
def _registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """own:net, which has learnt nothing, and own:trained, whose code gives it weights."""
    (tmp_path / "own_on_pages.py").write_text(CODE)
    (tmp_path / "labels.txt").write_text("cat\nno cat\n")
    monkeypatch.setattr(pool, "_shared", pool.Pool(device="cpu"))
    settings = Settings(input=(3, 32, 32), labels=tmp_path / "labels.txt")
    registry.forget()
    for name in ("net", "trained"):
        network = registry.opened(f"{tmp_path / 'own_on_pages.py'}:{name}", settings)
        registry.register(network, f"{name}-on-pages", learnt=name == "trained")
    yield
    registry.forget()


def test_the_picker_lists_them_first() -> None:
    options = picker.options()
    assert list(options)[:2] == ["own:net", "own:trained"]
    assert options["own:net"] == "net · yours"
    assert len(set(options.values())) == len(options)
    assert picker.listed("trained") == "own:trained"


def test_the_architecture_page_shows_it_and_whose_it_is() -> None:
    app = opened("pages/architecture.py", "own:net")
    assert [title.value for title in app.title] == ["net"]
    said = " ".join(caption.value for caption in app.caption).replace("\\", "")
    assert "Yours, own_on_pages.py:net: its numbers" in said
    assert "network from your own files" in said


def test_inference_says_of_random_weights_that_they_are() -> None:
    app = opened("pages/inference.py", "own:net", sample="chelsea")
    said = " ".join(each.value for each in app.markdown)
    assert ":orange-badge[untrained] **net** with random numbers" in said


def test_inference_takes_weights_that_the_code_gives() -> None:
    app = opened("pages/inference.py", "own:trained", sample="chelsea")
    said = " ".join(each.value for each in app.markdown)
    assert "untrained" not in said
    assert "**trained** knows 2 classes" in said
    (weights,) = (box for box in app.selectbox if box.label == "Weights")
    assert "Random weights (untrained)" not in weights.options


@pytest.mark.parametrize("link", ["{file}:net", "own:{file}:net", "own:other", "own_on_pages:net"])
def test_a_link_that_names_a_file_opens_nothing(tmp_path: Path, link: str) -> None:
    app = opened("pages/architecture.py", link.format(file=tmp_path / "own_on_pages.py"))
    assert "Showing ResNet-50 instead" in app.warning[0].value
    assert [title.value for title in app.title] == ["ResNet-50 · 2015"]


def test_a_measurement_counts_while_the_network_is_what_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next day another network may be called so."""
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path))
    measurements.keep(replace(RESNET, network="own:net", versions="torch 2.15.0 net-on-pages"))
    measurements.keep(replace(RESNET, network="own:trained", versions="torch 2.15.0 another"))
    measurements.keep(replace(RESNET, network="own:forgotten"))
    assert [each.network for each in measurements.kept()] == ["own:net"]
