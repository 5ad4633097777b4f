"""How networks are TRAINED: data sets in memory, recipes, one resumable loop, evaluation, and the zoo's
cards.

`train` takes any function that builds a network, so the labs use the same loop as the zoo. Command line:
`python -m explorer.training --help`. Names are imported when first used: torch takes seconds, during which
the command line is to answer Ctrl-C.
"""

from typing import TYPE_CHECKING

from explorer import lazy

if TYPE_CHECKING:
    from explorer.training.data import DataError, ImageSet, load
    from explorer.training.evaluation import Evaluation, evaluate
    from explorer.training.loop import EpochRecord, Progress, Run, TrainingError, train
    from explorer.training.model_cards import evaluate_shipped, export
    from explorer.training.recipes import ADAMW, BASIC, RECIPES, Recipe

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


__getattr__ = lazy.attributes(
    __name__,
    {
        "model_cards": ("evaluate_shipped", "export"),
        "data": ("DataError", "ImageSet", "load"),
        "evaluation": ("Evaluation", "evaluate"),
        "loop": ("EpochRecord", "Progress", "Run", "TrainingError", "train"),
        "recipes": ("ADAMW", "BASIC", "RECIPES", "Recipe"),
    },
)
