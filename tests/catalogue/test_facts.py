"""Published numbers: the ones that installed packages and published tables hold are checked against them."""

import csv
import re

import pytest

from explorer import catalogue
from explorer.catalogue import claims

CITED = [
    pytest.param(key, fact, id=f"{entry.id}-{key}-{fact.source.split(' ', 1)[0]}-{fact.value:g}")
    for entry in catalogue.architectures().values()
    for key, facts in entry.facts.items()
    for fact in facts
]
FROM_TORCHVISION = [case for case in CITED if case.values[1].source.startswith("torchvision ")]
FROM_TIMM = [case for case in CITED if case.values[1].source.startswith("timm ")]


@pytest.mark.parametrize(("key", "fact"), FROM_TORCHVISION)
def test_torchvision_facts_stand_in_the_installed_package(key, fact):
    from torchvision.models import get_weight

    weights = get_weight(fact.source.removeprefix("torchvision "))
    accuracy = weights.meta["_metrics"]["ImageNet-1K"]
    published = {
        "top1": accuracy["acc@1"],
        "top5": accuracy["acc@5"],
        "params": weights.meta["num_params"] / 1e6,
        "macs": weights.meta["_ops"],
    }
    assert fact.value == pytest.approx(published[key], rel=1e-9)
    crop = weights.transforms.keywords["crop_size"]
    assert key == "params" or re.search(rf"\b(crop|input) {crop}\b", fact.protocol)


def test_torchvision_is_cited_for_most_of_its_networks():
    assert len({case.values[1].source for case in FROM_TORCHVISION}) >= 50


@pytest.mark.parametrize(("key", "fact"), FROM_TIMM)
def test_timm_facts_stand_in_the_published_table(key, fact, shared_timm):
    model, size = re.fullmatch(r"timm results-imagenet\.csv: (\S+) at (\d+)", fact.source).groups()
    with (shared_timm / "results-imagenet.csv").open() as table:
        row = next(row for row in csv.DictReader(table) if (row["model"], row["img_size"]) == (model, size))
    assert fact.value == float(row[key])
    assert f"crop fraction {float(row['crop_pct']):g}, {row['interpolation']}" in fact.protocol


@pytest.mark.parametrize(("key", "fact"), CITED)
def test_accuracies_say_how_they_were_measured(key, fact):
    assert fact.unit == catalogue.FACT_UNITS[key]
    if fact.unit == "%":
        assert fact.protocol
    if "Printed as" in fact.note and "error" in fact.note and key == "top1":
        printed = float(re.search(r"Printed as ([\d.]+) % error", fact.note)[1])
        assert fact.value == pytest.approx(100 - printed)


def test_published_costs_that_are_called_flops_say_what_they_count():
    for case in CITED:
        key, fact = case.values
        if key == "macs" and "FLOPs" in fact.note:
            assert "multiply-adds" in fact.note


def test_a_paper_is_cited_the_way_prose_does():
    papers = catalogue.sources().papers
    assert [papers[key].label for key in ("lowe2004", "zeiler2013", "he2015", "russakovsky2015")] == [
        "Lowe 2004",
        "Zeiler & Fergus 2013",
        "He et al. 2015",
        "Russakovsky et al. 2015",
    ]


def test_the_five_documents_are_registered():
    assert list(catalogue.sources().documents) == ["000", "001", "002", "003", "004"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("he2015: table 4", "He et al. 2015, table 4"),
        ("he2015", "He et al. 2015"),
        ("torchvision ResNet50_Weights.IMAGENET1K_V1", "torchvision ResNet50_Weights.IMAGENET1K_V1"),
        ("timm results-imagenet.csv: a.b_in1k at 224", "timm results-imagenet.csv: a.b_in1k at 224"),
    ],
)
def test_citations_are_resolved(text, shown):
    words, url = catalogue.sources().cite(text)
    assert words == shown
    assert url.startswith("https://")


@pytest.mark.parametrize(
    "text", ["he2014", "torchvision resnet50", "timm results-imagenet.csv: a.b", "a blog"]
)
def test_unregistered_citations_are_none(text):
    assert catalogue.sources().cite(text) is None


def test_every_registered_paper_is_used():
    used = {entry.paper for entry in catalogue.architectures().values()}
    used |= {method.paper for method in catalogue.timeline().handcrafted}
    cited = {case.values[1].url for case in CITED} | {e.top5_error.url for e in catalogue.timeline().ilsvrc}
    cited |= {fact.url for fact in claims.facts().values()}
    assert [
        p.title for p in catalogue.sources().papers.values() if p not in used and p.url not in cited
    ] == []
