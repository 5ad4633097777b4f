"""What this machine keeps: nothing damaged comes back, nobody's work is spoilt, no disk is no failure."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from explorer.catalogue.writing import WriteError
from explorer.serving import measurements
from explorer.serving.measurements import Measurement

RESNET = Measurement(
    network="timm:resnet50",
    image_size=224,
    device="cpu",
    machine="two cores",
    batch_size=8,
    precision="float32",
    channels_last=False,
    compiled=False,
    threads=2,
    latency_ms=400.0,
    latency_iqr_ms=12.5,
    throughput=20.0,
    peak_memory_bytes=150_000_000,
    memory_note="tensors",
    repetitions=7,
    measured_on="2026-11-21T10:00:00+00:00",
    versions="torch 2.15.0",
)


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path))
    return tmp_path / "measurements"


def test_what_is_kept_comes_back_as_it_was_latest_first():
    later = replace(RESNET, batch_size=1, peak_memory_bytes=None, measured_on="2026-11-22T10:00:00+00:00")
    assert measurements.kept() == ()
    measurements.keep(RESNET)
    measurements.keep(later)
    assert measurements.kept() == (later, RESNET)


def test_measuring_the_same_again_replaces_it():
    again = replace(RESNET, latency_ms=390.0, measured_on="2026-11-23T10:00:00+00:00")
    measurements.keep(RESNET)
    measurements.keep(again)
    assert measurements.kept() == (again,)


@pytest.mark.parametrize(
    "change",
    [
        {"machine": "four cores"},
        {"precision": "bfloat16"},
        {"channels_last": True},
        {"compiled": True},
        {"threads": 1},
        {"image_size": 256},
    ],
)
def test_another_way_of_running_is_another_measurement(change):
    measurements.keep(RESNET)
    measurements.keep(replace(RESNET, **change))
    assert len(measurements.kept()) == 2


def test_deleting_takes_only_what_is_named():
    small = replace(RESNET, batch_size=1)
    measurements.keep(RESNET)
    measurements.keep(small)
    measurements.delete([small, replace(RESNET, network="timm:resnet18")])
    assert measurements.kept() == (RESNET,)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: "[]",
        lambda text: "\x00\xff",
        lambda text: text.replace('"throughput"', '"speed"'),
        lambda text: text.replace("20.0", "NaN"),
        lambda text: text.replace("20.0", "-20.0"),
        lambda text: text.replace("20.0", '"20"'),
        lambda text: text.replace("150000000", "1.5e8"),
        lambda text: text.replace("150000000", "-1"),
        lambda text: text.replace("20.0", "1" + "0" * 400),
        lambda text: text.replace("20.0", "9" * 5000),
        lambda text: text.replace('"batch_size": 8', '"batch_size": true'),
        lambda text: text.replace("2026-11-21T10:00:00+00:00", "yesterday"),
        lambda text: text.replace('"float32"', '"float7"'),
        lambda text: text.replace("20.0", "[" * 100_000),
        lambda text: text.replace("20.0", "[" * 20_000),
        lambda text: text + " " * (1 << 17),
    ],
)
def test_a_damaged_file_costs_one_measurement(cache, damage):
    measurements.keep(RESNET)
    (file,) = cache.iterdir()
    damaged = damage(file.read_text())
    assert damaged != file.read_text()
    (cache / "damaged.json").write_text(damaged, "utf-8")
    assert measurements.kept() == (RESNET,)


def test_fields_of_a_later_version_do_no_harm(cache):
    measurements.keep(RESNET)
    (file,) = cache.iterdir()
    file.write_text(json.dumps({**json.loads(file.read_text()), "colour": "red"}))
    assert measurements.kept() == (RESNET,)


def test_writers_at_once_lose_nothing(cache):
    many = [replace(RESNET, batch_size=1 + number % 20, threads=1 + number // 20) for number in range(80)]
    with ThreadPoolExecutor(8) as pool:
        assert len(list(pool.map(measurements.keep, many + many))) == 2 * len(many)  # and none has raised
    assert set(measurements.kept()) == set(many)
    assert len(list(cache.iterdir())) == len(many)  # no half-written file is left


def test_an_unwritable_disk_is_said_with_the_files_name(monkeypatch, tmp_path):
    (tmp_path / "a file").write_text("in the way")
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "a file"))
    with pytest.raises(WriteError, match=r"[0-9a-f]{32}\.json cannot be written: "):
        measurements.keep(RESNET)
    assert measurements.kept() == ()
    measurements.delete([RESNET])


def test_energy_is_the_assumed_power_by_the_measured_time():
    """20 images a second at 65 W: 3.25 joules each."""
    assert RESNET.joules_per_image(65) == 3.25
