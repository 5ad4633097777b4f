"""Mutation run over the core: does a test fail when the code is changed?

python benchmarks/mutation.py [MODULE ...] [--sample N] [--seed N] [--only LINE] [--json FILE]

One change at a time (a comparison, an arithmetic or boolean operator, a number, a condition, a returned
value, two arguments swapped), drawn evenly and with a fixed seed from all that a module allows, and the tests
that mirror the module run against it until the first failure. A change that no test notices survives and is
printed with its line. Exit code 1 where fewer than 90 % are killed.

torch, timm and pytest are imported once. Every mutant runs in a fork, whose import of the module gets the
changed source: nothing is written into the working tree, and nothing mutated reaches the cache of traces.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib.abc
import importlib.util
import json
import os
import random
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

# Module -> the tests that mirror it, the quickest to notice first.
TARGETS: Mapping[str, tuple[str, ...]] = {
    "analysis/costs": ("analysis/test_costs.py",),
    "analysis/einsum": ("analysis/test_costs.py", "analysis/test_receptive_field.py"),
    "analysis/skips": ("analysis/test_skips.py",),
    "analysis/folding": ("analysis/test_folding.py", "analysis/test_hierarchy.py"),
    "analysis/layout": ("analysis/test_receptive_field.py",),
    "analysis/field_mixing": ("analysis/test_receptive_field.py",),
    "analysis/field_views": ("analysis/test_receptive_field.py",),
    "analysis/field_operands": ("analysis/test_receptive_field.py",),
    "analysis/receptive_field": ("analysis/test_receptive_field.py",),
    "inference/explaining": ("inference/test_explaining.py",),
    "inference/images": ("inference/test_images.py",),
    "serving/pool": ("serving/test_pool.py",),
}
ENOUGH = 0.9
_SECONDS = 300  # of processor time for a mutant: one that hangs is noticed

_COMPARED: Mapping[type, type] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_COMPUTED: Mapping[type, type] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr, ast.Pow: ast.Mult,
}  # fmt: skip
_CALLED = {"min": "max", "max": "min", "any": "all", "all": "any", "floor": "ceil", "ceil": "floor"}


@dataclass(frozen=True)
class Mutant:
    """A module with one change. line: where; what: the change in words; source: the whole module."""

    module: str
    line: int
    what: str
    source: str


def _changes(node: ast.AST) -> Iterator[tuple[str, Callable[[ast.AST], ast.AST | None]]]:
    """What can be changed at a node: words, and the change of a copy; None where the copy was changed."""

    def setting(**fields: object) -> Callable[[ast.AST], None]:
        return lambda copied: [setattr(copied, name, value) for name, value in fields.items()] and None

    match node:
        case ast.Compare(ops=[kind]) if type(kind) in _COMPARED:
            other = _COMPARED[type(kind)]
            yield f"{type(kind).__name__} -> {other.__name__}", setting(ops=[other()])
        case ast.BinOp(op=kind) | ast.AugAssign(op=kind) if type(kind) in _COMPUTED:
            other = _COMPUTED[type(kind)]
            yield f"{type(kind).__name__} -> {other.__name__}", setting(op=other())
        case ast.BoolOp(op=kind):
            other = ast.Or if isinstance(kind, ast.And) else ast.And
            yield f"{type(kind).__name__} -> {other.__name__}", setting(op=other())
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield f"{type(node.op).__name__} dropped", lambda copied: copied.operand  # type: ignore[attr-defined]
        case ast.Constant(value=bool()):
            yield f"{node.value} -> {not node.value}", setting(value=not node.value)
        case ast.Constant(value=int() | float()):
            yield f"{node.value} -> {node.value + 1}", setting(value=node.value + 1)
        case ast.If() | ast.IfExp() | ast.While():
            yield (
                "condition turned",
                lambda copied: setattr(  # type: ignore[func-returns-value]
                    copied,
                    "test",
                    ast.UnaryOp(ast.Not(), copied.test),  # type: ignore[attr-defined]
                ),
            )
        case ast.Return(value=ast.expr()) if not isinstance(node.value, ast.Constant):
            yield "returns None", setting(value=ast.Constant(None))
        case ast.Call(func=ast.Name(id=name)) if name in _CALLED:
            yield f"{name} -> {_CALLED[name]}", setting(func=ast.Name(_CALLED[name], ast.Load()))
        case ast.Call(args=[one, two, *rest]) if not {type(one), type(two)} & {ast.Starred, ast.Constant}:
            if ast.dump(one) != ast.dump(two):
                yield "first two arguments swapped", setting(args=[two, one, *rest])


def mutants(module: str, source: str, sample: int, seed: int, only: int | None) -> list[Mutant]:
    """Changes of the module, `sample` of them in the order of its lines; annotations are left alone.

    only: a line, for its changes alone.
    """
    tree = ast.parse(source)
    found = [(node, what, change) for node in _code(tree) for what, change in _changes(node)]
    found = [each for each in found if only is None or each[0].lineno == only]
    drawn = random.Random(seed).sample(found, min(sample, len(found)))
    made = []
    for node, what, change in sorted(drawn, key=lambda each: each[0].lineno):
        changed = copy.deepcopy(node)
        changed = change(changed) or changed
        mutated = ast.fix_missing_locations(_Replaced(node, changed).visit(tree))
        made.append(Mutant(module, node.lineno, what, ast.unparse(mutated)))
        _Replaced(changed, node).visit(tree)
    return made


class _Replaced(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self.new if node is self.old else self.generic_visit(node)


def _code(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _code(child)


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives the changed source to whoever imports the module first."""

    def __init__(self, mutant: Mutant) -> None:
        self.name = f"explorer.{mutant.module.replace('/', '.')}"
        self.source = mutant.source

    def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
        if name != self.name:
            return None
        file = ROOT / f"{name.replace('.', '/')}.py"
        return importlib.util.spec_from_file_location(name, file, loader=self)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.source, str(module.__file__), "exec"), module.__dict__)


def _passes(tests: Sequence[str], mutant: Mutant | None, cache: str) -> int:
    """In a fork: pytest's exit code, or minus the signal that ended it."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS + 10))
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    os.environ["EXPLORER_CACHE"] = cache
    if mutant is not None:
        sys.meta_path.insert(0, _Changed(mutant))
    import pytest

    files = [str(ROOT / "tests" / test) for test in tests]
    os._exit(int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "--rootdir", str(ROOT), *files])))


def run(module: str, sample: int, seed: int, only: int | None) -> list[tuple[Mutant, str]]:
    """Each mutant drawn, and what became of it: "killed", "timeout" or "survived"."""
    tests = TARGETS[module]
    source = (ROOT / f"explorer/{module}.py").read_text("utf-8")
    drawn = mutants(module, source, sample, seed, only)
    with tempfile.TemporaryDirectory() as cache:
        if code := _passes(tests, None, cache):
            raise SystemExit(f"{module}: its tests fail (pytest's code {code}) before anything is changed")
    results = []
    for mutant in drawn:
        begun = time.monotonic()
        with tempfile.TemporaryDirectory() as cache:
            code = _passes(tests, mutant, cache)
        fate = "timeout" if code < 0 else "killed" if code else "survived"
        results.append((mutant, fate))
        print(
            f"{fate:<9} {module}:{mutant.line} {mutant.what} ({time.monotonic() - begun:.0f} s)", flush=True
        )
    return results


def _import_once() -> None:
    """What takes long and is not under test."""
    os.environ["OMP_NUM_THREADS"] = "1"  # a fork inherits no pool of threads
    import hypothesis  # noqa: F401
    import pytest  # noqa: F401
    import timm  # noqa: F401
    import torch
    import torchvision  # noqa: F401

    torch.set_num_threads(1)
    with torch.no_grad():
        torch.export.export(torch.nn.Linear(2, 2).to("meta"), (torch.empty(1, 2, device="meta"),))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=f"of {', '.join(TARGETS)}; default: all")
    parser.add_argument("--sample", type=int, default=50, help="mutants a module; default: 50")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, metavar="LINE", help="mutants of this line alone")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where every mutant's fate goes")
    arguments = parser.parse_args()
    if unknown := [each for each in arguments.modules if each not in TARGETS]:
        parser.error(f"{unknown[0]!r} is none of {', '.join(TARGETS)}")
    _import_once()
    everything: list[tuple[Mutant, str]] = []
    for module in arguments.modules or TARGETS:
        found = run(module, arguments.sample, arguments.seed, arguments.only)
        killed = sum(fate != "survived" for _, fate in found)
        print(f"{module}: {killed} of {len(found)} killed", flush=True)
        everything += found
    killed = sum(fate != "survived" for _, fate in everything)
    print(f"{killed} of {len(everything)} killed, {killed / max(1, len(everything)):.0%}")
    if arguments.json:
        rows = [{**asdict(mutant), "source": None, "fate": fate} for mutant, fate in everything]
        arguments.json.write_text(json.dumps(rows, indent=1), "utf-8")
    return 0 if killed >= ENOUGH * len(everything) else 1


if __name__ == "__main__":
    sys.exit(main())
