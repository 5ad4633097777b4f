"""What a button to another page hands on arrives whole, also where the page left knows the same names."""

import ast
from urllib.parse import parse_qsl

import pytest

from explorer.networks import folders
from explorer.ui.frame import links
from tests.conftest import REPOSITORY
from tests.pages import opening

B1 = "timm:efficientnet_b1.ra4_e3600_r240_in1k"
V2 = "torchvision:ResNet50_Weights.IMAGENET1K_V2"

# Address that is left -> (how the button's key begins, the address that it leads to).
LINKS = {
    "architecture?arch=resnet18&node=layer1.0": (
        "node_to_inference",
        "inference?arch=resnet18&layer=layer1.0",
    ),
    "architecture?arch=zoo:resnet20&view=Weights&size=64": (
        "weights_to_inference",
        "inference?arch=zoo:resnet20&weights=zoo:resnet20",
    ),
    f"compare?networks={B1}@288,{V2}@224&compare=Layers": (
        f"compared_{B1}",
        f"architecture?arch={B1}&size=288",
    ),
    "compare?networks=resnet18,vgg16&size=160&compare=Layers": (
        "compared_vgg16",
        "architecture?arch=vgg16&size=160",
    ),
    "compare?networks=resnet18@224,vgg16&compare=Layers": (
        "compared_resnet18",
        "architecture?arch=resnet18",
    ),
    "compare?networks=resnet18,vgg16&compare=Measured&size=160": (
        "compare_to_measure",
        "measure?networks=resnet18,vgg16&size=160",
    ),
    f"efficiency?emarked={B1}@288,{V2}": ("compare_selected", f"compare?networks={B1}@288,{V2}@224"),
}


def choices(address: str) -> dict[str, str]:
    return dict(parse_qsl(address.partition("?")[2]))


def opened(address: str):
    asked = choices(address)
    return opening.opened(f"pages/{address.partition('?')[0]}.py", arch=asked.pop("arch", ""), **asked)


def button(app, key: str):
    return next(each for each in app.button if (each.key or "").startswith(key))


def assert_stands(app, address: str) -> None:
    wanted = choices(address)
    assert not app.exception
    held = {name: app.session_state[name] for name in wanted}
    numbers = {name for name, value in held.items() if isinstance(value, float | int)}
    assert {name: f"{round(value)}" if name in numbers else value for name, value in held.items()} == wanted
    lacking = {name for name in wanted if name not in app.query_params} - {"arch"}
    assert not lacking, "a link to what is shown would lose these"


@pytest.mark.parametrize("left", LINKS)
def test_what_is_chosen_arrives_whole(left):
    key, address = LINKS[left]
    app = button(opened(left), key).click().run()
    assert_stands(app, address)
    title = links.title(address)
    assert title == "Architecture" or app.title[0].value == title


def test_the_best_three_arrive_with_their_weights_and_sizes():
    app = opened("choose?")
    networks = [each.key for each in app.button if (each.key or "").startswith("chosen_")]
    app = button(app, "compare_chosen").click().run()
    names = app.session_state["networks"].split(",")
    assert len(names) == len(networks) > 1
    assert all(each.rpartition("@")[2].isdigit() for each in names)
    assert_stands(app, f"compare?networks={','.join(names)}")


def test_no_address_shows_a_path_of_this_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(folders, "_here", {})
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "config.json").write_text('{"architecture": "test_resnet"}')
    typed = f"local-dir:{folder}"
    app = opened(f"compare?networks=resnet18,{typed}&compare=Layers&arch={typed}")
    assert (app.session_state["networks"], app.session_state["arch"]) == (
        "resnet18,folder:mine",
        "folder:mine",
    )
    assert str(tmp_path) not in str(app.query_params)
    assert_stands(app, "compare?networks=resnet18,folder:mine")


def test_there_is_one_way_from_page_to_page():
    """Streamlit's own links drop what the page left has a control for."""
    ways = {"page_link": set(), "switch_page": set(), "go": set()}
    for file in sorted((REPOSITORY / "explorer").rglob("*.py")) + sorted((REPOSITORY / "pages").glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in ways:
                ways[node.attr].add(file.name)
    assert ways == {"page_link": set(), "switch_page": {"page.py"}, "go": {"links.py"}}
