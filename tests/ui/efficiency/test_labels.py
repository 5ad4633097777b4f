"""Where the names of the efficiency chart stand, on places made up for it and on the published results."""

from itertools import combinations

import pytest

from explorer.analysis.choosing.filters import Narrowing, narrowed
from explorer.ui.efficiency.figures import Axes, names
from explorer.ui.efficiency.labels import NARROWER, ROOMY, WIDEST, Label, Plot, laid_out
from explorer.ui.efficiency.view import points
from explorer.ui.network import candidates

RADIUS, SIZE = 5.0, 12.0


def box(at: tuple[float, float], label: Label, plot: Plot) -> tuple[float, float, float, float]:
    x, y = at[0] * plot.width + label.right, at[1] * plot.height + label.up
    half_width, half_height = label.half
    return x - half_width, y - half_height, x + half_width, y + half_height


def overlap(one: tuple[float, ...], two: tuple[float, ...]) -> bool:
    return one[0] < two[2] and two[0] < one[2] and one[1] < two[3] and two[1] < one[3]


@pytest.mark.parametrize("plot", [WIDEST, ROOMY, *NARROWER])
def test_no_name_covers_another_or_a_dot_however_close_they_stand(plot: Plot) -> None:
    at = {dot: (0.4 + 0.003 * dot, 0.5 + 0.01 * (dot % 5)) for dot in range(20)}
    labels = laid_out({dot: f"Network {dot:02}" for dot in at}, at, RADIUS, SIZE)
    assert len(labels) == 20
    boxes = {dot: box(at[dot], label, plot) for dot, label in labels.items() if plot not in label.hidden}
    assert boxes
    assert not [pair for pair in combinations(boxes.values(), 2) if overlap(*pair)]
    for dot, held in boxes.items():
        for other, (x, y) in at.items():
            x, y = x * plot.width, y * plot.height
            round_it = x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS
            assert other == dot or not overlap(held, round_it)


def test_a_lone_name_stands_right_of_its_dot_and_at_the_right_edge_left_of_it() -> None:
    middle, edge = laid_out({0: "One", 1: "Two"}, {0: (0.5, 0.5), 1: (0.99, 0.5)}, RADIUS, SIZE).values()
    assert (middle.right > 0, middle.up, middle.far) == (True, 0, False)
    assert (edge.right < 0, edge.up, edge.far) == (True, 0, False)


def test_a_spare_name_stays_away_where_it_has_no_room_close_by() -> None:
    at = {dot: (0.5, 0.5 + 0.001 * dot) for dot in range(12)}
    texts = {dot: f"Network {dot}" for dot in at}
    assert 11 in laid_out(texts, at, RADIUS, SIZE)
    assert 11 not in laid_out(texts, at, RADIUS, SIZE, spare=[11])


@pytest.mark.parametrize(("x", "y"), [("macs", "top1"), ("params", "real top1"), ("throughput 3090", "top1")])
def test_every_network_of_the_story_is_named_once(monkeypatch: pytest.MonkeyPatch, x: str, y: str) -> None:
    monkeypatch.delenv("EXPLORER_TABLES", raising=False)
    data, axes = candidates.here(), Axes(x, y, True, False, "")
    wanted = Narrowing(published_by=frozenset({"timm", "torchvision"}), for_tests=False)
    shown, _ = points(data, narrowed(data.candidates, wanted), axes)
    labels = names(shown, axes)
    assert shown.story.keys() <= labels.keys()
    texts = [label.text for label in labels.values()]
    assert len(texts) == len(set(texts))
    assert {"ResNet-50", "ResNet-50 A1", "Swin-T", "ConvNeXt-T"} <= set(texts)
