"""How fast a network runs on this machine, and how much memory its tensors take.

A network of its own, with random weights (what the numbers are changes neither time nor memory), under
`inference_mode`: warm-up passes that do not count, then passes timed one by one, each begun and ended with
the device idle. One measurement at a time in a process, or each would measure the other.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from statistics import median, quantiles
from time import perf_counter

import torch
from torch import Tensor, nn

from explorer.analysis import Trace, memory, trace
from explorer.inference.layer_measurements import LayerTimes, layer_times, synchroniser
from explorer.networks import CannotRun, Network, Reference, build, entry_of, input_spec, load, resolve
from explorer.networks.own import registry
from explorer.networks.running import check_finite, told
from explorer.serving import tensor_memory
from explorer.serving.measurements import PRECISIONS, Measurement, Setting
from explorer.serving.pool import memory_bytes
from explorer.training.machine import hardware

AS_IT_IS = Setting()
Progress = Callable[[float, str], None]

MEMORY_SHARE = 0.5  # of the machine's memory; what a batch is estimated to need beyond it is refused
WARM_UP_PASSES = 2
LAYER_PASSES = 5
_PROGRESS_SECONDS = 0.2
_BYTES = {"float32": "fp32", "bfloat16": "bf16", "float16": "bf16"}  # as analysis.numbers.memory says
_SLOW_MACS_PER_SECOND = 2e10  # of a laptop's processor; guesses a first pass whose time nobody knows yet

_alone = threading.Lock()
_running = ""


class Busy(RuntimeError):  # noqa: N818 - it is what a reader is told
    """Another measurement runs in this process."""


class CannotMeasure(ValueError):  # noqa: N818 - it is what a reader is told
    """This machine does not run the network like that, or a batch is too much for it."""


@dataclass(frozen=True)
class Limits:
    """seconds: of timed passes, `least` to `most` of them, after at least WARM_UP_PASSES and
    `warm_up_seconds` that do not count. slowest_pass: seconds; a batch expected to take longer is refused."""

    seconds: float = 2.0
    least: int = 7
    most: int = 1000
    warm_up_seconds: float = 0.3
    slowest_pass: float | None = None


LIMITS = Limits()


def devices() -> tuple[str, ...]:
    """Kinds of device that this machine has, the fastest first."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    return tuple(kind for kind, is_there in there.items() if is_there)


def check(setting: Setting) -> None:
    """Raises CannotMeasure for what this machine cannot run, with what it can."""
    kind = setting.device.partition(":")[0]
    if kind not in devices() or (kind == "cuda" and _number(setting.device) >= torch.cuda.device_count()):
        raise CannotMeasure(f"this machine has no device {setting.device!r}; try {', '.join(devices())}")
    if setting.precision not in PRECISIONS:
        raise CannotMeasure(f"{setting.precision!r} is no precision known here; try {', '.join(PRECISIONS)}")
    if setting.precision == "float16" and kind == "cpu":
        raise CannotMeasure("float16 is measured on accelerators only; try bfloat16 on the cpu")


def runs_on(setting: Setting) -> tuple[str, int]:
    """What a measurement made now would call this machine, and its threads."""
    return hardware(torch.device(setting.device)), torch.get_num_threads()


def _number(device: str) -> int:
    number = device.partition(":")[2]
    return int(number) if number.isdecimal() else 0 if not number else torch.cuda.device_count()


class Bench:
    """A network ready to be measured; made by `bench`."""

    def __init__(self, reference: Reference, traced: Trace, model: nn.Module, setting: Setting, held: int):
        """held: bytes on the device before the network came."""
        self.reference, self.trace, self.setting = reference, traced, setting
        self.model, self._held = model, held
        self._device = torch.device(setting.device)
        self._image_seconds: float | None = None

    def measure(
        self, batch_size: int, limits: Limits = LIMITS, progress: Progress = lambda share, text: None
    ) -> Measurement:
        """progress: called between passes with the share done and what is going on; what it raises ends the
        measurement. Raises CannotMeasure where the batch is too much for the machine."""
        self._check_size(batch_size)
        with _explained(f"{self.reference} with a batch of {batch_size}"), torch.inference_mode():
            self._check_pace(batch_size, limits)
            x = self.batch(batch_size)
            run = self._compiled() if self.setting.compiled else self.model
            times = _timed(lambda: run(x), synchroniser(self._device), limits, progress)
            progress(1.0, "memory")
            peak, note = tensor_memory.peak_bytes(run, self.model, x, self._held)
        seconds = median(times)
        self._image_seconds = seconds / batch_size
        machine, threads = runs_on(self.setting)
        first, _, third = quantiles(times, n=4, method="inclusive")
        return Measurement(
            network=str(self.reference),
            image_size=max(self.trace.input_shape[2:]),
            machine=machine,
            batch_size=batch_size,
            threads=threads,
            latency_ms=1000 * seconds,
            latency_iqr_ms=1000 * (third - first),
            throughput=batch_size / seconds,
            peak_memory_bytes=peak,
            memory_note=note,
            repetitions=len(times),
            measured_on=datetime.now(UTC).isoformat(timespec="seconds"),
            versions=_versions(self.reference),
            **vars(self.setting),
        )

    def layer_times(
        self, batch_size: int, limits: Limits = LIMITS, progress: Progress = lambda share, text: None
    ) -> LayerTimes:
        """Of every module, the network as it is written: hooks and `torch.compile` do not go together."""
        self._check_size(batch_size)
        with torch.inference_mode():
            self._check_pace(batch_size, limits)
        network = Network(
            self.model, self.reference, entry_of(f"random:{self.reference}"), input_spec(self.reference), ()
        )
        with _explained(f"{self.reference} with a batch of {batch_size}"):
            x = self.batch(batch_size)
            return layer_times(network, x, LAYER_PASSES, progress=lambda share: progress(share, "layers"))

    def check_answer(self) -> None:
        """Timed are random weights; that those of the network's own file give no answer, nobody would hear.
        Raises CannotMeasure."""
        own = entry_of(str(self.reference))
        if not own.on_this_machine:
            return
        self._check_size(1)
        with _explained(own.id), torch.inference_mode():
            answer = load(own.id).model(torch.randn(1, *self.trace.input_shape[1:]))
            check_finite(own.id, answer, "measured")

    def batch(self, batch_size: int) -> Tensor:
        """[N, C, H, W] of normal noise, as the setting wants it."""
        x = torch.randn(batch_size, *self.trace.input_shape[1:])
        return x.to(self._device, getattr(torch, self.setting.precision), memory_format=_format(self.setting))

    def _compiled(self) -> Callable[[Tensor], object]:
        torch.compiler.reset()  # else a later batch size gets a slower network, made for any size
        return torch.compile(self.model, dynamic=False)

    def _check_size(self, batch_size: int) -> None:
        if batch_size < 1:
            raise CannotMeasure(f"a batch of {batch_size} holds no image; try 1")
        needed = memory(self.trace, batch_size, _BYTES[self.setting.precision], mode="inference").total
        there = memory_bytes(self.setting.device)
        if needed > MEMORY_SHARE * there:
            raise CannotMeasure(
                f"{self.reference} with a batch of {batch_size} needs about {needed / 2**30:.1f} GiB, and a "
                f"measurement here may take {MEMORY_SHARE * there / 2**30:.1f} GiB; try a smaller batch"
            )

    def _check_pace(self, batch_size: int, limits: Limits) -> None:
        """Before a pass that nobody could stop."""
        if limits.slowest_pass is None:
            return
        if self._image_seconds is None:
            self._refuse_slow(self.trace.macs / _SLOW_MACS_PER_SECOND, 1, limits.slowest_pass)
            if batch_size == 1:
                return
            x, wait = self.batch(1), synchroniser(self._device)
            once = replace(limits, seconds=0, least=1, warm_up_seconds=0)
            self._image_seconds = _timed(lambda: self.model(x), wait, once, lambda share, text: None)[0]
        self._refuse_slow(self._image_seconds * batch_size, batch_size, limits.slowest_pass)

    def _refuse_slow(self, seconds: float, batch_size: int, limit: float) -> None:
        if seconds > limit:
            raise CannotMeasure(
                f"{self.reference} with a batch of {batch_size} would take about {seconds:.0f} s a pass, and "
                f"a pass here may take {limit:g} s; try a smaller batch or image"
            )


def _versions(reference: Reference) -> str:
    libraries = [f"{name} {version(name)}" for name in ("torch", "torchvision", "timm")]
    if reference.builder == "own":
        libraries.append(registry.get(reference.name).fingerprint)
    return " ".join(libraries)


@contextmanager
def bench(
    name: str | Reference, setting: Setting = AS_IT_IS, image_size: int | None = None
) -> Iterator[Bench]:
    """`with bench("timm:resnet50") as on_it:` has this process's measurements to itself until the block ends.

    Raises Busy while another is at it, CannotMeasure, and what tracing, building and loading raise.
    """
    check(setting)
    reference = resolve(name) if isinstance(name, str) else name
    with alone(str(reference)):
        traced = trace(reference, image_size)
        device = torch.device(setting.device)
        held = torch.cuda.memory_allocated(device) if device.type == "cuda" else 0
        with _explained(str(reference)):
            model = build(reference, image_size).requires_grad_(False)
            model.to(device, getattr(torch, setting.precision)).to(memory_format=_format(setting))
        on_it = Bench(reference, traced, model, setting, held)
        if reference.builder in ("local-dir", "folder", "hf-hub"):
            on_it.check_answer()
        yield on_it


@contextmanager
def alone(what: str) -> Iterator[None]:
    """The only measurement in this process. Raises Busy at once where there is one."""
    global _running
    if not _alone.acquire(blocking=False):
        raise Busy(
            f"{_running} is being measured on this machine now, and two at once would slow each other down; "
            "try again in a moment"
        )
    try:
        _running = what
        yield
    finally:
        _alone.release()


def _format(setting: Setting) -> torch.memory_format:
    return torch.channels_last if setting.channels_last else torch.preserve_format


def _timed(
    run: Callable[[], object], wait: Callable[[], None], limits: Limits, progress: Progress
) -> list[float]:
    """Seconds of each pass that counts."""

    def once() -> float:
        wait()
        started = perf_counter()
        run()
        wait()
        return perf_counter() - started

    report = _Reports(progress)
    begun, warm = perf_counter(), 0
    while warm < WARM_UP_PASSES or perf_counter() - begun < limits.warm_up_seconds:
        once()
        warm += 1
        report(0.0, "warming up")
    times: list[float] = []
    begun = perf_counter()
    while len(times) < limits.most:
        times.append(once())
        spent = perf_counter() - begun
        if len(times) >= limits.least and spent >= limits.seconds:
            break
        share = min(len(times) / limits.least, spent / limits.seconds if limits.seconds else 1.0)
        report(max(share, len(times) / limits.most), f"pass {len(times)}")
    return times


class _Reports:
    """Progress now and then, so that reporting does not disturb what is timed."""

    def __init__(self, progress: Progress):
        self._progress, self._last = progress, perf_counter()

    def __call__(self, share: float, text: str) -> None:
        if perf_counter() - self._last >= _PROGRESS_SECONDS:
            self._progress(min(1.0, share), text)
            self._last = perf_counter()


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Full memory, a kernel that is missing in this precision and a missing compiler in one line each."""
    try:
        yield
    except (Busy, CannotMeasure):
        raise
    except Exception as error:
        sentence = told(what, error)
        if not isinstance(sentence, CannotRun):
            raise
        raise CannotMeasure(str(sentence).rstrip(".")) from error
