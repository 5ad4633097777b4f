"""The command line as a user meets it: what it prints, what it writes, how it fails."""

import csv
import json
import math
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import skimage

import explorer
from explorer import inference
from explorer.__main__ import main
from explorer.analysis.graph import tracing
from tests.full_disk import fill, names

CHELSEA = Path(skimage.__file__).parent / "data" / "chelsea.png"


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    try:
        code = main([str(word) for word in words])
    except SystemExit as stop:  # argparse leaves this way
        code = int(stop.code or 0)
    return code, *capsys.readouterr()


def test_stats_of_resnet50_are_torchvision_s_own(capsys):
    code, out, _ = run(capsys, "stats", "torchvision:resnet50", "--json")
    sheet = json.loads(out)
    assert code == 0
    assert sheet["params"] == 25_557_032  # ResNet50_Weights.IMAGENET1K_V1.meta["num_params"]
    assert math.isclose(sheet["macs"] / 1e9, 4.089, rel_tol=0.005)  # ....meta["_ops"]
    assert sheet["depth"] == 50
    assert sum(layer["params"] for layer in sheet["layers"]) == sheet["params"]
    assert sum(layer["macs"] for layer in sheet["layers"]) == sheet["macs"]
    named = "model input_size params macs activations weight_bytes depth receptive_field layers deployed"
    assert set(sheet) == {*named.split(), "uncounted", "decided_by"}


def test_stats_as_text_say_what_a_mac_is(capsys):
    code, out, _ = run(capsys, "stats", "zoo:resnet20")
    assert code == 0
    assert "FLOPs = 2 × MACs" in out
    assert "269,722" in out


def test_explain_writes_what_it_says(capsys, tmp_path):
    code, out, _ = run(capsys, "explain", CHELSEA, "--model", "zoo:resnet20", "--out", tmp_path, "--json")
    answer = json.loads(out)
    assert code == 0
    assert answer["predictions"][0]["label"] == "cat"
    assert answer["target"] == answer["predictions"][0]["index"]
    assert list(answer["seconds"]) == ["decode", "load", "forward", "backward"]
    assert 0 <= answer["heatmap_peak"]["x"] <= 1
    assert 0 <= answer["heatmap_peak"]["y"] <= 1
    heatmap = np.load(tmp_path / "heatmap.npy")
    assert heatmap.dtype == np.float32
    assert heatmap.shape == (32, 32)
    assert heatmap.min() >= 0
    assert heatmap.max() == pytest.approx(1)
    assert np.load(tmp_path / "features.npy").ndim == 3
    assert (tmp_path / "overlay.png").read_bytes().startswith(b"\x89PNG")


def test_explain_makes_a_table_of_a_folder_and_a_page_of_each_picture(capsys, tmp_path):
    pictures, out = tmp_path / "pictures", tmp_path / "out"
    pictures.mkdir()
    for name in ("b.png", "a.png"):
        (pictures / name).write_bytes(CHELSEA.read_bytes())
    (pictures / "notes.txt").write_text("no picture")
    words = ("explain", pictures, CHELSEA, "--model", "zoo:resnet20", "--out", out, "--html")
    code, said, error = run(capsys, *words)
    assert code == 0
    assert [line.split()[0] for line in said.splitlines()] == ["a.png", "b.png", CHELSEA.name, "wrote"]
    assert "notes.txt: The file is not a picture" in error
    rows = list(csv.DictReader((out / "explained.csv").open(encoding="utf-8")))
    assert [row["picture"] for row in rows] == ["a.png", "b.png", CHELSEA.name]
    assert {row["answer"] for row in rows} == {"cat"}
    assert [each.name for each in sorted(out.iterdir())][:2] == ["001-a", "002-b"]
    assert b"<h1>b.png" in (out / "002-b" / "report.html").read_bytes()

    code, said, _ = run(capsys, *words, "--json")
    assert [each["picture"] for each in json.loads(said)["pictures"]] == ["a.png", "b.png", CHELSEA.name]


def test_explain_ends_where_no_file_of_a_folder_is_a_picture(capsys, tmp_path):
    (tmp_path / "notes.txt").write_text("no picture")
    code, _, error = run(capsys, "explain", tmp_path, "--model", "zoo:resnet20", "--out", tmp_path / "out")
    assert code == 2
    assert "none of 1 files is a picture" in error


@pytest.mark.parametrize("method", inference.METHODS)
def test_explain_offers_every_method(capsys, tmp_path, method):
    words = ("explain", CHELSEA, "--model", "zoo:resnet20", "--out", tmp_path, "--method", method, "--json")
    code, out, error = run(capsys, *words)
    if code == 2:  # not for this network
        assert inference.METHODS[method].limits
        assert error.startswith(f"explorer: {method.split()[0]}")
        assert error.count("\n") == 1
    else:
        assert (code, json.loads(out)["method"]) == (0, method)


def test_explain_opens_a_number_of_the_layer(capsys, tmp_path):
    words = ("explain", CHELSEA, "--model", "zoo:resnet20", "--layer", "layer1.0", "--out", tmp_path)
    code, out, _ = run(capsys, *words, "--cell", "3.5.7", "--json")
    assert code == 0
    opened = json.loads(out)["opened"]
    given = float(np.load(tmp_path / "features.npy")[3, 5, 7])
    assert opened["captured"] == given
    assert opened["value"] == opened["steps"][-1]["value"] == pytest.approx(given, abs=1e-5)
    assert opened["steps"][0]["words"] == "Convolution 3 × 3, over 16 channels"

    code, _, error = run(capsys, *words, "--cell", "3.5")
    assert code == 2
    assert "'3.5' is no CHANNEL.ROW.COLUMN" in error


def test_explain_puts_the_map_to_the_test(capsys, tmp_path):
    words = ("explain", CHELSEA, "--model", "zoo:resnet20", "--out", tmp_path, "--score", "--json")
    code, out, _ = run(capsys, *words)
    proof = json.loads(out)["proof"]
    assert code == 0
    assert proof["deletion"].keys() == proof["insertion"].keys()
    assert all(0 <= area <= 1 for area in (*proof["deletion"].values(), *proof["insertion"].values()))
    assert proof["randomised"][-1]["share_of_layers"] == 1


def test_explain_names_the_methods_where_it_is_asked_for_none_of_them(capsys, tmp_path):
    words = ("explain", CHELSEA, "--model", "zoo:resnet20", "--out", tmp_path, "--method", "luck")
    code, _, error = run(capsys, *words)
    assert code == 2
    assert f"'luck' is not an attribution method; try one of {', '.join(inference.METHODS)}" in error
    assert error.count("\n") == 1


def test_without_a_network_named_the_box_explains(capsys, tmp_path):
    code, out, _ = run(capsys, "explain", CHELSEA, "--out", tmp_path, "--json")
    assert code == 0
    answer = json.loads(out)
    assert answer["weights"] == "box:tf_efficientnet_lite2"
    assert answer["predictions"][0]["label"] == "Egyptian cat"


def test_explain_obeys_layer_and_target(capsys, tmp_path):
    words = (
        "explain",
        CHELSEA,
        "--model",
        "zoo:resnet20",
        "--layer",
        "layer2",
        "--target",
        5,
        "--out",
        tmp_path,
    )
    code, out, _ = run(capsys, *words, "--json")
    answer = json.loads(out)
    assert (code, answer["layer"], answer["target"]) == (0, "layer2", 5)
    assert np.load(tmp_path / "features.npy").shape == (32, 16, 16)


def test_explain_takes_classes_by_name(capsys, tmp_path):
    words = ("explain", CHELSEA, "--model", "zoo:resnet20", "--target", "Dog", "--out", tmp_path, "--json")
    code, out, _ = run(capsys, *words, "--against", "cat")
    answer = json.loads(out)
    assert (code, answer["target"], answer["against"]) == (0, 5, 3)
    for words, said in (
        (("--against", "dog"), "dog cannot be asked for against itself"),
        (("--against", "doge"), "there is dog"),
    ):
        code, _, error = run(
            capsys,
            "explain",
            CHELSEA,
            "--model",
            "zoo:resnet20",
            "--target",
            "dog",
            *words,
            "--out",
            tmp_path,
        )
        assert (code, error.count("\n")) == (2, 1)
        assert said in error


def test_list_names_catalogue_and_builders(capsys):
    code, out, _ = run(capsys, "list", "--json")
    listed = json.loads(out)
    assert code == 0
    assert {"lenet5", "resnet50", "convnext_t"} <= {row["id"] for row in listed["architectures"]}
    assert "resnet20" in listed["networks"]["zoo"]
    assert len(listed["networks"]["timm"]) > 1000


def test_stats_tell_both_forms_of_a_network_that_is_deployed_in_another(capsys):
    code, out, _ = run(capsys, "stats", "timm:mobileone_s0")
    assert code == 0
    assert "as deployed" in out
    assert "2.08 M parameters (2,078,504), 275 M MACs" in out.replace("\u00a0", " ")
    sheet = json.loads(run(capsys, "stats", "timm:mobileone_s0", "--json")[1])
    assert sheet["deployed"]["params"] == 2_078_504
    assert sheet["uncounted"] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("stats", "resnot50"), "resnet50"),
        (("stats", "timm:nothing_like_it"), "nothing_like_it"),
        (("stats", "resnet50", "--image-size", "-4"), "-4"),
        (("stats", "resnet50", "--image-size", "huge"), "huge"),
        (("stats", "local-dir:/nowhere"), "nowhere"),
        (("explain", "/nowhere.jpg", "--model", "zoo:resnet20", "--out", "out"), "nowhere.jpg"),
        (("explain", __file__, "--model", "zoo:resnet20", "--out", "out"), "picture"),
        (("explain", CHELSEA, "--model", "zoo:resnet20", "--layer", "layer9", "--out", "out"), "layer9"),
        (("explain", CHELSEA, "--model", "zoo:resnet20", "--target", "10", "--out", "out"), "10"),
        (
            ("explain", CHELSEA, "--model", "zoo:resnet20", "--weights", "zoo:none", "--out", "out"),
            "zoo:none",
        ),
        (("explain", CHELSEA, "--model", "zoo:resnet20"), "--out"),
        (("paint",), "paint"),
    ],
)
def test_misuse_is_one_line_and_exit_code_2(capsys, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *words)
    assert code == 2
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    assert said in err


def diagram(capsys: pytest.CaptureFixture[str], *words: object) -> dict:
    code, out, _ = run(capsys, "diagram", *words, "--json")
    assert code == 0
    return json.loads(out)


def test_diagram_as_data_adds_up_at_every_level(capsys):
    for level, shown in {"stage": 8, "block": 13, "op": 177}.items():
        data = diagram(capsys, "torchvision:resnet50", "--level", level)
        assert len(data["nodes"]) == shown
        assert sum(node["params"] for node in data["nodes"]) == 25_557_032
        assert math.isclose(sum(node["macs"] for node in data["nodes"]) / 1e9, 4.089, rel_tol=0.005)
        ids = {node["id"] for node in data["nodes"]}
        assert all(edge["source"] in ids and edge["target"] in ids for edge in data["edges"])
        boxes = {box["id"] for box in data["boxes"]} | {"network"}
        assert all(node["parent"] in boxes for node in data["nodes"])
    named = "id kind path label count output_shape params macs parent"
    assert set(data["nodes"][0]) == set(named.split())


def test_diagram_opens_a_module_and_what_is_around_it(capsys, tmp_path):
    file = tmp_path / "block.svg"
    words = ["resnet50", "--open", "layer2.0", "--overlay", "macs", "--out", file]
    data = diagram(capsys, *words)
    assert [box["id"] for box in data["boxes"]] == ["stage-2", "layer2.0..3", "layer2.0"]
    skips = [edge["skip"] for edge in data["edges"] if edge["skip"]]
    assert skips == ["projection"]
    drawing = ElementTree.fromstring(file.read_text("utf-8"))
    assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
    texts = "".join(drawing.itertext())
    assert "Bottleneck" in texts
    assert "MACs" in texts


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["resnet50"], "say where the drawing goes"),
        (
            ["resnet50", "--json", "--open", "layer9"],
            "'layer9' is no part of torchvision:resnet50; try one of",
        ),
        (["resnet50", "--json", "--overlay", "heat"], "'heat' is not an overlay; try one of macs"),
        (["resnet50", "--json", "--level", "all"], "invalid choice: 'all'"),
        (["resnet50", "--json", "--flow", "up"], "'up' is not a flow; try one of rows, right, down"),
        (["resnet51", "--json"], "No network is called 'resnet51'"),
    ],
)
def test_diagram_refuses_in_one_line(capsys, words, sentence):
    code, out, error = run(capsys, "diagram", *words)
    assert (code, out) == (2, "")
    assert sentence in error
    assert error.count("\n") == 1


def test_claims_as_json_hold_verdicts_that_follow_from_the_numbers(capsys):
    code, out, _ = run(capsys, "claims", "002-bottleneck-total", "001-dense-78", "--json")
    wrong, holds = json.loads(out)
    assert code == 0
    assert (wrong["id"], wrong["verdict"], wrong["source"].partition(",")[0]) == (
        "002-bottleneck-total",
        "wrong",
        "Lecture notes",
    )
    assert wrong["expected"]["printed"] == ["86.4"]
    assert wrong["measured"][0]["values"] == [86.704128]
    assert (holds["verdict"], holds["measured"][0]["basis"]) == ("holds", "computed")


def test_claims_by_verdict_and_a_claim_that_is_none(capsys):
    code, out, _ = run(capsys, "claims", "002-bottleneck-total", "001-dense-78", "--verdict", "wrong")
    assert code == 0
    assert out.startswith("wrong")
    assert "measured 86.704 M MACs" in out
    assert "001-dense-78" not in out
    code, _, err = run(capsys, "claims", "000-none")
    assert code == 2
    assert "'000-none' is not a claim" in err


def test_a_claim_that_cannot_be_checked_is_an_error_row_and_an_exit_code(capsys, monkeypatch):
    from explorer.labs.claims import checking as lab

    monkeypatch.setattr(lab, "CHECKS", {})
    code, out, _ = run(capsys, "claims", "001-dense-78", "--json", "--verdict", "holds")
    assert code == 1
    assert json.loads(out)[0]["verdict"] == "error"
    assert json.loads(out)[0]["error"] == "KeyError: 'dense_connections'"


@pytest.fixture
def filled(full_disk: Path) -> Path:
    """A full disk on which a run of before has left its files."""
    for name in ("drawing.svg", "heatmap.npy", "features.npy", "overlay.png"):
        (full_disk / name).write_bytes(b"of before")
    fill(full_disk, left=4096)
    return full_disk


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["diagram", "resnet18", "--out", "{disk}/drawing.svg"], "drawing.svg"),
        (["diagram", "resnet18", "--out", "{disk}/new.svg"], "new.svg"),
        (["explain", str(CHELSEA), "--model", "zoo:resnet20", "--out", "{disk}"], "heatmap.npy|overlay.png"),
    ],
)
def test_a_full_disk_is_one_line_with_the_name_and_takes_nothing_away(capsys, filled, words, named):
    code, out, error = run(capsys, *(word.format(disk=filled) for word in words))
    assert (code, out) == (2, "")
    assert re.search(rf"({named}) cannot be written: No space left on device\n$", error)
    assert error.count("\n") == 1
    assert names(filled) == {"drawing.svg", "heatmap.npy", "features.npy", "overlay.png"}
    assert {(filled / name).read_bytes() for name in names(filled)} == {b"of before"}


def test_a_measurement_that_was_not_kept_is_said_and_printed(capsys, monkeypatch, filled):
    monkeypatch.setenv("EXPLORER_CACHE", str(filled / "cache"))
    fill(filled)
    code, out, error = run(capsys, "benchmark", "zoo:resnet20")
    assert code == 0
    assert "zoo:resnet20" in out
    assert re.search(r"measured, and not kept: .*\.json cannot be written: No space left on device", error)


def test_a_trace_that_was_not_kept_is_said_once(capsys, monkeypatch, filled, caplog):
    monkeypatch.setenv("EXPLORER_CACHE", str(filled / "cache"))
    fill(filled)
    for name in ("zoo:resnet20", "zoo:vgg_small"):
        tracing.forget()
        assert run(capsys, "stats", name)[0] == 0
    assert caplog.text.count("json.gz cannot be written: No space left on device") == 1


def test_count_takes_every_nth_network_of_a_shard(capsys, monkeypatch, tmp_path):
    from explorer.analysis.numbers import counting

    (tmp_path / "results.csv").write_text("model,img_size,top1\nresnet18,224,70\nresnet34,224,73\n")
    monkeypatch.setattr(counting, "torchvision_entries", lambda: ())
    monkeypatch.setattr(counting, "row", lambda name, size: {"network": name, "img_size": size})
    words = ("count", tmp_path / "results.csv", "--out", tmp_path / "counts.csv", "--shard", "1/2")
    assert run(capsys, *words) == (0, "", "")
    rows = (tmp_path / "counts.csv").read_text().splitlines()[2:]
    assert [row.partition(",")[0] for row in rows] == ["timm:resnet34"]


@pytest.mark.parametrize("shard", ["2/2", "1", "-1/2", "a/b", "0/0"])
def test_count_refuses_a_shard_that_is_none(capsys, shard):
    code, out, error = run(capsys, "count", "results.csv", f"--shard={shard}")
    assert (code, out) == (2, "")
    assert f"{shard!r} is no I/N with I from 0 to N - 1" in error
    assert error.count("\n") == 1


def test_the_version(capsys):
    assert run(capsys, "--version") == (0, f"{explorer.__version__}\n", "")
