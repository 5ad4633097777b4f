"""Overlays that the Architecture page measures: the network runs, and the boxes carry what came out."""

import base64
import json

import numpy as np
import pytest

from explorer.inference.samples import SAMPLES
from explorer.serving import pool
from explorer.ui.diagram import drawing as diagram_drawing


@pytest.fixture
def own_pool(monkeypatch):
    monkeypatch.setattr(pool, "_shared", pool.Pool(device="cpu"))


def measured(app) -> diagram_drawing.Drawing:
    return list(app.session_state["_once_measured_drawings"].values())[-1]


def test_time_by_layer_is_measured_once_and_said_to_be(open_page, own_pool):
    app = open_page(arch="zoo:resnet20", overlay="time")
    scale = measured(app).scale
    assert scale.title.startswith("Time per layer on cpu (ResNet-20")
    assert "ms" in scale.high
    before = measured(app)
    app.run()
    assert measured(app) is before


def test_the_picture_colours_the_boxes(open_page, own_pool):
    app = open_page(arch="zoo:resnet20", overlay="zeros", level="op")
    drawn = measured(app)
    assert "Chelsea the cat, ResNet-20" in drawn.scale.title
    assert drawn.scale.high.endswith("%")
    relus = [each for each in drawn.tips.values() if each["title"].startswith("ReLU")]
    assert relus


def test_the_link_names_the_sample_that_colours_them(open_page, own_pool):
    app = open_page(arch="zoo:resnet20", overlay="mean", sample="rocket")
    assert measured(app).scale.title.partition("(")[2].startswith(f"{SAMPLES['rocket'].title}, ResNet-20")
    assert [each.proto.popover.label for each in app.get("popover")] == [SAMPLES["rocket"].title]
    assert not open_page(arch="zoo:resnet20", overlay="params").get("popover")


def test_without_trained_weights_the_legend_says_so(open_page, own_pool):
    app = open_page(arch="timm:resnet18", overlay="mean", size="64")
    assert "random weights" in measured(app).scale.title


def test_a_network_that_cannot_run_here_leaves_the_drawing(open_page, own_pool, monkeypatch):
    monkeypatch.setenv("EXPLORER_MAX_PARAMS", "1000")
    app = open_page(arch="timm:resnet18", overlay="time")
    assert any(
        ("Not measured" in each.value and "11.7" in each.value) or "12 M" in each.value
        for each in app.warning
    )


def test_a_layers_trained_weights_are_shown_as_a_histogram(open_page, own_pool):
    app = open_page(arch="zoo:resnet20", node="conv2d")
    assert not app.exception
    assert any("Histogram of its weights, ResNet-20" in each.value for each in app.caption)
    charts = [json.loads(each.proto.spec) for each in app.get("plotly_chart")]
    bars = next(
        chart for chart in charts if "value of a weight" in str(chart["layout"]["xaxis"].get("title"))
    )
    counts = bars["data"][0]["y"]
    if isinstance(counts, dict):  # plotly sends arrays as base64
        counts = np.frombuffer(base64.b64decode(counts["bdata"]), counts["dtype"])
    assert np.sum(counts, dtype=int) == 3 * 3 * 3 * 16
