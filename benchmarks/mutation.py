"""Mutation run over the core: does a test fail when the code is changed?

python benchmarks/mutation.py [MODULE ...] [--sample N] [--seed N] [--only LINE] [--tests EXPRESSION]
                             [--table FILE]

One change at a time (a comparison, an arithmetic or boolean operator, a number, a condition, a returned
value, two arguments swapped), drawn evenly and with a fixed seed from all that a module allows, and the tests
that mirror the module run against it until the first failure: first those that go through the changed
statement, the quickest first. A change that no test notices survives and is printed with its line;
`mutation_survivors.toml` says of those that may why. Exit code 1 where fewer than 90 % are killed.

torch, timm and pytest are imported once. Every mutant runs in a fork, whose import of the module gets the
changed source: nothing is written into the working tree. A fork carries over one thread only, so this program
has only one; those that a test starts end with the fork. A test that takes many times as long as before is
ended as hung, whatever it waits for. Traces are kept from mutant to mutant unless the module makes them.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import copy
import gc
import importlib.abc
import importlib.util
import os
import pickle
import random
import resource
import shlex
import signal
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported: a fork inherits no pool of threads
os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # loading them takes longer than most tests here

_PICTURES = (
    "inference/test_images.py",
    "inference/test_picture_colours.py",
    "inference/test_picture_modes.py",
    "inference/test_picture_structure.py",
)
# Module -> the tests that mirror it.
TARGETS: Mapping[str, tuple[str, ...]] = {
    "analysis/graph/costs": ("analysis/graph/test_costs.py",),
    "analysis/graph/einsum": ("analysis/graph/test_costs.py", "analysis/field/test_propagation.py"),
    "analysis/structure/skips": ("analysis/structure/test_skips.py",),
    "analysis/structure/folding": ("analysis/structure/test_folding.py",),
    "analysis/field/dimensions": ("analysis/field/test_propagation.py",),
    "analysis/field/rules": ("analysis/field/test_propagation.py",),
    "analysis/field/mixing": ("analysis/field/test_propagation.py",),
    "analysis/field/views": ("analysis/field/test_propagation.py",),
    "analysis/field/operands": ("analysis/field/test_propagation.py",),
    "analysis/field/propagation": ("analysis/field/test_propagation.py",),
    "inference/explaining": ("inference/test_explaining.py",),
    "inference/images": _PICTURES,
    **{
        f"inference/pictures/{file.stem}": _PICTURES
        for file in sorted((ROOT / "explorer/inference/pictures").glob("[a-z]*.py"))
    },
    "serving/pool": ("serving/test_pool.py",),
}
ENOUGH = 0.9
# What they change lies in the cache of traces.
_MAKERS_OF_TRACES = ("analysis/graph/costs", "analysis/graph/einsum")
_MEMORY = 8 << 30  # for a mutant: one that grows without end is noticed
_PATIENCE = 40, 10  # seconds, and times what a test took before: then it hangs
# By the exit code of pytest (1: a test failed, 2: the tests could not be imported) or the signal.
_FATES = {0: "survived", 1: "killed", 2: "killed", -signal.SIGALRM: "hung"}
_REASONS = Path(__file__).with_name("mutation_survivors.toml")

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
    """A module with one change. line, text: where; what: the change in words; statement: the line where the
    innermost statement around it begins; source: the whole module."""

    module: str
    line: int
    text: str
    what: str
    statement: int
    source: str


@dataclass(frozen=True)
class Usual:
    """A test before anything is changed: how long it takes, and the statements it goes through, by module and
    line."""

    seconds: float
    statements: frozenset[tuple[str, int]]


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


def mutants(module: str, source: str, sample: int, seed: int, only: int | None) -> tuple[list[Mutant], int]:
    """Changes of the module, `sample` of them in the order of its lines, and how many there are; annotations
    are left alone. A larger sample of the same seed holds the smaller one.

    only: a line, for its changes alone.
    """
    tree = ast.parse(source)
    lines = source.splitlines()
    found = [(node, at, *change) for node, at in _code(tree) for change in _changes(node)]
    found = [each for each in found if only is None or each[0].lineno == only]
    random.Random(seed).shuffle(found)
    made = []
    for node, at, what, change in sorted(found[:sample], key=lambda each: each[0].lineno):
        changed = copy.deepcopy(node)
        changed = change(changed) or changed
        mutated = ast.fix_missing_locations(_Replaced(node, changed).visit(tree))
        text = lines[node.lineno - 1].strip()
        made.append(Mutant(module, node.lineno, text, what, at, ast.unparse(mutated)))
        _Replaced(changed, node).visit(tree)
    return made, len(found)


class _Replaced(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self.new if node is self.old else self.generic_visit(node)


def _code(node: ast.AST, statement: int = 0) -> Iterator[tuple[ast.AST, int]]:
    """All nodes, each with the line of the innermost statement around it."""
    statement = node.lineno if isinstance(node, ast.stmt) else statement
    yield node, statement
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _code(child, statement)


def _watched(module: str, source: str) -> str:
    """The source with a call of `__passed__((module, line))` before every statement inside a function."""
    tree = ast.parse(source)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    for node in {inner for function in functions for inner in ast.walk(function)}:
        for block in ("body", "orelse", "finalbody"):
            statements = getattr(node, block, None)
            if isinstance(statements, list):
                marks = (ast.parse(f"__passed__({(module, each.lineno)!r})").body[0] for each in statements)
                setattr(node, block, [each for pair in zip(marks, statements, strict=True) for each in pair])
    return ast.unparse(ast.fix_missing_locations(tree))


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives the changed sources, by module, to whoever imports one first."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self.sources = {f"explorer.{module.replace('/', '.')}": text for module, text in sources.items()}

    def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
        if name not in self.sources:
            return None
        file = ROOT / f"{name.replace('.', '/')}.py"
        return importlib.util.spec_from_file_location(name, file, loader=self)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.sources[module.__name__], str(module.__file__), "exec"), module.__dict__)


class _Watch:
    """Plugin of the run before anything is changed: writes down what is usual of each test."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.passed: set[tuple[str, int]] = set()
        self.usual: dict[str, Usual] = {}
        builtins.__passed__ = self.passed.add  # type: ignore[attr-defined]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.passed.clear()
        begun = time.monotonic()
        result = yield
        self.usual[item.nodeid] = Usual(time.monotonic() - begun, frozenset(self.passed))
        return result

    def pytest_sessionfinish(self) -> None:
        self.file.write_bytes(pickle.dumps(self.usual))


class _Hunt:
    """Plugin of a mutant's run: the tests that go through the changed statement first, the quickest of them
    before the others; one that hangs ends the process, threads and all."""

    def __init__(self, usual: Mapping[str, Usual], mutant: Mutant) -> None:
        self.usual = usual
        self.changed = mutant.module, mutant.statement

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: self._urgency(self.usual[item.nodeid]))

    def _urgency(self, usual: Usual) -> tuple[bool, float]:
        return self.changed not in usual.statements, usual.seconds

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        least, times = _PATIENCE
        signal.alarm(int(least + times * self.usual[item.nodeid].seconds))


def _tested(
    tests: Collection[str], chosen: str, sources: Mapping[str, str], plugin: object, cache: str
) -> int:
    """In a fork, the chosen of these tests against changed sources: pytest's exit code, or minus the signal
    that ended it."""
    if (threads := len(os.listdir("/proc/self/task"))) > 1:
        raise SystemExit(f"{threads} threads run here, and a fork would carry over one of them")
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    gc.freeze()  # what was imported before need not be looked through again
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    os.environ["EXPLORER_CACHE"] = cache
    sys.meta_path.insert(0, _Changed(sources))
    files = [str(ROOT / "tests" / test) for test in tests]
    options = ["-x", "-q", "-k", chosen, "-p", "no:cacheprovider", "--rootdir", str(ROOT)]
    os._exit(int(pytest.main([*options, *files], plugins=[plugin])))


def usual_of(modules: Collection[str], chosen: str, cache: str) -> Mapping[str, Usual]:
    """Of every chosen test of these modules, by its id; the traces they make go into the cache."""
    tests = dict.fromkeys(test for module in modules for test in TARGETS[module])
    file = Path(cache) / "usual"
    if code := _tested(tests, chosen, {m: _watched(m, _source(m)) for m in modules}, _Watch(file), cache):
        raise SystemExit(f"{', '.join(tests)} fail (pytest's code {code}) before anything is changed")
    return pickle.loads(file.read_bytes())


def _source(module: str) -> str:
    return (ROOT / f"explorer/{module}.py").read_text("utf-8")


def fate(mutant: Mutant, chosen: str, usual: Mapping[str, Usual], cache: str) -> str:
    """ "killed", "hung", "crashed" or "survived"."""
    with tempfile.TemporaryDirectory() as fresh:
        code = _tested(
            TARGETS[mutant.module],
            chosen,
            {mutant.module: mutant.source},
            _Hunt(usual, mutant),
            fresh if mutant.module in _MAKERS_OF_TRACES else cache,
        )
    if code > 2:
        raise SystemExit(
            f"pytest itself fails (code {code}) with {mutant.module}:{mutant.line} {mutant.what}"
        )
    return _FATES.get(code, "crashed")


def run(
    drawn: Collection[Mutant], chosen: str, usual: Mapping[str, Usual], cache: str
) -> list[tuple[Mutant, str]]:
    """Each mutant of a module and its fate."""
    results = []
    for mutant in drawn:
        begun = time.monotonic()
        results.append((mutant, fate(mutant, chosen, usual, cache)))
        seconds = time.monotonic() - begun
        print(
            f"{results[-1][1]:<9} {mutant.module}:{mutant.line} {mutant.what} ({seconds:.0f} s)", flush=True
        )
    return results


def table(found: Mapping[str, tuple[list[tuple[Mutant, str]], int]], options: str) -> str:
    """Markdown: the score of each module and of all; the survivors, each with the reason why it may, if there
    is one."""
    rows = [
        f"`python benchmarks/mutation.py {options}`",
        "",
        "| Module | changes there are | drawn | noticed | |",
        "|---|---:|---:|---:|---:|",
    ]
    scores = [
        (module, possible, len(results), sum(fate != "survived" for _, fate in results))
        for module, (results, possible) in found.items()
    ]
    for name, possible, drawn, noticed in [*scores, ("all", *map(sum, list(zip(*scores, strict=True))[1:]))]:
        rows.append(f"| {name} | {possible} | {drawn} | {noticed} | {noticed / max(1, drawn):.0%} |")
    rows += ["", "| Survivor | Change | Why it may |", "|---|---|---|"]
    reasons = {
        (each["module"], each["text"], each["change"]): each["why"]
        for each in tomllib.loads(_REASONS.read_text("utf-8"))["survivor"]
    }
    for results, _ in found.values():
        for mutant, fate in results:
            if fate == "survived":
                why = reasons.get((mutant.module, mutant.text, mutant.what), "not known: a hole")
                text = mutant.text.replace("|", "\\|")
                rows.append(f"| {mutant.module}:{mutant.line} `{text}` | {mutant.what} | {why} |")
    return "\n".join(rows) + "\n"


def _import_once() -> None:
    """What takes long and is not under test."""
    import hypothesis  # noqa: F401
    import timm  # noqa: F401
    import torch
    import torchvision  # noqa: F401

    with torch.no_grad():
        torch.export.export(torch.nn.Linear(2, 2).to("meta"), (torch.empty(1, 2, device="meta"),))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=f"of {', '.join(TARGETS)}; default: all")
    parser.add_argument("--sample", type=int, default=50, help="mutants a module; default: 50")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, metavar="LINE", help="mutants of this line alone")
    parser.add_argument(
        "--tests", default="", metavar="EXPRESSION", help="pytest's -k: with fewer tests, at least this score"
    )
    parser.add_argument("--table", type=Path, metavar="FILE", help="for scores and survivors, as Markdown")
    arguments = parser.parse_args()
    if unknown := [each for each in arguments.modules if each not in TARGETS]:
        parser.error(f"{unknown[0]!r} is none of {', '.join(TARGETS)}")
    _import_once()
    found = {}
    modules = arguments.modules or list(TARGETS)
    with tempfile.TemporaryDirectory() as cache:
        usual = usual_of(modules, arguments.tests, cache)
        for module in modules:
            source = _source(module)
            drawn, possible = mutants(module, source, arguments.sample, arguments.seed, arguments.only)
            found[module] = run(drawn, arguments.tests, usual, cache), possible
            fates = [fate for _, fate in found[module][0]]
            print(f"{module}: {len(fates) - fates.count('survived')} of {len(fates)} noticed", flush=True)
            if arguments.table:
                arguments.table.write_text(table(found, shlex.join(sys.argv[1:])), "utf-8")
    fates = [fate for results, _ in found.values() for _, fate in results]
    noticed = sum(fate != "survived" for fate in fates)
    print(f"{noticed} of {len(fates)} noticed, {noticed / max(1, len(fates)):.0%}")
    return 0 if noticed >= ENOUGH * len(fates) else 1


if __name__ == "__main__":
    sys.exit(main())
