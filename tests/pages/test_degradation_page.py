"""The Degradation page says what the cards say; the cards here are made up."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from explorer.labs.degradation import TWINS, Gap
from explorer.networks import zoo
from explorer.ui.degradation import view
from explorer.ui.frame import picker
from tests.labs.made_up_cards import write
from tests.pages import opening


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A zoo of its own; what the app remembers of it is forgotten afterwards."""
    monkeypatch.setattr(zoo, "FOLDER", tmp_path)
    yield tmp_path
    picker._options.cache_clear()
    picker.catalogued.cache_clear()
    st.cache_data.clear()
    st.cache_resource.clear()


opened = partial(opening.opened, "pages/degradation.py")


def table(app: AppTest) -> dict[str, list[object]]:
    frame = app.dataframe[0].value
    return {row[0]: list(row[1:]) for row in frame.itertuples(index=False)}


def said(app: AppTest) -> str:
    return " ".join(each.value for each in app.markdown)


def all_four(folder: Path, **deep_plain: float) -> None:
    write(folder, "plain20", train=90, test=80)
    write(folder, "plain56", **({"train": 84, "test": 76} | deep_plain))
    write(folder, "resnet20_twin", train=91, test=81)
    write(folder, "resnet56_twin", train=94, test=83)


def test_without_cards_it_says_how_to_train_them(folder: Path):
    app = opened()
    assert [each.value for each in app.header] == ["None of the four twins has been trained yet"]
    assert app.code[0].value.splitlines() == [twin.command for twin in TWINS]
    assert "Plain-20, Plain-56, ResNet-20, ResNet-56" in said(app)


def test_the_verdict_follows_from_the_numbers(folder: Path):
    all_four(folder)
    app = opened()
    rows = table(app)
    assert rows["Plain-56"][:2] == pytest.approx([16, 24])
    assert rows["Plain-56 − Plain-20"][:2] == pytest.approx([6, 4])
    assert rows["ResNet-56 − ResNet-20"][:2] == pytest.approx([-3, -2])
    assert "**Plain networks:** with 56 layers instead of 20 the training error rises by 6.00 points" in said(
        app
    )
    assert "**That is degradation**" in said(app)
    assert "**Residual networks:** with 56 layers instead of 20 the training error falls by 3.00" in said(app)
    assert not app.warning


def test_other_numbers_give_another_verdict(folder: Path):
    all_four(folder, train=95, test=85)
    app = opened()
    assert "**That is degradation**" not in said(app)
    assert said(app).count("**Depth helps here**") == 2


def test_while_one_is_missing_the_rest_is_shown_without_its_verdict(folder: Path):
    all_four(folder)
    (folder / "plain56.json").unlink()
    app = opened()
    assert list(table(app)) == ["Plain-20", "ResNet-20", "ResNet-56", "ResNet-56 − ResNet-20"]
    assert "Not trained yet: **Plain-56**" in said(app)
    assert app.code[0].value == TWINS[1].command
    assert "**Plain networks:**" not in said(app)
    assert "**Residual networks:**" in said(app)


def test_a_damaged_card_is_a_sentence(folder: Path):
    all_four(folder)
    (folder / "plain56.json").write_text("{}")
    app = opened()
    assert any("The card of Plain-56 cannot be used" in each.value for each in app.warning)


def test_runs_of_two_protocols_are_not_compared_in_silence(folder: Path):
    all_four(folder)
    write(folder, "plain56", train=80, test=70, dataset_note="other pictures")
    assert any("do not compare" in each.value for each in opened().warning)


@pytest.mark.parametrize(
    ("what", "panels", "first"),
    [("Error", 2, (60, 10)), ("Loss", 2, (2.0, 0.5)), ("Gradient norm", 1, (3.0, 1.5))],
)
def test_the_curves_of_all_networks_are_drawn(
    folder: Path, what: str, panels: int, first: tuple[float, float]
):
    from explorer.labs import degradation

    all_four(folder)
    figure = view.curves(degradation.read(), what, dark=False)
    assert len(figure.data) == 4 * panels
    assert figure.data[0].name == "Plain-20"
    assert figure.data[0].y == first


def test_what_is_shown_comes_from_the_link(folder: Path):
    all_four(folder)
    app = opened(dshow="Loss")
    assert app.segmented_control(key="dshow").value == "Loss"
    app.segmented_control(key="dshow").set_value("Gradient norm").run()
    assert not app.exception
    app.button(key="lab_reset").click().run()
    assert app.segmented_control(key="dshow").value == "Error"
    assert opened(dshow="nothing").segmented_control(key="dshow").value == "Error"


def test_the_published_results_are_the_catalogues():
    found = {(row["network"], row["data"]): row["error (%)"] for row in view.published()}
    assert found["ResNet-20 (CIFAR)", "CIFAR-10"] == "8.75"
    assert found["ResNet-56 (CIFAR)", "CIFAR-10"] == "6.97"
    assert found["Plain-34", "ImageNet"] == "28.54"
    assert found["ResNet-18", "ImageNet"] == "27.88"
    assert all(row["source"].startswith("He et al. 2015") for row in view.published())


def test_a_difference_that_the_pictures_cannot_show_is_called_alike():
    text = view.sentence("Plain", Gap(0.3, 0.2), Gap(-0.4, 0.5))
    assert "is alike (+0.30 points, within ±0.40)" in text
    assert "**No difference**" in text
