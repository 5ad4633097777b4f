"""The training loop: one epoch after another, a checkpoint after each, the same result whether interrupted
or not.

All chance of an epoch (order, crops, mirrors, dropout) comes from the recipe's seed and the epoch's number,
so a resumed run needs no saved generator and on a CPU ends with the very bits of an uninterrupted one.
"""

import io
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from explorer.catalogue.writing import write_whole
from explorer.networks.entries import first_sentence
from explorer.training import recipes
from explorer.training.data import ImageSet, normalise, training_batches
from explorer.training.evaluation import autocast, evaluate
from explorer.training.machine import hardware
from explorer.training.recipes import Recipe

CHECKPOINT = "checkpoint.pt"


class TrainingError(RuntimeError):
    """A run cannot go on; the message says why and what to do."""


@dataclass(frozen=True)
class EpochRecord:
    """What one epoch showed. Training figures are means over augmented batches, before each update."""

    epoch: int
    learning_rate: float
    train_loss: float
    train_accuracy_percent: float
    test_loss: float
    test_accuracy_percent: float
    gradient_norm: float
    seconds: float


@dataclass(frozen=True)
class Progress:
    """Where a run stands; `record` is set once at the end of each epoch."""

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    record: EpochRecord | None = None


@dataclass(frozen=True)
class Run:
    """A finished or interrupted run: the trained model on the CPU and one record for each epoch so far."""

    model: nn.Module
    recipe: Recipe
    records: tuple[EpochRecord, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    classes: tuple[str, ...]
    source: str


def train(
    build: Callable[[], nn.Module],
    train_set: ImageSet,
    test_set: ImageSet,
    recipe: Recipe,
    folder: Path,
    *,
    device: torch.device | None = None,
    report: Callable[[Progress], None] = lambda progress: None,
    stop_after: int | None = None,
) -> Run:
    """Train `build()` by `recipe`, going on from the checkpoint in `folder` if there is one.

    `stop_after` ends the call after that many epochs in total, as an interruption would.
    TrainingError: broken or foreign checkpoint, one class, sets with different classes, infinite loss.
    WriteError: the checkpoint of the epoch before is still there.
    """
    if len(train_set.classes) < 2:
        raise TrainingError(
            f"the set holds one class, {train_set.classes[0]!r}, and a network learns to tell classes apart; "
            "add a folder for each further class"
        )
    if train_set.classes != test_set.classes:
        raise TrainingError(f"train holds classes {train_set.classes}, test holds {test_set.classes}")
    device = device or torch.device("cpu")
    torch.manual_seed(recipe.seed)
    model = build().to(device).to(memory_format=torch.channels_last)
    optimizer = recipes.optimizer(recipe, model)
    mean, std = train_set.channel_statistics()
    records = _resume(folder / CHECKPOINT, recipe, model, optimizer)
    for epoch in range(len(records), min(recipe.epochs, stop_after or recipe.epochs)):
        shown = _Epoch(epoch, recipe, device, mean, std, report).run(model, optimizer, train_set, test_set)
        records.append(shown)
        run = Run(model, recipe, tuple(records), mean, std, train_set.classes, train_set.source)
        _save(folder / CHECKPOINT, run, optimizer)
    return Run(model.cpu(), recipe, tuple(records), mean, std, train_set.classes, train_set.source)


@dataclass(frozen=True)
class _Epoch:
    epoch: int
    recipe: Recipe
    device: torch.device
    mean: tuple[float, ...]
    std: tuple[float, ...]
    report: Callable[[Progress], None]

    def run(
        self, model: nn.Module, optimizer: torch.optim.Optimizer, train_set: ImageSet, test_set: ImageSet
    ) -> EpochRecord:
        recipe, began = self.recipe, time.perf_counter()
        seed = recipe.seed * 100_003 + self.epoch + 1
        torch.manual_seed(seed)
        generator = torch.Generator().manual_seed(seed)
        steps = max(len(train_set) // recipe.batch_size, 1)
        sums = torch.zeros(3, dtype=torch.float64)
        seen, rate = 0, 0.0
        model.train()
        size, padding = recipes.crop(recipe, self.epoch, train_set.images.shape[-1])
        batches = training_batches(train_set, recipe.batch_size, size, padding, generator)
        for step, (images, labels) in enumerate(batches):
            # The middle of the step: the first update then moves and the last one does too.
            rate = recipes.learning_rate(recipe, (self.epoch + (step + 0.5) / steps) / recipe.epochs)
            for group in optimizer.param_groups:
                group["lr"] = rate
            sums += self._step(model, optimizer, images, labels)
            seen += len(labels)
            if step % 50 == 0:
                self.report(Progress(self.epoch, recipe.epochs, step, steps, float(sums[0]) / seen))
        loss = float(sums[0]) / seen
        if not torch.isfinite(sums).all():
            raise TrainingError(
                f"the loss left the finite numbers in epoch {self.epoch + 1}; "
                f"lower peak_learning_rate ({recipe.peak_learning_rate}) and start in a new folder"
            )
        seconds = time.perf_counter() - began
        test = evaluate(model, test_set, self.mean, self.std, device=self.device, precision=recipe.precision)
        record = EpochRecord(
            epoch=self.epoch + 1,
            learning_rate=rate,
            train_loss=loss,
            train_accuracy_percent=100 * float(sums[1]) / seen,
            test_loss=test.loss,
            test_accuracy_percent=test.accuracy_percent,
            gradient_norm=float(sums[2]) / steps,
            seconds=seconds,
        )
        self.report(Progress(self.epoch, recipe.epochs, steps, steps, loss, record))
        return record

    def _step(
        self, model: nn.Module, optimizer: torch.optim.Optimizer, images: Tensor, labels: Tensor
    ) -> Tensor:
        """One update; [3]: summed loss, number right, norm of the gradient before clipping."""
        recipe = self.recipe
        x = normalise(images.to(self.device), self.mean, self.std)
        labels = labels.to(self.device)
        with autocast(self.device, recipe.precision):
            logits = model(x.contiguous(memory_format=torch.channels_last)).float()
        loss = F.cross_entropy(logits, labels, label_smoothing=recipe.label_smoothing)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        limit = recipe.gradient_clip_norm or float("inf")
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), limit)
        optimizer.step()
        right = (logits.argmax(1) == labels).sum()
        return torch.stack([loss.detach() * len(labels), right.float(), norm]).double().cpu()


def _save(path: Path, run: Run, optimizer: torch.optim.Optimizer) -> None:
    """A stop at any moment leaves a whole checkpoint. Raises WriteError."""
    state = {
        "recipe": asdict(run.recipe),
        "records": [asdict(record) for record in run.records],
        "model": run.model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "data": {"mean": run.mean, "std": run.std, "classes": run.classes, "source": run.source},
        "hardware": hardware(next(run.model.parameters()).device),
    }
    whole = io.BytesIO()  # torch's own writing to a full disk names neither the file nor the reason
    torch.save(state, whole)
    write_whole(path, whole.getbuffer())


def read_checkpoint(path: Path) -> dict[str, Any]:
    """TrainingError when the file is missing, damaged, holds code, or is not a checkpoint of this loop."""
    if not path.exists():
        raise TrainingError(f"{path} does not exist; train there first")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a spoilt file fails in as many ways as pickle and zip have
        reason = first_sentence(error)
        raise TrainingError(
            f"{path} cannot be read as a checkpoint ({reason}); delete it to start over"
        ) from error
    if not _is_checkpoint(state):
        raise TrainingError(f"{path} is not a checkpoint of this program; delete it to start over")
    return dict(state)


def _is_checkpoint(state: object) -> bool:
    tables = ("recipe", "model", "optimizer", "data")
    if not isinstance(state, dict) or not {*tables, "records", "hardware"} <= state.keys():
        return False
    if not all(isinstance(state[name], dict) for name in tables) or not isinstance(state["records"], list):
        return False
    figures = {field.name for field in fields(EpochRecord)}
    return {"mean", "std", "classes", "source"} <= state["data"].keys() and all(
        isinstance(record, dict) and record.keys() == figures for record in state["records"]
    )


def _resume(
    path: Path, recipe: Recipe, model: nn.Module, optimizer: torch.optim.Optimizer
) -> list[EpochRecord]:
    if not path.exists():
        return []
    state = read_checkpoint(path)
    changed = sorted(k for k, v in asdict(recipe).items() if state["recipe"].get(k) != v)
    if changed:
        was = ", ".join(
            f"{key} {state['recipe'].get(key)} there, {getattr(recipe, key)} here" for key in changed
        )
        raise TrainingError(f"{path} belongs to another recipe ({was}); choose another folder")
    try:
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
    except (RuntimeError, ValueError) as error:
        raise TrainingError(f"{path} belongs to another network; choose another folder") from error
    return [EpochRecord(**record) for record in state["records"]]
