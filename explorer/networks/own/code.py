"""A network in Python of its owner's: `FILE.py:NAME`, or `MODULE:NAME` of an installed package.

NAME is a class or a function that makes a module of torch, or a module. The file is imported as Python
imports a script: its folder comes first, so that it finds its neighbours. All of it runs with its owner's
rights, which is why only his own command opens it, and only after a process of its own has tried it
(`serving.trial`).
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import sys
import threading
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import Tensor, nn

from explorer.networks import checkpoint_contents, checkpoint_file
from explorer.networks.checkpoint_contents import Misfit
from explorer.networks.entries import first_sentence
from explorer.networks.inputs import InputSpec, usual
from explorer.networks.own.registry import Settings
from explorer.networks.registries import UnknownNetwork

_USUAL = (3, 224, 224)
_AS_MANY_AS_GIVEN = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_TAKE_AN_IMAGE = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    inspect.Parameter.VAR_POSITIONAL,
)
_importing = threading.RLock()


def opened(asked: str, settings: Settings) -> OwnCode:
    """Looked up, and not imported yet. Raises UnknownNetwork where there is no such file or package."""
    place, _, attribute = asked.rpartition(":")
    if not place.endswith(".py"):
        return OwnCode(place, attribute, settings)
    file = Path(place).expanduser().absolute()
    if not file.is_file():
        raise UnknownNetwork(
            f"{place} is no file; write FILE.py:NAME with the path from the folder you are in."
        )
    return OwnCode(str(file), attribute, settings)


@dataclass(frozen=True)
class OwnCode:
    """place: absolute path of a file, or name of a module. attribute: what stands in it, perhaps dotted."""

    place: str
    attribute: str
    settings: Settings
    same_as = ""
    licence = "your own"
    remarks = ()

    @property
    def name(self) -> str:
        return self.attribute.rpartition(".")[2]

    @property
    def shown(self) -> str:
        return f"{Path(self.place).name}:{self.attribute}"

    @property
    def learnt(self) -> bool:
        return self.weights is not None

    @property
    def weights(self) -> Path | None:
        return self.settings.weights

    def input_spec(self) -> InputSpec:
        return self.settings.over(usual(self.settings.input or _USUAL))

    def check(self) -> None:
        self._object  # noqa: B018 - a file may make its networks while it is imported: not on meta

    def build(self, image_size: int | None) -> nn.Module:
        """As its code makes it, whatever the size: a side that it cannot take shows when it runs."""
        made = self._object
        if isinstance(made, nn.Module):
            if self.settings.arguments:
                raise UnknownNetwork(f"{self.shown} is a module already made, and takes no --arguments.")
            model = deepcopy(made)
            check_takes_one_image(model, self.shown)
            return model
        self._check_arguments(made)
        model = made(**self.settings.arguments)
        if not isinstance(model, nn.Module):
            raise UnknownNetwork(f"{self.shown} gives a {type(model).__name__}, and no module of torch.nn.")
        check_takes_one_image(model, self.shown)
        return model

    def read(self) -> tuple[nn.Module, InputSpec, tuple[str, ...]]:
        model = self.build(None)
        if self.weights is not None:
            self._load(model, self.weights)
        return model, self.input_spec(), self.settings.class_names()

    def _load(self, model: nn.Module, weights: Path) -> None:
        """Its weights into the model, by its own names or with a training's before each ("model.")."""
        tensors, wanted = checkpoint_contents.state(weights), model.state_dict()
        prefix = checkpoint_file.prefix_in(tensors, wanted)
        if all(name.startswith(prefix) for name in tensors):
            tensors = {name.removeprefix(prefix): value for name, value in tensors.items()}
        try:
            model.load_state_dict(tensors)
        except RuntimeError as error:  # in which torch lists every tensor
            held, own = (
                {name: tuple(value.shape) for name, value in each.items() if isinstance(value, Tensor)}
                for each in (tensors, wanted)
            )
            fault = checkpoint_file.misfit(held, own, self.shown)
            raise Misfit(fault or first_sentence(error)) from error

    @cached_property
    def _object(self) -> Any:
        """The class, function or module. Raises UnknownNetwork with what stands in the way."""
        with _importing:
            module = _imported(self.place)
        found: Any = module
        for part in self.attribute.split("."):
            if not hasattr(found, part):
                raise UnknownNetwork(
                    f"{Path(self.place).name} has no {self.attribute!r}; {_there(module, part)}."
                )
            found = getattr(found, part)
        if not callable(found):
            raise UnknownNetwork(
                f"{self.shown} is of type {type(found).__name__}; name a module of torch.nn, or a class or a "
                "function that makes one."
            )
        return found

    def _check_arguments(self, made: Callable[..., Any]) -> None:
        try:
            signature = inspect.signature(made)
        except (TypeError, ValueError):  # of what is not written in Python
            return
        try:
            signature.bind(**self.settings.arguments)
        except TypeError as error:
            example = ", ".join(f'"{name}": ...' for name in _needed(signature) or ["NAME"])
            raise UnknownNetwork(
                f"{self.shown} cannot be made so: {error}; its arguments are given as JSON, "
                f"--arguments '{{{example}}}'."
            ) from error


def check_takes_one_image(model: nn.Module, shown: str) -> None:
    """Raises UnknownNetwork where an image is less, or more, than its forward takes."""
    signature = inspect.signature(model.forward)
    if len(needed := _needed(signature)) > 1:
        raise UnknownNetwork(
            f"{shown} takes {len(needed)} inputs ({', '.join(needed)}), and an image is all that it is given "
            "here; wrap it in a module whose forward takes the image and makes the others itself."
        )
    if not any(each.kind in _TAKE_AN_IMAGE for each in signature.parameters.values()):
        raise UnknownNetwork(f"{shown} takes no image: its forward has no argument for one.")


def _needed(signature: inspect.Signature) -> list[str]:
    """The arguments that a call cannot leave out."""
    return [
        each.name
        for each in signature.parameters.values()
        if each.default is inspect.Parameter.empty and each.kind not in _AS_MANY_AS_GIVEN
    ]


def _there(module: ModuleType, wanted: str) -> str:
    """What in a module makes networks, the nearest name first."""
    own = {
        name
        for name, value in vars(module).items()
        if isinstance(value, nn.Module) or (inspect.isclass(value) and issubclass(value, nn.Module))
    }
    functions = {
        name
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_")
    }
    near = difflib.get_close_matches(wanted, own | functions, n=3)
    there = near or sorted(own) or sorted(functions)
    return f"there: {', '.join(there[:8])}" if there else "nothing in it makes a network"


def _imported(place: str) -> ModuleType:
    try:
        return _of_file(Path(place)) if place.endswith(".py") else importlib.import_module(place)
    except UnknownNetwork:
        raise
    except (Exception, SystemExit) as error:  # whatever the code of a stranger, or its owner, raises
        raise UnknownNetwork(f"{_called(place)} cannot be imported: {_reason(error)}.") from error


def _called(place: str) -> str:
    return Path(place).name if place.endswith(".py") else place


def _reason(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return 'it ends the program; what a script does belongs below if __name__ == "__main__"'
    if isinstance(error, SyntaxError):
        place = f"line {error.lineno} of {Path(error.filename or '').name}: " if error.lineno else ""
        return f"{place}{error.msg}"
    if isinstance(error, ModuleNotFoundError):
        return f"it needs {error.name}, which is neither beside it nor installed here"
    if isinstance(error, ImportError) and "relative import" in str(error):
        return "it imports relative to a package; give its package an __init__.py, or name it as MODULE:NAME"
    return f"{type(error).__name__}: {first_sentence(error)}"


def _of_file(file: Path) -> ModuleType:
    """The file under its own name, within its package if it stands in one."""
    folder, names = file.parent, [file.stem]
    while (folder / "__init__.py").is_file():
        names.insert(0, folder.name)
        folder = folder.parent
    name = ".".join(names)
    known = sys.modules.get(name)
    if known is not None and getattr(known, "__file__", None) == str(file):
        return known
    is_free = all(each.isidentifier() for each in names) and importlib.util.find_spec(names[0]) is None
    _check_neighbours(folder, file)
    sys.path.insert(0, str(folder))
    try:
        importlib.invalidate_caches()
        return importlib.import_module(name) if is_free else _under_another_name(file)
    finally:
        # Last from here on: what is imported later, while it runs, is found, and hides nothing of others.
        sys.path.remove(str(folder))
        sys.path.append(str(folder))


def _under_another_name(file: Path) -> ModuleType:
    """A file whose name is no module's, or another module's already."""
    name = f"own_{len(_folders)}_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


_folders: dict[Path, None] = {}  # of the files that were imported, in order


def _check_neighbours(folder: Path, file: Path) -> None:
    """Raises UnknownNetwork where two files would mean two different neighbours by one name: Python knows a
    module by its name alone. The file itself gets another name where its own is taken.
    """
    for other in _folders:
        for neighbour in other.glob("*.py") if other != folder else ():
            same = folder / neighbour.name
            if neighbour.stem in sys.modules and same.is_file() and same != file:
                raise UnknownNetwork(
                    f"{folder.name} and {other.name} both have a {neighbour.name}, and Python takes one "
                    "module of a name; start the program once for each."
                )
    _folders[folder] = None
