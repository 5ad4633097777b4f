"""How good a network is on a set of pictures; the only place an accuracy on a card comes from."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from explorer.training.data import ImageSet, normalise


@dataclass(frozen=True)
class Evaluation:
    """`loss` is the mean cross-entropy in nats."""

    correct: int
    total: int
    loss: float

    @property
    def accuracy_percent(self) -> float:
        return 100 * self.correct / self.total


def autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    if precision == "bfloat16" and device.type in {"cpu", "cuda"}:
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()


def evaluate(
    model: nn.Module,
    data: ImageSet,
    mean: tuple[float, ...],
    std: tuple[float, ...],
    *,
    device: torch.device | None = None,
    precision: str = "float32",
    batch_size: int = 250,
) -> Evaluation:
    """Top-1 over the whole set, each picture seen once and unaltered; the model's mode is left as it was."""
    device = device or torch.device("cpu")
    was_training = model.training
    model.eval()
    correct, loss = 0, 0.0
    try:
        with torch.inference_mode(), autocast(device, precision):
            for images, labels in zip(
                data.images.split(batch_size), data.labels.split(batch_size), strict=True
            ):
                x = normalise(images.to(device), mean, std).contiguous(memory_format=torch.channels_last)
                logits, labels = model(x).float(), labels.to(device)
                correct += int((logits.argmax(1) == labels).sum())
                loss += float(F.cross_entropy(logits, labels, reduction="sum"))
    finally:
        model.train(was_training)
    return Evaluation(correct, len(data), loss / len(data))
