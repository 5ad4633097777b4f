"""The painter: all that is visible is drawn once, stands alone in a file, and no text is markup."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from explorer import analysis
from explorer.analysis.diagram.cut import at_level, cut
from explorer.analysis.diagram.placement import place
from explorer.analysis.structure.hierarchy import hierarchy
from explorer.ui.diagram import drawing
from explorer.ui.diagram import svg as diagram_svg
from explorer.ui.diagram.drawing import Wanted
from explorer.ui.diagram.node_facts import facts

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def resnet():
    trace = analysis.trace("resnet50")
    return hierarchy(trace, analysis.receptive_fields(trace))


def groups(svg: str, name: str) -> list[ElementTree.Element]:
    root = ElementTree.fromstring(svg)
    return [each for each in root.iter(f"{SVG}g") if name in each.get("class", "").split()]


@pytest.mark.parametrize("level", ["stage", "block", "op"])
def test_every_visible_node_and_edge_is_drawn_once(resnet, level):
    opened = at_level(resnet, level)
    scene = place(cut(resnet, opened))
    drawn = groups(drawing.drawing(resnet, Wanted(opened, flow="right")).svg, "node")
    assert sorted(each.get("data-id") for each in drawn) == sorted(each.node.id for each in scene.nodes)
    edges = groups(drawing.drawing(resnet, Wanted(opened)).svg, "edge")
    assert len(edges) == len(scene.edges)


def test_a_card_says_to_a_screen_reader_what_it_shows(resnet):
    svg = drawing.drawing(resnet, Wanted(at_level(resnet, "op"))).svg
    conv = next(node.id for node in resnet.root.walk() if node.path == "layer1.0.conv2")
    card = next(each for each in groups(svg, "node") if each.get("data-id") == conv)
    assert card.get("role") == "button"
    for words in ("conv 3×3", "Kernel 3 × 3", "Output 64 × 56 × 56", "Parameters 36,864", "MACs 115,605,504"):
        assert words in card.get("aria-label")


def test_a_fold_is_a_stack_and_skips_are_told_apart(resnet):
    svg = drawing.drawing(resnet, Wanted(at_level(resnet, "block"))).svg
    folds = groups(svg, "kind-fold")
    assert [len([part for part in fold if part.get("class") == "behind"]) for fold in folds] == [2] * 4
    assert [
        part.text for fold in folds for part in fold.iter(f"{SVG}text") if part.get("class") == "times"
    ] == ["× 3", "× 4", "× 6", "× 3"]
    everything = drawing.drawing(resnet, Wanted(at_level(resnet, "op"))).svg
    assert len(groups(everything, "identity")) == 12  # 16 blocks, of which each stage's first projects
    assert len(groups(everything, "projection")) == 4


def test_a_bar_shows_what_a_closed_box_is_made_of(resnet):
    stage = next(each for each in resnet.root.children if each.kind == "stage" and each.id == "stage-1")
    mix = dict(facts(resnet, stage).mix)
    assert sum(mix.values()) == pytest.approx(1)
    assert set(mix) == {"spatial", "pointwise"}


@pytest.mark.parametrize("dark", [False, True])
def test_a_file_stands_alone(resnet, dark):
    wanted = Wanted(at_level(resnet, "block"), overlay="macs")
    text = drawing.standalone(resnet, wanted, "ResNet-50", dark=dark)
    root = ElementTree.fromstring(text)
    assert root.find(f"{SVG}title").text == "ResNet-50"
    assert float(root.get("width")) > 0
    assert not re.search(r"var\(|light-dark|url\((?!data:)|<script|href|@import|<image", text)
    assert "@font-face" in text  # the words are as wide in every browser as they were laid out
    assert any("MACs" in (each.text or "") for each in root.iter(f"{SVG}text"))  # the legend of the overlay


def test_light_and_dark_files_differ_in_colours_only(resnet):
    wanted = Wanted(at_level(resnet, "block"))
    bare = [
        re.sub(r"#[0-9A-F]{6}", "#", drawing.standalone(resnet, wanted, "x", dark=dark))
        for dark in (False, True)
    ]
    assert bare[0] == bare[1]


@pytest.mark.parametrize("standalone", [False, True])
def test_hostile_names_are_text(resnet, standalone):
    name = "</text><script>alert(1)</script> \" onload='x' & \x00\x1b var(--page)"
    scene = place(cut(resnet))
    first = scene.nodes[0]
    evil = replace(
        first, node=replace(first.node, label=name, id=name), labels=(replace(first.labels[0], text=name),)
    )
    scene = replace(scene, nodes=(evil, *scene.nodes[1:]))
    told = {name: replace(facts(resnet, first.node), spoken=name)}
    text = diagram_svg.svg(scene, facts=told, title=name, legend=[("spatial", name)], standalone=standalone)
    root = ElementTree.fromstring(text)
    shown = name.replace("\x00", "").replace("\x1b", "")
    assert not list(root.iter(f"{SVG}script"))
    assert shown in [each.text for each in root.iter(f"{SVG}text")]
    card = next(each for each in root.iter(f"{SVG}g") if each.get("data-id") == shown)
    assert card.get("aria-label") == shown
    assert "onload" not in card.attrib


def test_an_overlay_colours_what_has_a_value_and_can_be_read(resnet):
    made = drawing.drawing(resnet, Wanted(at_level(resnet, "block"), overlay="macs"))
    assert made.legend == ()
    assert made.scale is not None
    assert made.scale.title.startswith("MACs")
    folds = groups(made.svg, "kind-fold")
    fills = [
        re.search(r"fill:(#\w+)", part.get("style", ""))
        for fold in folds
        for part in fold
        if part.get("class") == "card"
    ]
    assert all(fills)
    assert len({fill[1] for fill in fills}) > 1


def test_the_key_idea_lights_up_the_skips(resnet):
    made = drawing.drawing(resnet, Wanted(at_level(resnet, "op"), ideas=("residual skip",)))
    lit = {each.get("data-id") for each in groups(made.svg, "node") if "key" in each.get("class").split()}
    assert {node.id for node in resnet.root.walk() if node.leaf and node.label == "add"} <= lit
    assert all("key" in each.get("class").split() for each in groups(made.svg, "identity"))


def test_an_unknown_overlay_or_idea_counts_as_none(resnet):
    plain = drawing.drawing(resnet, Wanted())
    assert drawing.drawing(resnet, Wanted(overlay="beauty", ideas=("luck",))) == plain
