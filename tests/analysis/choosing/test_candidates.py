"""Candidates: where each value comes from, and that what is missing stays missing."""

import pytest

from explorer.analysis.choosing.candidates import MEASURES, UNKNOWN, Candidate, as_deployed, candidates
from explorer.catalogue import published_files
from explorer.catalogue.counts import counts
from explorer.catalogue.network_names import MORE_PICTURES, ONLY_IMAGENET_1K, TRAINING_DATA
from explorer.catalogue.published_tables import Key, PublishedResult

ROWS = (
    PublishedResult(Key("resnet50.a1_in1k", 224), {"top1": 80.2, "throughput 3090": 5000.0}),
    PublishedResult(Key("resnet50.a1_in1k", 288), {"top1": 81.2}),
    PublishedResult(Key("mobileone_s0.apple_in1k", 224), {"top1": 71.4, "throughput 5090": 29328.65}),
    PublishedResult(Key("no_such_net.sw_in12k_ft_in1k", 224), {"top1": 90.0}),
)


@pytest.fixture(scope="module")
def found() -> dict[str, Candidate]:
    everything = candidates(ROWS)
    assert len({each.id for each in everything}) == len(everything)
    return {each.id: each for each in everything}


def test_a_row_of_the_tables_has_the_counts_of_its_network_at_its_size(found) -> None:
    small, large = found["timm:resnet50.a1_in1k@224"], found["timm:resnet50.a1_in1k@288"]
    assert small.values["params"] == 25_557_032
    assert small.values["macs"] == 4_089_184_256  # torchvision prints 4.089 for the same network
    assert large.values["macs"] == pytest.approx(4_089_184_256 * (288 / 224) ** 2, rel=0.01)
    assert small.values["weight_bytes"] == 4 * 25_557_032
    assert "throughput 3090" in small.values
    assert "throughput 3090" not in large.values
    assert (small.architecture, small.family, small.year) == ("resnet50", "residual", 2015)
    assert small.training_data == ONLY_IMAGENET_1K


def test_a_network_that_this_timm_does_not_know_keeps_what_is_published(found) -> None:
    unknown = found["timm:no_such_net.sw_in12k_ft_in1k@224"]
    assert dict(unknown.values) == {"top1": 90.0}
    assert (unknown.family, unknown.year, unknown.licence) == (None, None, UNKNOWN)
    assert unknown.training_data == MORE_PICTURES


def test_torchvisions_entries_are_all_there_without_any_table(found) -> None:
    of_torchvision = [each for each in found.values() if each.published_by == "torchvision"]
    assert len(of_torchvision) == 115
    without_accuracy = [each.id for each in of_torchvision if not {"top1", "top5"} <= set(each.values)]
    assert without_accuracy == ["torchvision:VGG16_Weights.IMAGENET1K_FEATURES"]  # torchvision says nan
    swag = found["torchvision:ViT_B_16_Weights.IMAGENET1K_SWAG_E2E_V1"]
    assert swag.training_data == MORE_PICTURES
    assert swag.image_size == 384


def test_a_recipe_changes_the_accuracy_and_nothing_that_is_counted(found) -> None:
    old, new = (found[f"torchvision:ResNet50_Weights.IMAGENET1K_V{v}"] for v in (1, 2))
    assert [old.values["top1"], new.values["top1"]] == [76.13, 80.858]
    assert {name: old.values[name] == new.values[name] for name in ("params", "macs")} == {
        "params": True,
        "macs": True,
    }


def test_printed_results_name_their_source_and_are_counted_at_the_size_they_print(found) -> None:
    printed = [each for each in found.values() if each.published_by == "paper"]
    assert printed
    assert all(each.weights == "" and each.protocol for each in printed)
    assert not any(each.name.split(", ", 1)[1].startswith(("timm", "torchvision")) for each in printed)
    huge = next(each for each in printed if each.architecture == "convnextv2_h" and each.image_size == 512)
    expected = counts().of.get(("timm:convnextv2_huge", 512))
    assert huge.values.get("macs") == (expected["macs"] if expected else None)


def test_every_value_is_a_known_measure_and_every_class_a_known_one(found) -> None:
    for each in found.values():
        assert set(each.values) <= set(MEASURES)
        assert each.training_data in (*TRAINING_DATA, UNKNOWN)


def test_a_network_of_two_forms_carries_the_counts_of_both(found) -> None:
    each = found["timm:mobileone_s0.apple_in1k@224"]
    assert each.two_forms
    assert (each.value("params"), each.value("deployed params")) == (5_293_272, 2_078_504)
    assert each.values["deployed weight_bytes"] == 4 * 2_078_504
    assert each.value("deployed macs") == pytest.approx(275e6, rel=2e-3)


def test_a_network_of_one_form_is_deployed_as_it_is_trained(found) -> None:
    each = found["timm:resnet50.a1_in1k@224"]
    assert not each.two_forms
    assert each.value("deployed macs") == each.values["macs"]
    assert each.value("deployed top1") == each.values["top1"]
    assert each.value("v2 top1") is None


@pytest.mark.parametrize(
    ("measure", "form"),
    [("params", "deployed params"), ("weight_bytes", "deployed weight_bytes"), ("top1", "top1")],
)
def test_only_counts_have_a_deployed_form(measure: str, form: str) -> None:
    assert as_deployed(measure) == form
    assert form in MEASURES


def test_timms_tables_timed_the_forms_that_they_are_said_to_have_timed(shared_timm) -> None:
    """As trained, MobileOne-S0 has four branches a layer and S1 has one; deployed, S0 is the smaller."""
    timed = {name: each.timed for name, each in MEASURES.items() if name.startswith("throughput")}
    texts = {each.name: each.read_text("utf-8") for each in shared_timm.glob("*.csv")}
    rows = published_files.from_texts(texts).rows
    speed = {
        (row.key.architecture, name): row.values[name] for row in rows for name in timed if name in row.values
    }
    for name, form in timed.items():
        faster = speed["mobileone_s0", name] > speed["mobileone_s1", name]
        assert faster is (form == "deployed"), name
