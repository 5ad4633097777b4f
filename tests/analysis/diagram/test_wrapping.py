"""A picture in lines holds what the picture in one line held, and can be read larger."""

import pytest

from explorer.analysis import receptive_fields, trace
from explorer.analysis.diagram.cut import LEVELS, at_level, cut
from explorer.analysis.diagram.placement import place
from explorer.analysis.diagram.wrapping import ASPECT, wrapped
from explorer.analysis.structure.hierarchy import hierarchy
from tests.analysis.diagram.geometry import faults


def scale(scene) -> float:
    return min(ASPECT / scene.width, 1 / scene.height)


@pytest.mark.parametrize(
    "name",
    ["resnet50", "googlenet", "densenet121", "efficientnet_b0", "convnext_t", "vit_b16", "vgg16", "lenet5"],
)
def test_lines_are_as_clean_as_one_line_and_larger(name):
    traced = trace(name)
    boxes = hierarchy(traced, receptive_fields(traced))
    for level in LEVELS:
        visible = cut(boxes, at_level(boxes, level))
        one = place(visible, "right")
        lines = wrapped(one)
        # Only from line to line does anything run back.
        assert [fault for fault in faults(visible, lines) if not fault.endswith("runs back")] == [], level
        assert scale(lines) >= scale(one)
    blocks = place(cut(boxes, at_level(boxes, "block")), "right")
    assert scale(wrapped(blocks)) > 1.3 * scale(blocks)


def test_every_box_keeps_its_size_and_its_texts():
    traced = trace("resnet50")
    boxes = hierarchy(traced, receptive_fields(traced))
    one = place(cut(boxes, at_level(boxes, "block")), "right")
    lines = wrapped(one)
    assert len({round(each.box.y) for each in lines.nodes if each.depth == 0}) > 1
    for before, after in zip(one.nodes, lines.nodes, strict=True):
        assert before.node is after.node
        assert (before.box.width, before.box.height) == (after.box.width, after.box.height)
        assert [label.text for label in before.labels] == [label.text for label in after.labels]
        for label in after.labels:
            assert after.box.contains(label.box)


def test_what_needs_no_lines_stays_as_it_is():
    traced = trace("resnet50")
    boxes = hierarchy(traced, receptive_fields(traced))
    fold = place(cut(boxes, focus="stage-1"), "right")  # one card between two ports
    assert wrapped(fold) is fold
    down = place(cut(boxes), "down")
    assert wrapped(down) is down
