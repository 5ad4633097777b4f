"""The Gradient flow page: links, choices, and values that follow from them."""

from functools import partial

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.labs.gradients import activations, initialisation, random_networks
from explorer.networks import zoo
from explorer.ui.gradient_flow import controls, view
from explorer.ui.kit import lab
from tests.pages import opening

opened = partial(opening.opened, "pages/gradient_flow.py")


def table(app: AppTest) -> dict[str, list[str]]:
    """First column -> the rest of its row."""
    frame = app.dataframe[0].value
    return {row[0]: list(row[1:]) for row in frame.itertuples(index=False)}


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def drawn(app: AppTest) -> set[str]:
    """Keys of the choices that the page draws."""
    return {each.key for kind in (app.selectbox, app.slider, app.select_slider) for each in kind}


def test_the_choices_are_those_of_the_labs():
    """They are repeated for the first page, which leaves torch alone."""
    assert tuple(activations.ACTIVATIONS) == controls.ACTIVATIONS
    assert tuple(initialisation.INITIALISATIONS) == controls.INITIALISATIONS
    assert controls.NORMS == random_networks.NORMS
    assert controls.SKIPS == random_networks.SKIPS
    assert set(view.SHOW) == set(controls.VIEWS)


def test_it_opens_with_three_networks_of_which_one_loses_its_gradient():
    app = opened()
    rows = table(app)
    assert list(rows) == ["no skip", "ResNet v1", "ResNet v2"]
    assert rows["no skip"][0].endswith("× 10⁻⁵⁵") or "× 10⁻⁵" in rows["no skip"][0]
    assert float(rows["ResNet v2"][2]) == pytest.approx(1, abs=0.05)
    assert "gskip" not in drawn(app)  # all its values are in the picture
    assert "ginit" in drawn(app)


def test_another_initialisation_changes_the_numbers():
    app = opened(gdepth="20")
    before = table(app)["no skip"]
    app.selectbox(key="ginit").set_value("Kaiming").run()
    after = table(app)["no skip"]
    assert not app.exception
    assert "10⁻" in before[2]
    assert 0.1 < float(after[2]) < 10


def test_what_is_compared_is_the_choice_of_the_visitor():
    app = opened(gcompare="initialisation", gdepth="10", gact="tanh")
    rows = table(app)
    assert tuple(rows) == controls.INITIALISATIONS
    assert "ginit" not in drawn(app)
    assert "gskip" in drawn(app)
    assert any("Exactly zero" in each.value and "Fixup" in each.value for each in app.caption)
    app.selectbox(key="gskip").set_value("ResNet v2").run()
    assert table(app)["Fixup"][2] == "1.00"
    assert not any("Exactly zero" in each.value for each in app.caption)


def test_a_link_brings_every_choice_back():
    asked = {"gcompare": "norm", "gdepth": "8", "gwidth": "8", "gact": "GELU", "gskip": "ResNet v1"}
    app = opened(**asked, gseeds="1", gweights="true")
    assert tuple(table(app)) == ("no norm", "batch norm", "layer norm")
    assert "at layer 8" in app.dataframe[0].value.columns
    assert app.toggle(key="gweights").value is True
    assert app.select_slider(key="gseeds").value == 1


def test_nonsense_in_the_link_is_the_default():
    app = opened(gview="xx", gdepth="-3", gwidth="5", gact="foo", gskip="<b>", gseeds="1e9", gerase="x")
    assert list(table(app)) == ["no skip", "ResNet v1", "ResNet v2"]
    assert app.slider(key="gdepth").value == lab.first_values(controls.Choices)["gdepth"]
    assert app.select_slider(key="gwidth").value == lab.first_values(controls.Choices)["gwidth"]


def test_reset_puts_every_choice_back():
    app = opened(gdepth="10", gcompare="norm", gact="SiLU")
    app.button(key="lab_reset").click().run()
    assert not app.exception
    assert app.slider(key="gdepth").value == 50
    assert app.selectbox(key="gact").value == "ReLU"
    assert list(table(app)) == ["no skip", "ResNet v1", "ResNet v2"]


def test_the_bound_of_the_jacobians_is_above_the_gradient():
    app = opened(gview="Jacobians", gdepth="10", ginit="Kaiming")
    found = metrics(app)
    bound, true = found["Bound: greatest singular values"], found["The gradient, first ÷ last"]
    assert float(bound) > 10 > float(true) > 0.01
    app.selectbox(key="ginit").set_value("Fixup")
    app.selectbox(key="gskip").set_value("ResNet v2").run()
    assert metrics(app)["The gradient, first ÷ last"] == "1.00"
    assert metrics(app)["Bound: greatest singular values"] == "1.00"


def test_paths_are_counted_and_batch_norm_shortens_those_that_count():
    app = opened(gview="Paths", gdepth="20", ginit="Kaiming", gskip="ResNet v2")
    found = metrics(app)
    assert (found["Blocks"], found["Paths"], found["Mean length of a path"]) == ("10", "1,024", "5")
    without = float(found["Mean length, by gradient carried"])
    app.selectbox(key="gnorm").set_value("batch").run()
    assert float(metrics(app)["Mean length, by gradient carried"]) < without


def test_paths_need_a_skip_and_end_at_sixty_layers():
    app = opened(gview="Paths", gdepth="64", gwidth="4", gskip="none")
    assert metrics(app)["Blocks"] == "30"
    said = " ".join(each.value for each in app.caption)
    assert "ResNet v2 is shown" in said
    assert "60 layers at most" in said


@pytest.mark.skipif("resnet20" not in zoo.names(), reason="the zoo's ResNet-20 has not been trained yet")
def test_the_trained_network_comes_apart_into_512_paths():
    app = opened(gview="Paths", gnet=controls.TRAINED)
    assert metrics(app)["Paths"] == "512"
    assert not drawn(app) & set(
        lab.first_values(controls.Choices)
    )  # they make a random network, and this is none
    app.segmented_control(key="gview").set_value("The claim").run()
    assert not app.exception
    assert "Shorter, of 84 trials" in metrics(app)  # 12 pictures, 7 blocks with an identity shortcut


def test_the_claim_falls_with_a_weak_branch_and_stands_with_a_strong_random_one():
    app = opened(gview="The claim", gwidth="8", ginit="Kaiming", gstrength="0.001")
    weak = float(metrics(app)["Shorter, of 300 trials"].rstrip(" %"))
    assert 40 < weak < 60
    assert any("Refuted here" in each.value for each in app.markdown)
    app.select_slider(key="gstrength").set_value(1.0).run()
    assert metrics(app)["Shorter, of 300 trials"] == "0.0 %"
    assert any("Not refuted by these trials" in each.value for each in app.markdown)
    app.slider(key="gerase").set_value(1.0)
    app.select_slider(key="gstrength").set_value(0.1).run()
    assert metrics(app)["Shorter, of 300 trials"] == "100.0 %"


def test_the_product_of_sigmoids_follows_the_depth():
    app = opened(gview="Activations", gdepth="10")
    rows = table(app)
    assert rows["sigmoid"][0] == "0.250"
    assert rows["sigmoid"][2] == "9.54 × 10⁻⁷"
    assert rows["GELU"][0] == "1.13"
    app.slider(key="gdepth").set_value(20).run()
    assert table(app)["sigmoid"][2] == "9.09 × 10⁻¹³"
    assert any("0.25^20 = **9.09 × 10⁻¹³**" in each.value for each in app.markdown)


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.3e-108, "1.30 × 10⁻¹⁰⁸"), (0.25, "0.250"), (0, "0"), (12345, "1.23 × 10⁴"), (9999, "10000")],
)
def test_numbers_of_any_size_are_readable(value: float, text: str):
    assert view.scientific(value) == text


def test_no_bin_of_the_claim_holds_both_shorter_and_longer():
    from explorer.ui.gradient_flow import path_figures

    for factors in ([0.2, 0.9, 1.3], [1.06, 3.8], [0.5, 0.6], [1.0, 1.0]):
        edges = path_figures._bins_from_one(np.array(factors))
        assert np.isclose(edges, 1, rtol=0, atol=1e-15).any()
        assert np.histogram(factors, edges)[0].sum() == len(factors)


def test_a_choice_that_a_view_does_not_draw_keeps_its_value():
    app = opened(gdepth="10", gseeds="1", gcompare="norm")
    app.segmented_control(key="gview").set_value("Activations").run()
    assert drawn(app) & set(lab.first_values(controls.Choices)) == {"gdepth"}
    app.segmented_control(key="gview").set_value("Flow").run()
    assert app.select_slider(key="gseeds").value == 1
    assert app.selectbox(key="gcompare").value == "norm"
