"""Leases are exclusive, loads happen once, what is lent stays, and the books are right."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from explorer import networks
from explorer.inference import SAMPLES, decode, explain
from explorer.serving import Pool, choose_device
from explorer.serving import pool as pool_module

KILO = 1000


class FakeModel(nn.Module):
    """`kilobytes` of one-byte parameters and buffers, half each."""

    def __init__(self, kilobytes: int):
        super().__init__()
        half = kilobytes * KILO // 2
        self.weight = nn.Parameter(torch.zeros(half, dtype=torch.uint8), requires_grad=False)
        self.register_buffer("statistics", torch.zeros(half, dtype=torch.uint8))


class FakeLoader:
    """Ids are "name:kilobytes"; counts its calls and can be held, broken or interrupted."""

    def __init__(self):
        self.calls: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.error: BaseException | None = None

    def __call__(self, weights_id, progress=None):
        self.calls.append(weights_id)
        if progress:
            progress(1, 2)
        assert self.gate.wait(10)
        if self.error:
            error, self.error = self.error, None
            raise error
        return SimpleNamespace(model=FakeModel(int(weights_id.partition(":")[2] or 1)), id=weights_id)


def fake_pool(kilobytes: int, device: str = "cpu") -> tuple[Pool, FakeLoader]:
    loader = FakeLoader()
    return Pool(kilobytes * KILO, device, loader), loader


def in_threads(*works) -> list:
    with ThreadPoolExecutor(len(works)) as executor:
        return [future.result(timeout=20) for future in [executor.submit(work) for work in works]]


def until(condition) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "waited ten seconds for another thread"
        time.sleep(0.001)


def test_a_network_is_loaded_once_and_counted_by_parameters_and_buffers():
    pool, loader = fake_pool(100)
    for _ in range(3):
        with pool.lease("a:10") as network:
            assert network.id == "a:10"
            assert pool.counters().leases == 1
    counters = pool.counters()
    assert loader.calls == ["a:10"]
    assert (counters.misses, counters.hits, counters.evictions) == (1, 2, 0)
    assert (counters.networks, counters.loaded_bytes, counters.leases) == (1, 10 * KILO, 0)
    assert (counters.budget_bytes, counters.device) == (100 * KILO, "cpu")


def test_the_least_recently_used_leaves_first():
    pool, loader = fake_pool(25)
    for weights_id in ("a:10", "b:10", "a:10", "c:10", "a:10", "b:10"):
        with pool.lease(weights_id):
            pass
    assert loader.calls == ["a:10", "b:10", "c:10", "b:10"]
    assert pool.counters().evictions == 2
    assert pool.counters().loaded_bytes == 20 * KILO


def test_what_is_lent_is_not_evicted():
    pool, loader = fake_pool(10)
    with pool.lease("a:10"):
        with pool.lease("b:10"):
            assert pool.counters().networks == 2
            assert pool.counters().evictions == 0
        assert pool.counters().networks == 1
    with pool.lease("a:10"):
        pass
    assert loader.calls == ["a:10", "b:10"]


def test_a_network_above_the_whole_budget_is_lent_and_then_dropped():
    pool, _ = fake_pool(5)
    with pool.lease("big:50") as network:
        assert network.id == "big:50"
        assert pool.counters().loaded_bytes == 50 * KILO
    assert pool.counters().networks == 0
    assert pool.counters().loaded_bytes == 0
    assert pool.counters().evictions == 1


def test_a_lease_is_exclusive():
    pool, _ = fake_pool(100)
    inside, most = [0], [0]

    def visit():
        for _ in range(50):
            with pool.lease("a:1"):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                time.sleep(0)
                inside[0] -= 1

    in_threads(*[visit] * 6)
    assert most == [1]


def test_two_networks_are_lent_at_once_and_a_slow_load_holds_up_nobody_else():
    pool, loader = fake_pool(100)
    with pool.lease("a:1"):
        pass
    loader.gate.clear()
    slow = threading.Thread(target=lambda: pool.lease("slow:1").__enter__())
    slow.start()
    until(lambda: "slow:1" in loader.calls)
    with pool.lease("a:1") as network:  # while the other is still loading
        assert network.id == "a:1"
    loader.gate.set()
    slow.join(10)
    assert pool.counters().leases == 1


def test_everyone_waits_for_one_load():
    pool, loader = fake_pool(100)
    loader.gate.clear()

    def visit():
        with pool.lease("a:1") as network:
            return id(network)

    with ThreadPoolExecutor(5) as executor:
        visits = [executor.submit(visit) for _ in range(5)]
        until(lambda: pool.counters().hits == 4)
        assert (pool.counters().networks, pool.counters().loaded_bytes) == (0, 0)
        loader.gate.set()
        assert len({visit.result(10) for visit in visits}) == 1
    assert loader.calls == ["a:1"]


def test_a_failed_load_reaches_all_who_wait_and_leaves_nothing_behind():
    pool, loader = fake_pool(100)
    loader.gate.clear()
    loader.error = networks.WeightsUnavailable("no network here; zoo:resnet20 works")

    def visit():
        with pytest.raises(networks.WeightsUnavailable, match="zoo:resnet20 works"), pool.lease("a:1"):
            pytest.fail("lent what never loaded")

    with ThreadPoolExecutor(3) as executor:
        visits = [executor.submit(visit) for _ in range(3)]
        until(lambda: pool.counters().hits == 2)
        loader.gate.set()
        for done in visits:
            done.result(10)
    counters = pool.counters()
    assert (counters.networks, counters.leases, counters.failures) == (0, 0, 1)
    with pool.lease("a:1") as network:
        assert network.id == "a:1"


def test_a_visitor_who_leaves_while_loading_does_not_fail_the_others():
    """Streamlit ends a script with a BaseException, which may come out of the progress callback."""

    class StopScript(BaseException):
        pass

    pool, loader = fake_pool(100)
    loader.gate.clear()
    loader.error = StopScript()

    def leaves():
        with pytest.raises(StopScript):
            pool.lease("a:1").__enter__()

    def stays():
        with pool.lease("a:1") as network:
            return network.id

    with ThreadPoolExecutor(3) as executor:
        first = executor.submit(leaves)
        until(lambda: pool.counters().misses == 1)
        others = [executor.submit(stays) for _ in range(2)]
        until(lambda: pool.counters().hits == 2)
        loader.gate.set()
        first.result(10)
        assert [other.result(10) for other in others] == ["a:1", "a:1"]
    assert pool.counters().failures == 0
    assert pool.counters().leases == 0


def test_a_lease_ends_when_its_block_fails():
    pool, _ = fake_pool(100)
    with pytest.raises(KeyError), pool.lease("a:1"):
        raise KeyError
    assert pool.counters().leases == 0
    with pool.lease("a:1"):
        pass


def test_a_second_lease_in_the_same_thread_is_an_error_not_a_deadlock():
    pool, _ = fake_pool(100)
    with pool.lease("a:1"):
        with pytest.raises(RuntimeError, match="already has a lease"), pool.lease("a:1"):
            pass
        assert pool.counters().leases == 1
    with pool.lease("a:1"):
        pass


def test_progress_reaches_the_loader_and_the_wait_is_measured():
    pool, _ = fake_pool(100)
    seen = []

    def progress(done, total):
        seen.append((done, total))
        time.sleep(0.05)

    lease = pool.lease("a:1", progress)
    with lease:
        pass
    assert seen == [(1, 2)]
    assert lease.load_seconds >= 0.05


class OnAccelerator(FakeModel):
    """Knows where it was put; a device can be full for the weights or for the activations."""

    where = "cpu"

    def __init__(self, weights_fit: bool):
        super().__init__(1)
        self.weights_fit = weights_fit

    def to(self, device):
        if device != "cpu" and not self.weights_fit:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
        self.where = device
        return self


def accelerated_pool(weights_fit: bool) -> Pool:
    return Pool(
        1000 * KILO,
        "cuda",
        lambda weights_id, progress=None: SimpleNamespace(model=OnAccelerator(weights_fit)),
    )


def test_weights_that_do_not_fit_run_on_the_cpu_and_it_is_said():
    pool = accelerated_pool(weights_fit=False)
    lease = pool.lease("a:1")
    with lease as network:
        assert network.model.where == "cpu"
    assert lease.note == "a:1 does not fit into the memory of cuda now, so it runs on the CPU."
    assert pool.counters().fallbacks == 1


def test_activations_that_do_not_fit_are_computed_again_on_the_cpu():
    pool = accelerated_pool(weights_fit=True)

    def work(network):
        if network.model.where == "cuda":
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return 42

    answer = pool.run("a:1", work)
    assert answer.value == 42
    assert "runs on the CPU" in answer.note
    assert pool.counters().fallbacks == 1
    assert pool.run("a:1", work).note == answer.note  # it stays there and says so


def test_other_errors_of_the_work_are_not_repeated():
    pool = accelerated_pool(weights_fit=True)
    calls = []

    def work(network):
        calls.append(1)
        raise RuntimeError("shapes do not match")

    with pytest.raises(networks.CannotRun, match="a:1 does not run on this: shapes do not match"):
        pool.run("a:1", work)
    assert calls == [1]
    assert pool.counters().leases == 0


def test_device_and_budget_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("EXPLORER_DEVICE", "cpu")
    monkeypatch.setenv("EXPLORER_POOL_BYTES", "123456")
    assert Pool().counters().device == "cpu"
    assert Pool().counters().budget_bytes == 123456
    monkeypatch.setenv("EXPLORER_POOL_BYTES", "2GB")
    with pytest.raises(ValueError, match="EXPLORER_POOL_BYTES is '2GB'"):
        Pool().counters()
    monkeypatch.setenv("EXPLORER_DEVICE", "abacus")
    with pytest.raises(ValueError, match=r"'abacus', which this machine does not have; try one of .*cpu"):
        choose_device()


@pytest.mark.parametrize(
    ("cuda", "mps", "chosen"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")]
)
def test_the_fastest_device_is_chosen(cuda, mps, chosen, monkeypatch):
    monkeypatch.delenv("EXPLORER_DEVICE", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert choose_device() == chosen


def test_the_default_budget_is_a_share_of_this_machine_s_memory(monkeypatch):
    monkeypatch.delenv("EXPLORER_POOL_BYTES", raising=False)
    budget = Pool(device="cpu").counters().budget_bytes
    assert budget == pool_module.memory_bytes("cpu") // 4
    assert 2**27 < budget < 2**45


def test_there_is_one_pool_a_process():
    assert len({id(pool) for pool in in_threads(*[pool_module.shared] * 8)}) == 1


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 9)), min_size=1, max_size=40),
    st.integers(1, 30),
)
@settings(max_examples=60, deadline=None)
def test_the_books_balance_after_any_history(history, kilobytes):
    sizes = dict(history)
    pool, loader = fake_pool(kilobytes)
    for name, _ in history:
        with pool.lease(f"{name}:{sizes[name]}"):
            counters = pool.counters()
            held = sizes[name] * KILO
            assert counters.loaded_bytes <= max(kilobytes * KILO, held)
    counters = pool.counters()
    assert counters.loaded_bytes <= kilobytes * KILO
    assert counters.misses == len(loader.calls) == counters.networks + counters.evictions
    assert counters.hits + counters.misses == len(history)


def test_a_hundred_requests_at_once_answer_as_one_after_the_other():
    pictures = [decode(SAMPLES[name].load()) for name in ("chelsea", "coffee", "rocket", "astronaut")]
    choices = {
        "random:torchvision:mobilenet_v3_small": (None, "features.5", "features.9"),
        "random:timm:mobilenetv2_035": (None, "blocks.2", "conv_stem"),
    }
    different = [
        (weights_id, pictures[i % 4], choices[weights_id][i % 3], (None, 7)[i % 2])
        for i in range(12)
        for weights_id in choices
    ]
    pool = Pool(10**9, "cpu")

    def answer(request):
        weights_id, picture, layer, target = request
        with pool.lease(weights_id) as network:
            return explain(network, picture, layer=layer, target=target)

    one_by_one = [answer(request) for request in different]
    with ThreadPoolExecutor(8) as executor:
        at_once = list(executor.map(answer, islice(cycle(different), 100)))
    for alone, together in zip(cycle(one_by_one), at_once, strict=False):
        assert [p.index for p in together.predictions] == [p.index for p in alone.predictions]
        np.testing.assert_allclose(
            [p.probability for p in together.predictions],
            [p.probability for p in alone.predictions],
            atol=1e-6,
        )
        np.testing.assert_allclose(together.heatmap, alone.heatmap, atol=1e-6)
        np.testing.assert_allclose(together.features, alone.features, atol=1e-6, rtol=1e-6)
    assert pool.counters().misses == 2
