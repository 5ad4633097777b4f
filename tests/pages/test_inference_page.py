"""The Inference page as a visitor meets it: links, choices, bad files, missing weights."""

from functools import partial

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer import networks
from explorer.inference import METHODS, SAMPLES
from explorer.networks.labels import of_imagenet as imagenet_names
from explorer.serving import pool
from explorer.ui.inference import answer as inference_answer
from explorer.ui.picture import choices
from tests import checkpoints
from tests.pages import opening

MODEL = "folder:mobilenetv2_100.coral_in1k"
SENTENCE = "is not a picture that can be read here"


@pytest.fixture
def imagenet(monkeypatch, shared_models):
    """Real weights of MobileNet V2 beside the clone; a pool of its own, so that counts start at zero."""
    monkeypatch.setenv("EXPLORER_WEIGHTS", str(shared_models))
    monkeypatch.setattr(pool, "_shared", pool.Pool(device="cpu"))


@pytest.fixture
def nothing_downloaded(monkeypatch, tmp_path):
    """A machine with nothing but what the requirements and this repository bring."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.delenv("EXPLORER_WEIGHTS", raising=False)


@pytest.fixture
def no_weights(monkeypatch, nothing_downloaded):
    """Such a machine, without internet."""

    def refuse(weights_id, progress=None):
        if networks.entry_of(weights_id).on_this_machine:
            return networks.load(weights_id)
        raise networks.WeightsUnavailable(f"{weights_id} is not here and there is no network")

    monkeypatch.setattr(pool, "_shared", pool.Pool(device="cpu", loader=refuse))


opened = partial(opening.opened, "pages/inference.py", arch="mobilenet_v2")


def classes(app: AppTest) -> list[str]:
    return app.selectbox(key="target_box").options


def answer(app: AppTest) -> inference_answer.ShownExplanation:
    return list(app.session_state["_once_answers"].values())[-1]


def leases() -> int:
    counters = pool.shared().counters()
    return counters.hits + counters.misses


def test_before_there_is_a_picture_the_page_says_what_to_do_without_a_network():
    app = opened(arch="resnet50")
    assert [each.value for each in app.header] == ["Choose a picture to begin"]
    assert app.selectbox(key="reserved Weights").disabled


def test_a_link_with_a_sample_answers(imagenet):
    app = opened(sample="chelsea")
    assert classes(app)[0].startswith("Egyptian cat · 5")
    assert len(classes(app)) == 1000
    assert app.selectbox(key="weights_box").value == MODEL
    assert any("sees 224 × 224 pixels" in each.value for each in app.markdown)
    assert any("Measured here on CPU: decode" in each.value for each in app.caption)


def test_what_is_shown_can_be_saved():
    app = opening.opened("pages/inference.py", "zoo:lenet5", sample="chelsea")
    assert [each.proto.label for each in app.get("download_button")] == [
        "Report, one HTML file",
        "Overlay, PNG",
        "Feature maps, PNG",
        "Heatmap, NumPy array",
        "All feature maps, NumPy array",
    ]


def test_what_a_link_asks_for_in_vain_is_said(imagenet):
    app = opened(sample="chelsea", weights="timm:nothing.in1k", layer="layer9", target="5000")
    said = next(each.value for each in app.caption if "the usual choice" in each.value)
    for asked in (
        "nothing.in1k is not among its weights",
        "layer9 is not among its layers",
        "5000 is not among its classes",
    ):
        assert asked in said
    usual = opened(sample="chelsea", layer=answer(app).explanation.layer)
    assert not [each.value for each in usual.caption if "the usual choice" in each.value]


def test_a_stranger_s_network_is_shown_as_what_it_is(monkeypatch, tmp_path):
    infinite = checkpoints.state()
    infinite["conv1.0.weight"].fill_(1e38)
    checkpoints.write(tmp_path / "unnamed", checkpoints.state(num_classes=10), {"num_classes": 10})
    checkpoints.write(tmp_path / "headless", checkpoints.state(num_classes=0), {"num_classes": 0})
    checkpoints.write(tmp_path / "infinite", infinite)
    monkeypatch.setenv("EXPLORER_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(pool, "_shared", pool.Pool(device="cpu"))
    shown = {
        name: opened(arch=f"folder:{name}", sample="chelsea", target="500")
        for name in ("unnamed", "headless", "infinite")
    }
    captions = [each.value for each in shown["unnamed"].caption]
    assert any("500 is not among its classes" in each for each in captions)
    assert shown["headless"].selectbox(key="no Class").disabled
    text = " ".join(each.value for each in shown["headless"].markdown)
    assert "answers with an embedding" in text
    assert "Click" not in text
    (refused,) = shown["infinite"].error
    assert refused.value.endswith("its outputs are not finite.")
    assert shown["infinite"].selectbox(key="no Class").disabled


def test_another_class_is_explained_and_stands_in_the_link(imagenet):
    app = opened(sample="chelsea")
    first = answer(app)
    app.selectbox(key="target_box").set_value(282).run()
    assert not app.exception
    second = answer(app)
    assert (first.explanation.target, second.explanation.target) == (285, 282)
    assert second.explanation.explained.label == "tiger cat"
    assert second.explanation.predictions == first.explanation.predictions
    assert app.query_params["target"] == "282"
    assert opened(sample="chelsea", target="282").selectbox(key="target_box").value == 282


def test_another_layer_gives_its_own_maps_and_stands_in_the_link(imagenet):
    app = opened(sample="chelsea")
    app.selectbox(key="layer_box").set_value("blocks.3.2").run()
    assert answer(app).explanation.features.shape == (64, 14, 14)
    assert app.query_params["layer"] == "blocks.3.2"


def test_what_a_link_asks_for_in_vain_is_left_to_the_page(imagenet):
    app = opened(sample="chelsea", layer="no.such.layer", target="123456", weights="timm:nothing")
    assert answer(app).explanation.layer == answer(app).default_layer
    assert classes(app)[0].startswith("Egyptian cat")


def test_opacity_and_colours_call_no_model(imagenet):
    app = opened(sample="chelsea")
    assert leases() == 1
    app.slider(key=choices.OPACITY).set_value(80).run()
    app.selectbox(key=choices.COLOURS).set_value("Cividis").run()
    assert not app.exception
    assert leases() == 1


def test_opacity_and_colours_come_from_the_link(imagenet):
    app = opened(sample="chelsea", opacity="80", cmap="Cividis")
    assert app.slider(key=choices.OPACITY).value == 80
    assert app.selectbox(key=choices.COLOURS).value == "Cividis"


def test_going_back_to_a_class_calls_no_model_again(imagenet):
    app = opened(sample="chelsea")
    app.selectbox(key="target_box").set_value(282).run()
    app.selectbox(key="target_box").set_value(285).run()
    assert leases() == 2
    assert "target" not in app.query_params


def test_a_file_that_is_no_picture_leaves_the_answer_where_it_is(imagenet):
    app = opened(sample="chelsea")
    before = answer(app)
    app.session_state["picture_source"] = "Upload"
    app.run()
    app.file_uploader[0].set_value(("photo.jpg", b"no pixels here", "image/jpeg")).run()
    assert not app.exception
    assert [SENTENCE in each.value for each in app.warning] == [True]
    assert answer(app) is before
    assert classes(app)[0].startswith("Egyptian cat")
    assert app.query_params["sample"] == "chelsea"


def test_an_upload_takes_the_place_of_the_sample_and_leaves_the_link(imagenet):
    app = opened(sample="chelsea")
    app.session_state["picture_source"] = "Upload"
    app.run()
    app.file_uploader[0].set_value(("cup.png", SAMPLES["coffee"].load(), "image/png")).run()
    assert not app.exception
    assert classes(app)[0].startswith("espresso")
    assert "sample" not in app.query_params


def test_two_visits_share_no_picture(imagenet):
    first = opened(sample="chelsea")
    second = opened()
    assert "_picture" in first.session_state
    assert "_picture" not in second.session_state
    assert not second.session_state["_once_answers"]


def test_where_no_network_is_chosen_the_best_one_here_answers(nothing_downloaded):
    app = opened(arch="", sample="chelsea")
    assert app.selectbox(key="picker").value is None
    assert classes(app)[0].startswith("Egyptian cat · 6")
    assert len(classes(app)) == 1000
    assert any("**EfficientNet-Lite2** knows 1,000 classes" in each.value for each in app.markdown)
    assert not any(each.key == "download" for each in app.button)


def test_a_link_that_names_weights_alone_means_their_network(nothing_downloaded):
    app = opened(arch="", sample="chelsea", weights="zoo:resnet20")
    assert answer(app).entry.id == "zoo:resnet20"


def test_weights_that_are_not_here_are_offered_beside_an_answer(no_weights):
    app = opened(arch="vgg16", sample="chelsea")
    assert app.selectbox(key="weights_box").value == "torchvision:VGG16_Weights.IMAGENET1K_V1"
    said = next(each.value for each in app.markdown if "is not on this machine yet" in each.value)
    assert "**vgg16**" in said
    assert "**EfficientNet-Lite2** answers" in said
    assert answer(app).entry.id == "box:tf_efficientnet_lite2"
    app.button(key="download").click().run()
    assert not app.exception
    assert ["no network" in each.value for each in app.error] == [True]
    assert not app.get("progress")
    assert classes(app)[0].startswith("Egyptian cat")
    app.button(key="download").click().run()
    assert len(app.error) == 1


def test_a_network_without_published_weights_is_answered_for_too(nothing_downloaded):
    app = opened(arch="zfnet", sample="chelsea")
    assert any("Nobody has published weights" in each.value for each in app.markdown)
    assert answer(app).entry.id == "box:tf_efficientnet_lite2"


def test_another_network_of_this_machine_is_one_choice_away(nothing_downloaded):
    app = opened(arch="vgg16", sample="chelsea")
    app.selectbox(key="weights_box").set_value("zoo:resnet20").run()
    assert app.session_state["arch"] == "zoo:resnet20"
    assert classes(app)[0].startswith("cat · ")


def test_a_network_of_ten_classes_says_what_it_cannot_know(nothing_downloaded):
    app = opened(arch="zoo:resnet20", sample="coffee")
    assert any("All it knows: airplane, automobile, bird, cat" in each.value for each in app.caption)
    assert any("None of its classes is right for “Coffee cup”" in each.value for each in app.markdown)
    app.button(key="known sample chelsea").click().run()
    assert not any("None of its classes" in each.value for each in app.markdown)
    assert classes(app)[0].startswith("cat · ")


def test_the_samples_offered_show_things_that_imagenet_names():
    names = set(imagenet_names(1000))
    offered = [each for each in SAMPLES.values() if each.shows]
    assert len(offered) >= 5
    assert all(names.intersection(each.shows) for each in offered)


def test_an_untrained_network_is_called_so():
    app = opened(arch="lenet5", sample="chelsea", weights="random:explorer:lenet5")
    assert any("untrained" in each.value and "means nothing" in each.value for each in app.markdown)
    assert answer(app).entry.untrained
    second = answer(app).explanation.predictions[1].index
    app.selectbox(key="target_box").set_value(second).run()
    assert answer(app).explanation.target == second


def test_the_zoo_knows_a_cat_and_says_how_little_it_sees():
    zoo = {entry.reference.name: entry for entry in networks.on_this_machine() if entry.id.startswith("zoo:")}
    if "resnet20" not in zoo:
        pytest.skip("the zoo's ResNet-20 has not been trained yet")
    app = opened(arch="resnet20_cifar", sample="chelsea", weights="zoo:resnet20")
    assert classes(app)[0].startswith("cat · ")
    assert len(classes(app)) == 10
    assert any("sees 32 × 32 pixels" in each.value for each in app.markdown)
    assert answer(app).tiny


def test_every_method_can_be_chosen_and_stands_in_the_link():
    # Not the last layer: before an average over all places, Grad-CAM and HiResCAM are one.
    app = opened(arch="zoo:resnet20", sample="chelsea", layer="layer2")
    shown = answer(app).explanation
    assert shown.method == "Grad-CAM"
    quick = [name for name, method in METHODS.items() if not method.long and not method.limits]
    assert len(quick) > 6
    for name in quick[1:]:
        app.selectbox(key="method_box").set_value(name).run()
        assert app.query_params["method"] == name
        other = answer(app).explanation
        assert other.method == name
        assert not np.array_equal(other.heatmap, shown.heatmap)
        assert other.predictions == shown.predictions
    app.selectbox(key="method_box").set_value("Attention rollout").run()
    assert answer(app).explanation.method == "Grad-CAM"
    assert any("Grad-CAM is shown" in each.value for each in app.caption)
    app.selectbox(key="method_box").set_value("LayerCAM").run()
    app.selectbox(key="method_box").set_value("Grad-CAM").run()
    assert "method" not in app.query_params
    app = opened(arch="zoo:resnet20", sample="chelsea", method="Guesswork")
    assert "`method` = “Guesswork”" in app.warning[0].value
    assert answer(app).explanation.method == "Grad-CAM"


def test_the_map_is_put_to_the_test_once_that_is_opened():
    app = opened(arch="zoo:resnet20", sample="chelsea")
    assert not any("chance" in each.value for each in app.markdown)
    app.session_state["proof"] = True
    app.run()
    (verdict,) = [each.value for each in app.markdown if "chance" in each.value]
    assert "deletion" in verdict
    assert "random weights" in verdict


def test_the_way_through_the_network_rides_in_the_answer_s_pass(imagenet):
    app = opened(sample="chelsea", opened="stage 2")
    way = answer(app).way
    assert [column.unit for column in way.columns if column.stage == "stage 2"] == [
        "blocks.1.0",
        "blocks.1.1",
    ]
    assert set(way.maps) == {column.layer.path for column in way.columns}
    assert leases() == 1


def test_a_stage_that_is_opened_later_takes_one_more_pass(imagenet):
    app = opened(sample="chelsea")
    before = answer(app)
    app.text_input(key=choices.OPENED).set_value("stage 3").run()
    assert not app.exception
    assert answer(app) is before
    assert leases() == 2
    (way,) = app.session_state["_once_way"].values()
    assert sum(column.stage == "stage 3" for column in way.columns) == 3
    app.text_input(key=choices.OPENED).set_value("").run()
    assert leases() == 2


def test_what_feeds_a_map_is_asked_once(imagenet):
    app = opened(sample="chelsea")
    shown = answer(app)
    (key,) = app.session_state["_once_way drawn"]
    app.session_state["_through_asked"] = (key, shown.way.columns[2].layer.path, 3)
    app.run()
    app.run()
    assert not app.exception
    assert leases() == 2
    (found,) = app.session_state["_once_way inputs"].values()
    assert list(found["given"]) == ["1"]


def test_another_network_opens_none_of_the_former_s_stages(imagenet):
    app = opened(sample="chelsea", opened="stage 2")
    app.text_input(key="arch").set_value("lenet5").run()
    assert not app.exception
    assert app.session_state[choices.OPENED] == ""
