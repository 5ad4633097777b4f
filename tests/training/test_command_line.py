"""Train, export and evaluate from the command line, on a tiny set and into a folder of its own."""

import dataclasses
import json
from pathlib import Path

import pytest

from explorer.networks import zoo
from explorer.training import __main__ as command_line
from tests.full_disk import fill, names


@pytest.fixture
def own_zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(zoo, "FOLDER", tmp_path / "zoo")
    monkeypatch.setattr("explorer.training.data.CACHE", tmp_path / "cache")
    return tmp_path / "zoo"


def test_an_unusable_folder_is_one_line_and_exit_code_2(tmp_path: Path, capsys):
    code = command_line.main(["evaluate", "resnet20", "--data", str(tmp_path)])
    error = capsys.readouterr().err
    assert code == 2
    assert error.count("\n") == 1
    assert str(tmp_path) in error


def test_a_run_that_never_was_cannot_be_exported(tmp_path: Path, tiny_folder: Path, own_zoo, capsys):
    arguments = ["--data", str(tiny_folder), "--run", str(tmp_path / "run")]
    assert command_line.main(["export", "lenet5", *arguments]) == 2
    assert "train there first" in capsys.readouterr().err
    assert not own_zoo.exists()


def test_train_and_stop_short_of_the_end_is_not_shipped(tmp_path: Path, tiny_folder: Path, own_zoo, capsys):
    from explorer.networks import cifar
    from explorer.training import data, loop, recipes

    sets = [data.load(tiny_folder, split) for split in ("train", "test")]
    recipe = recipes.Recipe("short", "sgd", 0.01, 0, epochs=2, batch_size=8)
    loop.train(lambda: cifar.lenet5(3, 2), *sets, recipe, tmp_path / "run", stop_after=1)
    arguments = ["--data", str(tiny_folder), "--run", str(tmp_path / "run")]
    assert command_line.main(["export", "lenet5", *arguments]) == 2
    assert "stopped after 1 of 2 epochs" in capsys.readouterr().err


def test_train_prints_epochs_and_zoo_recipe_is_the_default(
    tmp_path: Path, tiny_folder: Path, own_zoo, capsys
):
    run = tmp_path / "run"
    arguments = ["--data", str(tiny_folder), "--run", str(run), "--device", "cpu", "--epochs", "1"]
    assert command_line.main(["train", "lenet5", *arguments]) == 0
    assert "lenet5 epoch 1/1: train" in capsys.readouterr().out
    assert command_line.main(["train", "lenet5", *arguments, "--recipe", "basic"]) == 2
    assert "another recipe (name adamw there, basic here" not in capsys.readouterr().out


def test_an_exported_run_is_evaluated_from_its_files(tmp_path: Path, own_zoo, capsys):
    """A set with CIFAR's ten class names, so that the zoo's ten outputs fit."""
    import numpy as np
    from PIL import Image

    root, names = tmp_path / "ten", [f"class{index}" for index in range(10)]
    noise = np.random.default_rng(1)
    for split in ("train", "test"):
        for level, name in enumerate(names):
            (root / split / name).mkdir(parents=True)
            for index in range(2):
                pixels = noise.integers(25 * level, 25 * level + 20, (32, 32, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(root / split / name / f"{index}.png")
    arguments = ["--data", str(root), "--device", "cpu"]
    run = ["--run", str(tmp_path / "run")]
    assert command_line.main(["train", "lenet5", *arguments, *run, "--epochs", "2"]) == 0
    assert command_line.main(["export", "lenet5", *arguments, *run]) == 0
    capsys.readouterr()
    assert command_line.main(["evaluate", "lenet5", *arguments]) == 0
    printed = capsys.readouterr().out
    card = json.loads((own_zoo / "lenet5.json").read_text())
    assert f"{card['test_accuracy_percent']:.2f} %" in printed
    assert card["labels"] == names
    assert card["epochs"] == len(card["curves"]["test_accuracy_percent"]) == 2
    assert card["hardware"].endswith("cores")


def test_one_class_is_said(tmp_path: Path, own_zoo, capsys):
    from PIL import Image

    for split in ("train", "test"):
        (tmp_path / "one" / split / "cat").mkdir(parents=True)
        Image.new("RGB", (32, 32)).save(tmp_path / "one" / split / "cat" / "a.png")
    arguments = ["--data", str(tmp_path / "one"), "--run", str(tmp_path / "run")]
    assert command_line.main(["train", "lenet5", *arguments]) == 2
    error = capsys.readouterr().err
    assert "the set holds one class, 'cat'" in error
    assert error.count("\n") == 1


def test_a_full_disk_is_one_line_and_the_last_checkpoint_stays(
    tiny_folder: Path, full_disk: Path, own_zoo, capsys
):
    """Another epoch than the finished ones is asked for, and its checkpoint finds no place."""
    from explorer.training import data, loop, recipes

    recipe = ["--recipe", "basic", "--epochs", "2", "--device", "cpu", "--precision", "float32"]
    sets = [data.load(tiny_folder, split) for split in ("train", "test")]
    short = dataclasses.replace(recipes.BASIC, epochs=2)
    from explorer.networks import cifar

    loop.train(lambda: cifar.lenet5(3, 2), *sets, short, full_disk / "run", stop_after=1)
    before = (full_disk / "run" / loop.CHECKPOINT).read_bytes()
    fill(full_disk, left=8192)
    arguments = ["--data", str(tiny_folder), "--run", str(full_disk / "run")]
    assert command_line.main(["train", "lenet5", *arguments, *recipe]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "checkpoint.pt cannot be written: No space left on device" in error
    assert (full_disk / "run" / loop.CHECKPOINT).read_bytes() == before
    assert names(full_disk) == {f"run/{loop.CHECKPOINT}"}


def test_shipping_to_a_full_disk_is_one_line_and_what_was_shipped_stays(
    tmp_path: Path, tiny_folder: Path, full_disk: Path, monkeypatch, capsys
):
    from explorer.networks import cifar
    from explorer.training import data, loop, recipes

    sets = [data.load(tiny_folder, split, cache=None) for split in ("train", "test")]
    short = dataclasses.replace(recipes.BASIC, epochs=1)
    loop.train(lambda: cifar.lenet5(3, 2), *sets, short, tmp_path / "run")
    monkeypatch.setattr(zoo, "FOLDER", full_disk)
    (full_disk / "lenet5.safetensors").write_bytes(b"shipped before")
    fill(full_disk, left=8192)
    arguments = ["--data", str(tiny_folder), "--run", str(tmp_path / "run")]
    assert command_line.main(["export", "lenet5", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "lenet5.safetensors cannot be written: No space left on device" in error
    assert (full_disk / "lenet5.safetensors").read_bytes() == b"shipped before"
    assert names(full_disk) == {"lenet5.safetensors"}
