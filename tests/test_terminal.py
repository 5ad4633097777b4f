"""Ctrl-C, closed pipes, poor encodings and full disks at the edge of every command line."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from explorer import terminal

REPOSITORY = Path(__file__).resolve().parent.parent
# Ctrl-C once the command has begun its work, at a place that every command passes.
_STOPPED = """
import os, signal, sys
{first}
def interrupt(*_, **__):
    os.kill(os.getpid(), signal.SIGINT)
    raise SystemExit("not interrupted")
{place} = interrupt
sys.argv = {words!r}
import runpy
runpy.run_module({module!r}, run_name="__main__", alter_sys=True)
"""


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        capture_output=True,
        encoding=environment.get("PYTHONIOENCODING", "utf-8").partition(":")[0],
        timeout=120,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


@pytest.mark.parametrize(
    ("module", "words", "first", "place"),
    [
        ("explorer", ["stats", "resnet50"], "import explorer.analysis", "explorer.analysis.stats"),
        (
            "explorer",
            ["claims", "001-dense-78"],
            "import explorer.labs.claims.checking",
            "explorer.labs.claims.checking.check",
        ),
        ("explorer", ["list"], "import explorer.catalogue", "explorer.catalogue.architectures"),
        (
            "explorer.training",
            ["evaluate", "resnet20", "--data", "x"],
            "import explorer.training.data",
            "explorer.training.data.load",
        ),
        (
            "explorer",
            ["count", "README.md"],  # a file that there is; it is never read
            "import explorer.analysis.numbers.counting, pathlib",
            "pathlib.Path.read_bytes",
        ),
    ],
)
def test_ctrl_c_is_one_line_in_every_command(module: str, words: list[str], first: str, place: str):
    done = python(_STOPPED.format(first=first, place=place, words=["x", *words], module=module))
    assert done.returncode == 130
    assert done.stderr.count("\n") == 1
    assert done.stderr.endswith(": interrupted\n")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "cp437"])
def test_a_stream_of_any_encoding_takes_every_text(encoding: str):
    code = (
        "import sys; from explorer import terminal\n"
        "sys.exit(terminal.run('t', lambda: print('7×7 – é 图 \\udcff')))"
    )
    done = python(code, PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\u56fe \\udcff" in done.stdout


def test_in_ascii_a_number_stays_readable():
    code = "from explorer import terminal; terminal.run('t', lambda: print('7×7 – é ≤ 3'))"
    assert python(code, PYTHONIOENCODING="ascii").stdout == "7x7 - e <= 3\n"


def test_a_message_can_be_said_in_any_encoding():
    code = (
        "import sys; from explorer import terminal\n"
        "def fail(): raise ValueError('7×7\\nis too\\nsmall')\n"
        "sys.exit(terminal.run('t', fail))"
    )
    done = python(code, PYTHONIOENCODING="ascii:strict")
    assert (done.returncode, done.stderr) == (terminal.MISUSE, "t: 7x7 is too small\n")


def test_a_reader_that_has_seen_enough_is_no_failure():
    code = "from explorer.__main__ import main; raise SystemExit(main(['list', '--json']))"
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.readline()
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_to_a_full_disk_is_one_line():
    code = "from explorer.__main__ import main; raise SystemExit(main(['list']))"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=REPOSITORY,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == terminal.MISUSE
    assert done.stderr == "explorer: the output cannot be written: No space left on device\n"


def test_an_error_that_an_interruption_was_turned_into_is_the_interruption():
    code = (
        "import os, signal, sys; from explorer import terminal\n"
        "def work():\n"
        "    try: os.kill(os.getpid(), signal.SIGINT); import time; time.sleep(9)\n"
        "    except BaseException: raise ImportError('cannot load module more than once per process')\n"
        "sys.exit(terminal.run('t', work))"
    )
    done = python(code)
    assert (done.returncode, done.stderr) == (terminal.INTERRUPTED, "t: interrupted\n")
