"""What a trace holds, what it leaves behind, and when it is read from the cache."""

import gzip
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Thread

import pytest
import torch
from torch import Tensor, nn

from explorer.analysis import ROLES, ImageSizeError, Trace, trace, trace_module
from explorer.analysis.graph import tracing
from explorer.analysis.graph.operations import from_json, to_json
from explorer.networks import UnknownNetwork, build


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path))
    tracing.forget()
    yield tmp_path
    tracing.forget()


class Block(nn.Module):
    """Squeeze-and-excitation and a skip around two convolutions; one parameter is never used."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(4, 8, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 4, 1)
        self.gate = nn.Conv2d(4, 4, 1)
        self.auxiliary = nn.Linear(4, 7)
        self.scale = nn.Parameter(torch.ones(4, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv2(self.norm(self.conv1(x)).relu())
        y = y * self.gate(y.mean((2, 3), keepdim=True)).sigmoid()
        return x + self.scale * y


@pytest.fixture(scope="module")
def block() -> Trace:
    return trace_module(Block().to("meta"), (1, 4, 16, 16), "block")


def test_operations_carry_role_path_shape_and_settings(block: Trace) -> None:
    conv = next(op for op in block.ops if op.dotted == "conv1")
    assert (conv.kind, conv.output_shape, conv.params, conv.macs) == (
        "spatial",
        (1, 8, 16, 16),
        4 * 8 * 9,
        4 * 8 * 9 * 256,
    )
    assert conv.attributes["kernel_size"] == (3, 3)
    assert conv.attributes["padding"] == (1, 1)
    assert (conv.attributes["in_channels"], conv.attributes["out_channels"]) == (4, 8)
    kinds = [op.kind for op in block.ops]
    assert kinds[0] == "input"
    assert kinds[-1] == "output"
    assert set(kinds) <= set(ROLES)
    assert block.modules["norm"] == "BatchNorm2d"


def test_edges_are_the_data_flow_skip_and_gate_included(block: Trace) -> None:
    ops = block.by_id()
    image, output = block.ops[0].id, block.ops[-1]
    addition = ops[output.inputs[0]]
    assert addition.name == "add"
    assert addition.kind == "merge"
    assert image in addition.inputs
    gating = next(op for op in block.ops if op.name == "mul" and op.kind == "merge")
    assert {ops[i].dotted or ops[i].name for i in gating.inputs} == {"conv2", "sigmoid"}


def test_every_parameter_is_counted_once_and_idle_ones_are_named(block: Trace) -> None:
    assert block.params == sum(p.numel() for p in Block().parameters())
    assert {idle.name: idle.params for idle in block.idle} == {"auxiliary.weight": 28, "auxiliary.bias": 7}
    assert sum(op.params for op in block.ops) == block.params - 35


def test_a_shared_layer_counts_its_weights_once_and_its_work_each_time() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(4, 4, 1, bias=False)

        def forward(self, x: Tensor) -> Tensor:
            return self.conv(self.conv(x))

    found = trace_module(Twice().to("meta"), (1, 4, 8, 8), "twice")
    assert (found.params, found.macs) == (16, 2 * 16 * 64)


def test_a_standardised_weight_belongs_to_its_convolution() -> None:
    class Standardised(nn.Conv2d):
        def forward(self, x: Tensor) -> Tensor:
            weight = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
            return nn.functional.conv2d(x, weight, self.bias)

    found = trace_module(Standardised(4, 8, 3).to("meta"), (1, 4, 8, 8), "standardised")
    owners = {op.name: op.params for op in found.ops if op.params}
    assert owners == {"conv2d": 4 * 8 * 9 + 8}
    assert all(op.static for op in found.ops if op.name in ("mean", "sub"))


def test_who_reads_after_an_in_place_operation_reads_its_result() -> None:
    class InPlace(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            y = x * 2
            y[:, :1].add_(x[:, 1:2])
            y.relu_()
            return y + 1

    found = trace_module(InPlace(), (1, 4, 8, 8), "in place")
    ops = found.by_id()
    relu = next(op for op in found.ops if op.name == "relu_")
    assert {ops[i].name for i in relu.inputs} == {"mul", "add_"}
    last = next(op for op in found.ops if op.name == "add")
    assert last.inputs == (relu.id,)


def test_masks_and_dropout_leave_no_operation() -> None:
    class Masked(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            mask = torch.arange(8, device=x.device).lt(4).to(x.dtype)
            return nn.functional.dropout(x * mask, 0.5, self.training) + x.new_zeros(8)

    names = [op.name for op in trace_module(Masked(), (1, 4, 8, 8), "masked").ops]
    assert names == ["input", "mul", "add", "output"]


def test_the_module_and_torch_are_left_as_they_were() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 5), nn.Dropout()).train()
    model[1].eval()
    before = [p.clone() for p in model.parameters()]
    assert torch.backends.mha.get_fastpath_enabled()
    trace_module(model, (1, 3, 8, 8), "training")
    with pytest.raises(RuntimeError):
        trace_module(model, (1, 3, 2, 2), "too small")
    assert torch.backends.mha.get_fastpath_enabled()
    assert [m.training for m in model.modules()] == [True, True, False]
    assert all(not m._forward_hooks for m in model.modules())
    for old, new in zip(before, model.parameters(), strict=True):
        assert torch.equal(old, new)
        assert new.grad is None


def test_json_gives_back_the_very_trace(block: Trace) -> None:
    assert from_json(json.loads(json.dumps(to_json(block)))) == block


def test_the_second_process_reads_the_disk(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = trace("explorer:resnet20")
    assert trace("explorer:resnet20") is first
    tracing.forget()
    monkeypatch.setattr(tracing, "trace_module", lambda *_: pytest.fail("traced again"))
    assert trace("explorer:resnet20") == first


@pytest.mark.parametrize(
    "damage",
    [b"", b"no gzip", *(gzip.compress(text, mtime=0) for text in (b"{", b"[]", b'{"key": 1, "trace": {}}'))],
)
def test_a_damaged_file_is_ignored_and_written_anew(empty_cache: Path, damage: bytes) -> None:
    first = trace("explorer:resnet20")
    (file,) = empty_cache.rglob("*.json.gz")
    whole = file.read_bytes()
    file.write_bytes(damage)
    tracing.forget()
    assert trace("explorer:resnet20") == first
    assert json.loads(gzip.decompress(file.read_bytes())) == json.loads(gzip.decompress(whole))
    assert not list(empty_cache.rglob("*.part"))


def test_a_cut_file_is_ignored(empty_cache: Path) -> None:
    first = trace("explorer:resnet20")
    (file,) = empty_cache.rglob("*.json.gz")
    file.write_bytes(file.read_bytes()[:-100])
    tracing.forget()
    assert trace("explorer:resnet20") == first


def test_a_folder_that_cannot_be_written_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "file"))
    tracing.forget()
    assert trace("explorer:lenet5").params == 60_000
    tracing.forget()


def test_another_size_is_another_trace(empty_cache: Path) -> None:
    small, large = trace("explorer:resnet20", 32), trace("explorer:resnet20", 64)
    assert (large.input_shape, large.macs > small.macs, large.params) == ((1, 3, 64, 64), True, small.params)
    assert trace("explorer:resnet20") is small


def test_a_folder_is_known_by_its_config(empty_cache: Path, shared_models: Path) -> None:
    folder = empty_cache / "checkpoint"
    folder.mkdir()
    source = shared_models / "mobilenetv2_100.coral_in1k"
    shutil.copy(source / "config.json", folder)
    config = json.loads((folder / "config.json").read_text())
    first = trace(f"local-dir:{folder}")
    (folder / "config.json").write_text(json.dumps(config | {"num_classes": 7}))
    second = trace(f"local-dir:{folder}")
    assert (first.ops[-1].output_shape, second.ops[-1].output_shape) == ((1, 1000), (1, 7))


def test_threads_that_ask_at_once_get_one_answer(empty_cache: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: trace("explorer:resnet20"), range(4)))
    assert all(each is found[0] for each in found)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("torchvision:vit_b_16", 225),
        ("torchvision:alexnet", 32),
        ("torchvision:vgg16", 1),
        ("timm:convnext_atto", 8),
        ("explorer:lenet5", 64),
        ("explorer:resnet20", 0),
        ("explorer:resnet20", -3),
    ],
)
def test_a_size_the_network_does_not_take_is_one_sentence(
    name: str, size: int, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ImageSizeError) as caught:
        trace(name, size)
    message = str(caught.value)
    assert message.startswith(f"{name} cannot take {size} ")
    assert "\n" not in message
    assert len(message) < 300
    assert isinstance(caught.value, ValueError)
    assert "Traceback" not in capfd.readouterr().err + caplog.text


def test_an_unknown_name_is_named() -> None:
    with pytest.raises(UnknownNetwork, match="resnet_fifty"):
        trace("timm:resnet_fifty")


def test_other_threads_run_their_networks_while_one_is_traced() -> None:
    """torch.fx hooks every module of the process while it traces."""
    other, failures, passes, stop = (
        torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU()),
        [],
        0,
        Event(),
    )

    def run() -> None:
        nonlocal passes
        while not stop.is_set():
            try:
                other(torch.zeros(1, 4))
                passes += 1
            except Exception as failure:
                failures.append(failure)

    thread = Thread(target=run)
    thread.start()
    try:
        traced = trace_module(build("explorer:resnet20", device="meta"), (1, 3, 32, 32), "resnet20")
    finally:
        stop.set()
        thread.join()
    assert not failures
    assert passes > 10
    assert traced.params == 269_722


@pytest.mark.parametrize(
    "spoilt",
    [
        b'{"key": ' + b"[" * 200_000,
        b'{"trace": {}}',
        b"null",
        b"[" * 200_000 + b"]" * 200_000,
        b"\xff\xfe",
    ],
)
def test_a_spoilt_file_of_the_cache_is_traced_anew(spoilt: bytes, tmp_path, monkeypatch) -> None:
    import gzip

    from explorer.analysis.graph import cache, tracing

    monkeypatch.setattr(cache, "folder", lambda: tmp_path)
    tracing.forget()
    first = tracing.trace("timm:test_resnet")
    (kept,) = tmp_path.glob("*.json.gz")
    kept.write_bytes(gzip.compress(spoilt))
    tracing.forget()
    assert tracing.trace("timm:test_resnet") == first
    assert json.loads(gzip.decompress(kept.read_bytes()))["trace"]["name"] == "timm:test_resnet"
