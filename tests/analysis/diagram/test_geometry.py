"""Every catalogued architecture's diagram, at all levels and both ways round: nothing crosses or overlaps."""

import pytest

from explorer import catalogue
from explorer.analysis import receptive_fields, trace
from explorer.analysis.diagram.cut import LEVELS, at_level, cut
from explorer.analysis.diagram.placement import place
from explorer.analysis.structure.hierarchy import hierarchy
from tests.analysis.diagram.geometry import faults

NETWORKS = sorted({each.builders[0] for each in catalogue.architectures().values() if each.builders})


@pytest.mark.parametrize("name", NETWORKS)
def test_a_clean_picture_at_every_level(name):
    traced = trace(name)
    boxes = hierarchy(traced, receptive_fields(traced))
    for level in LEVELS:
        visible = cut(boxes, at_level(boxes, level))
        for direction in ("right", "down"):
            assert faults(visible, place(visible, direction)) == [], (level, direction)


@pytest.mark.parametrize(
    "name", ["torchvision:densenet121", "torchvision:googlenet", "timm:seresnet50", "timm:coat_tiny"]
)
def test_a_clean_picture_inside_every_box(name):
    """Each box as the focus, with what comes in from outside and goes out, its own boxes open, an overlay on
    all."""
    traced = trace(name)
    boxes = hierarchy(traced, receptive_fields(traced))
    third = {node.id: "1.25 G" for node in boxes.root.walk()}
    for node in boxes.root.walk():
        if node.kind in ("stage", "block", "fold"):
            visible = cut(boxes, [child.id for child in node.children], focus=node.id)
            for direction in ("right", "down"):
                found = faults(visible, place(visible, direction, third))
                assert [fault for fault in found if not fault.endswith("runs back")] == [], (
                    node.id,
                    direction,
                )
