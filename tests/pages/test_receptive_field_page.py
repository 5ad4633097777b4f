"""The receptive field page as a visitor meets it: links, controls, values."""

from functools import partial

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.serving import pool
from tests.pages import opening


@pytest.fixture(autouse=True)
def own_pool(monkeypatch):
    monkeypatch.setattr(pool, "_shared", pool.Pool(device="cpu"))


opened = partial(opening.opened, "pages/receptive_field.py", arch="zoo:resnet20")


def says(app: AppTest, *parts: str) -> bool:
    text = " ".join(each.value for each in [*app.markdown, *app.caption, *app.warning])
    return all(part in text for part in parts)


def unfolded(app: AppTest, key: str) -> AppTest:
    """With that folded part opened."""
    app.session_state[key] = True
    return app.run()


def table(app: AppTest, column: str):
    return next(frame.value for frame in app.dataframe if column in frame.value.columns)


def measured(app: AppTest) -> dict:
    return dict(app.session_state["_once_effective_fields"])


def test_growth_says_how_far_the_network_sees():
    app = opened(arch="resnet50")
    assert says(app, "sees **427 px**", "**by layer 40** of 54", "`avgpool`")
    rows = table(unfolded(app, "rf_table"), "jump (px)")
    last = rows[rows["has a place"]].iloc[-1]
    assert (last["field height (px)"], last["jump (px)"], last["padding (px)"]) == (427, 32, 213)


def test_a_smaller_image_is_seen_whole_sooner():
    app = opened(arch="resnet50")
    app.number_input(key="size").set_value(128).run()
    assert not app.exception
    assert says(app, "at 128 × 128 pixels", "sees **427 px**", "**by layer 31** of 54")


def test_a_gate_is_named_where_the_field_turns_global():
    app = opened(arch="efficientnet_b0")
    assert says(app, "sees **851 px**", "From `features.1.0.block.1.avgpool` on (layer 3)")


def test_a_network_from_before_networks_has_nothing_to_trace():
    app = opened(arch="bovw_svm")
    assert ["came before networks" in each.value for each in app.info] == [True]


def test_a_link_opens_a_layer_and_a_unit():
    """layer2.0.conv1 of ResNet-20: 17 pixels at jump 2; the corner's reads 8 pixels of padding each way."""
    app = opened(rf="Picture", rflayer="layer2.0.conv1", rfdown="0", rfacross="0")
    assert app.select_slider(key="rf_layer_slider").value == "layer2.0.conv1"
    assert says(app, "Unit (0, 0) of 16 × 16 sees **17 px**")
    app.slider(key="rfdown").set_value(100).run()
    assert says(app, "Unit (15, 0) of 16 × 16")


def test_another_layer_stands_in_the_link():
    app = opened(rf="Picture")
    app.select_slider(key="rf_layer_slider").set_value("layer3.2.conv2").run()
    assert app.query_params["rflayer"] == "layer3.2.conv2"
    assert says(app, "sees **81 px**", "**100\u00a0%** of the picture")


def test_the_effective_field_of_one_unit_shines_on_the_picture():
    app = opened(rf="Picture", rflayer="layer1.0.conv1", rfglow="true", rfdown="50", rfacross="50")
    ((wanted, found),) = measured(app).items()
    assert (wanted.weights_id, wanted.unit, found.passes) == ("zoo:resnet20", (16, 16), 6)
    rows, columns = np.nonzero(found.strength)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (14, 18, 14, 18)
    assert says(app, "resnet20 · trained", "over 6 inputs of noise")


def test_trained_and_random_weights_side_by_side():
    app = opened(rf="Effective", rfpasses="5")
    assert app.multiselect(key="rf_networks_box").value == ["zoo:resnet20", "random:zoo:resnet20"]
    rows = table(app, "effective width (px)")
    assert list(rows["network"]) == ["resnet20 · trained", "resnet20 · random weights"]
    assert list(rows["theory (px)"]) == [81, 81]
    assert list(rows["inputs"]) == [5, 5]
    assert (rows["effective width (px)"] < 0.6 * 81).all()


def test_more_inputs_go_on_from_those_before():
    app = opened(rf="Effective", rfpasses="5", rfnets="random:zoo:resnet20")
    before = next(iter(measured(app).values()))
    app.select_slider(key="rfpasses").set_value(10).run()
    after = next(iter(measured(app).values()))
    assert (before.passes, after.passes) == (5, 10)
    assert (after.energy >= before.energy).all()


def test_up_to_four_networks_from_a_link_and_typed_names():
    app = opened(rf="Effective", rfpasses="5", rfnets="zoo:resnet20,nothing,lenet5")
    assert app.multiselect(key="rf_networks_box").value == ["zoo:resnet20", "random:explorer:lenet5"]
    assert says(app, "left out: `rfnets` = “nothing”")
    assert len(table(app, "effective width (px)")) == 2
    app.multiselect(key="rf_networks_box").set_value(["zoo:vgg_small"]).run()
    assert app.query_params["rfnets"] == "zoo:vgg_small"
    rows = table(app, "effective width (px)")
    assert list(rows["input (px)"]) == [32]  # its fully connected layers take no other size


def test_photos_are_inputs_too():
    app = opened(rf="Effective", rfpasses="5", rfnets="zoo:resnet20", rfinputs="Photos")
    assert [wanted.inputs for wanted in measured(app)] == ["Photos"]


def test_a_stopped_measurement_shows_what_it_has_and_goes_on():
    app = opened(rf="Effective", rfpasses="5", rfnets="zoo:resnet20")
    (wanted,) = measured(app)
    app.session_state["_effective_stopped"] = ((wanted,), 20)  # as the Stop button sets it
    app.select_slider(key="rfpasses").set_value(20).run()
    assert says(app, "Stopped with 15 of 20 inputs to go")
    assert list(table(app, "effective width (px)")["inputs"]) == [5]
    app.button(key="rf_go_on").click().run()
    assert list(table(app, "effective width (px)")["inputs"]) == [20]


def test_the_stack_grows_and_is_compared():
    app = opened(rf="Stack")
    assert says(app, "3 layers see **7 × 7 pixels**", "27 C² = 110,592", "49 C² = 200,704")
    app.button(key="rf_add").click().run()
    assert app.query_params["rfstack"] == "3,3,3,3"
    assert says(app, "4 layers see **9 × 9 pixels**", "36 C² = 147,456")
    app.selectbox(key="rf_next_window_dilation").set_value(2).run()
    app.button(key="rf_add").click().run()
    assert says(app, "**13 × 13 pixels**")
    app.button(key="rf_remove").click().run()
    app.select_slider(key="rfchannels").set_value(128).run()
    assert says(app, "36 C² = 589,824")


def test_ready_made_stacks():
    app = opened(rf="Stack")
    app.selectbox(key="rf_preset").set_value("Two 3×3").run()
    assert says(app, "2 layers see **5 × 5 pixels**", "18 C² = 73,728", "25 C² = 102,400")
    app.selectbox(key="rf_preset").set_value("Dilated 2, 2, 2").run()
    assert says(app, "**6 of the 13** pixels along each axis are never read")


def test_a_stack_too_wide_is_refused_and_stays():
    app = opened(rf="Stack", rfstack="11s4,11s4,11,11")
    app.selectbox(key="rf_next_window_kernel").set_value(11).run()
    app.button(key="rf_add").click().run()
    assert app.query_params["rfstack"] == "11s4,11s4,11,11"
    assert ["can be drawn" in each.value for each in app.warning] == [True]


def test_the_published_table_stands_beside_ours():
    app = unfolded(opened(rf="Stack"), "rf_published_table")
    app.toggle(key="rf_published").set_value(True).run(timeout=300)
    rows = table(app, "published for").set_index("published for")
    assert len(rows) == 11
    assert list(rows.index[~rows["agrees"]]) == [
        "inception_v2",
        "resnet_v1_50",
        "resnet_v1_101",
        "resnet_v1_152",
        "resnet_v1_200",
    ]
    assert rows.loc["resnet_v1_50", "field here"] == 427
    assert (rows.loc[~rows["agrees"], "what differs"] != "").all()


@pytest.mark.parametrize("view", ["Growth", "Picture", "Effective", "Stack", "Nonsense"])
def test_nonsense_in_the_link_gives_the_defaults(view):
    app = opened(
        rf=view, size="abc", rflayer="no.such", rfdown="900", rfacross="x", rfstack="4,,", rfnets="?,:,,",
        rfinputs="Pictures", rfpasses="7", rfchannels="3", rfglow="perhaps",
    )  # fmt: skip
    assert not app.error
    if view == "Stack":
        assert says(app, "3 layers see **7 × 7 pixels**", "27 C² = 110,592")
    if view == "Nonsense":
        assert says(app, "sees **81 px**")


def test_reset_puts_everything_back():
    app = opened(rf="Stack", rfstack="7s2,3s2", rfchannels="256")
    app.button(key="lab_reset").click().run()
    assert not app.exception
    assert says(app, "sees **81 px**")
    assert "rfstack" not in app.query_params


def test_the_code_on_the_page_is_the_code_that_ran():
    app = opened(rf="Stack")
    app.session_state["code_field_size"] = True
    app.run()
    assert any("size += window.dilation * (window.kernel - 1) * jump" in each.value for each in app.code)
