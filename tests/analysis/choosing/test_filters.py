"""Filters of the efficiency chart, on candidates made up for them."""

from dataclasses import replace

import pytest

from explorer.analysis.choosing.candidates import Candidate
from explorer.analysis.choosing.filters import Narrowing, SearchError, narrowed

OLD = Candidate(
    id="a",
    name="resnet50 IMAGENET1K_V1",
    reference="torchvision:resnet50",
    weights="torchvision:ResNet50_Weights.IMAGENET1K_V1",
    published_by="torchvision",
    architecture="resnet50",
    family="residual",
    year=2015,
    image_size=224,
    training_data="ImageNet-1k",
    licence="",
    protocol="",
    values={},
)
NEW = replace(
    OLD, id="b", name="convnext_tiny.in12k_ft_in1k", family="convnext", year=2022, image_size=288,
    training_data="ImageNet-21k or more", published_by="timm", reference="timm:convnext_tiny", weights="",
)  # fmt: skip
STRANGE = replace(NEW, id="c", name="mixer_b16_224.goog_in21k_ft_in1k", family=None, year=None)
ALL = (OLD, NEW, STRANGE)


@pytest.mark.parametrize(
    ("wanted", "places"),
    [
        (Narrowing(), [0, 1, 2]),
        (Narrowing(families=frozenset({"residual", ""})), [0, 2]),
        (Narrowing(years=(2015, 2022)), [0, 1]),
        (Narrowing(years=(2016, 2022)), [1]),
        (Narrowing(image_sizes=(225, 512)), [1, 2]),
        (Narrowing(training_data=frozenset({"ImageNet-1k"})), [0]),
        (Narrowing(published_by=frozenset({"timm"})), [1, 2]),
        (Narrowing(words="RESNET50 v1"), [0]),
        (Narrowing(words="in1k goog"), [2]),
        (Narrowing(words="  "), [0, 1, 2]),
        (Narrowing(words="in(12|21)k", regular_expression=True), [1, 2]),
        (Narrowing(words="in(12|21)k"), []),
        (Narrowing(words="^convnext", families=frozenset({"residual"}), regular_expression=True), []),
    ],
)
def test_each_filter_keeps_what_it_says(wanted: Narrowing, places: list[int]) -> None:
    assert narrowed(ALL, wanted) == places


def test_a_broken_pattern_is_a_sentence() -> None:
    with pytest.raises(SearchError, match=r"'res\(' is no regular expression: .*\."):
        narrowed(ALL, Narrowing(words="res(", regular_expression=True))


def test_no_pattern_holds_the_server() -> None:
    long = replace(OLD, name="a" * 5000)
    assert narrowed((long,), Narrowing(words="^(a+)+!$", regular_expression=True)) == []
