"""What a data file may not say, and that the error names file, entry and field."""

import copy
import re

import pytest

from explorer import catalogue
from explorer.catalogue.architectures import read_architectures
from explorer.catalogue.reading import CatalogueError, read_toml
from explorer.catalogue.sources import DATA, read_sources
from explorer.catalogue.timeline import read_timeline

GOOD = {
    "name": "Net",
    "year": 2015,
    "paper": "he2015",
    "family": "residual",
    "came_from": [],
    "ceiling": "A.",
    "idea": "B.",
    "novelties": ["c"],
    "used_for": "D.",
    "failure_cases": ["e"],
    "mistakes": ["f"],
    "builders": ["torchvision:resnet50"],
    "image_size": 224,
    "key": "G.",
    "facts": {"top1": {"value": 76.13, "unit": "%", "source": "he2015: table 4"}},
}
OPTIONAL = {"facts"}


def toml(value) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def read(folder, **entries):
    for name, fields in entries.items():
        lines = "".join(f"{key} = {toml(value)}\n" for key, value in fields.items())
        with (folder / "nets.toml").open("a") as file:
            file.write(f"[{name}]\n{lines}")
    return read_architectures(folder, catalogue.sources())


def changed(path: str, value) -> dict:
    fields = copy.deepcopy(GOOD)
    *parents, last = path.split(".")
    table = fields
    for parent in parents:
        table = table[parent]
    table[last] = value
    return fields


def test_a_good_entry_is_read(tmp_path):
    net = read(tmp_path, net=GOOD)["net"]
    assert net.facts["top1"][0] == catalogue.Fact(
        76.13, "%", "He et al. 2015, table 4", url="https://arxiv.org/abs/1512.03385"
    )
    assert dict(net.variants) == {"Net": "torchvision:resnet50"}
    assert not net.milestone


@pytest.mark.parametrize("field", sorted(GOOD.keys() - OPTIONAL))
def test_a_missing_field_is_named(tmp_path, field):
    fields = {key: value for key, value in GOOD.items() if key != field}
    with pytest.raises(CatalogueError, match=rf"nets\.toml: net: {field}: "):
        read(tmp_path, net=fields)


@pytest.mark.parametrize("field", sorted(GOOD))
@pytest.mark.parametrize("wrong", [True, 1.5], ids=["true", "1.5"])
def test_a_field_of_the_wrong_type_is_named(tmp_path, field, wrong):
    with pytest.raises(CatalogueError, match=rf"nets\.toml: net: {field}: expected .* got {wrong}"):
        read(tmp_path, net=changed(field, wrong))


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("colour", "red", r"colour: is not a known field"),
        ("family", "conv", r"family: 'conv' is not one of handcrafted, plain"),
        ("paper", "he2014", r"paper: 'he2014' is not a paper"),
        ("came_from", ["resnet"], r"came_from: 'resnet' is not another entry's id"),
        ("came_from", ["net"], r"came_from: 'net' is not another entry's id"),
        ("variant_of", "resnet", r"variant_of: 'resnet' is not an entry"),
        ("builders", ["resnet50"], r"builders\[0\]: 'resnet50' is not written as BUILDER:NAME"),
        ("builders", ["keras:resnet50"], r"builders\[0\]: 'keras:resnet50' is not written as"),
        ("builders", ["timm:a", "timm:"], r"builders\[1\]: 'timm:' is not written as"),
        ("builders", [], r"builders: a network needs one"),
        ("variants", {"Small": "timm resnet18"}, r"variants\[0\]: 'timm resnet18' is not"),
        ("variants", {"Small": 3}, r"variants\.Small: expected a string, got 3"),
        ("weights", ["torchvision:resnet50"], r"weights\[0\]: 'torchvision:resnet50' is not"),
        ("image_size", 0, r"image_size: 0 is no side"),
        ("image_size", -3, r"image_size: -3 is no side"),
        ("novelties", ["c", ""], r"novelties\[1\]: expected a string, got ''"),
        ("novelties", ["c", 3], r"novelties\[1\]: expected a string, got 3"),
        ("idea", "", r"idea: is empty"),
        ("idea", " B.", r"idea: is empty or has space around it"),
        ("milestone", "yes", r"milestone: expected true or false"),
        ("facts.speed", {"value": 1}, r"facts\.speed: is not a known kind of fact"),
        ("facts.top1.source", "he2014", r"facts\.top1\.source: 'he2014' cites nothing"),
        ("facts.top1.source", "torchvision resnet50", r"facts\.top1\.source: .* cites nothing"),
        ("facts.top1.unit", "M", r"facts\.top1\.unit: expected '%', got 'M'"),
        ("facts.top1.value", "76", r"facts\.top1\.value: expected a number, got '76'"),
        ("facts.top1.value", 176.0, r"facts\.top1\.value: expected a percentage"),
        ("facts.top1.value", 0, r"facts\.top1\.value: expected a number above 0"),
        ("facts.top1.value", float("nan"), r"facts\.top1\.value: expected a number above 0, got nan"),
        ("facts.top1.value", float("inf"), r"facts\.top1\.value: expected a percentage"),
        ("facts.top1.when", "now", r"facts\.top1\.when: is not a known field"),
        ("facts.top1", [{"value": 1, "unit": "%"}], r"facts\.top1\[0\]\.source: is missing"),
        ("facts.top1", ["76 %"], r"facts\.top1\[0\]: expected a table, got '76 %'"),
    ],
)
def test_a_bad_value_is_named_with_file_entry_and_field(tmp_path, path, value, problem):
    with pytest.raises(CatalogueError, match=r"^nets\.toml: net: " + problem):
        read(tmp_path, net=changed(path, value))


def test_a_variant_takes_the_story_and_may_replace_parts_of_it(tmp_path):
    other = {"name": "Net-L", "variant_of": "net", "builders": ["timm:resnet101"], "used_for": "Much."}
    nets = read(tmp_path, net=GOOD | {"milestone": True}, net_l=other)
    assert (nets["net_l"].idea, nets["net_l"].used_for) == ("B.", "Much.")
    assert (nets["net_l"].milestone, dict(nets["net_l"].facts)) == (False, {})
    assert nets["net"].variants == {"Net": "torchvision:resnet50", "Net-L": "timm:resnet101"}


def test_a_variant_of_a_variant_is_refused(tmp_path):
    other = {"name": "L", "variant_of": "net", "builders": ["timm:a"]}
    with pytest.raises(CatalogueError, match=r"net_xl: variant_of: 'net_l' is a variant itself; name 'net'"):
        read(tmp_path, net=GOOD, net_l=other, net_xl=other | {"name": "XL", "variant_of": "net_l"})


def test_an_id_that_stands_in_two_files_is_refused(tmp_path):
    read(tmp_path, net=GOOD)
    (tmp_path / "other.toml").write_text((tmp_path / "nets.toml").read_text())
    with pytest.raises(CatalogueError, match=r"other\.toml: net: stands in nets\.toml too"):
        read_architectures(tmp_path, catalogue.sources())


def test_an_id_must_be_a_slug(tmp_path):
    with pytest.raises(CatalogueError, match=r"nets\.toml: Net-50: "):
        read(tmp_path, **{"Net-50": GOOD})


@pytest.mark.parametrize("text", ["[net", "net = 3", 'a = "\x00"'])
def test_a_broken_file_is_named(tmp_path, text):
    (tmp_path / "nets.toml").write_text(text)
    with pytest.raises(CatalogueError, match=r"^nets\.toml: "):
        read_architectures(tmp_path, catalogue.sources())


def test_a_file_that_is_no_text_is_named(tmp_path):
    (tmp_path / "nets.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(CatalogueError, match=r"^nets\.toml: not valid TOML"):
        read_toml(tmp_path / "nets.toml")


@pytest.mark.parametrize(
    ("find", "put", "problem"),
    [
        (
            'architecture = "alexnet"',
            'architecture = "alexnot"',
            r"ilsvrc\[2\]\.architecture: 'alexnot' is not",
        ),
        ("year = 2010", 'year = "2010"', r"ilsvrc\[0\]\.year: expected a whole number"),
        ('paper = "dalal2005"', 'paper = "dalal"', r"handcrafted\[3\]\.paper: 'dalal' is not a paper"),
        ("human =", "humans =", r"human\.source: is missing"),
        ("[[ladder]]", "[[ladders]]", r"ladders: is not a known field"),
        ("[[ilsvrc]]", "[[winners]]", r"winners: is not a known field"),
    ],
)
def test_a_bad_timeline_is_named(tmp_path, find, put, problem):
    text = (DATA / "timeline.toml").read_text()
    assert find in text
    (tmp_path / "timeline.toml").write_text(text.replace(find, put))
    with pytest.raises(CatalogueError, match=r"^timeline\.toml: timeline: " + problem):
        read_timeline(tmp_path / "timeline.toml", catalogue.sources(), catalogue.architectures())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[paper]", "paper: is not papers, documents or programs"),
        ('[papers.a]\ntitle = "t"', "a: authors: is missing"),
        ('[programs]\na = {url = "u", name = "n"}', "a: name: is not a known field"),
        ('[documents]\na = "title"', "a: the entry: expected a table"),
    ],
)
def test_a_bad_registry_is_named(tmp_path, text, problem):
    (tmp_path / "sources.toml").write_text(text)
    with pytest.raises(CatalogueError, match=rf"^sources\.toml: {re.escape(problem)}"):
        read_sources(tmp_path / "sources.toml")
