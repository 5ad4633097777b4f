"""Protocols as data: what each says, and what sets two apart."""

import pytest

from explorer import catalogue
from explorer.catalogue.evaluations import Evaluation, evaluation


@pytest.mark.parametrize(
    ("protocol", "said"),
    [
        ("single network, 10 crops 224", ("1 network", "10 crops", "224 pixels", "validation set")),
        ("1 crop 224, crop fraction 0.875, bicubic", ("1 network", "1 crop", "224 pixels", "validation set")),
        ("1-crop 299", ("1 network", "1 crop", "299 pixels", "validation set")),
        ("7 networks averaged, 10 crops, test set", ("7 networks", "10 crops", "", "test set")),
        ("ensemble of 6 networks, test set", ("6 networks", "", "", "test set")),
        ("ensemble, test set", ("an ensemble", "", "", "test set")),
        (
            "1 Inception-v4 and 3 Inception-ResNet-v2, 144 crops, test set",
            ("an ensemble", "144 crops", "", "test set"),
        ),
        (
            "single network, fully convolutional at five scales",
            ("1 network", "5 scales", "", "validation set"),
        ),
        (
            "single network, many scales, dense and multi-crop evaluation",
            ("1 network", "many scales, many crops, dense", "", "validation set"),
        ),
        ("pre-trained on ImageNet-21k, fine-tuned at 384", ("1 network", "", "384 pixels", "validation set")),
        ("", ("", "", "", "")),
    ],
)
def test_what_a_protocol_says(protocol, said):
    assert evaluation(protocol) == Evaluation(*said)


def test_what_sets_two_apart_is_named_and_what_is_not_stated_too():
    one, ten = evaluation("1 crop 224"), evaluation("single network, 10 crops 224")
    assert one.differences(one) == ()
    assert one.differences(ten) == ("10 crops against 1 crop",)
    assert ten.differences(one) == ("1 crop against 10 crops",)
    assert one.differences(evaluation("ensemble of 6 networks, test set")) == (
        "6 networks against 1 network",
        "crops not stated",
        "input size not stated",
        "test set against validation set",
    )
    assert len(evaluation("").differences(evaluation(""))) == 4  # nothing known is nothing alike


def test_every_accuracy_of_the_catalogue_says_how_many_networks_and_most_which_crops():
    facts = [
        fact
        for entry in catalogue.architectures().values()
        for key in ("top1", "top5")
        for fact in entry.facts.get(key, ())
    ]
    assert all(fact.evaluation.networks for fact in facts)
    stated = [fact for fact in facts if fact.evaluation.views and fact.evaluation.side]
    assert len(stated) > 0.9 * len(facts)
