"""The warm-up imports in the background, once, and freezes what it imported."""

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def run(program: str) -> str:
    """In a process of its own: imports and `gc.freeze` last as long as the process."""
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    return finished.stdout.strip()


def test_serving_and_inference_do_not_import_torch_until_they_need_it():
    program = (
        "import sys; import explorer.serving.warmup, explorer.inference as i; "
        "i.decode(i.SAMPLES['chelsea'].load()); print('torch' in sys.modules)"
    )
    assert run(program) == "False"


@pytest.mark.parametrize(
    ("cores", "stated", "threads"), [(2, None, 1), (8, None, 4), (1, None, 1), (8, 3, 3)]
)
def test_a_network_takes_half_of_the_cores_unless_the_host_says_otherwise(cores, stated, threads):
    program = f"""
import os
os.environ.pop("OMP_NUM_THREADS", None)
if {stated}:
    os.environ["OMP_NUM_THREADS"] = "{stated}"
os.cpu_count = lambda: {cores}
from explorer.serving import warmup
warmup.leave_cores_free()
print(os.environ["OMP_NUM_THREADS"])
"""
    assert run(program) == str(threads)


def test_the_app_leaves_cores_free_before_torch_is_there():
    program = """
import os
os.environ.pop("OMP_NUM_THREADS", None)
os.cpu_count = lambda: 2
from streamlit.testing.v1 import AppTest
AppTest.from_file("app.py").run(timeout=120)
import torch
print(torch.get_num_threads())
"""
    assert run(program).splitlines()[-1] == "1"


def test_the_warm_up_waits_then_imports_then_freezes():
    program = """
import gc, sys, time
from explorer.serving import warmup
started = time.perf_counter()
thread = warmup.start(delay_seconds=0.3, modules=("wave", "xml.dom.minidom"))
print(time.perf_counter() - started < 0.2, "wave" in sys.modules, gc.get_freeze_count())
assert warmup.start() is thread  # a second call changes nothing
thread.join(20)
print("wave" in sys.modules, "torch" in sys.modules, gc.get_freeze_count() > 1000)
"""
    assert run(program).splitlines() == ["True False 0", "True False True"]


def test_the_default_list_leaves_nothing_heavy_for_a_page():
    program = """
import sys
from explorer.serving import warmup
warmup.start().join(120)
before = set(sys.modules)
from explorer.inference import explain
from explorer.networks import load
print(sorted(name for name in set(sys.modules) - before if name.startswith(("torch", "timm"))))
"""
    assert run(program) == "[]"
