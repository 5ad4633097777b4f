"""The download path against a hub on loopback: progress, integrity, and every way it can fail."""

import hashlib
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants
from torchvision import models

from explorer import networks
from explorer.networks import fetching
from tests.networks.fake_hub import Hub, flipped, halved

TIMM = "timm:test_resnet.r160_in1k"


@pytest.fixture
def repository(hub: Hub, tiny_config: dict, tiny_weights: bytes) -> str:
    hub.put("someone/tiny", "config.json", json.dumps(tiny_config).encode())
    hub.put("someone/tiny", "model.safetensors", tiny_weights)
    return "hf-hub:someone/tiny"


@pytest.fixture
def timm_repository(hub: Hub) -> str:
    import timm
    from safetensors.torch import save

    state = timm.create_model("test_resnet").state_dict()
    hub.put("timm/test_resnet.r160_in1k", "model.safetensors", save(dict(state)))
    return TIMM


@pytest.fixture
def torchvision_file(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> str:
    """SqueezeNet's entry, its URL pointed at this hub, named after its digest as torchvision's files are."""
    buffer = io.BytesIO()
    torch.save(models.squeezenet1_1().state_dict(), buffer)
    content = buffer.getvalue()
    path = f"/squeezenet1_1-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    hub.files[path] = content
    member = models.SqueezeNet1_1_Weights.IMAGENET1K_V1
    monkeypatch.setattr(member.value, "url", hub.url + path)
    return f"torchvision:{member}"


@pytest.fixture(params=["repository", "timm_repository", "torchvision_file"])
def weights_id(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue(request.param)


def leftovers(tmp_path: Path) -> list[str]:
    """Files of weights, whole or not, in the caches of this test."""
    found = [path for folder in ("hub", "torch") for path in (tmp_path / folder).rglob("*")]
    suffixes = (".safetensors", ".pth", ".incomplete", ".partial")
    return [path.name for path in found if path.name.endswith(suffixes)]


def test_it_downloads_once_with_progress(weights_id: str, hub: Hub) -> None:
    seen: list[tuple[int, int | None]] = []
    assert not networks.entry_of(weights_id).on_this_machine
    network = networks.load(weights_id, lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1] == max(len(content) for content in hub.files.values())
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert network.weights.on_this_machine
    assert network.weights.bytes == seen[-1][1]

    hub.requests.clear()
    networks.load(weights_id)
    assert hub.requests == []


def test_what_arrives_is_what_was_sent(repository: str, tiny_weights: bytes) -> None:
    from safetensors.torch import load

    state, sent = networks.load(repository).model.state_dict(), load(tiny_weights)
    assert all(torch.equal(state[key], value) for key, value in sent.items())
    assert networks.load(repository).labels == ("cat", "dog", "axolotl")
    assert networks.input_spec(repository).image_size == 96


def test_an_older_repository_has_only_a_pickle(hub: Hub, tiny_config: dict, tiny_weights: bytes) -> None:
    from safetensors.torch import load

    buffer = io.BytesIO()
    torch.save(load(tiny_weights), buffer)
    hub.put("someone/old", "config.json", json.dumps(tiny_config).encode())
    hub.put("someone/old", "pytorch_model.bin", buffer.getvalue())
    assert networks.load("hf-hub:someone/old").labels == ("cat", "dog", "axolotl")


def test_damage_on_the_way_is_noticed_and_leaves_nothing(weights_id: str, hub: Hub, tmp_path: Path) -> None:
    hub.damage(flipped)
    with pytest.raises(networks.WeightsUnavailable, match="checksum"):
        networks.load(weights_id)
    assert leftovers(tmp_path) == []
    assert not networks.entry_of(weights_id).on_this_machine
    hub.faults.clear()
    assert networks.load(weights_id).weights.on_this_machine


def test_half_a_file_never_counts_as_here(
    weights_id: str, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)  # huggingface_hub waits between its attempts
    hub.damage(halved)
    with pytest.raises(networks.WeightsUnavailable, match="the connection broke"):
        networks.load(weights_id)
    assert leftovers(tmp_path) == []
    assert not networks.entry_of(weights_id).on_this_machine


def test_who_leaves_loses_nothing(weights_id: str, hub: Hub, tmp_path: Path) -> None:
    """The download goes on without him; whoever asks next waits for it or finds it done."""

    class Stop(BaseException):
        """As Streamlit stops a script that is no longer wanted."""

    def stop(done: int, total: int | None) -> None:
        raise Stop

    with pytest.raises(Stop):
        networks.load(weights_id, stop)
    assert networks.load(weights_id).weights.on_this_machine
    assert sum(each.startswith("GET") and not each.endswith(".json") for each in hub.requests) == 1
    assert len(leftovers(tmp_path)) == 1


def test_without_network_it_says_so_in_seconds_and_names_what_works(
    no_hub: Hub, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPLORER_WEIGHTS", str(tiny_folder.parent))
    started = time.monotonic()
    with pytest.raises(networks.WeightsUnavailable, match=r"cannot be reached.*machine: .*folder:tiny\b"):
        networks.load(TIMM)
    with pytest.raises(networks.WeightsUnavailable, match=r"^[^\n]+$"):
        networks.load("hf-hub:someone/tiny")
    with pytest.raises(networks.WeightsUnavailable, match="cannot be reached"):
        networks.load("timm:vit_tiny_patch16_224.augreg_in21k_ft_in1k")
    with pytest.raises(networks.CannotBuild, match="cannot be looked at: its server cannot be reached"):
        networks.input_spec("hf-hub:someone/tiny")
    monkeypatch.setenv("EXPLORER_MAX_PARAMS", "1e9")
    with pytest.raises(networks.WeightsUnavailable, match="cannot be reached"):
        networks.load("hf-hub:someone/tiny")
    assert time.monotonic() - started < 5


def test_a_server_that_never_answers_is_given_up(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    monkeypatch.setattr(fetching, "TIMEOUT_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        template = url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        member = models.SqueezeNet1_1_Weights.IMAGENET1K_V1
        monkeypatch.setattr(member.value, "url", f"{url}/squeezenet1_1-b8a52dc0.pth")
        started = time.monotonic()
        for weights_id in (TIMM, f"torchvision:{member}"):
            with pytest.raises(networks.WeightsUnavailable, match="cannot be reached"):
                networks.load(weights_id)
        assert time.monotonic() - started < 3


def test_a_repository_or_file_that_is_not_there(hub: Hub, repository: str) -> None:
    with pytest.raises(networks.WeightsUnavailable, match="does not give it out"):
        networks.load("hf-hub:someone/else")
    hub.files = {path: content for path, content in hub.files.items() if path.endswith(".json")}
    with pytest.raises(networks.WeightsUnavailable, match=r"has no model\.safetensors or pytorch_model\.bin"):
        networks.load(repository)


def test_a_strangers_config_is_held_to_the_rules_here_too(hub: Hub) -> None:
    hub.put(
        "someone/evil", "config.json", b'{"architecture": "test_resnet", "model_args": {"cache_dir": "/"}}'
    )
    with pytest.raises(networks.UnknownNetwork, match="may not set cache_dir"):
        networks.load("hf-hub:someone/evil")


@pytest.mark.parametrize("spoilt", [b"{}", b'{"architecture": 5}', b'{"architecture": "tomorrows_net"}'])
def test_a_config_that_is_none_is_asked_for_again(
    hub: Hub, repository: str, tiny_config: dict, spoilt: bytes
) -> None:
    hub.put("someone/tiny", "config.json", spoilt)
    for _ in range(2):
        with pytest.raises(networks.UnknownNetwork, match="unknown to timm"):
            networks.load(repository)
    hub.put("someone/tiny", "config.json", json.dumps(tiny_config).encode())
    assert networks.load(repository).labels == ("cat", "dog", "axolotl")


def test_offline_mode_is_respected(
    hub: Hub, repository: str, torchvision_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    for weights_id in (repository, torchvision_file):
        with pytest.raises(networks.WeightsUnavailable, match="HF_HUB_OFFLINE"):
            networks.load(weights_id)
    assert hub.requests == []


def test_the_endpoint_of_the_environment_is_used(hub: Hub, repository: str, tmp_path: Path) -> None:
    """In a process of its own, because huggingface_hub reads its environment once."""
    program = f"from explorer import networks; print(networks.load({repository!r}).labels[2])"
    environment = os.environ | {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home")}
    root = Path(__file__).resolve().parents[2]
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=root, env=environment, check=True
    )
    assert run.stdout.strip() == "axolotl"
    assert "GET /someone/tiny/resolve/main/model.safetensors" in hub.requests
