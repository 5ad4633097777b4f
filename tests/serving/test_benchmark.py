"""The benchmark: what it measures, what it refuses, that it is alone and can be stopped. No test looks at how
long something took."""

import json
import threading
from datetime import datetime

import pytest
import torch
from torch import nn

from explorer.__main__ import main
from explorer.analysis import peak_activation_bytes
from explorer.networks import CannotBuild, UnknownNetwork
from explorer.serving import benchmark, measurements, tensor_memory
from explorer.serving.benchmark import Busy, CannotMeasure, Limits, bench
from explorer.serving.measurements import Measurement, Setting

SHORT = Limits(seconds=0, least=3, most=5, warm_up_seconds=0)
NAME = "zoo:resnet20"


@pytest.fixture
def clock(monkeypatch):
    """`clock(0.1, 0.2, ...)`: how long the passes seem to take, one after another."""

    def install(*seconds: float) -> None:
        now, durations = 1000.0, iter(seconds)

        def tick() -> float:
            return now

        class Model(nn.Module):
            def forward(self, x):
                nonlocal now
                now += next(durations, 0.0)
                return x

        monkeypatch.setattr(benchmark, "perf_counter", tick)
        monkeypatch.setattr(benchmark, "build", lambda reference, image_size: Model())

    return install


def test_median_and_quartiles_are_of_the_passes_after_warm_up(clock):
    clock(9.0, 8.0, 0.1, 0.5, 0.2, 0.4, 0.3)
    with bench(NAME) as on_it:
        found = on_it.measure(6, Limits(seconds=0, least=5, warm_up_seconds=0))
    assert found.repetitions == 5
    assert found.latency_ms == pytest.approx(300)
    assert found.latency_iqr_ms == pytest.approx(200)  # 0.2 to 0.4 s
    assert found.throughput == pytest.approx(20)  # 6 images in 0.3 s


def test_passes_go_on_until_the_seconds_are_over_or_there_are_enough(clock):
    clock(*[0.5] * 100)
    with bench(NAME) as on_it:
        assert on_it.measure(1, Limits(seconds=5, least=3, most=50)).repetitions == 10
        assert on_it.measure(1, Limits(seconds=5, least=3, most=6)).repetitions == 6
        assert on_it.measure(1, Limits(seconds=0.1, least=4, most=6)).repetitions == 4


def test_warm_up_lasts_as_long_as_it_is_asked_to(clock):
    clock(*[0.25] * 8, 0.1, 0.1, 0.1)
    with bench(NAME) as on_it:
        found = on_it.measure(1, Limits(seconds=0, least=3, warm_up_seconds=2))
    assert found.latency_ms == pytest.approx(100)


def test_a_measurement_says_what_was_measured_and_on_what():
    with bench(NAME, Setting("cpu", "bfloat16", channels_last=True)) as on_it:
        found = on_it.measure(2, SHORT)
    assert (found.network, found.image_size, found.batch_size) == (NAME, 32, 2)
    assert (found.device, found.precision, found.channels_last, found.compiled) == (
        "cpu",
        "bfloat16",
        True,
        False,
    )
    assert found.threads == torch.get_num_threads()
    assert f"torch {torch.__version__.split('+')[0]}" in found.versions
    assert datetime.fromisoformat(found.measured_on).utcoffset().total_seconds() == 0
    assert found.throughput == pytest.approx(1000 * 2 / found.latency_ms)


def test_the_network_is_random_in_eval_mode_and_no_one_else_s():
    with bench(NAME, Setting(precision="bfloat16", channels_last=True)) as first:
        x = first.batch(2)
        assert x.shape == (2, 3, 32, 32)
        assert x.dtype == torch.bfloat16
        assert x.is_contiguous(memory_format=torch.channels_last)
        weights = [p for p in first.model.parameters() if p.ndim == 4 and p.shape[2] > 1]
        assert all(p.is_contiguous(memory_format=torch.channels_last) for p in weights)
        assert not first.model.training
        assert not any(p.requires_grad for p in first.model.parameters())
    with bench(NAME) as second:
        assert second.model is not first.model


def test_the_network_takes_the_size_it_is_asked_to():
    with bench(NAME, image_size=48) as on_it:
        assert on_it.batch(1).shape == (1, 3, 48, 48)
        assert on_it.measure(1, SHORT).image_size == 48


def test_one_measurement_at_a_time():
    with bench(NAME):
        with pytest.raises(Busy, match="zoo:resnet20 is being measured"), bench("lenet5"):
            pass
        failures = []

        def elsewhere():
            try:
                with bench("lenet5"):
                    pass
            except Busy as busy:
                failures.append(busy)

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        assert len(failures) == 1
    with bench("lenet5") as free_again:
        assert free_again.measure(1, SHORT).repetitions == 3


class _Stopped(BaseException):
    """As Streamlit ends a script."""


def test_it_can_be_stopped_between_passes_and_leaves_nothing_held(monkeypatch):
    monkeypatch.setattr(benchmark, "_PROGRESS_SECONDS", 0.0)
    seen = []

    def progress(share: float, text: str) -> None:
        seen.append((share, text))
        if text == "pass 2":
            raise _Stopped

    with pytest.raises(_Stopped), bench(NAME) as on_it:
        on_it.measure(1, Limits(seconds=1e6, least=10), progress)
    assert [text for _, text in seen][-2:] == ["pass 1", "pass 2"]
    assert all(0 <= share <= 1 for share, _ in seen)
    with bench(NAME):
        pass  # not busy


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        (Setting("quantum"), "no device 'quantum'; try "),
        (Setting("cuda:99"), "no device 'cuda:99'"),
        (Setting("cuda:x"), "no device 'cuda:x'"),
        (Setting(precision="int3"), "no precision known here; try float32, bfloat16, float16"),
        (Setting(precision="float16"), "try bfloat16 on the cpu"),
    ],
)
def test_what_this_machine_cannot_run_is_said(setting, says):
    with pytest.raises(CannotMeasure, match=says), bench(NAME, setting):
        pass


def test_batches_that_are_none_or_too_much_are_refused_before_they_run():
    with bench(NAME) as on_it:
        with pytest.raises(CannotMeasure, match="holds no image"):
            on_it.measure(0)
        with pytest.raises(CannotMeasure, match=r"needs about .* GiB.*smaller batch"):
            on_it.measure(10**8)


def test_a_pass_that_nobody_could_stop_is_refused(clock):
    clock(*[1.0] * 100)  # seconds an image
    with bench(NAME) as on_it, pytest.raises(CannotMeasure, match="about 8 s a pass"):
        on_it.measure(8, Limits(slowest_pass=5))


def test_a_huge_network_is_not_even_probed(monkeypatch):
    monkeypatch.setattr(benchmark, "_SLOW_MACS_PER_SECOND", 1.0)
    with bench(NAME) as on_it, pytest.raises(CannotMeasure, match="batch of 1 would take"):
        on_it.measure(1, Limits(slowest_pass=5))


def test_a_hosted_explorer_s_budget_holds_here_too(monkeypatch):
    monkeypatch.setenv("EXPLORER_MAX_PARAMS", "1000")
    with pytest.raises(CannotBuild, match="builds networks of up to"), bench(NAME):
        pass


def test_unknown_networks_are_unknown():
    with pytest.raises(UnknownNetwork), bench("resnet49"):
        pass


def test_an_error_of_the_network_itself_is_one_line(monkeypatch):
    class Broken(nn.Module):
        def forward(self, x):
            raise RuntimeError("no kernel for this\nwith a long story")

    monkeypatch.setattr(benchmark, "build", lambda reference, image_size: Broken())
    with (
        bench(NAME) as on_it,
        pytest.raises(CannotMeasure, match=r"does not run on this: no kernel for this"),
    ):
        on_it.measure(1, SHORT)


def test_peak_memory_of_a_chain_is_counted_by_hand():
    """x -> x+1 -> (x+1)+1: while the second is made, the first is still there."""

    class Chain(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1000), requires_grad=False)

        def forward(self, x):
            return (x + 1) + 1

    x = torch.zeros(4, 1000)
    model = Chain()
    with torch.inference_mode():
        peak, note = tensor_memory.peak_bytes(model, model, x)
    assert peak == pytest.approx(4 * (1000 + 4000 + 2 * 4000), abs=64)  # and the number 1 as a tensor
    assert "allocator" in note


def test_peak_of_changes():
    assert tensor_memory.peak_of([]) == 0
    assert tensor_memory.peak_of([10, 20, -10, 5, -25]) == 30


def test_peak_memory_is_what_the_trace_says_or_more():
    """The trace's estimate frees a tensor after its last reader; Python may hold one a little longer, and
    the convolution library may ask for a workspace."""
    with bench("zoo:vgg_small") as on_it:
        found = on_it.measure(4, SHORT)
        estimate = 4 * on_it.trace.params + 4 * peak_activation_bytes(on_it.trace)
    assert 1 <= found.peak_memory_bytes / estimate < 1.5


def test_layers_are_timed_where_the_modules_are():
    with bench(NAME) as on_it:
        times = on_it.layer_times(2)
        modules = dict(on_it.model.named_modules())
    assert times.input_shape == (2, 3, 32, 32)
    assert times.leaves <= modules.keys()
    assert all(not module._forward_hooks for module in modules.values())


@pytest.fixture
def run(capsys, monkeypatch, tmp_path, short_measurements):
    """`run("lenet5", ...)`: exit code, stdout and stderr of the command, with short measurements."""
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path))

    def command(*words: object) -> tuple[int, str, str]:
        try:
            code = main(["benchmark", *map(str, words)])
        except SystemExit as stop:
            code = int(stop.code or 0)
        return code, *capsys.readouterr()

    return command


def test_the_command_measures_prints_and_keeps(run):
    code, out, _ = run("lenet5", NAME, "--batch-size", 4, 1, 4, "--device", "cpu", "--json")
    rows = json.loads(out)
    assert code == 0
    assert [(row["network"], row["batch_size"]) for row in rows] == [
        ("explorer:lenet5", 1),
        ("explorer:lenet5", 4),
        (NAME, 1),
        (NAME, 4),
    ]
    assert {Measurement(**row) for row in rows} == set(measurements.kept())


def test_the_command_prints_a_table_with_energy_where_a_power_is_assumed(run):
    code, out, _ = run("lenet5", "--device", "cpu", "--precision", "bfloat16", "--watts", 20)
    (kept,) = measurements.kept()
    head, columns, row = out.splitlines()
    assert code == 0
    assert "cpu, bfloat16" in head
    assert columns.split()[-1] == "J/image"
    assert float(row.split()[-1]) == pytest.approx(20 / kept.throughput, rel=0.01)


def test_a_batch_too_large_does_not_lose_the_others(run):
    code, out, err = run(NAME, "--batch-size", 1, 10**8, "--device", "cpu", "--json")
    assert code == 2
    assert [row["batch_size"] for row in json.loads(out)] == [1]
    assert len(err.splitlines()) == 1
    assert "smaller batch" in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nothing-called-so"], "No network is called"),
        ([NAME, "--device", "quantum"], "no device 'quantum'"),
        ([NAME, "--device", "cpu", "--precision", "int3"], "no precision"),
        ([NAME, "--device", "cpu", "--batch-size", "0"], "holds no image"),
        ([NAME, "--device", "cpu", "--batch-size", "x"], "invalid int value"),
        ([NAME, "--watts", "-1"], "more than 0 W"),
        ([], "required: NAME"),
    ],
)
def test_misuse_of_the_command_is_one_line_and_exit_code_2(run, words, says):
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert says in err
