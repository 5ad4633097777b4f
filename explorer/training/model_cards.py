"""From a finished run to what ships: half-precision weights, their evaluation, and the card."""

import dataclasses
import hashlib
import json
import platform
import statistics
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import nn

from explorer.catalogue.writing import write_whole
from explorer.networks import zoo
from explorer.training import loop
from explorer.training.data import ImageSet
from explorer.training.evaluation import Evaluation, evaluate
from explorer.training.loop import EpochRecord, TrainingError

LICENCE = "Apache-2.0"
DATASET_NOTE = (
    "CIFAR-10 (Krizhevsky 2009), 50,000 training and 10,000 test pictures, 32 x 32 pixels. "
    "Read from {source}. Lossy JPEG copies cost accuracy: published CIFAR ResNets with 92-94 % on the "
    "lossless test set score 81-83 % on the JPEG copies used in this project. Compare only within one copy."
)
PREPARATION = "shorter side to {size} pixels with antialiasing, {how}, then the {size} x {size} centre"
EVALUATION = "top-1, shipped float16 weights computed in float32, unaltered pictures, one view"


def shipped(name: str) -> nn.Module:
    """The zoo network with its shipped weights, frozen and in evaluation mode."""
    model = zoo.build(name)
    try:
        model.load_state_dict(zoo.load_state(name))
    except RuntimeError as error:
        raise zoo.ZooError(f"the weights {zoo.weights_path(name)} do not fit {name}: {error}") from error
    return model.eval().requires_grad_(False)


def evaluate_shipped(name: str, data: ImageSet, device: torch.device | None = None) -> Evaluation:
    """Accuracy of the file under assets/zoo, prepared with the mean and deviation on its card."""
    card = zoo.card(name)
    if data.classes != card.labels:
        raise TrainingError(f"{name} knows the classes {card.labels}, the data holds {data.classes}")
    return evaluate(shipped(name).to(device or "cpu"), data, card.mean, card.std, device=device)


def export(name: str, run_folder: Path, train_set: ImageSet, test_set: ImageSet) -> zoo.ModelCard:
    """Write weights and card of a finished run to assets/zoo; the accuracies are measured on the written
    file.
    """
    state = loop.read_checkpoint(run_folder / loop.CHECKPOINT)
    records = tuple(EpochRecord(**record) for record in state["records"])
    if len(records) != state["recipe"]["epochs"]:
        raise TrainingError(
            f"{run_folder} stopped after {len(records)} of {state['recipe']['epochs']} epochs; "
            "train it to the end first"
        )
    path = zoo.weights_path(name)
    halves = {k: (v.half() if v.is_floating_point() else v).contiguous() for k, v in state["model"].items()}
    write_whole(path, save(halves))
    model, data = shipped(name), state["data"]
    measured = {
        "test_accuracy_percent": round(
            evaluate(model, test_set, data["mean"], data["std"]).accuracy_percent, 2
        ),
        "train_accuracy_percent": round(
            evaluate(model, train_set, data["mean"], data["std"]).accuracy_percent, 2
        ),
    }
    fields = _fields(name, state, records, test_set, model) | measured
    write_whole(zoo.card_path(name), (json.dumps(fields, indent=1, allow_nan=False) + "\n").encode())
    zoo.read_card.cache_clear()
    return zoo.card(name)


def _fields(
    name: str,
    state: Mapping[str, Any],
    records: tuple[EpochRecord, ...],
    test_set: ImageSet,
    model: nn.Module,
) -> dict[str, Any]:
    entry, data, size = zoo.ZOO[name], state["data"], test_set.images.shape[-1]
    return {
        "name": name,
        "title": entry.title,
        "architecture": entry.architecture,
        "network": entry.description,
        "params": sum(parameter.numel() for parameter in model.parameters()),
        "labels": data["classes"],
        "image_size": size,
        "mean": data["mean"],
        "std": data["std"],
        "preparation": PREPARATION.format(size=size, how=zoo.INTERPOLATION),
        "dataset": "CIFAR-10",
        "dataset_note": DATASET_NOTE.format(source=data["source"]),
        "test_images": len(test_set),
        "evaluation": EVALUATION,
        "recipe": state["recipe"],
        "epochs": len(records),
        "seed": state["recipe"]["seed"],
        "curves": curves(records),
        "seconds_per_epoch": round(statistics.median(record.seconds for record in records), 1),
        "hardware": state["hardware"],
        "versions": {"python": platform.python_version(), "torch": version("torch")},
        "weights_sha256": hashlib.sha256(zoo.weights_path(name).read_bytes()).hexdigest(),
        "licence": LICENCE,
    }


def curves(records: tuple[EpochRecord, ...]) -> dict[str, list[float]]:
    """One list a figure, one value an epoch, five significant digits."""
    figures = [field.name for field in dataclasses.fields(EpochRecord) if field.name != "epoch"]
    return {figure: [float(f"{getattr(record, figure):.5g}") for record in records] for figure in figures}
