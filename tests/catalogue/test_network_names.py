"""Lines of networks and the pictures that weights were trained on, from their names."""

from pathlib import Path

import pytest

from explorer.catalogue.network_names import (
    DISTILLED,
    MORE_PICTURES,
    ONLY_IMAGENET_1K,
    Line,
    line,
    lines,
    read,
    training_data,
)
from explorer.catalogue.reading import CatalogueError


@pytest.mark.parametrize(
    ("network", "family", "year"),
    [
        ("resnet50", "residual", 2015),
        ("resnetrs50", "residual", 2021),
        ("resnext101_64x4d", "residual", 2016),
        ("seresnext50_32x4d", "attention", 2017),
        ("tf_efficientnet_lite4", "scaled", 2020),
        ("tf_efficientnetv2_xl", "scaled", 2021),
        ("efficientnet_v2_l", "scaled", 2021),
        ("mobilenetv4_hybrid_large", "transformer", 2024),
        ("mobilenetv4_conv_large", "compact", 2024),
        ("convnextv2_huge", "convnext", 2023),
        ("mixer_b16_224", None, 2021),
        ("hgnetv2_b0", "residual", None),
    ],
)
def test_the_longest_beginning_tells_family_and_year(
    network: str, family: str | None, year: int | None
) -> None:
    assert line(network) == Line(family, year)


def test_a_name_of_no_line_is_unknown() -> None:
    assert line("made_up_net") is None


@pytest.mark.parametrize(
    ("model", "pictures"),
    [
        ("resnet50.a1_in1k", ONLY_IMAGENET_1K),
        ("convnextv2_tiny.fcmae_ft_in1k", ONLY_IMAGENET_1K),
        ("convnextv2_tiny.fcmae_ft_in22k_in1k", MORE_PICTURES),
        ("convnext_base.clip_laion2b_augreg_ft_in12k_in1k", MORE_PICTURES),
        ("tf_efficientnet_l2.ns_jft_in1k", MORE_PICTURES),
        ("regnety_320.seer_ft_in1k", MORE_PICTURES),
        ("nextvit_large.bd_ssld_6m_in1k", MORE_PICTURES),
        ("eva02_large_patch14_448.mim_m38m_ft_in1k", MORE_PICTURES),
        ("tiny_vit_5m_224.dist_in22k_ft_in1k", MORE_PICTURES),
        ("deit_small_distilled_patch16_224.fb_in1k", DISTILLED),
        ("repvit_m1_0.dist_450e_in1k", DISTILLED),
        ("hgnet_tiny.ssld_in1k", DISTILLED),
        ("resnet50", ONLY_IMAGENET_1K),
    ],
)
def test_the_tag_tells_the_pictures(model: str, pictures: str) -> None:
    assert training_data(model) == pictures


def test_every_model_of_the_published_table_has_a_line(shared_timm: Path) -> None:
    from explorer.catalogue.published_tables import ACCURACY, TABLES, read

    table = read((shared_timm / ACCURACY).read_text("utf-8"), TABLES[ACCURACY])
    assert [key.architecture for key in table.rows if line(key.architecture) is None] == []
    used = {max((n for n in lines() if k.architecture.startswith(n)), key=len) for k in table.rows}
    of_torchvision = {"efficientnet_v2", "googlenet", "regnet_x", "regnet_y", "shufflenet_v2", "squeezenet"}
    assert set(lines()) - used <= of_torchvision | {"swin_v2"}


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ('like = "nothing_of_ours"', "nothing_of_ours"),
        ('family = "birds"', "birds"),
        ('arxiv = "yesterday"', "yesterday"),
        ("year = 2020", "year"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, fields: str, complaint: str) -> None:
    file = tmp_path / "lines.toml"
    file.write_text(f"[some_net]\n{fields}\n", "utf-8")
    with pytest.raises(CatalogueError, match=f"some_net.*{complaint}"):
        read(file)
