"""The page on inductive bias as a visitor meets it: shifts, layers, shuffles, links."""

from functools import partial

import pytest
from streamlit.testing.v1 import AppTest

from explorer.serving import pool
from explorer.ui.inductive_bias import view
from tests.pages import opening

VIT = "timm:test_vit"  # timm's smallest, 160 pixels


@pytest.fixture(autouse=True)
def small_rivals(monkeypatch, only_the_zoo):
    monkeypatch.setattr(view, "UNTRAINED", (VIT, "timm:test_resnet"))


opened = partial(opening.opened, "pages/inductive_bias.py")


def look_for(app: AppTest) -> str:
    return next(each.value for each in app.markdown if "What to look for" in each.value)


def tiles(app: AppTest) -> list:
    return list(app.session_state["_once_bias_tiles"].values())


def sweeps(app: AppTest) -> list[view.Watched]:
    return list(app.session_state["_once_bias_sweep"].values())


def test_a_link_without_anything_shows_two_trained_networks_of_which_one_pools():
    app = opened()
    first, second = sweeps(app)
    assert (first.weights_id, second.weights_id) == ("zoo:resnet20", "zoo:vgg_small")
    assert (first.trained, second.trained) == (True, True)
    assert (first.shrinks, second.shrinks) == (("strided convolutions",), ("max pooling",))
    assert "shrinks its maps by max pooling; neither blurs" in look_for(app)
    assert "patch" not in look_for(app)  # neither has any
    assert first.layer == "layer2.0"
    still = tiles(app)[0]
    assert still.shift == (8, 0)
    assert still.measured.exact
    assert still.measured.error < 1e-4
    assert any("Exact: whole strides." in each.value for each in app.caption)
    assert not any(view.BADGE in each.value for each in app.caption)


def test_an_untrained_network_is_a_choice_that_says_so():
    app = opened(rival=f"random:{VIT}")
    assert app.selectbox(key="rival_box").options[-2:] == ["test_vit · untrained", "test_resnet · untrained"]
    assert any(view.BADGE in each.value for each in app.caption)


def test_a_trained_transformer_is_taken_before_a_network_that_pools():
    here = ("box:tf_efficientnet_lite2", "zoo:vgg_small", "local-dir:deit_tiny")
    assert view._first_rival(here, here[0]) == "local-dir:deit_tiny"
    assert view._first_rival(here[:2], here[0]) == "zoo:vgg_small"
    assert view._first_rival(here[:2], "zoo:vgg_small") == here[0]
    assert view._first_rival(here[:1], here[0]) == ""


def test_half_a_stride_is_not_exact():
    app = opened()
    app.slider(key="dx").set_value(3).run()
    assert not app.exception
    found = tiles(app)[-2].measured
    assert found.cells == (0, 1.5)
    assert found.error > 0.2
    assert any("Between two cells" in each.value for each in app.caption)
    assert tiles(opened(dx="3"))[0].measured == found


def test_the_vits_patches_are_exact_and_its_later_tokens_are_not():
    app = opened(rival=f"random:{VIT}", rlayer="patch_embed", dx="16")
    assert tiles(app)[-1].measured.exact
    assert tiles(app)[-1].measured.error < 1e-4
    assert "compare `patch_embed`, where shifts by whole patches are exact" in look_for(app)
    app.selectbox(key="rlayer_box").set_value("blocks.1").run()
    assert not app.exception
    found = tiles(app)[-1].measured
    assert found.spoiled == "pos_embed"
    assert found.error > 0.01
    assert any("`pos_embed` makes the place count" in each.value for each in app.caption)


def test_a_shift_beyond_a_small_input_is_cut_to_a_quarter_of_its_side():
    app = opened(rival=f"random:{VIT}", dx="-30", dy="20")
    assert [each.shift for each in tiles(app)] == [(-8, 8), (-30, 20)]


def test_the_answer_is_told_over_all_shifts_and_the_untrained_one_is_not_taken_for_one():
    app = opened(test="Answer", rival=f"random:{VIT}")
    text = next(each.value for each in app.markdown if "where the picture stands" in each.value)
    assert "says **cat** with 79.9" in text
    assert "another class at 2 of 9 shifts" in " ".join(text.split())
    assert "**61.1" in text  # 22 of 36 pairs agree
    assert any("random numbers, so its answer means nothing" in each.value for each in app.markdown)


def test_shuffles_are_dealt_anew_and_a_vit_without_positions_does_not_notice():
    app = opened(test="Shuffle", rival=f"random:{VIT}", patches="2")
    first = list(app.session_state["_once_bias_shuffle"].values())
    assert first[0].blind is None
    assert first[1].blind[1] < 1e-5  # 2 x 2 moves whole tokens of the 10 x 10
    assert first[1].blind[2] > 1e-5  # 4 x 4 cuts through them
    app.slider(key="deal").set_value(3).run()
    assert not app.exception
    again = list(app.session_state["_once_bias_shuffle"].values())
    assert again[-2].probabilities[0] == pytest.approx(first[0].probabilities[0], abs=1e-6)
    assert again[-2].probabilities[2] != pytest.approx(first[0].probabilities[2], abs=1e-3)


def test_pooling_in_one_dimension_needs_no_network():
    app = opened(test="Pooling")
    assert any("its mean goes from 0.5 to 1." in " ".join(each.value.split()) for each in app.markdown)
    assert pool.shared().counters().misses == 0


def test_nonsense_in_the_link_gives_the_defaults():
    app = opened(
        test="nowhere", dx="many", dy="99999", clayer="no.layer", rlayer="x", rival="timm:none", patches="5"
    )
    assert app.segmented_control(key="test").value == view.MAP
    assert app.slider(key="dx").value == 8
    assert abs(app.slider(key="dy").value) <= 32
    assert app.selectbox(key="clayer_box").value == "layer2.0"
    assert app.selectbox(key="rival_box").value == "zoo:vgg_small"


def test_reset_puts_the_shift_back():
    app = opened(dx="-5", dy="4")
    app.button(key="lab_reset").click().run()
    assert (app.slider(key="dx").value, app.slider(key="dy").value) == (8, 0)


def test_the_grids_are_those_of_the_lab():
    """They are repeated for the first drawing, which leaves torch alone."""
    from explorer.labs.inductive_bias.patch_shuffle import GRIDS

    assert view.GRIDS == GRIDS
