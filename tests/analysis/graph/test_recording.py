"""One pass on shapes sees what torch.export sees, whatever else the process does meanwhile."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from benchmarks import exported
from explorer.analysis import Trace, receptive_fields, stats_of, trace_module
from explorer.analysis.graph import recording, tracing
from explorer.analysis.graph.reading import read
from explorer.analysis.graph.recording import NeedsValues, record_with_values
from explorer.networks import build, input_spec


def traced(network: str) -> Trace:
    model = build(network, device="meta")
    return trace_module(model, (1, *input_spec(network).shape), network, disposable=True)


def by_oracle(network: str) -> Trace:
    model = build(network, device="meta")
    return exported.trace_module(model, (1, *input_spec(network).shape), network)


class Own(nn.Module):
    """A network of one's own: a convolution `layer`, and whatever `forward` does with it."""

    def __init__(self, forward: Callable[[nn.Module, Tensor], Tensor]) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 3, 3, padding=1, bias=False)
        self.own_forward = forward

    def forward(self, x: Tensor) -> Tensor:
        return self.own_forward(self.layer, x)


def of_own(forward: Callable[[nn.Module, Tensor], Tensor], side: int = 8) -> Trace:
    return trace_module(Own(forward), (1, 3, side, side), "own")


@pytest.mark.parametrize(
    "network",
    [
        "timm:test_resnet",  # pooling, additions in place
        "timm:test_vit3",  # attention
        "timm:bat_resnext26ts",  # two results of one operation, of which one is read
        "torchvision:vit_b_16",  # MultiheadAttention, which torch would rather fuse
        "explorer:resnet20",
        "timm:coat_tiny",  # one module under three names in its parent
    ],
)
def test_it_sees_what_export_sees(network: str) -> None:
    assert exported.plain(traced(network)) == exported.plain(by_oracle(network))


def test_control_flow_that_shapes_decide_is_followed() -> None:
    def deeper_for_large_images(layer: nn.Module, x: Tensor) -> Tensor:
        while x.shape[-1] > 4:
            x = nn.functional.max_pool2d(layer(x), 2)
        return x

    assert [op.name for op in of_own(deeper_for_large_images, 8).ops].count("conv2d") == 1
    assert [op.name for op in of_own(deeper_for_large_images, 32).ops].count("conv2d") == 3


@pytest.mark.parametrize(
    "forward",
    [
        lambda layer, x: layer(x) if x.sum() > 0 else x,
        lambda layer, x: layer(x) * x.mean().item(),
        lambda layer, x: layer(x)[x > 0],
        lambda layer, x: torch.where(layer(x) > 0)[0],
    ],
)
def test_what_values_decide_is_traced_on_noise_and_named(
    forward: Callable[[nn.Module, Tensor], Tensor],
) -> None:
    found = of_own(forward)
    assert found.decided_by.endswith("in the network itself")
    assert found.params == 3 * 3 * 9
    assert stats_of(found).one_way.startswith(found.decided_by)


MAPS = torch.empty(2, 8, 5, 7, device="meta")
LAST = torch.empty(2, 6, 8, device="meta")
ROW = torch.empty(8, device="meta")


@pytest.mark.parametrize(
    "call",
    [
        lambda: torch.relu(MAPS),
        lambda: nn.functional.hardtanh(MAPS, 0.0, 6.0),
        lambda: nn.functional.batch_norm(MAPS, ROW, ROW, ROW, ROW),
        lambda: nn.functional.batch_norm(LAST.transpose(1, 2).contiguous(), ROW, ROW),
        lambda: nn.functional.layer_norm(LAST, (8,), ROW, ROW),
        lambda: nn.functional.layer_norm(MAPS, (5, 7)),
        lambda: torch.cat([MAPS, MAPS, MAPS[:, :1].contiguous()], 1),
        lambda: torch.cat([LAST, LAST], -1),
        lambda: nn.functional.gelu(LAST.half()),
    ],
)
def test_what_is_plain_to_see_of_shapes_is_what_torch_says(call: Callable[[], Tensor]) -> None:
    seen: list[bool] = []

    class Compared(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            made = func(*args, **(kwargs or {}))
            layout = recording._alike(func, recording.named_arguments(func, args, kwargs or {}))
            if layout is not None:
                seen.append(layout == recording._layout(made))
            return made

    with torch.inference_mode(), Compared():
        call()
    assert seen == [True]


@pytest.mark.parametrize(
    "forward",
    [
        lambda layer, x: nn.functional.batch_norm(layer(x), torch.zeros(4), torch.ones(4)),
        lambda layer, x: nn.functional.layer_norm(layer(x), (5,)),
        lambda layer, x: torch.cat([layer(x), x[:, :, :4].contiguous()], 1),
        lambda layer, x: torch.cat([layer(x), x], 7),
    ],
)
def test_what_torch_refuses_is_refused(forward: Callable[[nn.Module, Tensor], Tensor]) -> None:
    with pytest.raises((RuntimeError, IndexError)):
        of_own(forward)


def test_a_weight_that_is_computed_makes_a_layer_at_every_use() -> None:
    layer = nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 3, 3, padding=1, bias=False))
    found = trace_module(nn.Sequential(layer, nn.ReLU(), layer), (1, 3, 8, 8), "own")
    assert [op.name for op in found.ops if op.weighted] == ["conv2d", "conv2d"]
    assert stats_of(found).depth == 2


class Shared(nn.Module):
    """One layer under two names, and in two places of a list."""

    def __init__(self) -> None:
        super().__init__()
        self.first = self.second = nn.Sequential(nn.Conv2d(3, 3, 1, bias=False))
        self.rest = nn.ModuleList([nn.ReLU(), self.first, self.first])

    def forward(self, x: Tensor) -> Tensor:
        for layer in (self.second, *self.rest, self.first):
            x = layer(x)
        return x


def test_a_module_of_several_names_runs_under_the_one_that_was_called() -> None:
    model = Shared()
    found = trace_module(model, (1, 3, 8, 8), "own")
    assert [op.dotted for op in found.ops if op.name == "conv2d"] == [
        "second.0",
        "rest.1.0",
        "rest.2.0",
        "first.0",
    ]
    assert found.params == 9
    assert model.second is model.first  # the visitor's own stays as it was
    assert {"second.0", "rest.2.0"} <= found.modules.keys()


def test_without_weights_there_are_no_values() -> None:
    with pytest.raises(NeedsValues, match="is_nonzero in the network itself asks for values"):
        trace_module(Own(lambda layer, x: x if x.sum() > 0 else layer(x)).to("meta"), (1, 3, 8, 8), "own")


@pytest.mark.parametrize("network", ["timm:test_resnet", "timm:test_vit3", "explorer:resnet20"])
def test_a_pass_with_values_shows_what_one_without_shows(network: str) -> None:
    model = build(network, seed=0)
    recorded = record_with_values(model, (1, *input_spec(network).shape))
    assert exported.plain(read(recorded, network)) == exported.plain(traced(network))


def test_a_network_by_name_gets_weights_where_values_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    def own(_: object, __: object, device: str = "cpu", seed: int | None = None) -> nn.Module:
        return Own(lambda layer, x: x[x > 0]).to(device)

    monkeypatch.setattr(tracing, "build", own)
    monkeypatch.setattr(tracing.cache, "read", lambda *_: None)
    monkeypatch.setattr(tracing.cache, "write", lambda *_: None)
    assert tracing.trace("explorer:plain20").decided_by == "index in the network itself"
    tracing.forget()


def test_constants_with_values_keep_them() -> None:
    def by_a_table(layer: nn.Module, x: Tensor) -> Tensor:
        for side in torch.arange(2, 4).tolist():  # nothing of the image in it
            x = nn.functional.adaptive_avg_pool2d(layer(x), side)
        return x + torch.ones(3)  # not on the image's device

    found = of_own(by_a_table)
    assert [op.name for op in found.ops if op.kind in ("spatial", "pool")] == [
        "conv2d",
        "adaptive_avg_pool2d",
    ] * 2
    assert found.ops[-1].output_shape == (1, 3, 3, 3)


def test_a_table_that_is_filled_hands_on_what_fills_it() -> None:
    def fill(layer: nn.Module, x: Tensor) -> Tensor:
        filled = torch.zeros(x.shape)
        filled[:, :1] = layer(x)[:, :1]
        filled[:, 1:] = x[:, 1:]
        return filled * 2

    found = of_own(fill)
    ops = found.by_id()
    (last,) = (op for op in found.ops if op.name == "mul")
    assert [ops[source].name for source in last.inputs] == ["copy_", "copy_"]
    assert receptive_fields(found)[last.id].size == (3, 3)


def test_a_view_written_twice_hands_on_both_writes() -> None:
    def write(layer: nn.Module, x: Tensor) -> Tensor:
        y = layer(x)
        part = y[:, :1]
        part.add_(1)
        part.mul_(x[:, :1])
        return y + 1

    ops = of_own(write).by_id()
    assert [ops[source].name for source in ops["add"].inputs] == ["conv2d", "add_", "mul_"]


def test_a_module_that_stands_in_two_places_runs_where_it_is_called() -> None:
    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Conv2d(3, 3, 1)
            self.block = nn.Sequential(nn.ReLU(), self.first)

        def forward(self, x: Tensor) -> Tensor:
            return self.block(self.first(x))

    found = trace_module(Shared(), (1, 3, 8, 8), "shared")
    assert [(op.dotted, op.params) for op in found.ops if op.name == "conv2d"] == [
        ("first", 12),
        ("block.1", 0),
    ]


def test_the_network_keeps_nothing_of_the_pass() -> None:
    class Remembering(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Conv2d(3, 3, 1)
            self.register_buffer("seen", torch.zeros(3))

        def forward(self, x: Tensor) -> Tensor:
            self.last = self.layer(x)
            self.seen += 1
            return self.last

    model = Remembering()
    trace_module(model, (1, 3, 8, 8), "remembering")
    assert not hasattr(model, "last")
    assert model.seen.tolist() == [0, 0, 0]
    assert not model.layer._forward_hooks


def test_weights_computed_from_parameters_are_copied_too() -> None:
    with pytest.warns(FutureWarning):
        model = nn.utils.weight_norm(nn.Conv2d(3, 4, 3))  # keeps a tensor that is no leaf
    found = trace_module(model, (1, 3, 8, 8), "normed")
    assert (found.params, found.macs) == (4 + 3 * 4 * 9 + 4, 3 * 4 * 9 * 36)


def test_threads_trace_while_others_run_their_networks() -> None:
    """Modes and hooks belong to one thread: no trace sees another's operations, no forward pass is taken
    for a part of one, and nobody waits."""
    networks = ("timm:test_vit3", "timm:test_resnet", "explorer:resnet20", "timm:test_efficientnet")
    expected = [traced(network) for network in networks]
    running = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()).eval()
    image, stop = torch.rand(1, 3, 16, 16), Event()
    right = running(image)

    def run() -> int:
        passes = 0
        while not stop.is_set():
            assert torch.equal(running(image), right)
            passes += 1
        return passes

    with ThreadPoolExecutor(6) as pool:
        runners = [pool.submit(run) for _ in range(2)]
        try:
            found = list(pool.map(traced, networks * 2))
        finally:
            stop.set()
    assert found == expected * 2
    assert all(runner.result() for runner in runners)
    assert not torch.is_inference_mode_enabled()


def test_a_trace_does_not_wait_for_another() -> None:
    """While one is being made another is begun and ended."""
    begun, go_on = Event(), Event()

    def slow(layer: nn.Module, x: Tensor) -> Tensor:
        begun.set()
        assert go_on.wait(60)
        return layer(x)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(of_own, slow)
        assert begun.wait(60)
        other = of_own(lambda layer, x: layer(layer(x)))
        go_on.set()
        assert (len(waiting.result().ops), len(other.ops)) == (3, 4)


def test_a_refusal_is_not_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path))
    for _ in range(2):
        with pytest.raises(tracing.ImageSizeError, match="cannot take 64"):
            tracing.trace("explorer:lenet5", 64)
    assert not tracing._under_way
