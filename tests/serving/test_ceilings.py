"""A device's ceilings: measured once, kept, measured anew where the file is no use; no time is looked at."""

import pytest

from explorer.analysis.numbers.roofline import Ceilings
from explorer.catalogue.writing import WriteError
from explorer.serving import benchmark, ceilings
from explorer.serving.benchmark import Busy, CannotMeasure
from explorer.serving.measurements import Setting
from tests.full_disk import fill


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path))
    monkeypatch.setattr(ceilings, "_MATRIX_SIDES", {"cpu": 64})
    monkeypatch.setattr(ceilings, "_COPIED_BYTES", {"cpu": 4096})
    return tmp_path / "ceilings"


def test_the_best_run_counts_and_the_first_does_not(monkeypatch):
    """A product in 2 ms, a copy in 4 ms at best; the first run of each would seem faster."""
    times = iter([0.001, *[0.002] * 12, 0.001, *[0.005] * 11, 0.004])
    now = 0.0
    reads = 0

    def tick() -> float:
        nonlocal now, reads
        reads += 1
        if reads % 2 == 0:
            now += next(times)
        return now

    monkeypatch.setattr(ceilings, "perf_counter", tick)
    found = ceilings.of(Setting("cpu"))
    assert found.ceilings.macs_per_second == pytest.approx(64**3 / 0.002)
    assert found.ceilings.bytes_per_second == pytest.approx(2 * 4096 / 0.004)  # read and written


def test_a_ceiling_measured_on_a_busy_machine_rises_and_never_falls(monkeypatch):
    seconds = iter([0.4, 0.4, 0.1, 0.8, 0.2, 0.1])
    monkeypatch.setattr(ceilings, "_best", lambda run, device, progress: next(seconds))
    assert ceilings.of(Setting("cpu")).ceilings == Ceilings(64**3 / 0.4, 8192 / 0.4)
    assert ceilings.measure(Setting("cpu")).ceilings == Ceilings(64**3 / 0.1, 8192 / 0.4)
    assert ceilings.measure(Setting("cpu")).ceilings == Ceilings(64**3 / 0.1, 8192 / 0.1)
    assert ceilings.kept(Setting("cpu")).ceilings == Ceilings(64**3 / 0.1, 8192 / 0.1)


def test_what_was_measured_is_kept_by_precision(small):
    first = ceilings.of(Setting("cpu"))
    assert ceilings.of(Setting("cpu", channels_last=True, compiled=True)) == first
    assert ceilings.kept(Setting("cpu", "bfloat16")) is None
    assert ceilings.of(Setting("cpu", "bfloat16")).precision == "bfloat16"
    assert len(list(small.iterdir())) == 2


@pytest.mark.parametrize("text", ["", "[]", "{}", "[" * 200_000, '{"ceilings": {"macs_per_second": "fast"}}'])
def test_a_damaged_file_is_measured_anew(small, text):
    ceilings.of(Setting("cpu"))
    (file,) = small.iterdir()
    file.write_text(text)
    assert ceilings.kept(Setting("cpu")) is None
    assert ceilings.of(Setting("cpu")).ceilings.macs_per_second > 0


def test_ceilings_wait_for_no_one_and_disturb_no_one():
    with benchmark.alone("zoo:resnet20"), pytest.raises(Busy, match="zoo:resnet20 is being measured"):
        ceilings.of(Setting("cpu"))


def test_a_device_that_is_not_there_is_said():
    with pytest.raises(CannotMeasure, match="no device 'quantum'"):
        ceilings.of(Setting("quantum"))


def test_progress_goes_from_nothing_to_all():
    seen = []
    ceilings.of(Setting("cpu"), lambda share, text: seen.append((share, text)))
    shares = [share for share, _ in seen]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)
    assert {text for _, text in seen} == {"matrix product", "copy"}


def test_what_a_full_disk_does_not_take_is_said_and_lasts_as_long_as_the_process(full_disk, monkeypatch):
    monkeypatch.setenv("EXPLORER_CACHE", str(full_disk))
    fill(full_disk)
    with pytest.raises(WriteError, match=r"\.json cannot be written: No space left on device"):
        ceilings.measure(Setting("cpu"))
    assert ceilings.kept(Setting("cpu")) == ceilings.of(Setting("cpu"))
