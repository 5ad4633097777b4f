"""python -m explorer.training: train any 32 x 32 network, evaluate and export zoo networks, or build the
whole zoo.
"""

import argparse
import dataclasses
import functools
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from explorer import terminal

# What needs torch is imported inside the functions: Ctrl-C during those seconds is one line, too.
if TYPE_CHECKING:
    from explorer.training.data import ImageSet
    from explorer.training.loop import Progress
    from explorer.training.recipes import Recipe


def _parser() -> argparse.ArgumentParser:
    from explorer.networks import cifar, zoo
    from explorer.training import recipes

    parser = argparse.ArgumentParser(prog="python -m explorer.training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="train a network, or go on with an interrupted run")
    train.add_argument("name", choices=sorted(cifar.BUILDERS))
    train.add_argument("--recipe", choices=sorted(recipes.RECIPES), help="default: the zoo's, else basic")
    train.add_argument("--epochs", type=int)
    train.add_argument("--seed", type=int)
    train.add_argument("--run", type=Path, required=True, help="folder of the checkpoint")
    evaluate = commands.add_parser("evaluate", help="accuracy of a shipped zoo network")
    evaluate.add_argument("name", choices=sorted(zoo.ZOO))
    export = commands.add_parser("export", help="ship a finished run: weights and card")
    export.add_argument("name", choices=sorted(zoo.ZOO))
    export.add_argument("--run", type=Path, required=True)
    build = commands.add_parser("build-zoo", help="train, export and evaluate every zoo network")
    build.add_argument("--run", type=Path, required=True, help="folder that takes one run folder a network")
    for command in (train, evaluate, export, build):
        command.add_argument(
            "--data", type=Path, required=True, help="folder with train/ and test/, or CIFAR-10"
        )
        command.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
        command.add_argument("--precision", choices=("auto", "float32", "bfloat16"), default="auto")
    return parser


def recipe_for(name: str, arguments: argparse.Namespace) -> "Recipe":
    """The zoo's recipe for `name`, or the basic one, with what the command line changes."""
    from explorer.networks import zoo
    from explorer.training import machine, recipes

    entry = zoo.ZOO.get(name)
    asked = getattr(arguments, "recipe", None)
    if asked is None and entry is not None:
        recipe = dataclasses.replace(recipes.RECIPES[entry.recipe], **entry.changes)  # type: ignore[arg-type]
    else:
        recipe = recipes.RECIPES[asked or "basic"]
    precision = arguments.precision
    if precision == "auto":
        precision = machine.native_precision(machine.pick_device(arguments.device))
    changes = {"epochs": getattr(arguments, "epochs", None), "seed": getattr(arguments, "seed", None)}
    given = {key: value for key, value in changes.items() if value is not None}
    return dataclasses.replace(recipe, precision=precision, **given)


def _show(name: str, progress: "Progress") -> None:
    head = f"{name} epoch {progress.epoch + 1}/{progress.epochs}"
    if progress.record is None:
        print(f"\r{head} step {progress.step}/{progress.steps} loss {progress.loss:.3f}", end="", flush=True)
        return
    record = progress.record
    print(
        f"\r{head}: train {record.train_accuracy_percent:.2f} %, test {record.test_accuracy_percent:.2f} %, "
        f"loss {record.train_loss:.3f} / {record.test_loss:.3f}, {record.seconds:.0f} s",
        flush=True,
    )


def _train(
    name: str, run: Path, train_set: "ImageSet", test_set: "ImageSet", arguments: argparse.Namespace
) -> None:
    from explorer.networks import cifar
    from explorer.training import loop, machine

    build = functools.partial(cifar.BUILDERS[name], in_channels=3, classes=len(train_set.classes))
    loop.train(
        build,
        train_set,
        test_set,
        recipe_for(name, arguments),
        run,
        device=machine.pick_device(arguments.device),
        report=functools.partial(_show, name),
    )


def _export(name: str, run: Path, train_set: "ImageSet", test_set: "ImageSet") -> None:
    from explorer.training import model_cards

    card = model_cards.export(name, run, train_set, test_set)
    print(
        f"{name}: test {card.test_accuracy_percent} %, train {card.train_accuracy_percent} %, "
        f"{card.params:,} parameters"
    )


def run(arguments: argparse.Namespace) -> None:
    from explorer.networks import zoo
    from explorer.training import data, machine, model_cards

    test_set = data.load(arguments.data, "test")
    if arguments.command == "evaluate":
        device = machine.pick_device(arguments.device)
        measured = model_cards.evaluate_shipped(arguments.name, test_set, device)
        print(f"{arguments.name}: {measured.accuracy_percent:.2f} % ({measured.correct} of {measured.total})")
        return
    train_set = data.load(arguments.data, "train")
    if arguments.command == "train":
        _train(arguments.name, arguments.run, train_set, test_set, arguments)
    elif arguments.command == "export":
        _export(arguments.name, arguments.run, train_set, test_set)
    else:
        for name, entry in zoo.ZOO.items():
            _train(entry.builder, arguments.run / name, train_set, test_set, arguments)
            _export(name, arguments.run / name, train_set, test_set)


def main(argv: list[str] | None = None) -> int:
    """The exit code, as `terminal.run` says; a run that was stopped goes on with the same command."""
    return terminal.run("explorer.training", lambda: run(_parser().parse_args(argv)))


if __name__ == "__main__":
    sys.exit(main())
