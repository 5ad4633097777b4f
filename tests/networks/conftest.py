"""Networks small enough to be sent over loopback, and the hub they are sent from."""

import json
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.networks.fake_hub import Handler, Hub


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """The hub that huggingface_hub, torch.hub's folder and this process talk to, with empty caches."""
    import torch.hub
    from huggingface_hub import constants

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hub = Hub(f"http://127.0.0.1:{server.server_port}")
    server.hub = hub  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)
    template = hub.url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "torch"))
    monkeypatch.delenv("EXPLORER_WEIGHTS", raising=False)
    yield hub
    server.shutdown()
    server.server_close()


@pytest.fixture
def no_hub(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """The same, but nothing listens where the hub should be."""
    from huggingface_hub import constants

    template = "http://127.0.0.1:9/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    return hub


@pytest.fixture(scope="session")
def tiny_config() -> dict:
    """config.json of the smallest network timm has, with an unusual input and labels of its own."""
    return {
        "architecture": "test_resnet",
        "num_classes": 3,
        "model_args": {},
        "pretrained_cfg": {
            "input_size": [3, 96, 96],
            "mean": [0.1, 0.2, 0.3],
            "std": [0.4, 0.5, 0.6],
            "crop_pct": 0.75,
            "interpolation": "bilinear",
            "num_classes": 3,
            "label_names": ["cat", "dog", "axolotl"],
            "license": "cc0-1.0",
            "first_conv": "conv1.0",
            "classifier": "fc",
        },
    }


@pytest.fixture(scope="session")
def tiny_weights() -> bytes:
    """Its weights as safetensors, with a head of three classes."""
    import timm
    import torch
    from safetensors.torch import save

    torch.manual_seed(1)
    model = timm.create_model("test_resnet", num_classes=3)
    return save({key: value.contiguous() for key, value in model.state_dict().items()})


@pytest.fixture
def tiny_folder(tmp_path: Path, tiny_config: dict, tiny_weights: bytes) -> Path:
    folder = tmp_path / "weights" / "tiny"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(tiny_config))
    (folder / "model.safetensors").write_bytes(tiny_weights)
    return folder
