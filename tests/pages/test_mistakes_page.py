"""The page on common mistakes as a visitor meets it: links, choices, a network of another size."""

from functools import partial

import pytest
from streamlit.testing.v1 import AppTest

from explorer import networks
from explorer.inference import SAMPLES, decode
from explorer.labs.mistakes import comparing, cost_of_networks
from explorer.labs.mistakes.comparing import MISTAKES
from explorer.ui.mistakes import figures, view
from tests.pages import opening

pytestmark = pytest.mark.usefixtures("only_the_zoo")


opened = partial(opening.opened, "pages/mistakes.py")


def comparison(app: AppTest):
    return list(app.session_state["_once_mistake"].values())[-1]


def outcome(app: AppTest) -> str:
    return next(
        each.value for each in app.markdown if each.value.startswith(("The whole answer moves", "Still"))
    )


def test_a_link_without_anything_shows_the_first_mistake():
    app = opened()
    assert app.selectbox(key="mistake_box").value == "train-mode"
    assert app.selectbox(key="weights_box").value == "zoo:resnet20"
    found = comparison(app)
    assert found.right.label(found.index) == "cat"
    assert "The whole answer moves by **52.7" in outcome(app)
    assert "**cat** stays the answer" in outcome(app)
    assert [each.value for each in app.code][:2] == [
        MISTAKES["train-mode"].right,
        MISTAKES["train-mode"].wrong,
    ]


def test_another_mistake_is_made_and_stands_in_the_link():
    app = opened()
    app.selectbox(key="mistake_box").set_value("bgr").run()
    assert not app.exception
    found = comparison(app)
    assert found.wrong.label(found.wrong.top) == "airplane"
    assert "The whole answer moves by **98.6" in outcome(app)
    assert "**cat** becomes **airplane**" in outcome(app)
    assert app.query_params["mistake"] == "bgr"
    table = app.table[0].value
    assert table.iloc[-1]["wrong"] == f"{abs(found.wrong.values - found.right.values).max():.3f}"


def test_a_cold_link_with_network_picture_and_mistake_answers():
    app = opened(sample="rocket", weights="zoo:convnext_cifar", mistake="no-softmax")
    found = comparison(app)
    assert found.wrong.values.min() < 0
    assert "in place of 1" in outcome(app)
    assert app.selectbox(key="weights_box").value == "zoo:convnext_cifar"


def test_an_error_is_shown_as_what_the_mistake_does():
    app = opened(weights="zoo:lenet5", mistake="other-entry")
    assert ["cannot be multiplied" in each.value for each in app.error] == [True]


def test_the_overview_makes_them_all_and_counts_what_is_left():
    app = opened(see=view.ALL)
    found = list(app.session_state["_once_mistakes"].values())[-1]
    assert list(found) == list(MISTAKES)
    kept = sum(each.same_answer for each in found.values())
    assert 0 < kept < len(MISTAKES)
    assert any(f"**{kept} of {len(MISTAKES)}**" in each.value for each in app.markdown)
    assert "mistake_box" not in app.session_state


def test_bars_and_numbers_speak_of_the_same_classes():
    """Both panels the same classes in the same order; in the overview a bar is as long as its number says."""
    app = opened(mistake="bgr")
    right, wrong = figures.answers(comparison(app), dark=False)
    assert list(right.data[0].customdata) == list(wrong.data[0].customdata)
    assert {"cat", "airplane"} <= set(right.data[0].customdata)
    found = comparing.overview(networks.load("zoo:resnet20"), decode(SAMPLES["chelsea"].load()))
    bars = [bar for bar in figures.overview(found, MISTAKES, dark=False).data if bar.type == "bar"]
    told = {name: (x, text) for bar in bars for name, x, text in zip(bar.y, bar.x, bar.text, strict=True)}
    assert len(told) == len(MISTAKES)
    for key, mistake in MISTAKES.items():
        length, text = told[mistake.title]
        assert length == (found[key].total_variation or 0)
        if found[key].total_variation is not None:
            assert float(text.split("%")[0]) == pytest.approx(100 * length, abs=0.06)


def test_pictures_have_an_alternative_text():
    for app in (opened(), opened(weights="zoo:lenet5", mistake="other-entry")):
        texts = [each.proto.imgs[0].alt for each in app.get("image")]
        assert len(texts) == 2
        assert all(texts)


def test_time_is_measured_again_on_demand(monkeypatch):
    runs = []

    def timed(model, image_size):
        runs.append(image_size)
        return (float(10 * len(runs)),)

    monkeypatch.setattr(cost_of_networks, "passes", timed)
    monkeypatch.setattr(cost_of_networks, "MEASURED", ("timm:resnet18", "timm:test_resnet"))
    app = opened(see=view.COSTS)
    assert any("**resnet18 < test_resnet**, **not**" in each.value for each in app.markdown)
    assert any("138,357,544 parameters, 89.4" in each.value for each in app.markdown)
    app.button(key="again").click().run()
    assert not app.exception
    assert runs == [224] * 4


def test_nonsense_in_the_link_gives_the_defaults():
    app = opened(see="nowhere", mistake="none", weights="zoo:nothing", sample="nobody")
    assert app.segmented_control(key="see").value == view.ONE
    assert app.selectbox(key="mistake_box").value == "train-mode"
    assert app.selectbox(key="weights_box").value == "zoo:resnet20"


def test_reset_goes_back_to_the_first_mistake():
    app = opened(mistake="bgr")
    app.button(key="lab_reset").click().run()
    assert app.selectbox(key="mistake_box").value == "train-mode"


def test_what_is_often_said_is_checked_against_the_installed_packages():
    text = next(each.value for each in opened().markdown if "Every ImageNet network wants" in each.value)
    assert "76.13 % for ResNet-50's V1 and 80.86 % for its V2: 4.73 points" in text
