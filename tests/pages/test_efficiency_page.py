"""The efficiency page, driven without a browser: what the choices leave, and what is said when data lacks."""

import json
import re
from functools import partial
from pathlib import Path

import pytest

from explorer.ui.efficiency import controls
from explorer.ui.network import candidates
from tests.pages import opening

TABLE = """model,img_size,top1,top5,crop_pct,interpolation
resnet50.a1_in1k,224,80.38,94.6,0.95,bicubic
resnet50.a1_in1k,288,81.24,95.1,1.0,bicubic
tf_efficientnet_b0.in1k,224,76.54,93.0,0.875,bicubic
convnext_tiny.in12k_ft_in1k,224,84.19,97.06,0.95,bicubic
no_such_net.ra_in1k,224,99.0,99.9,0.95,bicubic
"""
opened = partial(opening.opened, "pages/efficiency.py")


@pytest.fixture(autouse=True)
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "results-imagenet.csv").write_text(TABLE, "utf-8")
    monkeypatch.setenv("EXPLORER_TABLES", str(tmp_path))
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "cache"))
    return tmp_path


def drawn(app) -> set[str]:
    """Ids of the candidates in the chart."""
    return set(dots(app)["id"])


def dots(app) -> dict[str, list]:
    charts = [
        each.proto for each in app.get("bidi_component") if "efficiency_chart" in each.proto.component_name
    ]
    return json.loads(charts[0].json)["dots"]


def test_all_weights_with_both_values_are_drawn() -> None:
    app = opened()
    found = drawn(app)
    assert "timm:resnet50.a1_in1k@288" in found
    assert "torchvision:ResNet50_Weights.IMAGENET1K_V2" in found
    assert not any(each.startswith(("paper:", "timm:no_such_net")) for each in found)
    assert any(re.search(r"[\d,]+ without one of the two values", each.value) for each in app.caption)


@pytest.mark.parametrize(
    ("query", "inside", "outside"),
    [
        ({"epublisher": ["Papers"]}, "paper:", "timm:"),
        ({"efamily": ["Modernised"]}, "timm:convnext_tiny.in12k_ft_in1k@224", "timm:resnet50"),
        ({"epictures": ["ImageNet-21k or more"]}, "timm:convnext_tiny.in12k_ft_in1k@224", "timm:resnet50"),
        ({"eyears": ["2019", "2020"]}, "timm:tf_efficientnet_b0.in1k@224", "timm:convnext"),
        ({"epixels": ["256", "320"]}, "timm:resnet50.a1_in1k@288", "timm:resnet50.a1_in1k@224"),
        ({"efind": ["^resnet50 .*v2$"], "epattern": ["true"]}, "torchvision:ResNet50_Weights", "timm:"),
        ({"ey": ["weight_bytes"], "ex": ["params"]}, "timm:resnet50.a1_in1k@224", "timm:no_such_net"),
    ],
)
def test_a_link_carries_its_filters(
    open_page, query: dict[str, list[str]], inside: str, outside: str
) -> None:
    found = drawn(opened(**query))
    assert any(each.startswith(inside) for each in found)
    assert not any(each.startswith(outside) for each in found)


def test_timms_test_networks_are_left_out_until_asked_for(tables: Path) -> None:
    row = "test_vit.r160_in1k,160,40.9,67.6,0.95,bicubic\n"
    (tables / "results-imagenet.csv").write_text(TABLE + row, "utf-8")
    app = opened()
    assert "timm:test_vit.r160_in1k@160" not in drawn(app)
    assert any("Left out: 1 of timm's test networks" in each.value for each in app.caption)
    app.toggle(key=controls.TESTS).set_value(True).run()
    assert "timm:test_vit.r160_in1k@160" in drawn(app)
    assert not any("test networks" in each.value for each in app.caption)


def test_a_changed_filter_changes_the_chart() -> None:
    app = opened()
    app.text_input(key=controls.WORDS).set_value("convnext in12k").run()
    assert drawn(app) == {"timm:convnext_tiny.in12k_ft_in1k@224"}
    app.text_input(key=controls.WORDS).set_value("nothing at all").run()
    assert "Nothing passes these filters" in app.info[0].value
    app.button(key="lab_reset").click().run()
    assert len(drawn(app)) > 100


def test_a_broken_pattern_is_said_and_the_chart_stays() -> None:
    app = opened(efind="res(", epattern="true")
    assert "is no regular expression" in app.warning[0].value
    assert len(drawn(app)) > 100


@pytest.mark.parametrize("key", ["ex", "ey", "ebubble", "ecolour", "etable", "erecipe", "exscale", "eyears"])
def test_nonsense_in_the_link_gives_the_first_choice(key: str) -> None:
    assert "timm:resnet50.a1_in1k@224" in drawn(opened(**{key: "nonsense"}))


def test_what_is_handed_to_compare_is_weights_and_size() -> None:
    marked = "timm:resnet50.a1_in1k@288,timm:resnet50.a1_in1k@224"
    app = opened(emarked=marked)
    button = next(each for each in app.button if each.label == "Compare networks")
    assert not button.disabled
    button.click().run()
    assert app.query_params["networks"] == marked
    assert app.multiselect(key="compare_networks_box").value == marked.split(",")


def test_it_is_said_why_more_than_four_cannot_be_compared() -> None:
    four = [f"torchvision:ResNet{n}_Weights.IMAGENET1K_V1" for n in (18, 34, 50, 101)]
    for marked, refused in ((four, False), ([*four, "torchvision:ResNet152_Weights.IMAGENET1K_V1"], True)):
        app = opened(emarked=",".join(marked))
        button = next(each for each in app.button if each.label == "Compare networks")
        assert button.disabled is refused
        assert any("takes up to 4; 5 are selected" in each.value for each in app.caption) is refused


def test_selected_weights_stand_in_a_table() -> None:
    both = "timm:resnet50.a1_in1k@224,torchvision:ConvNeXt_Tiny_Weights.IMAGENET1K_V1"
    app = opened(emarked=f"{both},junk")
    table = app.dataframe[0].value
    assert list(table["Weights"]) == ["resnet50.a1_in1k", "convnext_tiny IMAGENET1K_V1"]
    assert list(table["MACs"]) == [4_089_184_256, 4_455_531_264]
    assert list(table["Open"]) == [
        "architecture?arch=timm%3Aresnet50.a1_in1k&size=224",
        "architecture?arch=convnext_t&size=224",
    ]
    assert any("Not among what is known here: junk" in each.value for each in app.caption)


def test_a_printed_table_stands_beside_what_is_counted() -> None:
    app = opened(etable="lecture_timeline")
    beside = app.dataframe[0].value.set_index("Network")
    assert beside.loc["AlexNet", "Params [M], printed"] == 62.0
    assert beside.loc["AlexNet", "Params [M], counted"] == pytest.approx(61.1, abs=0.01)
    assert beside.loc["ResNet-50", "Top-1 [%], published"] == 76.13
    assert "not on this machine" in beside.loc["MobileNet V1", "Set against"]


def test_without_internet_all_published_results_are_drawn(monkeypatch) -> None:
    monkeypatch.delenv("EXPLORER_TABLES")
    monkeypatch.setattr(candidates, "fetch_newer", lambda: "the server cannot be reached")
    app = opened()
    before = drawn(app)
    assert len(before) > 1500
    assert any("taken over into this app on" in each.value for each in app.markdown)
    app.button(key="enewer").click().run()
    assert any("cannot be reached" in each.value for each in app.warning)
    assert drawn(app) == before


def test_a_damaged_table_is_a_sentence(tables: Path) -> None:
    (tables / "results-imagenet.csv").write_text("<html>moved</html>", "utf-8")
    app = opened()
    assert any("has no column" in each.value for each in app.caption)
    assert len(drawn(app)) == 114


def test_marking_toggles_one_and_adds_many(monkeypatch) -> None:
    state: dict[str, str] = {}
    monkeypatch.setattr(controls.st, "session_state", state)
    controls.mark(["a"])
    controls.mark(["b"])
    controls.mark(["a"])
    assert controls.marked() == ("b",)
    controls.mark([str(number) for number in range(20)])
    assert len(controls.marked()) == controls.MOST_MARKED


def test_files_of_which_nothing_can_be_used_leave_the_tables_as_they_were() -> None:
    app = opened()
    before = drawn(app)
    uploader = app.get("file_uploader")[0]
    uploader.upload("results-imagenet.csv", b"<html>moved</html>", "text/csv").run()
    assert drawn(app) == before
    assert any("has no column" in each.value for each in app.warning)


def test_the_visitors_own_table_takes_the_place_and_what_is_odd_is_said() -> None:
    app = opened()
    uploader = app.get("file_uploader")[0]
    uploader.upload("results-imagenet.csv", TABLE.replace("80.38", "1e9").encode(), "text/csv").run()
    assert "timm:resnet50.a1_in1k@224" not in drawn(app)
    assert "timm:resnet50.a1_in1k@288" in drawn(app)
    assert any("no percentage" in each.value for each in app.warning)
