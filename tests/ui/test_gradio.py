"""The Gradio front end, asked over its own protocol on loopback."""

import base64
import json
import os
import resource
import socket
import urllib.request
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from explorer.__main__ import main
from explorer.inference import SAMPLES
from explorer.networks.own import registry
from explorer.terminal import MISUSE
from explorer.ui import gradio_app
from tests import checkpoints
from tests.inference.picture_bombs import encoded

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


def test_a_stranger_s_network_answers_as_what_it_is(client, sample, tmp_path):
    infinite = checkpoints.state()
    infinite["conv1.0.weight"].fill_(1e38)
    folders = {
        "embedding": (checkpoints.state(num_classes=0), {"num_classes": 0}),
        "one": (checkpoints.state(num_classes=1), {"num_classes": 1}),
        "alike": (checkpoints.state(num_classes=2), {"num_classes": 2, "label_names": ["crane", "crane"]}),
        "not finite": (infinite, {}),
        "takes 4 channels": (checkpoints.state(in_chans=4), {"input_size": [4, 64, 64]}),
    }
    answers = {}
    for said, (weights, settings) in folders.items():
        settings = {**settings, **({"mean": [0.5] * 4, "std": [0.5] * 4} if "4" in said else {})}
        name = f"local-dir:{checkpoints.write(tmp_path / said, weights, settings)}"
        choices = (sample, name, gradio_app.AUTOMATIC, "Grad-CAM", "Viridis", 0.5)
        if said in ("not finite", "takes 4 channels"):
            with pytest.raises(AppError, match=said):
                client.predict(*choices, api_name="/explain")
        else:
            _, answer, _, timings = client.predict(*choices, api_name="/explain")
            answers[said] = {each["label"] for each in (answer or {}).get("confidences") or ()}
            assert ("embedding" in timings) == (said == "embedding")
            assert ("sigmoid" in timings) == (said == "one")
    assert answers == {"embedding": set(), "one": {"yes", "no"}, "alike": {"crane (0)", "crane (1)"}}


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


def test_networks_of_one_s_own_are_offered_first(no_own_networks, tmp_path, sample):
    code = tmp_path / "mine.py"
    code.write_text(
        "from torch import nn\n"
        "net = lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())\n"
    )
    opened = registry.opened(f"{code}:net", registry.Settings(input=(3, 32, 32)))
    assert registry.register(opened, "", learnt=False) == "own:net"
    page = gradio_app.launch("127.0.0.1", None, block=False)
    try:
        boxes = {getattr(each, "label", ""): each for each in page.blocks.values()}
        assert (boxes["Weights"].value, boxes["Network"].value) == ("random:own:net", "own:net")
        asked = Client(page.local_url, verbose=False, analytics_enabled=False)
        choices = ("random:own:net", gradio_app.AUTOMATIC, "Grad-CAM", "Viridis", 0.5)
        _, answer, _, timings = asked.predict(sample, *choices, api_name="/explain")
        assert len(answer["confidences"]) == 4
        assert "weights are random" in timings
        totals, _ = asked.predict("own:net", api_name="/stats")
        assert ["parameters", "112"] in totals["data"]
    finally:
        page.close()


def test_gradio_takes_no_known_network_on_the_command_line(capsys):
    assert main(["gradio", "resnet50"]) == MISUSE
    assert capsys.readouterr().err.startswith("explorer: 'resnet50' is no network of one's own")


FILE = {"_type": "gradio.FileData"}
ANSWERS_ANYTHING = "zoo:lenet5"
CHOICES = [ANSWERS_ANYTHING, gradio_app.AUTOMATIC, "Grad-CAM", "Viridis", 0.5]


def posted(client, endpoint: str, *values) -> tuple[str, str]:
    """(event, data) that a plain HTTP request to the endpoint is answered with."""
    address = f"{client.src.rstrip('/')}/gradio_api/call/{endpoint}"
    body = json.dumps({"data": values}).encode()
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        event = json.load(answer)["event_id"]
    with urllib.request.urlopen(f"{address}/{event}") as answer:
        first, second = answer.read().decode().splitlines()[:2]
    return first.removeprefix("event: "), second.removeprefix("data: ")


@pytest.fixture(scope="module")
def of_the_server(tmp_path_factory):
    """A picture and a text that lie on the server's disk and were never uploaded."""
    folder = tmp_path_factory.mktemp("private")
    (folder / "picture.png").write_bytes(SAMPLES["chelsea"].load())
    (folder / "secret.txt").write_text("a password")
    return folder


@pytest.mark.parametrize(
    "mark", [{}, {"meta": FILE}, {"meta": "x"}, {"meta": []}, {"meta": FILE, "is_stream": True}]
)
@pytest.mark.parametrize(
    "place", ["picture.png", "secret.txt", "/dev/zero", "/proc/self/environ", "missing", "a\0b", "", "../x"]
)
def test_no_path_of_the_server_is_opened(client, of_the_server, place, mark):
    path = place if place.startswith(("/", ".")) or not place else str(of_the_server / place)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    event, said = posted(client, "explain", {"path": path, **mark}, *CHOICES)
    assert event == "error"
    assert "not on this server; upload it" in said
    assert "password" not in said
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kB


def test_neither_a_link_nor_a_way_around_leads_out_of_the_uploads(client, of_the_server):
    from gradio.utils import get_upload_folder

    uploads = Path(get_upload_folder())
    uploads.mkdir(parents=True, exist_ok=True)
    link = uploads / f"link-{os.getpid()}.png"
    link.symlink_to(of_the_server / "picture.png")
    around = uploads / ".." / os.path.relpath(of_the_server / "picture.png", uploads.parent)
    try:
        for path in (link, around, uploads):
            for mark in ({}, {"meta": FILE}):
                event, said = posted(client, "explain", {"path": str(path), **mark}, *CHOICES)
                assert (event, "not on this server" in said) == ("error", True)
    finally:
        link.unlink()


@pytest.mark.parametrize(
    "value",
    [
        5,
        "/etc/passwd",
        [],
        [{"path": "/dev/zero"}],
        {},
        {"path": 5},
        {"path": ["/etc/passwd"]},
        {"path": None, "url": "http://127.0.0.1:9/x.png"},
        {"path": None, "url": "file:///etc/passwd"},
        {"url": {"path": "/etc/passwd"}},
    ],
)
def test_what_is_no_picture_is_told_what_one_is(client, value):
    event, said = posted(client, "explain", value, *CHOICES)
    assert event == "error"
    assert "uploaded to this server, or its bytes" in said


@pytest.mark.parametrize("mark", [{}, {"meta": FILE}])
def test_no_address_is_fetched(client, mark):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.5)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/x.png"
        for value in ({"path": url, **mark}, {"path": "x", "url": url, **mark}):
            for values in ([value, *CHOICES], [None, value, *CHOICES[1:]]):
                assert posted(client, "explain", *values)[0] == "error"
        with pytest.raises(TimeoutError):
            listening.accept()


def test_bytes_are_a_picture_and_its_remarks_are_said(client):
    data = encoded(Image.new("L", (32, 32)), "PNG")[:-8]
    url = f"data:image/png;base64,{base64.b64encode(data).decode()}"
    event, said = posted(client, "explain", {"path": None, "url": url}, *CHOICES)
    assert event == "complete"
    assert "The file ends early" in said
    event, said = posted(client, "explain", {"url": "data:image/png;base64,%%%"}, *CHOICES)
    assert (event, "did not arrive whole" in said) == ("error", True)


def test_a_sample_of_the_app_itself_is_a_picture(client):
    event, said = posted(client, "load_example", 0)
    assert event == "complete"
    shown = json.loads(said)[0]
    event, said = posted(client, "explain", shown.get("value", shown), *CHOICES)
    assert event == "complete", (shown, said)


@pytest.mark.parametrize(
    "wrong", [None, 5, True, [1], {}, "", "x" * 5000, {"path": "/etc/passwd", "meta": FILE}]
)
@pytest.mark.parametrize(
    ("endpoint", "place"),
    [
        ("explain", 1),
        ("explain", 2),
        ("explain", 3),
        ("explain", 4),
        ("explain", 5),
        ("layers", 0),
        ("stats", 0),
    ],
)
def test_a_value_of_another_kind_is_answered_with_a_sentence(client, endpoint, place, wrong):
    values = [None, *CHOICES] if endpoint == "explain" else [None]
    values[place] = wrong
    event, said = posted(client, endpoint, *values)
    assert event == "error"
    assert "takes a" in json.loads(said)["error"]


@pytest.mark.parametrize("values", [[], [None], [None] * 40])
def test_a_request_of_another_length_is_answered_with_a_sentence(client, values):
    event, said = posted(client, "explain", *values)
    assert event == "error"
    assert "takes 6 values" in said


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
