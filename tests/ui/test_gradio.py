"""The Gradio front end, asked over its own protocol on loopback."""

import socket
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from explorer.__main__ import MISUSE, main
from explorer.inference import SAMPLES
from explorer.ui import gradio_app

MODEL = "mobilenetv2_100.coral_in1k"


@pytest.fixture(scope="module")
def client():
    page = gradio_app.launch("127.0.0.1", None, block=False)
    yield Client(page.local_url, verbose=False, analytics_enabled=False)
    page.close()


@pytest.fixture
def sample(tmp_path):
    path = tmp_path / "chelsea.png"
    path.write_bytes(SAMPLES["chelsea"].load())
    return handle_file(str(path))


def test_a_taken_port_is_one_line_on_the_command_line(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code = main(["gradio", "--port", str(taken.getsockname()[1])])
    assert code == MISUSE
    assert capsys.readouterr().err.strip().splitlines()[-1].startswith("explorer: ")


def test_gradio_writes_nothing_beside_the_source(client):
    assert not Path(gradio_app.__file__).with_suffix(".pyi").exists()


def test_a_cat_is_a_cat_here_as_well(client, sample, shared_models):
    weights = f"local-dir:{shared_models / MODEL}"
    seen, answer, maps, timings = client.predict(
        sample, weights, gradio_app.AUTOMATIC, "Grad-CAM", "Viridis", 0.5, api_name="/explain"
    )
    assert answer["label"] == "Egyptian cat"
    assert answer["confidences"][0]["confidence"] == pytest.approx(0.53, abs=0.03)
    assert seen.endswith(".png")
    assert [each["caption"].split()[0] for each in maps] == ["channel"] * 24
    assert all(step in timings for step in ("decode", "load", "forward", "backward"))


def test_a_file_that_is_no_picture_becomes_the_core_s_sentence(client, shared_models, tmp_path):
    text = tmp_path / "notes.jpg"
    text.write_text("no pixels here")
    with pytest.raises(AppError, match="not a picture that can be read"):
        client.predict(
            handle_file(str(text)),
            f"local-dir:{shared_models / MODEL}",
            gradio_app.AUTOMATIC,
            "Grad-CAM",
            "Viridis",
            0.5,
            api_name="/explain",
        )


def test_the_layer_box_offers_the_network_s_layers(client, shared_models):
    box = client.predict(f"local-dir:{shared_models / MODEL}", api_name="/layers")
    offered = [value for _, value in box["choices"]]
    assert offered[0] == gradio_app.AUTOMATIC
    assert "blocks.3.2" in offered


def test_stats_are_the_core_s(client):
    totals, layers = client.predict("resnet20_cifar", api_name="/stats")
    assert ["depth in weighted layers", "20"] in totals["data"]
    assert sum(row[3] for row in layers["data"]) == pytest.approx(270_000, rel=0.02)


def test_nothing_of_the_page_lies_on_another_host(client):
    import re
    import urllib.request

    with urllib.request.urlopen(client.src) as answer:
        page = answer.read().decode()
    fetched = re.findall(r'<(?:script|link)[^>]+(?:src|href)="(https?://[^"]+)"', page)
    assert [url for url in fetched if "127.0.0.1" not in url and "localhost" not in url] == []
