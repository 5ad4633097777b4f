"""Really trained networks on real photos: what they say, and where they look."""

import numpy as np
import pytest
from timm.data import ImageNetInfo

from explorer import networks
from explorer.inference import OFFERED, SAMPLES, decode, explain, overlay
from explorer.networks import Network
from explorer.networks.from_box import BOX

CIFAR_ANIMALS = {"bird", "cat", "deer", "dog", "frog", "horse"}


@pytest.fixture(scope="module")
def mobilenet(shared_models) -> Network:
    return networks.load(f"local-dir:{shared_models / 'mobilenetv2_100.coral_in1k'}")


def test_chelsea_is_an_egyptian_cat(mobilenet):
    answer = explain(mobilenet, decode(SAMPLES["chelsea"].load()))
    assert answer.predictions[0].label == "Egyptian cat"
    assert answer.predictions[0].probability == pytest.approx(0.53, abs=0.01)
    x, y = answer.heatmap_peak
    assert 0.2 < x < 0.8  # the face fills the middle of the picture
    assert 0.1 < y < 0.95


def test_a_smaller_network_knows_the_coffee_too(mobilenet):
    assert explain(mobilenet, decode(SAMPLES["coffee"].load())).predictions[0].label == "espresso"


@pytest.mark.parametrize("sample", OFFERED, ids=lambda sample: sample.name)
def test_what_is_offered_is_named_rightly_by_the_network_that_answers_unasked(sample):
    network = networks.load(networks.on_this_machine()[0].id)
    assert explain(network, decode(sample.load())).predictions[0].label in sample.shows


@pytest.mark.parametrize("sample", ["chelsea", "german_shepherd", "horse"])
def test_some_samples_hold_what_a_network_of_ten_classes_knows(sample):
    answer = explain(networks.load("zoo:resnet20"), decode(SAMPLES[sample].load()))
    assert answer.predictions[0].label in SAMPLES[sample].shows


def right_of_forty(network: Network, photos) -> int:
    synsets = ImageNetInfo().label_names()
    assert len(photos) == 40
    answers = {path: explain(network, decode(path.read_bytes()), top_k=1) for path in photos}
    return sum(
        synsets[answer.predictions[0].index] == path.name.partition("_")[0]
        for path, answer in answers.items()
    )


def test_thirty_two_of_forty_photos_are_right(mobilenet, shared_photos):
    assert right_of_forty(mobilenet, shared_photos) >= 32


def test_the_network_that_answers_unasked_is_right_on_thirty_four_of_forty(shared_photos):
    assert right_of_forty(networks.load(networks.on_this_machine()[0].id), shared_photos) >= 34


@pytest.mark.parametrize("name", BOX)
def test_the_box_knows_a_cat_from_a_coffee(name):
    network = networks.load(f"box:{name}")
    cat, coffee = (explain(network, decode(SAMPLES[name].load())) for name in ("chelsea", "coffee"))
    assert cat.predictions[0].label in ("Egyptian cat", "tiger cat")
    assert 0.35 < cat.predictions[0].probability < 0.65
    assert coffee.predictions[0].label == "espresso"


def test_another_class_moves_the_heatmap(mobilenet):
    image = decode(SAMPLES["coffee"].load())
    espresso = explain(mobilenet, image, layer="blocks.5")
    spoon = explain(mobilenet, image, layer="blocks.5", target=mobilenet.labels.index("wooden spoon"))
    assert espresso.heatmap_peak != spoon.heatmap_peak
    assert (espresso.features == spoon.features).all()


def test_the_overlay_is_the_picture_at_zero_opacity_and_the_heatmap_at_one(mobilenet):
    answer = explain(mobilenet, decode(SAMPLES["chelsea"].load()))
    plain, half, full = (overlay(answer, opacity, "Inferno") for opacity in (0.0, 0.5, 1.0))
    assert plain.size == (answer.display.shape[1], answer.display.shape[0])
    assert plain.tobytes() == answer.display.tobytes()
    assert half.tobytes() != plain.tobytes()
    x, y = answer.heatmap_peak
    left, top, right, bottom = answer.view_box
    peak = full.getpixel(
        (int((x - left) / (right - left) * full.width), int((y - top) / (bottom - top) * full.height))
    )
    assert sum(peak) > 600  # Inferno's bright end
    with pytest.raises(ValueError, match="try one of Viridis"):
        overlay(answer, 0.5, "Jet")
    with pytest.raises(ValueError, match="opacity"):
        overlay(answer, 1.5)


def zoo_names() -> list[str]:
    return [name.removeprefix("zoo:") for name in networks.names().get("zoo", ())]


@pytest.mark.parametrize("name", zoo_names())
def test_every_zoo_network_explains_chelsea(name):
    network = networks.load(f"zoo:{name}")
    image = decode(SAMPLES["chelsea"].load())
    answer = explain(network, image)
    assert answer.view.shape == (32, 32, 3)
    assert answer.display.shape == (300, 300, 3)
    assert set(network.labels) > CIFAR_ANIMALS
    assert np.isfinite(answer.heatmap).all()
