"""The shipped catalogue: complete, connected, buildable, and quick to load."""

import re
import subprocess
import sys
from collections import Counter

import pytest

from explorer import catalogue

# Every network that ../shared/content.md lists, row by row.
ROWS = {
    "before 2012": "bovw_svm",
    "1998": "lenet5",
    "2012-13": "alexnet zfnet",
    "2014": "vgg11 vgg13 vgg16 vgg19 vgg11_bn vgg13_bn vgg16_bn vgg19_bn googlenet inception_v3 inception_v4",
    "2015-16": "resnet18 resnet34 resnet50 resnet101 resnet152 resnet200 plain20 plain34 plain56 "
    "resnet20_cifar resnet56_cifar wide_resnet50_2 wrn28_10 squeezenet",
    "2017": "resnext50 densenet121 densenet201 se_resnet50 senet154 mobilenet_v1 shufflenet_v1 shufflenet_v2",
    "2018-20": "mobilenet_v2 mobilenet_v3 efficientnet_b0 efficientnet_b1 efficientnet_b2 efficientnet_b3 "
    "efficientnet_b4 efficientnet_b5 efficientnet_b6 efficientnet_b7 efficientnet_lite0 regnet_y_3_2gf "
    "resnet50d resnest50 se_resnext50",
    "2021": "resnetrs50 resnetrs101 resnetrs200 efficientnetv2_b0 efficientnetv2_s efficientnetv2_m "
    "resnet50_a1 resnet50_tv2",
    "2022-23": "convnext_t convnext_s convnext_b convnext_l convnext_xl convnextv2_atto convnextv2_femto "
    "convnextv2_pico convnextv2_nano convnextv2_t convnextv2_b convnextv2_l convnextv2_h",
    "the rivals": "vit_b16 vit_l16 deit_s deit_b swin_t",
}
EVERY = tuple(catalogue.architectures().values())
NETWORKS = tuple(entry for entry in EVERY if entry.builders)


@pytest.mark.parametrize("era", ROWS)
def test_every_row_of_the_content_has_its_entries(era):
    assert set(ROWS[era].split()) <= set(catalogue.architectures())


def test_entries_stand_in_order_of_year():
    assert [entry.year for entry in EVERY] == sorted(entry.year for entry in EVERY)


def test_the_year_is_that_of_the_first_public_version():
    """One convention: the preprint's year, which an arXiv number begins with, wherever there is one."""
    for entry in EVERY:
        assert entry.year == entry.paper.year, entry.id
        if number := re.search(r"arxiv\.org/abs/(\d\d)", entry.paper.url):
            assert entry.year == 2000 + int(number[1]), entry.id


def test_nothing_descends_from_what_came_later():
    later = [
        (entry.id, ancestor)
        for entry in EVERY
        for ancestor in entry.came_from
        if catalogue.get(ancestor).year > entry.year
    ]
    assert later == []


def test_led_to_is_came_from_read_backwards():
    edges = {(ancestor, e.id) for e in EVERY if e.variant_of is None for ancestor in e.came_from}
    named = {ancestor for ancestor, _ in edges}
    assert edges == {(ancestor, child) for ancestor in named for child in catalogue.led_to(ancestor)}
    assert {"densenet121", "resnext50", "se_resnet50", "convnext_t"} <= set(catalogue.led_to("resnet50"))


def test_a_size_nothing_descends_from_led_to_what_its_family_led_to():
    assert catalogue.led_to("vgg19") == catalogue.led_to("vgg16") != ()
    assert catalogue.led_to("convnextv2_h") == ()


def test_names_are_unique():
    assert [name for name, count in Counter(entry.name for entry in EVERY).items() if count > 1] == []


def test_milestones_cover_every_family_and_the_whole_story():
    stops = catalogue.milestones()
    assert {stop.family for stop in stops} == set(catalogue.FAMILIES)
    assert 25 <= len(stops) <= 32
    assert (stops[0].id, stops[-1].id) == ("lenet5", "convnextv2_t")


def test_each_milestone_tells_its_own_ceiling_and_idea():
    stops = catalogue.milestones()
    assert len({stop.ceiling for stop in stops}) == len({stop.idea for stop in stops}) == len(stops)


def test_other_sizes_share_the_story_and_are_offered_to_each_other():
    vgg16, vgg19 = catalogue.get("vgg16"), catalogue.get("vgg19")
    assert (vgg19.variant_of, vgg19.idea, vgg19.paper) == ("vgg16", vgg16.idea, vgg16.paper)
    assert vgg19.variants == vgg16.variants
    assert vgg19.variants["VGG-11"] == "torchvision:vgg11"


def test_every_network_has_a_published_result_except_the_control_experiments():
    assert {entry.id for entry in NETWORKS if not entry.facts} == {"plain20", "plain56"}


@pytest.mark.parametrize("entry", EVERY, ids=lambda entry: entry.id)
def test_prose_is_short_enough_for_a_card(entry):
    assert max(len(entry.ceiling), len(entry.idea), len(entry.key)) <= 150
    assert len(entry.used_for) <= 130
    assert max(map(len, (*entry.novelties, *entry.failure_cases, *entry.mistakes))) <= 170


@pytest.mark.parametrize("entry", NETWORKS, ids=lambda entry: entry.id)
def test_top5_is_never_below_top1_under_one_source_and_protocol(entry):
    top5 = {(fact.source, fact.protocol): fact.value for fact in entry.facts.get("top5", ())}
    for fact in entry.facts.get("top1", ()):
        assert top5.get((fact.source, fact.protocol), 100) > fact.value


def test_the_two_accuracies_of_alexnet_both_stand_with_their_reason():
    by_value = {fact.value: fact for fact in catalogue.get("alexnet").facts["top1"]}
    assert "torchvision AlexNet_Weights.IMAGENET1K_V1" in by_value[56.522].source
    assert "7 networks" in by_value[63.3].protocol


def test_the_same_network_with_new_recipes_names_its_weights():
    assert catalogue.get("resnet50_a1").weights == ("timm:resnet50.a1_in1k",)
    assert catalogue.get("resnet50_tv2").weights == ("torchvision:ResNet50_Weights.IMAGENET1K_V2",)


def test_the_catalogue_cannot_be_changed_by_who_reads_it():
    entry = catalogue.get("resnet50")
    for mapping in (catalogue.architectures(), entry.facts, entry.variants):
        with pytest.raises(TypeError):
            mapping["new"] = entry
    with pytest.raises(AttributeError):
        entry.year = 1900


def test_an_unknown_id_is_a_key_error():
    with pytest.raises(KeyError, match="resnet51"):
        catalogue.led_to("resnet51")


def test_loading_needs_neither_torch_nor_numpy():
    program = (
        "import sys; from explorer import catalogue; catalogue.timeline();"
        "print(sorted({'torch', 'numpy', 'streamlit', 'plotly'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "[]"


def test_every_reference_can_be_built():
    from explorer.networks import names

    known = names()
    dangling = [
        (entry.id, reference)
        for entry in NETWORKS
        for reference in (*entry.builders, *entry.variants.values())
        if reference.split(":")[1] not in known[reference.split(":")[0]]
    ]
    assert dangling == []


def test_every_named_weights_entry_exists():
    import timm
    from torchvision.models import get_weight

    tags = set(timm.list_pretrained())
    for reference in (reference for entry in EVERY for reference in entry.weights):
        builder, _, name = reference.partition(":")
        assert name in tags if builder == "timm" else get_weight(name).name


@pytest.mark.parametrize(
    "identifier",
    [
        "resnet18",
        "vgg11_bn",
        "densenet121",
        "mobilenet_v2",
        "efficientnet_b0",
        "convnext_t",
        "vit_b16",
        "swin_t",
    ],
)
def test_all_builders_of_an_entry_build_the_same_network(identifier):
    """Only Inception v3 differs: timm leaves out the auxiliary head, 3.3 M weights for training only."""
    import timm
    import torch
    from torchvision.models import get_model_weights

    ours, *others = catalogue.get(identifier).builders
    published = get_model_weights(ours.removeprefix("torchvision:")).DEFAULT.meta["num_params"]
    assert others
    for other in others:
        with torch.device("meta"):
            model = timm.create_model(other.removeprefix("timm:"))
        assert sum(weight.numel() for weight in model.parameters()) == published


def test_sentences_end_like_sentences():
    for entry in EVERY:
        for text in (entry.ceiling, entry.idea, entry.used_for, entry.key):
            assert re.search(r"[.?]$", text), (entry.id, text)
        for text in (*entry.novelties, *entry.failure_cases, *entry.mistakes):
            assert not text.endswith("."), (entry.id, text)
