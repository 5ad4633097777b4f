"""Measure here as a visitor meets it: links, choices, values; no test looks at how long something took."""

from functools import partial

import pytest
from streamlit.runtime.scriptrunner import StopException
from streamlit.testing.v1 import AppTest

from explorer.analysis import trace
from explorer.serving import benchmark, ceilings, measurements
from explorer.serving.benchmark import CannotMeasure
from explorer.serving.measurements import Measurement, Setting
from explorer.ui.kit.formatting import three_digits
from explorer.ui.measure import controls
from tests.pages import opening

pytestmark = pytest.mark.usefixtures("short_measurements")

PAIR = {"networks": "zoo:resnet20,lenet5"}


@pytest.fixture(autouse=True)
def own_machine(monkeypatch, tmp_path):
    """A machine that has measured nothing yet, on the CPU, with small ceilings."""
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path))
    monkeypatch.setenv("EXPLORER_DEVICE", "cpu")
    monkeypatch.setattr(ceilings, "_MATRIX_SIDES", {"cpu": 64})
    monkeypatch.setattr(ceilings, "_COPIED_BYTES", {"cpu": 4096})


def made(network: str, image_size: int, batch_size: int, ms: float, **more) -> Measurement:
    """As this machine would have measured it."""
    setting = Setting(**{name: more.pop(name) for name in ("precision", "channels_last") if name in more})
    machine, threads = benchmark.runs_on(setting)
    return Measurement(
        network=network, image_size=image_size, batch_size=batch_size, latency_ms=ms, latency_iqr_ms=ms / 10,
        throughput=1000 * batch_size / ms, peak_memory_bytes=2**21, memory_note="tensors", repetitions=7,
        measured_on="2026-11-21T10:00:00+00:00", versions="torch",
        **{"machine": machine, "threads": threads, **vars(setting), **more},
    )  # fmt: skip


opened = partial(opening.opened, "pages/measure.py")


def says(app: AppTest, *parts: str) -> bool:
    text = " ".join(each.value for each in [*app.markdown, *app.caption, *app.info, *app.warning])
    return all(part in text for part in parts)


def table(app: AppTest, column: str):
    return next(frame.value for frame in app.dataframe if column in frame.value.columns)


def labels(app: AppTest) -> list[str]:
    return [each.label for each in app.button]


def test_an_empty_page_says_what_to_do_and_one_button_does_it():
    app = opened(**PAIR, mbatch="2")
    assert says(app, "Nothing is measured yet of ResNet-20 (CIFAR) and LeNet-5")
    assert labels(app).count("Measure") == 1
    app.button(key="measure_first").click().run()
    assert not app.exception
    rows = table(app, "images/s")
    assert list(rows["Network"]) == ["ResNet-20 (CIFAR)", "LeNet-5"]
    assert list(rows["Batch"]) == [2, 2]
    assert list(rows["images/s"]) == pytest.approx(2000 / rows["Median ms"])
    kept = {each.network: each for each in measurements.kept()}
    assert kept.keys() == {"zoo:resnet20", "explorer:lenet5"}
    assert kept["zoo:resnet20"].repetitions == 3
    assert "Measure again" in labels(app)


def test_what_this_machine_keeps_is_there_at_once_and_only_what_is_asked_for():
    measurements.keep(made("zoo:resnet20", 32, 1, 20.0))
    measurements.keep(made("zoo:resnet20", 32, 4, 40.0))
    measurements.keep(made("zoo:resnet20", 32, 16, 160.0))
    measurements.keep(made("zoo:resnet20", 32, 1, 30.0, precision="bfloat16"))
    measurements.keep(made("zoo:resnet20", 32, 4, 1.0, machine="another"))
    measurements.keep(made("zoo:resnet20", 48, 4, 2.0))
    app = opened(networks="zoo:resnet20", mbatch="4")
    assert list(table(app, "images/s")["images/s"]) == [100]
    app.pills(key="mbatch").set_value([1, 4, 16, 64]).run()
    assert list(table(app, "images/s")["images/s"]) == [50, 100, 100]
    app.selectbox(key="mprecision").set_value("bfloat16").run()
    assert list(table(app, "images/s")["Median ms"]) == [30]
    app.toggle(key="mlast").set_value(True).run()
    assert says(app, "Nothing is measured yet of ResNet-20 (CIFAR)")


def test_another_image_size_is_another_measurement():
    measurements.keep(made("zoo:resnet20", 48, 4, 2.0))
    app = opened(networks="zoo:resnet20", mbatch="4", size="48")
    assert list(table(app, "images/s")["images/s"]) == [2000]


def test_one_network_at_two_sizes_is_measured_at_both():
    app = opened(networks="zoo:resnet20,zoo:resnet20@48", mbatch="4")
    app.button(key="measure_first").click().run(timeout=120)
    assert {(each.image_size, each.batch_size) for each in measurements.kept()} == {(32, 4), (48, 4)}


def test_energy_only_at_a_power_that_the_visitor_assumes():
    measurements.keep(made("zoo:resnet20", 32, 4, 40.0))
    app = opened(networks="zoo:resnet20", mbatch="4")
    assert "J/image" not in table(app, "images/s").columns
    assert app.segmented_control(key="mplot").options == ["Throughput", "Latency", "Memory"]
    app.number_input(key="mwatts").set_value(65).run()
    assert list(table(app, "images/s")["J/image"]) == [0.65]  # 65 W for 10 ms an image
    app.segmented_control(key="mplot").set_value("Energy").run()
    assert not app.exception


def test_a_batch_that_is_too_much_is_said_and_the_rest_goes_on(monkeypatch):
    whole = benchmark.Bench._check_size

    def check(self, batch_size):
        if batch_size == 64:
            raise CannotMeasure("64 is too much here")
        whole(self, batch_size)

    monkeypatch.setattr(benchmark.Bench, "_check_size", check)
    app = opened(networks="lenet5", mbatch="1")
    app.pills(key="mbatch").set_value([1, 64]).run()
    app.button(key="measure_first").click().run()
    assert [each.value for each in app.warning] == ["64 is too much here."]
    assert list(table(app, "images/s")["Batch"]) == [1]


def test_a_second_visitor_is_told_who_is_measuring():
    app = opened(networks="lenet5", mbatch="1")
    with benchmark.alone("timm:resnet50"):
        app.button(key="measure_first").click().run()
    assert ["resnet50 is being measured on this machine now" in each.value for each in app.warning] == [True]
    app.button(key="measure_first").click().run()
    assert len(table(app, "images/s")) == 1
    assert not app.warning


def test_stopping_keeps_what_is_done_and_frees_the_machine(monkeypatch):
    """A click on Stop ends the script at its next word to the browser, and forgets the job."""
    whole = benchmark.Bench.measure

    def measure(self, batch_size, limits, progress):
        if str(self.reference) == "explorer:lenet5":
            raise StopException
        return whole(self, batch_size, limits, progress)

    monkeypatch.setattr(benchmark.Bench, "measure", measure)
    app = opened(**PAIR, mbatch="1")
    app.button(key="measure_first").click().run()
    app.session_state["_measure_job"] = None
    app.run()
    assert not app.exception
    assert list(table(app, "images/s")["Network"]) == ["ResNet-20 (CIFAR)"]
    assert "Measure again" in labels(app)
    with benchmark.bench("lenet5"):
        pass  # nobody holds the machine


def test_strangers_start_no_compiler(monkeypatch):
    monkeypatch.setenv("EXPLORER_HOSTED", "1")
    app = opened(networks="lenet5", mbatch="1", mcompile="true")
    app.button(key="measure_first").click().run()
    assert app.toggle(key="mcompile").disabled
    assert [each.compiled for each in measurements.kept()] == [False]


def test_what_a_full_disk_does_not_take_stays_in_the_visit(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "file"))
    app = opened(networks="lenet5", mbatch="1")
    app.button(key="measure_first").click().run()
    assert not app.exception
    assert list(table(app, "images/s")["Network"]) == ["LeNet-5"]
    assert measurements.kept() == ()


def test_kept_measurements_are_deleted_where_the_machine_is_one_s_own(monkeypatch):
    shown, other = made("zoo:resnet20", 32, 4, 40.0), made("explorer:lenet5", 32, 1, 1.0)
    measurements.keep(shown)
    measurements.keep(other)
    app = opened(networks="zoo:resnet20", mbatch="4")
    assert len(table(app, "measured_on")) == 2
    app.button(key="measure_delete_shown").click().run()
    assert measurements.kept() == (other,)
    monkeypatch.setenv("EXPLORER_HOSTED", "1")
    app.run()
    assert not [label for label in labels(app) if label.startswith("Delete")]


def test_two_builds_of_one_architecture_stay_apart():
    measurements.keep(made("torchvision:resnet18", 224, 1, 40.0))
    measurements.keep(made("timm:resnet18", 224, 1, 50.0))
    app = opened(networks="torchvision:resnet18,timm:resnet18", mbatch="1")
    rows = table(app, "images/s")
    assert len(set(rows["Network"])) == 2
    assert list(rows["Median ms"]) == [40, 50]


def test_layers_under_the_ceilings_and_time_by_kind():
    app = opened(**PAIR, measure="Roofline", mbatch="2")
    assert says(app, "The layers of these networks are not timed yet")
    app.button(key="measure_first").click().run()
    assert not app.exception
    device = ceilings.kept(Setting("cpu")).ceilings
    assert says(app, f"**{three_digits(device.ridge)} MACs a byte**")
    rows = table(app, "Bytes moved")
    resnet = rows[rows["Network"] == "ResNet-20 (CIFAR)"]
    assert resnet["MACs"].sum() == 2 * trace("zoo:resnet20").macs
    assert (
        rows["MACs a byte"] == rows["MACs"] / rows["Bytes moved"].where(rows["Bytes moved"] > 0)
    ).sum() > 20
    app.segmented_control(key="measure").set_value("By kind").run()
    shares = table(app, "Time (%)")
    for _, own in shares.groupby("Network"):
        assert own["Time (%)"].sum() == pytest.approx(100)
        assert own["MACs (%)"].sum() == pytest.approx(100)
    assert says(app, "of the time goes to operations without a MAC")
    assert measurements.kept() == ()  # layer times stay in the visit


def test_compiled_networks_have_no_layers_to_time():
    app = opened(networks="lenet5", measure="By kind", mbatch="1", mcompile="true")
    app.button(key="measure_first").click().run()
    assert not app.exception
    assert len(table(app, "Time (%)")) > 3


def test_nonsense_in_the_link_gives_the_default():
    app = opened(
        networks="nothing,lenet5", mbatch="7", mprecision="int3", mdevice="quantum", mplot="colour",
        measure="up", mwatts="-3",
    )  # fmt: skip
    assert says(app, "left out", "Nothing is measured yet of LeNet-5")
    assert app.pills(key="mbatch").value == [1, 4, 16]
    assert app.selectbox(key="mprecision").value == "float32"
    assert app.selectbox(key="mdevice").value == "cpu"
    assert app.segmented_control(key="measure").value == "Results"


def test_no_batch_size_is_batch_one():
    app = opened(networks="lenet5", mbatch="4")
    app.pills(key="mbatch").set_value([]).run()
    app.button(key="measure_first").click().run()
    assert list(table(app, "images/s")["Batch"]) == [1]


def test_the_start_is_one_click_away(monkeypatch):
    monkeypatch.setattr(controls, "PAIR", ("zoo:vgg_small", "lenet5"))  # small ones, for the test
    app = opened(**PAIR, mbatch="2", mprecision="bfloat16", mlast="true")
    app.button(key="lab_reset").click().run()
    assert not app.exception
    assert app.pills(key="mbatch").value == [1, 4, 16]
    assert app.toggle(key="mlast").value is False
    assert app.multiselect(key="compare_networks_box").value == ["zoo:vgg_small", "lenet5"]
