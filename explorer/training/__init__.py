"""How networks are TRAINED: data sets in memory, recipes, one resumable loop, evaluation, and the zoo's
cards.

`train` takes any function that builds a network, so the labs use the same loop as the zoo. Command line:
`python -m explorer.training --help`. Names are imported when first used: torch takes seconds, during which
the command line is to answer Ctrl-C.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from explorer.training.data import DataError, ImageSet, load
    from explorer.training.evaluation import Evaluation, evaluate
    from explorer.training.loop import EpochRecord, Progress, Run, TrainingError, train
    from explorer.training.model_cards import evaluate_shipped, export
    from explorer.training.recipes import ADAMW, BASIC, RECIPES, Recipe

_HOMES = {
    "evaluate_shipped": "cards",
    "export": "cards",
    "DataError": "data",
    "ImageSet": "data",
    "load": "data",
    "Evaluation": "evaluation",
    "evaluate": "evaluation",
    "EpochRecord": "loop",
    "Progress": "loop",
    "Run": "loop",
    "TrainingError": "loop",
    "train": "loop",
    "ADAMW": "recipes",
    "BASIC": "recipes",
    "RECIPES": "recipes",
    "Recipe": "recipes",
}

__all__ = [
    "ADAMW",
    "BASIC",
    "RECIPES",
    "DataError",
    "EpochRecord",
    "Evaluation",
    "ImageSet",
    "Progress",
    "Recipe",
    "Run",
    "TrainingError",
    "evaluate",
    "evaluate_shipped",
    "export",
    "load",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
