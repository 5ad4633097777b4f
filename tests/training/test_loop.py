"""A run ends the same however often it was interrupted, learns, and says why it cannot go on."""

import dataclasses
from pathlib import Path

import pytest
import torch
from torch import nn

from explorer.training import data, loop, recipes
from explorer.training.data import ImageSet
from explorer.training.evaluation import evaluate
from explorer.training.loop import TrainingError

RECIPE = recipes.Recipe("test", "sgd", peak_learning_rate=0.05, weight_decay=1e-4, epochs=3, batch_size=8)


def network() -> nn.Module:
    """Batch norm and dropout, since both could tell an interrupted run from a whole one."""
    return nn.Sequential(
        *(nn.Conv2d(3, 4, 3, 2), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.2)),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)),
    )


@pytest.fixture(scope="module")
def sets(tiny_folder: Path) -> tuple[ImageSet, ImageSet]:
    return data.load(tiny_folder, "train", cache=None), data.load(tiny_folder, "test", cache=None)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_a_resumed_run_ends_with_the_same_bits(tmp_path: Path, sets, optimizer):
    recipe = dataclasses.replace(RECIPE, optimizer=optimizer, early_crop=24, early_share=0.5)
    whole = loop.train(network, *sets, recipe, tmp_path / "whole")
    cut = loop.train(network, *sets, recipe, tmp_path / "cut", stop_after=1)
    assert len(cut.records) == 1
    torch.rand(17)  # another program used chance in between
    resumed = loop.train(network, *sets, recipe, tmp_path / "cut")
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name
    without_time = [
        [dataclasses.replace(record, seconds=0) for record in run.records] for run in (whole, resumed)
    ]
    assert without_time[0] == without_time[1]


def test_another_seed_gives_another_network(tmp_path: Path, sets):
    runs = [
        loop.train(network, *sets, dataclasses.replace(RECIPE, epochs=1, seed=seed), tmp_path / str(seed))
        for seed in (0, 1)
    ]
    assert not torch.equal(runs[0].model[0].weight, runs[1].model[0].weight)


def test_it_learns_what_can_be_learned(tmp_path: Path, sets):
    seen: list[loop.Progress] = []
    recipe = dataclasses.replace(RECIPE, epochs=8)
    run = loop.train(network, *sets, recipe, tmp_path, report=seen.append)
    assert run.records[-1].test_accuracy_percent == 100
    assert evaluate(run.model, sets[1], run.mean, run.std).accuracy_percent == 100
    ended = [progress.record for progress in seen if progress.record is not None]
    assert tuple(ended) == run.records
    assert [record.epoch for record in run.records] == list(range(1, 9))
    assert min(record.gradient_norm for record in run.records) > 0


def test_learning_rate_rises_to_its_peak_and_falls_to_zero():
    assert recipes.learning_rate(RECIPE, 0) == 0
    assert recipes.learning_rate(RECIPE, RECIPE.warmup) == RECIPE.peak_learning_rate
    half_way = RECIPE.warmup + (1 - RECIPE.warmup) / 2
    assert recipes.learning_rate(RECIPE, half_way) == pytest.approx(RECIPE.peak_learning_rate / 2)
    assert recipes.learning_rate(RECIPE, 1) == pytest.approx(0, abs=1e-12)


def test_biases_and_norms_do_not_decay():
    decayed, free = recipes.optimizer(RECIPE, network()).param_groups
    assert [tuple(p.shape) for p in decayed["params"]] == [(4, 3, 3, 3), (2, 4)]
    assert decayed["weight_decay"] == RECIPE.weight_decay
    assert len(free["params"]) == 4
    assert free["weight_decay"] == 0


def test_small_crops_shift_as_far_as_whole_pictures():
    recipe = dataclasses.replace(RECIPE, epochs=10, early_crop=24, early_share=0.7)
    assert recipes.crop(recipe, 6, 32) == (24, 0)
    assert recipes.crop(recipe, 7, 32) == (32, 4)
    assert recipes.crop(RECIPE, 0, 32) == (32, 4)


class _Code:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (print, ("this ran",))


def _change(path: Path, name: str, value: object) -> None:
    torch.save(torch.load(path, weights_only=True) | {name: value}, path)


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:500])


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (_truncate, "cannot be read as a checkpoint"),
        (lambda path: path.write_bytes(b""), "cannot be read as a checkpoint"),
        (lambda path: torch.save({"model": {}}, path), "is not a checkpoint of this program"),
        (lambda path: torch.save({"model": _Code()}, path), "cannot be read as a checkpoint"),
        (lambda path: _change(path, "recipe", [1]), "is not a checkpoint of this program"),
        (lambda path: _change(path, "records", [{"epoch": 1}]), "is not a checkpoint of this program"),
        (lambda path: _change(path, "data", {}), "is not a checkpoint of this program"),
    ],
    ids=["truncated", "empty", "foreign", "code", "recipe", "records", "data"],
)
def test_a_broken_checkpoint_is_named_and_runs_no_code(tmp_path: Path, sets, spoil, sentence, capsys):
    loop.train(network, *sets, RECIPE, tmp_path, stop_after=1)
    spoil(tmp_path / loop.CHECKPOINT)
    with pytest.raises(TrainingError, match=sentence):
        loop.train(network, *sets, RECIPE, tmp_path)
    assert "this ran" not in capsys.readouterr().out


def test_a_run_of_another_recipe_or_network_is_not_continued(tmp_path: Path, sets):
    loop.train(network, *sets, RECIPE, tmp_path, stop_after=1)
    with pytest.raises(TrainingError, match=r"another recipe \(epochs 3 there, 5 here\)"):
        loop.train(network, *sets, dataclasses.replace(RECIPE, epochs=5), tmp_path)
    with pytest.raises(TrainingError, match="another network"):
        loop.train(lambda: nn.Sequential(nn.Flatten(), nn.Linear(3072, 2)), *sets, RECIPE, tmp_path)


def test_a_diverged_run_stops_with_the_way_out(tmp_path: Path, sets):
    wild = dataclasses.replace(RECIPE, peak_learning_rate=1e30)
    with pytest.raises(TrainingError, match="lower peak_learning_rate"):
        loop.train(network, *sets, wild, tmp_path)


def test_evaluation_counts_by_hand_and_leaves_the_mode(sets):
    _, test = sets
    always_dark = nn.Sequential(nn.Flatten(), nn.Linear(3072, 2)).train()
    nn.init.zeros_(always_dark[1].weight)
    always_dark[1].bias.data = torch.tensor([1.0, 0.0])
    measured = evaluate(always_dark, test, (0.5,) * 3, (0.25,) * 3, batch_size=3)
    assert (measured.correct, measured.total, measured.accuracy_percent) == (10, 20, 50)
    softplus = torch.nn.functional.softplus(torch.tensor([-1.0, 1.0]))
    assert measured.loss == pytest.approx(softplus.mean().item(), abs=1e-6)
    assert always_dark.training
