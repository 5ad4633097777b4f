"""How networks are TRAINED: data sets in memory, recipes, one resumable loop, evaluation, and the zoo's
cards.

`train` takes any function that builds a network, so the labs use the same loop as the zoo. Command line:
`python -m explorer.training --help`.
"""

from explorer.training.cards import evaluate_shipped, export
from explorer.training.data import DataError, ImageSet, load
from explorer.training.evaluation import Evaluation, evaluate
from explorer.training.loop import EpochRecord, Progress, Run, TrainingError, train
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
