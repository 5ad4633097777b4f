"""Networks of one's own on a command line: `FILE.py:NAME`, `MODULE:NAME` or a file, and what is said of each.

    app one.py:Net --input 3x32x32 two.py:Net --weights two.pth

An option belongs to the network before it; what stands before the first belongs to the first.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from explorer.networks.inputs import CROP_MODES
from explorer.networks.own import registry
from explorer.networks.own.registry import Settings
from explorer.networks.resolving import PREFIXES
from explorer.serving import trial
from explorer.serving.trial import Asked

_KINDS_OF_WEIGHTS = (*PREFIXES, "box", "random")  # before the colon of an id, which is no file
_LONGEST_PATIENCE = 86_400.0
_SWITCHES = frozenset({"--channels-last", "--compile", "--dark", "--json", "--window"})  # take no value


class _Option(NamedTuple):
    read: Callable[[str], Any]
    metavar: str
    help: str


def _shape(text: str) -> tuple[int, ...]:
    parts = text.lower().replace("×", "x").split("x")
    if len(parts) != 3 or not all(each.isdecimal() and int(each) for each in parts):
        raise ValueError("three whole numbers, channels x height x width, as 3x224x224")
    return tuple(map(int, parts))


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(map(float, text.split(",")))
    except ValueError:
        raise ValueError("numbers with commas between them, as 0.485,0.456,0.406") from None


def _deviations(text: str) -> tuple[float, ...]:
    found = _numbers(text)
    if not all(each > 0 for each in found):
        raise ValueError("numbers above 0")
    return found


def _pixels(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise ValueError("a whole number of pixels, as 256")
    return int(text)


def _file(text: str) -> Path:
    path = Path(text).expanduser().absolute()
    if not path.is_file():
        raise ValueError("the path of a file, and nothing lies there")
    return path


def _crop(text: str) -> str:
    if text not in CROP_MODES:
        raise ValueError(f"one of {', '.join(CROP_MODES)}")
    return text


def _arguments(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ValueError("""a table in JSON, as '{"depth": 18}'""")
    return found


def _patience(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found <= _LONGEST_PATIENCE:  # NaN is not either
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no time in seconds, above 0 and up to a day")
    return found


OPTIONS: Mapping[str, _Option] = MappingProxyType(
    {
        "input": _Option(_shape, "CxHxW", "what it takes; default: 3x224x224, or what its weights say"),
        "arguments": _Option(_arguments, "JSON", "what its class or function is called with, by name"),
        "weights": _Option(_file, "FILE", "its trained weights, .safetensors or .pth"),
        "architecture": _Option(str, "NAME", "the known network that a file of weights is of"),
        "labels": _Option(_file, "FILE", "names of its classes, a line each"),
        "mean": _Option(_numbers, "R,G,B", "of the pixels from 0 to 1 that it was trained on"),
        "std": _Option(_deviations, "R,G,B", "their standard deviation"),
        "resize": _Option(_pixels, "N", "shorter side in pixels before the crop"),
        "crop": _Option(_crop, "HOW", f"to its input: {', '.join(CROP_MODES)}"),
    }
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """For the help, and for what is given where no network of one's own is named."""
    group = parser.add_argument_group(
        "a network of one's own",
        "FILE.py:NAME or MODULE:NAME, a class or function that makes a torch module, or a module; a file "
        "of weights (.pth, .safetensors, ...) with --architecture, a folder, or an .onnx file; tried first "
        "in a process of its own. Each option belongs to the network before it.",
    )
    taken = {flag for action in parser._actions for flag in action.option_strings}
    for name, option in OPTIONS.items():
        if f"--{name}" not in taken:
            group.add_argument(f"--{name}", metavar=option.metavar, help=option.help, dest=f"own_{name}")
    group.add_argument(
        "--patience",
        type=_patience,
        default=trial.PATIENCE,
        metavar="SECONDS",
        help="that each step of the trial may take; default: %(default)g",
    )


def taken_out(words: Sequence[str]) -> tuple[list[str], list[Asked]]:
    """The words of a command line with "own:0", "own:1", ... in the place of what is one's own, and without
    its options; and what was named, in order. The words as they are where nothing is.

    Raises ValueError for an option that cannot be understood.
    """
    rest: list[str] = []
    named: list[str] = []
    said: list[dict[str, Any]] = [{}]  # of each network; the first also takes what stands before it
    coming = iter(words)
    before = ""
    for word in coming:
        flag, equals, value = word.partition("=")
        network = value if flag == "--model" else word
        if _may_be_a_network(word, before, words[0]) and registry.is_own(network, PREFIXES):
            rest.append(f"{'--model=' * (flag == '--model')}own:{len(named)}")
            said += [{}] * bool(named)
            named.append(network)
        elif flag.startswith("--") and flag[2:] in OPTIONS:
            value = value if equals else next(coming, "")
            if flag == "--weights" and value.partition(":")[0] in _KINDS_OF_WEIGHTS:
                rest += [flag, value]
            else:
                said[-1][flag[2:]] = _read(flag, value)
            before = ""  # what comes next is no value of it
            continue
        else:
            rest.append(word)
        before = word
    if not named:
        return list(words), []
    settings = [replace(Settings(), **each) for each in said]
    return rest, [Asked(name, each) for name, each in zip(named, settings, strict=True)]


def _may_be_a_network(word: str, before: str, command: str) -> bool:
    """By its place: no value of another option, and of what explains only --model."""
    if before == "--model" or word.startswith("--model="):
        return True
    is_value = before.startswith("--") and "=" not in before and before not in _SWITCHES
    return not is_value and command != "explain"


def register(arguments: argparse.Namespace, asked: Sequence[Asked], *, runs: bool) -> None:
    """Have the networks tried and known, under the names that stand in the arguments from here on.

    Raises ValueError for options where nothing of one's own is named, and what `trial.register` raises.
    """
    if not asked:
        given = [name for name in OPTIONS if getattr(arguments, f"own_{name}", None) is not None]
        if given:
            raise ValueError(
                f"--{given[0]} belongs to a network of one's own, and none is named; name one as "
                "FILE.py:NAME or as a file of weights with --architecture"
            )
        return
    references = trial.register(asked, runs=runs, patience=arguments.patience)
    known = {f"own:{number}": reference for number, reference in enumerate(references)}
    for name, value in vars(arguments).items():
        if isinstance(value, str):
            setattr(arguments, name, known.get(value, value))
        elif isinstance(value, list):
            setattr(arguments, name, [known.get(each, each) for each in value])


def _read(flag: str, value: str) -> Any:
    try:
        return OPTIONS[flag[2:]].read(value)
    except ValueError as error:
        raise ValueError(f"{flag} {value!r}: it takes {error}") from None
