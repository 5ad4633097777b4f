"""The stage diagram's geometry: nothing overlaps, nothing leaves its card, shares are drawn to scale."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.ui.volumes.component import WIDTHS, geometry
from explorer.ui.volumes.layout import Box, Label, StageCard, fit, layout, text_width

KINDS = ("spatial", "pointwise", "depthwise", "linear", "norm")


def card(
    name="layer1", *, port=False, repeats=3, shape=(1, 256, 56, 56), skip="add", share=0.5, block="Bottleneck"
):
    kinds = {"spatial": share * 0.75, "pointwise": share * 0.25}
    text = " × ".join(map(str, (*shape[2:], shape[1])))
    return StageCard(
        id=name, name=name, block=block, repeats=repeats, output_shape=shape, lines=(("MACs", "1"),),
        params_by_kind=kinds, macs_by_kind=kinds, params_share="50.0 %", macs_share="< 0.1 %", shape=text,
        skip=skip, port=port,
    )  # fmt: skip


names = st.text(min_size=1, max_size=60)
shapes = st.one_of(
    st.tuples(st.just(1), *[st.integers(1, 4096)] * 3),
    st.tuples(st.just(1), *[st.integers(1, 4096)] * 2),
    st.tuples(st.just(1), st.integers(1, 30000)),
)
stages = st.builds(
    card,
    name=names,
    block=names,
    shape=shapes,
    repeats=st.integers(1, 48),
    skip=st.sampled_from(("", "add", "concat")),
    share=st.floats(0, 1),
)
networks = st.lists(stages, min_size=1, max_size=24).map(
    lambda middle: [
        card("Input", port=True, shape=(1, 3, 224, 224)),
        *middle,
        card("Output", port=True, shape=(1, 1000)),
    ]
)


def problems(cards, width) -> list[str]:
    """Everything a designer would circle in red."""
    made = layout(cards, width)
    found = [
        f"cards {one.card.name!r} and {two.card.name!r} overlap"
        for one, two in itertools.combinations(made.cards, 2)
        if one.box.overlaps(two.box)
    ]
    canvas = Box(0, 0, made.width, made.height)
    for each in made.cards:
        boxes = [label.box for label in each.labels]
        x, y = (
            [point[0] for face in each.volume for point in face],
            [p[1] for face in each.volume for p in face],
        )
        volume = Box(min(x), min(y), max(x) - min(x), max(y) - min(y))
        inside = (
            [("label", box) for box in boxes] + [("bar", b.box) for b in each.bars] + [("volume", volume)]
        )
        found += [
            f"{each.card.name!r}: a {what} leaves the card"
            for what, box in inside
            if not each.box.contains(box)
        ]
        found += [
            f"{each.card.name!r}: labels overlap"
            for a, b in itertools.combinations(boxes, 2)
            if a.overlaps(b)
        ]
        found += [f"{each.card.name!r}: a label lies on the volume" for box in boxes if box.overlaps(volume)]
        found += [
            f"{each.card.name!r}: a label lies on a bar"
            for box in boxes
            for b in each.bars
            if box.overlaps(b.box)
        ]
        if not canvas.contains(each.box):
            found.append(f"{each.card.name!r} leaves the canvas")
        found += [
            f"an arrow crosses {each.card.name!r}"
            for corners in made.arrows
            for (ax, ay), (bx, by) in itertools.pairwise(corners)
            if each.box.overlaps(Box(min(ax, bx), min(ay, by), abs(ax - bx), abs(ay - by)), slack=0.5)
        ]
    return found


@settings(max_examples=60, deadline=None)
@given(networks, st.sampled_from(WIDTHS))
def test_nothing_overlaps_whatever_the_names_and_shapes(cards, width):
    assert problems(cards, width) == []


def test_the_check_sees_an_overlap():
    """The oracle itself: two cards laid on one another are reported."""
    one = Box(0, 0, 100, 200)
    assert one.overlaps(Box(99, 0, 50, 50))
    assert not one.overlaps(Box(100, 0, 50, 50))


@pytest.mark.parametrize("width", WIDTHS)
def test_a_layout_is_no_wider_than_its_column(width):
    cards = [card(f"stage{n}") for n in range(12)]
    assert layout(cards, width).width <= width


def test_cards_follow_the_tensor_from_left_to_right_row_by_row():
    made = layout([card(f"s{n}") for n in range(10)], 620)
    places = [(each.box.y, each.box.x) for each in made.cards]
    assert places == sorted(places)
    assert len({y for y, _ in places}) > 1


def test_bars_are_to_scale():
    """The track is the whole network: 40 % of it is 40 % of the track, split by kind."""
    placed = layout([card(share=0.4)], 1260).cards[0]
    track, spatial, pointwise = placed.bars[:3]
    assert spatial.box.width == pytest.approx(0.3 * track.box.width)
    assert pointwise.box.width == pytest.approx(0.1 * track.box.width)


def test_a_volume_grows_with_resolution_and_with_channels():
    cards = [card("early", shape=(1, 64, 56, 56)), card("late", shape=(1, 1024, 14, 14))]
    early, late = (each.volume[0] for each in layout(cards, 1260).cards)
    height, length = (lambda front: front[2][1] - front[1][1]), (lambda front: front[1][0] - front[0][0])
    # Square roots: a quarter of the resolution, half the height; sixteen times the channels, four lengths.
    assert height(early) == pytest.approx(2 * height(late))
    assert length(late) == pytest.approx(4 * length(early))


def test_only_repeated_stages_say_how_often():
    once, often = layout([card("a", repeats=1), card("b", repeats=6)], 1260).cards
    assert not any(label.style == "times" for label in once.labels)
    assert [label.text for label in often.labels if label.style == "times"] == ["× 6"]


def test_long_names_keep_both_ends():
    assert fit("layer1", 200, 13) == "layer1"
    short = fit("features.transition_block_of_stage_seventeen", 90, 13)
    assert short.startswith("fe")
    assert short.endswith("en")
    assert text_width(short, 13) <= 90


def test_a_label_knows_where_it_is():
    box = Label("abc", 100, 50, 10, "shape", "end").box
    assert box.x + box.width == pytest.approx(100)


def test_the_browser_gets_plain_values_and_each_layout_once():
    data = geometry([card("<img src=x onerror=alert(1)>", skip="concat")])
    assert data["cards"][0]["title"] == "<img src=x onerror=alert(1)> × 3"
    assert data["cards"][0]["kind"] == "spatial"
    widths = [each["width"] for each in data["layouts"]]
    assert widths == sorted(set(widths))
