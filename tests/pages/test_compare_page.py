"""The Compare page as a visitor meets it: links, controls, values."""

import re
from functools import partial

import pytest
from streamlit.testing.v1 import AppTest

from explorer.serving import measurements
from explorer.serving.measurements import Measurement
from explorer.ui.compare import measured as compare_measured
from tests.pages import opening

opened = partial(opening.opened, "pages/compare.py")


def html(app: AppTest) -> str:
    """All text of the tables that are not Streamlit's own."""
    parts = [each.proto.body for each in app.get("html")]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", " ".join(parts))).replace("\u00a0", " ")


def test_a_pair_that_teaches_stands_there_first():
    app = opened()
    said = html(app)
    assert "Parameters ↓ better 25.6 M best 28.6 M × 1.12" in said
    assert "MACs ↓ better 4.09 G best 4.46 G × 1.09" in said
    assert "80.86 % 1 crop 224, resized to 232, ImageNet-1k · torchvision ResNet50_Weights" in said
    assert "82.52 % +1.66 points best" in said
    assert "77.15 % single network, 10 crops 224 · He et al. 2015, table 3 82.10 %" in said
    assert "82.10 % not subtracted: 1 crop against 10 crops" in said
    assert "Year 2015 2022 +7 years" in said


def test_published_accuracy_and_throughput_come_with_the_app(monkeypatch):
    monkeypatch.delenv("EXPLORER_TABLES", raising=False)
    said = html(opened(networks="resnet50,timm:hgnetv2_b4"))
    assert "Throughput, RTX 3090 ↑ better 3730 images/s" in said
    assert "Throughput, Core i7-12700H ↑ better 30.5 images/s at 224 px · timm" in said
    assert "38.4 images/s" in said
    assert "· timm hgnetv2_b4.ssld_" in said


def test_the_link_says_which_and_the_menu_writes_the_link():
    app = opened(networks="lenet5,zoo:resnet20,nonsense,lenet5")
    assert app.multiselect(key="compare_networks_box").value == ["lenet5", "zoo:resnet20"]
    assert any("left out: `networks` = “nonsense”" in each.value for each in app.warning)
    assert any("Named twice, shown once: lenet5" in each.value for each in app.caption)
    assert "Top-1 of published weights ↑ better not published" in html(app)
    app.multiselect(key="compare_networks_box").set_value(["zoo:resnet20", "lenet5"]).run()
    assert app.query_params["networks"] == "zoo:resnet20,lenet5"
    assert "Depth, weighted layers 20 4 ÷ 5" in html(app)


def test_a_name_may_be_weights_and_end_in_a_size():
    tagged, sized = "timm:resnet18.a1_in1k@96", "torchvision:ResNet18_Weights.IMAGENET1K_V1@64"
    app = opened(networks=f"{tagged},{sized},timm:resnet18.a1_in1k@96,resnet18@65000,{tagged}x")
    assert app.multiselect(key="compare_networks_box").value == [tagged, sized]
    said = html(app)
    assert "resnet18.a1_in1k at 96 px" in said
    assert "ResNet-18 IMAGENET1K_V1 at 64 px" in said
    assert "69.76 %" not in said  # torchvision's accuracy is of 224 pixels
    assert any("resnet18@65000,timm" in each.value for each in app.warning)


def test_the_pickers_network_comes_first():
    app = opened(arch="resnet20_cifar")
    assert app.multiselect(key="compare_networks_box").value[0] == "resnet20_cifar"
    app.session_state["networks"] = "resnet20_cifar,lenet5"
    app.run()
    app.session_state["arch"] = "zoo:vgg_small"  # as the picker sets it
    app.run()
    assert app.multiselect(key="compare_networks_box").value == ["zoo:vgg_small", "lenet5"]


def test_who_comes_back_finds_the_networks_again():
    app = opened(networks="zoo:resnet20,lenet5")
    app.query_params.clear()
    app.switch_page("pages/timeline.py").run()
    app.switch_page("pages/compare.py").run()
    assert not app.exception
    assert app.multiselect(key="compare_networks_box").value == ["zoo:resnet20", "lenet5"]


def test_one_size_for_all_and_who_refuses_keeps_its_own():
    app = opened(networks="zoo:resnet20,lenet5", size="64")
    said = html(app)
    assert "at 64 px" in said
    assert "at 32 px" in said  # LeNet-5's fully connected layers take no other
    assert sum("shown at its own size" in each.value for each in app.warning) == 1


def test_stages_of_two_and_of_three():
    app = opened(networks="zoo:resnet20,plain20", compare="Diagram")
    assert "skips identity against none" in html(app)
    app.multiselect(key="compare_networks_box").set_value(["zoo:resnet20", "plain20", "lenet5"]).run()
    assert "ResNet-20 (CIFAR), Plain-20, LeNet-5, stage by stage" in html(app)
    assert "no counterpart" in html(app)


def test_the_layers_of_twins_differ_by_the_additions():
    app = opened(networks="zoo:resnet20,plain20", compare="Layers")
    table = next(frame.value for frame in app.dataframe if "zoo:resnet20: layer" in frame.value.columns)
    alone = table[table["plain20: layer"].isna()]
    assert "merge" in set(alone["zoo:resnet20: kind"])
    weighted = table[table["zoo:resnet20: params"].fillna(0) > 1000]
    assert (weighted["zoo:resnet20: MACs"] == weighted["plain20: MACs"]).all()
    assert table["zoo:resnet20: params"].sum() > table["plain20: params"].sum() - 1


def test_effective_fields_of_random_weights(only_the_zoo):
    app = opened(
        networks="zoo:resnet20,timm:test_resnet", compare="Effective field", rfpasses="5", untrained="true"
    )
    table = next(frame.value for frame in app.dataframe if "effective width (px)" in frame.value.columns)
    assert list(table["network"]) == ["resnet20 · random weights", "test_resnet · random weights"]
    app.toggle(key="untrained").set_value(False).run()
    table = next(frame.value for frame in app.dataframe if "effective width (px)" in frame.value.columns)
    assert list(table["network"]) == ["resnet20 · trained", "test_resnet · random weights"]


def measured(network: str, batch: int, ms: float, day: str = "2026-01-02", **other) -> Measurement:
    return Measurement(
        **{
            "network": network, "image_size": 32, "device": "cpu", "machine": "A machine",
            "batch_size": batch, "precision": "float32", "channels_last": False, "compiled": False,
            "threads": 2, "latency_ms": ms, "latency_iqr_ms": 0.1, "throughput": 1000 * batch / ms,
            "peak_memory_bytes": None, "memory_note": "", "repetitions": 9,
            "measured_on": f"{day}T00:00:00+00:00", "versions": "",
        }
        | other
    )  # fmt: skip


def test_like_is_set_beside_like():
    kept = [
        measured("a", 1, 4, "2026-01-03"),
        measured("a", 1, 5, "2026-01-02"),  # older: does not count
        measured("twin of b", 1, 8),
        measured("b", 8, 20),
        measured("b", 1, 3, threads=4),
        measured("b", 1, 1, image_size=64),
    ]
    found = compare_measured.runs(kept, [(("a",), 32), (("b", "twin of b"), 32)])
    assert [[each and each.latency_ms for each in run.of] for run in found] == [[4, 8], [None, 3], [None, 20]]


def test_what_was_measured_here(monkeypatch):
    monkeypatch.setattr(
        measurements, "kept", lambda: (measured("zoo:resnet20", 1, 4), measured("explorer:plain20", 1, 6))
    )
    app = opened(networks="zoo:resnet20,plain20", compare="Measured")
    table = next(frame.value for frame in app.dataframe if "run" in frame.value.columns)
    assert next(iter(table.iloc[0])) == "batch 1 on A machine (cpu), 2 threads, float32"
    assert list(table.iloc[0].filter(like="(ms)")) == [4, 6]
    assert table.iloc[0].filter(like="MiB").isna().all()  # not measured is not zero


def test_nothing_measured_is_said(monkeypatch):
    monkeypatch.setattr(measurements, "kept", tuple)
    app = opened(networks="zoo:resnet20,lenet5", compare="Measured")
    assert ["Nothing is measured" in each.value for each in app.info] == [True]


@pytest.mark.parametrize("view", ["Numbers", "Nonsense"])
def test_nonsense_in_the_link_gives_the_defaults(view):
    app = opened(networks=",?,::,bovw_svm", compare=view, size="abc", untrained="perhaps", run="no")
    assert app.multiselect(key="compare_networks_box").value == ["resnet50", "convnext_t"]
    assert not app.error


def test_reset_puts_everything_back():
    app = opened(networks="zoo:resnet20,lenet5", compare="Layers")
    app.button(key="lab_reset").click().run()
    assert not app.exception
    assert app.multiselect(key="compare_networks_box").value == ["resnet50", "convnext_t"]
    assert "Parameters" in html(app)
