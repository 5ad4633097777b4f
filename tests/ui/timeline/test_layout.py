"""The timeline's geometry on the real catalogue: nothing overlaps, and places mean years and per cent."""

import itertools

import pytest

from explorer import catalogue
from explorer.ui.timeline import layout
from explorer.ui.timeline.component import WIDTH, WIDTH_PRESENTING, citations, content
from explorer.ui.timeline.scene import MOST_ERROR, Scene, scene
from explorer.ui.volumes.layout import Box


@pytest.fixture(scope="module", params=["whole", "ladder"])
def drawn(request: pytest.FixtureRequest) -> Scene:
    return scene(WIDTH) if request.param == "whole" else scene(WIDTH_PRESENTING, ladder=True)


def drawn_milestones(drawn: Scene) -> list[catalogue.Architecture]:
    """All on the whole drawing, the rungs on the ladder's."""
    rungs = {rung.architecture for rung in catalogue.timeline().ladder}
    return [each for each in catalogue.milestones() if drawn.width == WIDTH or each.id in rungs]


def test_no_two_texts_overlap(drawn: Scene):
    boxes = drawn.text_boxes()
    clashes = [(a, b) for (a, one), (b, other) in itertools.combinations(boxes, 2) if one.overlaps(other)]
    assert not clashes


def test_the_check_for_overlaps_sees_one(drawn: Scene):
    stop = drawn.stops[0]
    assert stop.box.overlaps(stop.moved(stop.radius).box)


def test_everything_is_on_the_drawing(drawn: Scene):
    canvas = Box(0, 0, drawn.width, drawn.height)
    outside = [name for name, box in drawn.text_boxes() if not canvas.contains(box)]
    assert not outside
    assert all(canvas.contains(lane.box) for lane in drawn.lanes)


def test_lanes_keep_apart_and_hold_their_own(drawn: Scene):
    assert not any(one.box.overlaps(other.box) for one, other in itertools.combinations(drawn.lanes, 2))
    for lane in drawn.lanes:
        assert all(lane.band.contains(stop.box) for stop in lane.stops)
        assert {stop.family for stop in lane.stops} == {lane.family}
    tops = [lane.box.y for lane in drawn.lanes]
    assert tops == sorted(tops)


def test_every_milestone_and_every_method_is_a_stop_once(drawn: Scene):
    expected = [each.id for each in drawn_milestones(drawn)]
    if drawn.width == WIDTH:
        expected += [method.id for method in catalogue.timeline().handcrafted]
    assert sorted(stop.id for stop in drawn.stops) == sorted(expected)


def test_stops_stand_at_their_year(drawn: Scene):
    """Later means further right; from 2010 on every year is equally wide, before it narrower."""
    years = {each.id: each.year for each in (*catalogue.milestones(), *catalogue.timeline().handcrafted)}
    by_place = sorted(drawn.stops, key=lambda stop: stop.x)
    assert [years[stop.id] for stop in by_place] == sorted(years[stop.id] for stop in drawn.stops)
    step = layout.x_of(2011, drawn.width) - layout.x_of(2010, drawn.width)
    assert layout.x_of(2023, drawn.width) - layout.x_of(2010, drawn.width) == pytest.approx(13 * step)
    past = layout.x_of(2010, drawn.width) - layout.x_of(2009, drawn.width)
    assert past < step / 3
    assert layout.x_of(1998, drawn.width) < drawn.axis.turn < layout.x_of(2010, drawn.width)


def test_the_axis_says_where_its_scale_changes(drawn: Scene):
    assert drawn.axis.note.text == "compressed"
    assert [line.text for line in drawn.axis.years] == ["1998", *(str(year) for year in range(2010, 2024))]


def test_the_error_curve_is_in_proportion_and_on_the_same_axis(drawn: Scene):
    points = {point.entry.year: point for point in drawn.curve.points}
    assert list(points) == list(range(2010, 2018))
    for year, point in points.items():
        assert point.x == layout.x_of(year, drawn.width)
    per_cent = (points[2017].y - points[2010].y) / (28.2 - 2.25)
    for point in points.values():
        assert points[2017].y - point.y == pytest.approx(per_cent * (point.entry.top5_error.value - 2.25))
    human = catalogue.timeline().human.value
    assert points[2017].y - drawn.curve.human_y == pytest.approx(per_cent * (human - 2.25))
    assert points[2014].y < drawn.curve.human_y < points[2015].y  # ResNet's year is the first below it
    assert max(entry.top5_error.value for entry in catalogue.timeline().ilsvrc) < MOST_ERROR


def test_the_falling_curve_runs_through_no_text(drawn: Scene):
    points = [(point.x, point.y) for point in drawn.curve.points]
    for (x, y), (right, low) in itertools.pairwise(points):
        steps = [share / 50 for share in range(51)]
        way = [Box(x + each * (right - x), y + each * (low - y), 0.1, 0.1) for each in steps]
        assert not [box for box in drawn.curve.text_boxes() if any(box.overlaps(each) for each in way)]


def test_lineage_is_drawn_from_ancestor_to_descendant(drawn: Scene):
    stops = {stop.id: stop for stop in drawn.stops}
    milestones = {each.id: each for each in drawn_milestones(drawn)}
    expected = {
        (ancestor, each.id)
        for each in milestones.values()
        for ancestor in each.came_from
        if ancestor in milestones
    }
    assert {(link.ancestor, link.descendant) for link in drawn.links} == expected
    assert ("resnet50", "convnext_t") in expected
    for link in drawn.links:
        for end, stop in ((link.points[0], stops[link.ancestor]), (link.points[-1], stops[link.descendant])):
            assert (end[0] - stop.x) ** 2 + (end[1] - stop.y) ** 2 == pytest.approx(stop.radius**2)


def test_the_ladder_shows_its_ideas_on_the_drawing(drawn: Scene):
    stops = {stop.id: stop for stop in drawn.stops}
    for rung in catalogue.timeline().ladder:
        texts = " ".join(line.text for line in stops[rung.architecture].lines)
        assert texts.endswith(rung.idea)


@pytest.mark.parametrize(
    ("name", "shorter"),
    [
        ("GoogLeNet (Inception v1)", "GoogLeNet"),
        ("ShuffleNet V1 1x (g = 3)", "ShuffleNet V1"),
        ("ResNeXt-50 32x4d", "ResNeXt-50"),
        ("Inception v3", "Inception v3"),
        ("ConvNeXt V2 Tiny", "ConvNeXt V2"),
        ("ViT-B/16", "ViT-B/16"),
    ],
)
def test_editions_are_left_to_the_card(name: str, shorter: str):
    assert layout.short_name(name) == shorter


def test_every_mark_has_its_words():
    """The browser looks each mark up by id; a mark that leads somewhere leads to a catalogue entry."""
    sent = content(presenting=False)
    ids = [stop["id"] for lane in sent["lanes"] for stop in lane["stops"]]
    ids += [point["id"] for point in sent["curve"]["points"]] + ["human"]
    assert sorted(sent["details"]) == sorted(ids)
    for detail in sent["details"].values():
        assert detail["title"]
        assert detail["over"]
        assert not detail["open"] or catalogue.get(detail["open"])
        assert all(source for _, _, source in detail["facts"])


def test_every_figure_is_cited():
    rows = citations()
    assert ("2015, ResNet, top-5 error", "3.57 %") in [row[:2] for row in rows]
    assert all(source for _, _, source, _ in rows)
    assert all(url.startswith("https://") for *_, url in rows if url)
