"""Networks of one's own are tried in a process of their own: what passes, and what is stopped."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from explorer import __main__ as command_line
from explorer.analysis import stats_of, trace_module
from explorer.networks import UnknownNetwork, resolve, weights_of
from explorer.networks.own.registry import Settings
from explorer.serving import trial
from explorer.serving.trial import Asked, TrialFailed
from explorer.terminal import MISUSE
from explorer.ui import own_networks

CODE = """
import os
import torch
from torch import nn

print("said while it is imported")

class Net(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.layer = nn.Conv2d(3, width, 3)

    def forward(self, x):
        return self.layer(x).mean((2, 3))

trained = Net()

class Grey(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(1, 4, 3))

class Forever(Net):
    def forward(self, x):
        while True:
            pass

class Everything(Net):
    def forward(self, x):
        kept = []
        while True:
            kept.append(torch.ones(2**24))

class Crash(Net):
    def forward(self, x):
        print("the last word")
        os._exit(3)

class Endless(Net):
    def forward(self, x):
        while True:
            print("on and on" * 10**6)

class Two(Net):
    def forward(self, x):
        return x, self.layer(x)
"""
SMALL = Settings(input=(3, 16, 16))


pytestmark = pytest.mark.usefixtures("no_own_networks")


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """Of a file that leaves a thread behind, which never ends."""
    file = tmp_path / "net.py"
    file.write_text(CODE + "import threading\nthreading.Thread(target=threading.Event().wait).start()\n")
    return file


def tried(file: Path, name: str, **bounds: float) -> trial.Passed:
    asked = Asked(f"{file}:{name}", SMALL)
    (passed,) = trial.tried([asked], runs=True, **{"patience": 30.0} | bounds)
    return passed


def test_what_runs_passes_and_a_fresh_draw_is_told_from_what_is_learnt(code: Path) -> None:
    fresh, made, wide = trial.tried(
        [
            Asked(f"{code}:Net", SMALL),
            Asked(f"{code}:trained", SMALL),
            Asked(f"{code}:Net", Settings(input=(3, 16, 16), arguments={"width": 8})),
        ],
        runs=True,
    )
    assert (fresh.learnt, made.learnt, wide.learnt) == (False, True, False)
    assert fresh.fingerprint != wide.fingerprint


def test_one_that_does_not_end_is_stopped(code: Path) -> None:
    with pytest.raises(
        TrialFailed, match=r"Forever was stopped while it was being traced: .* over 2 s; its forward"
    ):
        tried(code, "Forever", patience=2)


PARENT = """
import subprocess, sys, time
trial = subprocess.Popen([sys.executable, "-m", "explorer.serving.trial"], stdout=subprocess.DEVNULL)
print(trial.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_a_trial_ends_with_the_program_that_asked_for_it() -> None:
    order, held = os.pipe()  # held here: the trial waits for its order for ever
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=order, stdout=subprocess.PIPE, text=True
    ) as parent:
        os.close(order)
        assert parent.stdout is not None
        child = Path(f"/proc/{parent.stdout.readline().strip()}")
        while "libffi" not in (child / "maps").read_text():  # ctypes is there: it has asked the system
            time.sleep(0.05)
        time.sleep(0.2)
        parent.kill()
    until = time.monotonic() + 30
    while child.exists() and "State:\tZ" not in (child / "status").read_text() and time.monotonic() < until:
        time.sleep(0.05)
    alive = child.exists() and "State:\tZ" not in (child / "status").read_text()
    os.close(held)
    assert not alive


@pytest.mark.skipif(sys.platform != "linux", reason="bounds on what a process writes are POSIX's")
def test_one_that_prints_without_end_fills_no_disk(code: Path) -> None:
    with pytest.raises(TrialFailed, match=r"Endless .*File too large"):
        tried(code, "Endless")


@pytest.mark.skipif(sys.platform != "linux", reason="bounds on a process's data are Linux's")
def test_one_that_takes_all_memory_is_stopped(code: Path) -> None:
    with pytest.raises(TrialFailed, match="Everything was stopped: it takes more memory"):
        tried(code, "Everything", memory_bytes=1 << 29)


def test_one_that_ends_its_process_ends_no_other(code: Path) -> None:
    with pytest.raises(
        TrialFailed, match=r"Crash ended its process .* traced \(exit code 3\): the last word\."
    ):
        tried(code, "Crash")


def test_who_says_nothing_of_the_input_is_told_how_to(tmp_path: Path) -> None:
    code = tmp_path / "net.py"
    code.write_text(CODE)
    with pytest.raises(TrialFailed, match=r"It was given 3x224x224; say with --input what"):
        trial._try(Asked(f"{code}:Grey", Settings()), False, lambda step: None)


def test_several_answers_are_refused(tmp_path: Path) -> None:
    code = tmp_path / "net.py"
    code.write_text(CODE)
    with pytest.raises(TrialFailed, match=r"net\.py:Two answers with 2 tensors; wrap it"):
        trial._try(Asked(f"{code}:Two", SMALL), False, lambda step: None)


@pytest.mark.parametrize("answer", [lambda p: p, lambda p: p * 2])
def test_an_answer_that_ignores_the_image_is_refused(answer: Callable[[Tensor], Tensor]) -> None:
    class Blind(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.p = nn.Parameter(torch.zeros(1, 5))

        def forward(self, x: Tensor) -> Tensor:
            return answer(self.p)

    traced = trace_module(Blind(), (1, 3, 8, 8), "blind")
    with pytest.raises(TrialFailed, match="does not look at the image"):
        trial.check_gives_one_answer(traced, "blind")
    assert stats_of(traced).params == 5


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (UnknownNetwork("A sentence of ours."), "A sentence of ours."),
        (TrialFailed("Another."), "Another."),
        (RecursionError("too deep"), "net.py:Net cannot be used: RecursionError: too deep."),
        (ValueError("odd\nand more"), "net.py:Net cannot be used: ValueError: odd."),
    ],
)
def test_what_a_stranger_raises_is_said_of_the_network(error: Exception, says: str) -> None:
    assert trial._sentence("net.py:Net", error) == says


def test_the_command_line_registers_what_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "net_for_the_command_line.py"
    file.write_text(CODE)
    monkeypatch.chdir(tmp_path)
    assert command_line.main(["stats", f"{file.name}:Net", "--input", "3x16x16", "--json"]) == 0
    out, err = capsys.readouterr()
    assert "said while it is imported" in err  # and not beside the JSON
    found = json.loads(out)
    assert (found["model"], found["params"], found["input_size"]) == ("own:Net", 112, [3, 16, 16])
    assert resolve("own:Net").reason == "yours, net_for_the_command_line.py:Net"
    assert weights_of("own:Net") == ()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["net.py:Net"], "net.py is no file"),
        (["net.py"], "Write net.py:NAME"),
        (["resnet50", "--input", "3x16x16"], "--input belongs to a network of one's own"),
        (["net.py:Net", "--input", "16"], "--input '16': it takes three whole numbers"),
        (["net.py:Net", "--std", "1,0,1"], "--std '1,0,1': it takes numbers above 0"),
        (["net.py:Net", "--weights", "w.pth"], "--weights 'w.pth': it takes the path of a file"),
        (["net.py:Net", "--arguments", "[1]"], "--arguments '[1]': it takes a table in JSON"),
        (["net.py:Net", "--crop", "x"], "--crop 'x': it takes one of center"),
    ],
)
def test_what_cannot_be_understood_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command_line.main(["stats", *words]) == MISUSE
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1


@pytest.mark.parametrize("command", ["app", "stats", "diagram", "explain", "benchmark"])
def test_a_hosted_explorer_opens_none(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "net.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EXPLORER_HOSTED", "1")
    more = {"explain": ["x.jpg", "--out", "answer", "--model"]}.get(command, [])
    assert command_line.main([command, *more, "net.py:Net"]) == MISUSE
    assert "A hosted explorer (EXPLORER_HOSTED) opens nobody's own networks" in capsys.readouterr().err


def test_options_belong_to_the_network_before_them(tmp_path: Path) -> None:
    (tmp_path / "w.pth").touch()
    weights = str(tmp_path / "w.pth")
    words = ["--mean", "0.5", "a.py:A", "--input", "1x28x28", "resnet50", "b.py:B", "--weights", weights]
    rest, asked = own_networks.taken_out(["benchmark", *words, "--batch-size", "1", "8"])
    assert rest == ["benchmark", "own:0", "resnet50", "own:1", "--batch-size", "1", "8"]
    first, second = asked
    assert (first.named, first.settings) == ("a.py:A", Settings(input=(1, 28, 28), mean=(0.5,)))
    assert (second.named, second.settings) == ("b.py:B", Settings(weights=Path(weights)))


@pytest.mark.parametrize(
    "words",
    [
        ["explain", "x.jpg", "--weights", "timm:resnet50.a1_in1k", "--out", "y"],
        ["explain", "x.jpg", "--weights", "box:tf_efficientnet_lite2", "--out", "y"],
        ["explain", "picture.py", "--out", "answer.py:x", "--model", "resnet50"],
        ["stats", "torchvision:resnet50"],
        ["stats", "hf-hub:timm/resnet50"],
        ["benchmark", "resnet50", "--device", "cuda:1"],
    ],
)
def test_names_of_known_networks_are_left_as_they_are(words: list[str]) -> None:
    assert own_networks.taken_out(words) == (words, [])


@pytest.mark.parametrize(
    "words",
    [
        *(["stats", "resnet50", "--patience", text] for text in ("0", "-1", "nan", "inf", "1e300", "long")),
        *([command, "--port", text] for command in ("app", "gradio") for text in ("-1", "99999", "x")),
    ],
)
def test_times_and_ports_out_of_range_are_one_line(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        command_line.main(words)
    assert ended.value.code == MISUSE
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "is no time in seconds" in line or "is no port" in line
