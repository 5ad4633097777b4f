"""Cards of networks that nobody trained, for tests of what reads them."""

import json
from pathlib import Path

from explorer.networks import zoo

SHIPPED = zoo.FOLDER / "resnet20.json"


def write(folder: Path, name: str, train: float, test: float, **changes: object) -> None:
    """A card of two epochs that ends at these accuracies in percent, 50 points higher than it began."""
    recipe = {"name": "degradation", "epochs": 2, "seed": 0, "optimizer": "sgd", "peak_learning_rate": 0.1}
    recipe |= {"weight_decay": 1e-4, "batch_size": 128, "precision": "float32"}
    curves = {
        "learning_rate": [0.1, 0.0],
        "train_loss": [2.0, 0.5],
        "train_accuracy_percent": [train - 50, train],
        "test_loss": [2.1, 0.7],
        "test_accuracy_percent": [test - 50, test],
        "gradient_norm": [3.0, 1.5],
        "seconds": [1.0, 1.0],
    }
    fields = json.loads(SHIPPED.read_text("utf-8")) | {"name": name, "epochs": 2, "seed": 0}
    fields |= {"train_accuracy_percent": train, "test_accuracy_percent": test}
    (folder / f"{name}.json").write_text(
        json.dumps(fields | {"recipe": recipe, "curves": curves} | changes), "utf-8"
    )
