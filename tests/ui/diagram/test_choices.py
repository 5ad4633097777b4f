"""What the visitor does to the diagram, and what the link then says."""

import pytest

from explorer import analysis
from explorer.analysis.diagram.cut import at_level, cut
from explorer.analysis.structure.hierarchy import hierarchy
from explorer.analysis.structure.opening import Opening
from explorer.ui.diagram import choices
from explorer.ui.diagram.drawing import FLOWS


@pytest.fixture(scope="module")
def resnet():
    trace = analysis.trace("resnet50")
    return hierarchy(trace, analysis.receptive_fields(trace))


@pytest.fixture
def link(monkeypatch):
    """The bound fields, as a dictionary."""
    fields: dict = {"level": "stage"}
    monkeypatch.setattr(choices.st, "session_state", fields)
    return fields


def test_an_empty_link_is_the_network_block_by_block(resnet, link):
    link.clear()
    assert choices.view(resnet) == choices.View("block", at_level(resnet, "block"), "network", "rows", "")


def test_where_blocks_are_more_than_a_screenful_it_is_stage_by_stage(resnet, monkeypatch):
    assert choices.usual_level(resnet) == "block"
    monkeypatch.setattr(choices, "MOST_VISIBLE", 12)
    assert choices.usual_level(resnet) == "stage"


def test_opening_and_closing_leaves_the_link_as_it_was(resnet, link):
    choices.act(resnet, "open", "stage-1")
    assert link["open"] == "stage-1"
    fold = next(node.id for node in resnet.by_id["stage-1"].children if node.kind == "fold")
    choices.act(resnet, "open", fold)
    assert choices.view(resnet).open == {"stage-1", fold}
    choices.act(resnet, "close", "stage-1")
    assert link["open"] == ""
    assert choices.view(resnet).open == frozenset()


def test_at_operation_level_the_link_names_what_is_closed(resnet, link):
    link["level"] = "op"
    choices.act(resnet, "close", "stage-3")
    assert link["open"] == "stage-3"
    assert choices.view(resnet).open == at_level(resnet, "op") - {"stage-3"}


def test_another_level_starts_afresh(resnet, link):
    choices.act(resnet, "open", "stage-1")
    choices.act(resnet, "focus", "stage-2")
    choices.choose("level", "", "block")
    assert choices.view(resnet).open == at_level(resnet, "block")
    assert choices.view(resnet).inside == "network"


def test_what_does_not_fit_in_place_is_gone_into(resnet, link, monkeypatch):
    monkeypatch.setattr(choices, "MOST_VISIBLE", 9)
    choices.act(resnet, "open", "stage-1")  # 8 nodes stay 8: its only child is a fold
    assert choices.view(resnet).open == {"stage-1"}
    choices.act(resnet, "open", "stem")
    assert choices.view(resnet).inside == "stem"
    assert "stem" not in choices.view(resnet).open
    choices.act(resnet, "up", "")
    assert choices.view(resnet).inside == "network"


def test_a_hit_in_a_closed_box_is_opened_chosen_and_centred(resnet, link):
    deep = next(node.id for node in resnet.root.walk() if node.path == "layer3.4.conv2")
    choices.act(resnet, "reveal", deep)
    now = choices.view(resnet)
    assert now.node == deep
    assert deep in {node.id for node in cut(resnet, now.open, now.inside).nodes}
    assert choices.once("centre") == deep
    assert choices.once("centre") == ""


@pytest.mark.parametrize(
    "nonsense",
    [
        {"level": "galaxy", "open": "no/such <box>", "inside": "nowhere", "flow": "up", "node": "?"},
        {"open": "network", "inside": "input", "node": ""},
        {"inside": "conv2d_1"},  # an operation has no inside
    ],
)
def test_nonsense_in_a_link_is_ignored(resnet, link, nonsense):
    link.update(nonsense)
    now = choices.view(resnet)
    assert now == choices.View(now.level, at_level(resnet, now.level), "network", "rows", "")
    choices.act(resnet, "explode", "stage-1")
    choices.act(resnet, "open", "no such box")
    assert {name: link[name] for name in nonsense} == nonsense


OPENING = Opening(frozenset({"stage-1", "layer1.0..2", "layer1.1"}), "layer1.1")


@pytest.fixture
def opens(link):
    """An empty link to a network that opens with a block unfolded."""
    link.clear()
    link["_diagram_opening"] = OPENING
    return link


def test_an_empty_link_opens_with_the_key_block_unfolded(resnet, opens):
    assert choices.view(resnet) == choices.View("stage", OPENING.open, "network", "rows", "", "layer1.1")


def test_a_node_in_the_link_is_made_visible_without_closing_anything(resnet, opens):
    opens["node"] = "layer4.0"
    assert choices.view(resnet).open == OPENING.open | {"stage-4", "layer4.0..2"}


def test_what_is_opened_and_closed_from_there_stands_in_the_link(resnet, opens):
    choices.act(resnet, "open", "stage-2")
    assert choices.view(resnet).open == OPENING.open | {"stage-2"}
    assert opens["level"] == "stage"
    choices.act(resnet, "close", "stage-2")
    choices.act(resnet, "close", "stage-1")  # the last one: the page does not open it again
    assert choices.view(resnet).open == frozenset()


def test_another_level_and_back_is_the_opening_again(resnet, opens):
    choices.choose("level", "op", choices.first_level(resnet))
    assert choices.view(resnet).open == at_level(resnet, "op")
    choices.choose("level", "stage", choices.first_level(resnet))
    assert choices.view(resnet).open == OPENING.open


def test_a_link_that_names_boxes_alone_means_the_usual_level(resnet, opens):
    opens["open"] = "stage-1"
    assert choices.view(resnet).open == at_level(resnet, "block") - {"stage-1"}


@pytest.mark.parametrize(
    ("asked", "lit"),
    [
        ("", ("residual skip",)),
        ("none", ()),
        ("bottleneck", ("bottleneck",)),
        ("luck", ("residual skip",)),
    ],
)
def test_the_key_idea_is_lit_unless_the_link_says_otherwise(opens, asked, lit):
    opens["idea"] = asked
    assert choices.lit(("bottleneck", "residual skip"), ("residual skip",)) == lit


def test_each_reading_direction_has_its_button():
    assert tuple(choices.FLOWS) == FLOWS
