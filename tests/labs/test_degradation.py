"""The verdict on depth follows from the cards, whatever they say; the cards here are made up."""

import json
import math
from pathlib import Path

import pytest

from explorer.labs import degradation
from explorer.labs.degradation import Gap, gap, outcome
from explorer.networks import zoo
from explorer.training import recipes
from explorer.training.__main__ import _parser
from tests.labs.made_up_cards import write


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(zoo, "FOLDER", tmp_path)
    return tmp_path


def test_the_twins_differ_in_depth_and_skips_only():
    described = [(twin.builder, twin.depth, twin.residual) for twin in degradation.TWINS]
    assert described == [
        ("plain20", 20, False), ("plain56", 56, False), ("resnet20", 20, True), ("resnet56", 56, True)
    ]  # fmt: skip


@pytest.mark.parametrize("twin", degradation.TWINS, ids=lambda twin: twin.card)
def test_the_command_that_is_shown_is_one_the_program_takes(twin: degradation.Twin):
    words = twin.command.split()
    assert words[:3] == ["python", "-m", "explorer.training"]
    asked = _parser().parse_args(words[3:])
    assert asked.name == twin.builder
    assert asked.recipe in recipes.RECIPES


def test_without_cards_all_are_missing_and_none_is_damaged(folder: Path):
    trained = degradation.read()
    assert not trained.cards
    assert list(trained.missing.values()) == [None] * 4
    assert trained.pair(residual=False) is None
    assert trained.one_protocol


def test_what_is_there_is_read_and_what_is_damaged_is_named(folder: Path):
    write(folder, "plain20", train=90, test=80)
    (folder / "plain56.json").write_text(json.dumps({"name": "plain56"}))
    trained = degradation.read()
    assert [twin.title for twin in trained.cards] == ["Plain-20"]
    missing = {twin.title: why for twin, why in trained.missing.items()}
    assert "is not a card: missing" in missing["Plain-56"]
    assert missing["ResNet-20"] is None
    assert trained.pair(residual=False) is None


def test_a_gap_is_the_deep_error_less_the_shallow_one(folder: Path):
    write(folder, "plain20", train=90, test=80)
    write(folder, "plain56", train=86, test=77.5)
    shallow, deep = degradation.read().pair(residual=False)
    assert gap(shallow, deep, "train").points == pytest.approx(4)
    assert gap(shallow, deep, "test").points == pytest.approx(2.5)
    expected = 100 * math.sqrt((0.2 * 0.8 + 0.225 * 0.775) / 10_000)
    assert gap(shallow, deep, "test").standard_error == pytest.approx(expected)


def test_the_curves_are_errors_by_epoch(folder: Path):
    write(folder, "resnet56_twin", train=88, test=81)
    (card,) = degradation.read().cards.values()
    assert degradation.errors(card, "train") == (62, 12)
    assert degradation.errors(card, "test") == (69, 19)
    assert degradation.final_error(card, "test") == 19


def test_networks_of_two_recipes_are_not_compared_in_silence(folder: Path):
    write(folder, "plain20", train=90, test=80)
    write(folder, "plain56", train=86, test=77, recipe={"epochs": 2, "seed": 1})
    assert not degradation.read().one_protocol


WORSE, BETTER, ALIKE = Gap(3, 0.5), Gap(-3, 0.5), Gap(0.9, 0.5)


@pytest.mark.parametrize(
    ("train", "test", "expected"),
    [
        (WORSE, WORSE, "degradation"),
        (WORSE, BETTER, "degradation"),
        (BETTER, WORSE, "overfitting"),
        (ALIKE, WORSE, "test only"),
        (BETTER, BETTER, "depth helps"),
        (BETTER, ALIKE, "depth helps"),
        (ALIKE, ALIKE, "no difference"),
    ],
)
def test_what_two_gaps_amount_to(train: Gap, test: Gap, expected: str):
    """Sources 001 (Q2) and 002: greater training error is degradation, smaller with greater test error
    overfitting.
    """
    assert outcome(train, test) == expected


def test_alike_is_within_two_standard_errors():
    assert [Gap(points, 0.5).verdict for points in (1.0, 1.01, -1.01)] == ["alike", "worse", "better"]


def test_fifty_six_layers_are_twenty_and_thirty_six():
    """Sources 001 and 002: set the extra 36 layers to the identity."""
    shallow, deep = degradation.TWINS[0], degradation.TWINS[1]
    assert deep.depth - shallow.depth == 36
