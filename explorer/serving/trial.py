"""Networks of one's own are tried in a process of their own before the program takes them in.

There each is opened, built, traced and run once, within a bound of time and of memory. What hangs, takes all
memory or crashes is stopped and takes nothing with it; the reader gets one sentence. POSIX bounds the data of
the process and stops what it started as well; elsewhere time alone is bounded. What has passed runs within
the program from then on, and nothing bounds it there.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.networks.own import registry
from explorer.networks.own.registry import Settings

if TYPE_CHECKING:
    from explorer.analysis import Trace
    from explorer.networks import Reference

PATIENCE = 60.0  # seconds a network may take from one step to the next
_MEMORY_SHARE = 0.5
_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_WRITTEN_BYTES = 1 << 28  # into any one file, what it prints included
_READ_BYTES = 1 << 16  # of the end of what it printed
_TOLD = 300  # characters of the last line that a process said before it died


class TrialFailed(ValueError):  # noqa: N818 - it is what a reader is told
    """A network of one's own does not pass; the message is a sentence with what would help."""


@dataclass(frozen=True)
class Asked:
    """A network as its owner named it on the command line, and what he says of it."""

    named: str
    settings: Settings

    def to_json(self) -> dict[str, Any]:
        given = {name: value for name, value in asdict(self.settings).items() if value not in (None, "", {})}
        paths = {name: str(value) for name, value in given.items() if isinstance(value, Path)}
        return {"named": self.named, "settings": given | paths}


def _asked(told: dict[str, Any]) -> Asked:
    given = told["settings"]
    paths = {name: Path(given[name]) for name in ("weights", "labels") if name in given}
    tuples = {name: tuple(given[name]) for name in ("input", "mean", "std") if name in given}
    return Asked(told["named"], Settings(**given | paths | tuples))


@dataclass(frozen=True)
class Passed:
    """What a trial found out: see `networks.own.registry.Registered`."""

    fingerprint: str
    learnt: bool


def register(networks: Sequence[Asked], *, runs: bool, patience: float = PATIENCE) -> list[str]:
    """The references of networks that have passed their trial, "own:NAME", in order.

    runs: whether they will be run with weights, beyond what shapes tell. patience: as for `tried`.
    Raises UnknownNetwork or TrialFailed.
    """
    # What is not there needs no trial.
    opened = [registry.opened(each.named, each.settings) for each in networks]
    meanwhile = threading.Thread(target=import_module, args=("explorer.analysis.graph.tracing",))
    meanwhile.start()  # torch, which this process will need as well
    try:
        passed = tried(networks, runs=runs, patience=patience)
    finally:
        meanwhile.join()
    references = []
    for each, found in zip(opened, passed, strict=True):
        each.check()  # here and now, in this thread: it is imported while nothing else runs
        references.append(registry.register(each, found.fingerprint, learnt=found.learnt))
    return references


def tried(
    networks: Sequence[Asked], *, runs: bool, patience: float = PATIENCE, memory_bytes: int | None = None
) -> list[Passed]:
    """One process for all of them, one after the other. Raises TrialFailed for the first that does not pass.

    memory_bytes: that a network may take, by default half of this machine's.
    """
    order = {"path": sys.path, "runs": runs, "memory_bytes": memory_bytes}
    order["networks"] = [each.to_json() for each in networks]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            start_new_session=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            with suppress(BrokenPipeError):
                process.stdin.write(json.dumps(order))
                process.stdin.close()
            steps, late = _steps(process, patience, len(networks))
        finally:
            _stop(process)
        if steps and "error" in steps[-1]:
            raise TrialFailed(steps[-1]["error"])
        passed = [Passed(**each["passed"]) for each in steps if "passed" in each]
        if len(passed) == len(networks):
            return passed
        said.seek(max(0, said.seek(0, os.SEEK_END) - _READ_BYTES))
        lines = said.read().decode(errors="replace").split("\n")
    name = networks[len(passed)].named
    doing = steps[-1].get("step", "imported") if steps else "imported"
    raise TrialFailed(_stopped(Path(name).name, doing, patience if late else None, process.returncode, lines))


def _steps(
    process: subprocess.Popen[str], patience: float, networks: int
) -> tuple[list[dict[str, Any]], bool]:
    """What the process told, a step a line, until nothing more is to come; whether it was too long at one of
    them, and stopped.
    """
    steps: list[dict[str, Any]] = []
    late = threading.Event()

    def give_up() -> None:
        late.set()
        _stop(process)

    assert process.stdout is not None
    while True:
        # Until its first word it imports what this program is made of.
        timer = threading.Timer(patience if steps else max(patience, PATIENCE), give_up)
        timer.daemon = True
        timer.start()
        line = process.stdout.readline()
        timer.cancel()
        if not line:
            process.wait()
            return steps, late.is_set()
        steps.append(json.loads(line))
        if "error" in steps[-1] or sum("passed" in each for each in steps) == networks:
            return steps, False


def _stop(process: subprocess.Popen[str]) -> None:
    """And with it what it started, where the system knows groups of processes."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    if process.poll() is None:
        process.kill()


def _stopped(name: str, doing: str, patience: float | None, code: int | None, lines: Sequence[str]) -> str:
    if patience is not None:
        helps = {
            "imported": 'what trains or waits belongs below if __name__ == "__main__"',
            "built": "its constructor does not come to an end",
            "traced": "its forward does not come to an end",
            "run": "its forward does not come to an end, or an image this large takes longer here",
        }
        return (
            f"{name} was stopped while it was being {doing}: that took over {patience:g} s; {helps[doing]}, "
            "or give it longer with --patience SECONDS."
        )
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    told = f": {last[:_TOLD].rstrip('.')}" if last else ""
    return f"{name} ended its process while it was being {doing} (exit code {code}){told}."


def main() -> None:
    """In the process of its own: the order comes in as JSON, a line of JSON goes out at each step."""
    told = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the networks print is no answer

    def tell(**step: Any) -> None:
        told.write(json.dumps(step) + "\n")
        told.flush()

    _end_with_parent()
    order = json.loads(sys.stdin.read())
    sys.path[:] = order["path"]
    _bound(order["memory_bytes"])
    try:
        for each in map(_asked, order["networks"]):
            tell(passed=asdict(_try(each, order["runs"], lambda step: tell(step=step))))
    except BaseException as error:
        tell(error=_sentence(Path(each.named).name, error))
    told.flush()
    os._exit(0)  # whatever threads it started


def _end_with_parent() -> None:
    """Who is killed can stop nobody: on Linux the system then ends this process, whatever it is doing."""
    import ctypes

    with suppress(OSError, TypeError, AttributeError):  # another system
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _bound(stated: int | None) -> None:
    """As many bytes of data as are stated beyond what this process has, half of the machine's by default; and
    the size of what it writes.

    torch is in by now: what it reserves is no matter of the network's.
    """
    import torch  # noqa: F401

    from explorer.networks.building import memory_bytes

    more = stated if stated is not None else int(_MEMORY_SHARE * memory_bytes())
    with suppress(ImportError, OSError, ValueError, AttributeError):  # not a POSIX system, or not this bound
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[5])
        limit = pages * resource.getpagesize() + more
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        resource.setrlimit(resource.RLIMIT_FSIZE, (_WRITTEN_BYTES, _WRITTEN_BYTES))


def _try(asked: Asked, runs: bool, begins: Callable[[str], None]) -> Passed:
    from explorer.analysis.graph.tracing import ImageSizeError, trace
    from explorer.networks import build, resolve

    begins("imported")
    network = registry.opened(asked.named, asked.settings)
    network.check()
    reference = resolve(registry.register(network, "", learnt=network.learnt))
    has_module = not hasattr(network, "graph")
    if has_module:
        begins("built")
        build(reference, device="meta")
    begins("traced")
    try:
        traced = trace(reference)
    except ImageSizeError as refused:
        if asked.settings.input is not None:
            raise
        given = "x".join(map(str, network.input_spec().shape))
        raise TrialFailed(f"{refused} It was given {given}; say with --input what it takes.") from refused
    check_gives_one_answer(traced, network.shown)
    learnt = network.learnt
    if runs and has_module:
        begins("run")
        learnt = _run(reference, network)
    return Passed(_fingerprint(traced), learnt)


def check_gives_one_answer(traced: Trace, shown: str) -> None:
    """Raises TrialFailed where it answers with several tensors, with none, or whatever the image."""
    answers = traced.ops[-1].attributes.get("tensors", 1)
    if answers != 1:
        raise TrialFailed(
            f"{shown} answers with {answers} tensors; wrap it in a module whose forward returns the one to "
            "look at."
        )
    live = {op.id for op in traced.ops if not op.static}
    if live.isdisjoint(traced.ops[-1].inputs):
        raise TrialFailed(f"{shown} does not look at the image: its answer is made of its weights alone.")


def _run(reference: Reference, network: registry.Own) -> bool:
    """Once with its weights; whether these are more than a fresh draw, of which no two are alike.

    What is too large for weights here is looked at without.
    """
    import torch

    from explorer.networks import CannotBuild, build, check_budget, load
    from explorer.networks.running import told

    try:
        check_budget(reference)
    except CannotBuild:
        return network.learnt
    loaded = load(str(reference) if network.learnt else f"random:{reference}")
    try:
        with torch.inference_mode():
            loaded.model(torch.zeros(1, *loaded.input.shape))
    except Exception as error:
        raise told(str(reference), error) from error
    if network.learnt or not list(loaded.model.parameters()):
        return network.learnt
    again = build(reference, seed=1).state_dict()
    return all(torch.equal(value, again[name]) for name, value in loaded.model.state_dict().items())


def _fingerprint(traced: Trace) -> str:
    import hashlib

    from explorer.analysis.graph.operations import to_json

    return hashlib.sha256(json.dumps(to_json(traced), default=vars).encode()).hexdigest()[:16]


def _sentence(name: str, error: BaseException) -> str:
    from explorer.networks.entries import first_sentence
    from explorer.networks.running import out_of_memory

    causes = [error]
    while (cause := causes[-1].__cause__) is not None:
        causes.append(cause)
    if any(map(out_of_memory, causes)):
        return (
            f"{name} was stopped: it takes more memory than it is given here, half of this machine's; make "
            "its layers smaller, or --input."
        )
    # This module is "__main__" in the process of the trial.
    if isinstance(error, TrialFailed) or type(error).__module__.startswith("explorer."):
        return str(error)
    return f"{name} cannot be used: {type(error).__name__}: {first_sentence(error)}."


if __name__ == "__main__":
    main()
