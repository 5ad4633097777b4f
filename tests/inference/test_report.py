"""What is taken along says the same as the explanation, and makes it again."""

import csv
import io
import json
import re
from dataclasses import replace
from html import escape

import numpy as np
import pytest
from PIL import Image

from explorer import networks
from explorer.inference import explain
from explorer.inference.arithmetic import lay_open
from explorer.inference.feature_maps import PER_PAGE
from explorer.inference.proof import prove
from explorer.inference.report import Report, table

WEIGHTS = "zoo:resnet20"
HOSTILE = "<script>alert(1)</script>\nimport os"


@pytest.fixture(scope="module")
def network() -> networks.Network:
    return networks.load(WEIGHTS)


@pytest.fixture(scope="module")
def report(network, chelsea) -> Report:
    found = explain(network, chelsea, layer="layer2", target=5, against=3)
    return Report(found, network.weights, "Chelsea", opens='SAMPLES["chelsea"].load()', colormap="Cividis")


def test_its_code_makes_the_same_again(report, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(report.code(), names)
    again = names["found"].explanation
    assert np.array_equal(again.heatmap, report.explanation.heatmap)
    assert (again.layer, again.target, again.against.index) == ("layer2", 5, 3)
    assert (tmp_path / "overlay.png").read_bytes() == report.overlay()
    assert len(report.code().splitlines()) <= 14


def test_arrays_and_pictures_are_those_of_the_explanation(report):
    assert np.array_equal(np.load(io.BytesIO(report.heatmap())), report.explanation.heatmap)
    assert np.array_equal(np.load(io.BytesIO(report.features())), report.explanation.features)
    height, width = report.explanation.display.shape[:2]
    assert Image.open(io.BytesIO(report.overlay())).size == (width, height)


def test_the_sheet_of_maps_has_each_of_the_strongest_under_one_scale(report):
    picture = np.asarray(Image.open(io.BytesIO(report.maps())))
    _, height, width = report.explanation.features.shape
    scale = -(-96 // max(height, width))
    rows = min(PER_PAGE, len(report.explanation.features)) // 12
    assert picture.shape == (44 + 6 + rows * (height * scale + 22 + 6), 6 + 12 * (width * scale + 6), 3)


def test_the_page_is_one_file_and_holds_what_is_needed(report, network, chelsea):
    proof = prove(network, chelsea, report.explanation)
    opened = lay_open(network, chelsea, "layer2").cell(1, 2, 3)
    page = replace(report, proof=proof, opened=opened, credit="somebody").html().decode()
    assert "channel 1, row 2, column 3" in page
    assert all(escape(step.formula) in page for step in opened.steps)
    assert not re.findall(r"(?:src|href)=['\"](?!data:image/|https://)", page)
    assert not re.findall(r"src=['\"]https", page)
    for said in ("Chelsea", "somebody", WEIGHTS, "layer2", "Grad-CAM", "dog", "cat", "torch", "licence"):
        assert said in page
    assert f"{proof.area(proof.deletion, 'this map'):.3f}" in page
    assert "explorer.explain(" in page


def test_words_of_strangers_stay_words(report):
    explained = replace(report.explanation.explained, label=HOSTILE)
    found = replace(report.explanation, explained=explained, predictions=(explained,))
    hostile = replace(report, explanation=found, picture=HOSTILE, opens="", credit=HOSTILE)
    assert "<script>" not in hostile.html().decode()
    assert "import os" not in hostile.code().splitlines()


def test_its_data_is_json_and_its_row_a_line_of_a_table(report, network, chelsea):
    tested = replace(report, proof=prove(network, chelsea, report.explanation))
    data = json.loads(json.dumps(tested.to_json(), allow_nan=False))
    assert data["proof"]["deletion"].keys() == {"this map", "random map", "blob in the middle"}
    first, second = csv.DictReader(io.StringIO(table([report.row(), tested.row()]).decode()))
    assert (first["explained"], first["against"], first["deletion"]) == ("dog", "cat", "")
    assert float(second["deletion"]) == data["proof"]["deletion"]["this map"]


def test_an_embedding_has_no_classes_to_report(network, chelsea):
    looked = explain(replace(network, outputs="embedding"), chelsea)
    report = Report(looked, network.weights, "chelsea.png")
    assert report.row()["answer"] == report.row()["target"] == ""
    assert "target=" not in report.code()
    assert "What it answers" not in report.html().decode()
