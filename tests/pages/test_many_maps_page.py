"""The page of many maps as a visitor meets it: its four views, links, and a network that answers nothing."""

from functools import partial

import pytest

from explorer.inference import METHODS
from explorer.ui.many_maps import view
from tests.pages import opening

pytestmark = pytest.mark.usefixtures("only_the_zoo")


opened = partial(opening.opened, "pages/many_maps.py")


def grid(app) -> str:
    return next(each.body for each in app.get("html") if 'class="many-maps' in each.body)


def said(app) -> str:
    return next(each.value for each in app.markdown if "agree least" in each.value)


def test_a_link_without_anything_shows_six_methods():
    app = opened()
    assert grid(app).count("<img") == 6
    assert grid(app).count("with the first") == 5
    assert "Of 6 methods" in said(app)


def test_methods_that_do_not_apply_keep_a_place_with_the_reason():
    app = opened(mmethods=["Grad-CAM", "Attention rollout"])
    assert grid(app).count("<figure") == 2
    assert grid(app).count("<img") == 1
    assert "attention" in grid(app)


def test_networks_answer_side_by_side():
    app = opened(msee="Networks", mnetworks="zoo:resnet20,zoo:plain20,zoo:nobody")
    assert grid(app).count("<img") == 2
    assert "Of 2 networks" in said(app)
    assert any("nobody" in each.value for each in app.warning)
    app.multiselect(key="mnetworks_box").select("zoo:plain56").run()
    assert app.session_state["mnetworks"] == "zoo:resnet20,zoo:plain20,zoo:plain56"
    assert grid(app).count("<img") == 3


def test_layers_from_first_to_last():
    app = opened(msee="Layers")
    assert [f"<b>{name}</b>" in grid(app) for name in ("layer1", "layer2", "layer3")] == [True] * 3


def test_two_classes_against_each_other_stand_in_the_link():
    app = opened(msee="Classes", mone="5", mother="3")
    assert "<b>dog, not cat</b>" in grid(app)
    app.selectbox(key="mother_box").set_value(0).run()
    assert not app.exception
    assert app.session_state["mother"] == "0"
    assert "<b>dog, not airplane</b>" in grid(app)


@pytest.mark.parametrize("asked", ["5", "77", "cat", "9" * 5000])
def test_a_class_that_cannot_stand_against_the_first_is_left_out(asked):
    app = opened(msee="Classes", mone="5", mother=asked)
    assert not app.exception
    assert grid(app).count("<img") == 4


def test_what_is_offered_exists():
    assert set(view._FIRST_METHODS) <= set(METHODS)
    app = opened(msee="Layers")
    offered = app.selectbox(key="mmethod").options
    assert set(offered) <= set(METHODS)
    assert "EigenCAM" not in offered  # it asks for no class


def test_all_maps_are_put_to_the_test_in_a_table():
    app = opened(mmethods=["Grad-CAM", "Superpixels"])
    app.session_state["test_maps"] = True
    app.run()
    assert not app.exception
    table = app.table[0].value
    assert list(table.iloc[:, 0]) == ["Grad-CAM", "Superpixels"]
    assert table["under random weights ↓"][1] == "not asked"
    assert all(0 <= float(each) <= 1 for each in table["deletion ↓"])
