"""The block diagram in a browser: opened by mouse, keyboard and link; it shows what it was asked for."""

import re
from xml.etree import ElementTree

import pytest
from playwright.sync_api import expect


def node(page, identifier: str):
    return page.locator(f'.network .node[data-id="{identifier}"]')


def named(page, label: str):
    """Cards whose first line is this."""
    return page.locator(".network .node", has=page.locator(f'text.name:text-is("{label}")'))


def standing(page):
    """The page once the diagram is drawn."""
    page.locator(".network .node").first.wait_for()
    return page


def expand(page, identifier: str) -> None:
    node(page, identifier).locator(".chevron").click()
    expect(node(page, identifier)).to_have_attribute("aria-expanded", "true")


def test_from_the_network_to_a_convolution_and_back(server, visit):
    page = standing(visit(f"{server.url}/architecture?arch=resnet50&level=stage"))
    expand(page, "stage-1")
    fold = page.locator(".network .kind-fold")
    expect(fold).to_have_attribute("aria-label", re.compile("Bottleneck × 3"))
    identifier = fold.get_attribute("data-id")
    page.wait_for_url(re.compile("open=stage-1"))
    expand(page, identifier)
    second = named(page, "Bottleneck").nth(1).get_attribute("data-id")
    node(page, second).dblclick()
    expect(node(page, second)).to_have_attribute("aria-expanded", "true")
    node(page, second).locator("text.name").click()
    page.wait_for_url(re.compile(f"node={second}(&|$)"))
    expect(page.locator(".network .edge.identity").first).to_be_attached()
    expect(page.locator(".network .edge.identity text").first).to_have_text("identity")
    conv = page.locator(".network .node.kind-spatial").first
    conv.click()
    panel = page.locator(".node-panel")
    expect(panel.get_by_role("heading")).to_have_text("conv 3×3")
    expect(panel).to_contain_text("MACs = k² · Cin · Cout · H · W")
    expect(panel).to_contain_text("115,605,504")
    expect(page.get_by_text(re.compile(r"torch/nn/modules/conv\.py:\d+"))).to_be_visible()
    expect(page.get_by_role("button", name="Feature maps and heatmap here")).to_be_visible()
    page.wait_for_url(re.compile("node=conv2d"))
    page.go_back()
    # Counts wait: for a moment two nodes are chosen, in the drawing that goes and in the one that comes.
    expect(page.locator(f'.network .node[data-id="{second}"][aria-pressed="true"]')).to_have_count(1)
    expect(page.locator('.network .node[aria-pressed="true"]')).to_have_count(1)
    expect(panel.get_by_role("heading")).to_have_text("Bottleneck")
    expect(node(page, second)).to_have_attribute("aria-expanded", "true")


def test_a_link_shows_a_stranger_the_same_on_a_cold_server(serve, visit):
    """The very first request of a fresh server: Streamlit then runs the page's script without app.py."""
    link = "arch=resnet50&level=stage&open=stage-1+layer1.0..2&flow=down&overlay=params&node=layer1.0"
    page = standing(visit(f"{serve().url}/architecture?{link}"))
    for name in ("Timeline", "Inference"):
        expect(page.get_by_role("link", name=name)).to_be_visible()
    expect(page.get_by_role("combobox").first).to_have_value(re.compile("ResNet-50"))
    expect(page.get_by_role("heading", name="ResNet-50").first).to_be_visible()
    assert page.get_by_text("Page not found").count() == 0
    assert "arch=resnet50" in page.url
    expect(node(page, "stage-1")).to_have_attribute("aria-expanded", "true")
    expect(node(page, "layer1.0")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".node-panel").get_by_role("heading")).to_have_text("Bottleneck")
    expect(page.locator(".network .legend .scale")).to_contain_text("Parameters")
    first, last = node(page, "x").bounding_box(), node(page, "stem").bounding_box()
    assert last["y"] > first["y"] + first["height"]  # top-down


def test_nonsense_in_a_link_is_ignored(server, visit):
    link = "arch=vgg16&level=galaxy&open=no+such&inside=nowhere&flow=up&overlay=beauty&node=nobody"
    page = standing(visit(f"{server.url}/architecture?{link}"))
    expect(page.get_by_text("left out: ")).to_be_visible()
    expect(page.get_by_text("What to look for")).to_be_visible()


def test_the_keyboard_walks_opens_chooses_and_goes_back(server, visit):
    page = standing(visit(f"{server.url}/architecture?arch=resnet50&level=stage"))
    node(page, "x").focus()
    page.keyboard.press("ArrowRight")
    expect(node(page, "stem")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(node(page, "stage-1")).to_have_attribute("aria-expanded", "true")
    expect(node(page, "stage-1")).to_be_focused()  # a new drawing does not lose the reader's place
    page.keyboard.press("Enter")
    expect(page.locator(".node-panel").get_by_role("heading")).to_have_text("stage 1")
    page.keyboard.press("f")
    expect(page.locator(".network .trail")).to_contain_text("3 × 224 × 224")
    expect(page.locator(".network .trail")).to_contain_text("2048 × 7 × 7")
    page.keyboard.press("Escape")
    expect(page.locator(".network .trail")).to_be_empty()
    page.keyboard.press("Escape")
    expect(page.get_by_text("What to look for")).to_be_visible()


def test_inside_a_box_the_breadcrumb_leads_out(server, visit):
    page = standing(visit(f"{server.url}/architecture?arch=densenet121&level=stage"))
    node(page, "stage-3").click()
    page.get_by_role("button", name="Go inside").click()
    expect(page.locator(".network .crumbs strong")).to_have_text("stage 3")
    expect(page.locator(".network .node.port").first).to_be_attached()
    page.wait_for_url(re.compile("inside=stage-3"))
    page.locator(".network .crumbs").get_by_role("button", name="DenseNet-121").click()
    expect(page.locator(".network .crumbs strong")).to_have_text("DenseNet-121")
    expect(node(page, "stage-3")).to_be_visible()


def test_the_search_opens_what_holds_the_hit_and_centres_it(server, visit):
    page = standing(visit(f"{server.url}/architecture?arch=resnet50"))
    find = page.locator(".network .find input")
    find.fill("layer3.2.conv2")
    expect(page.locator(".network .hits")).to_have_text("1 found")
    assert page.locator(".network .node.holds").count() == 1  # the closed box around it
    find.press("Enter")
    expect(page.locator(".node-panel").get_by_role("heading")).to_have_text("conv 3×3")
    hit = page.locator(".network .node.found")
    expect(hit).to_have_attribute("aria-pressed", "true")
    canvas = page.locator(".network .canvas").bounding_box()
    page.wait_for_timeout(500)  # it glides there
    box = hit.bounding_box()
    assert abs(box["x"] + box["width"] / 2 - canvas["x"] - canvas["width"] / 2) < 20
    find.fill("/^conv 7×7/")
    expect(page.locator(".network .hits")).to_have_text("1 found")
    find.fill("/(/")
    expect(page.locator(".network .hits")).to_contain_text("not a regular expression yet")


def test_pan_and_zoom_ask_nothing_of_the_server(server, visit):
    page = visit("about:blank")
    sent: list[object] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page.goto(f"{server.url}/architecture?arch=resnet50")
    standing(page)
    page.wait_for_timeout(1500)
    sent.clear()
    scene = page.locator(".network .scene")
    canvas = page.locator(".network .canvas").bounding_box()
    x, y = canvas["x"] + canvas["width"] / 2, canvas["y"] + canvas["height"] - 12
    before = scene.get_attribute("transform")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 60, y - 20, steps=4)
    page.mouse.up()
    panned = scene.get_attribute("transform")
    assert panned != before
    page.mouse.wheel(0, -240)
    expect(scene).not_to_have_attribute("transform", panned)
    page.get_by_role("button", name="All of it").click()
    page.wait_for_timeout(600)
    assert sent == []


def test_the_drawing_is_handed_out_as_svg_and_as_a_picture(server, visit, tmp_path):
    page = standing(visit(f"{server.url}/architecture?arch=googlenet&level=block"))
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save the drawing as SVG").click()
    saved.value.save_as(tmp_path / "drawing.svg")
    assert saved.value.suggested_filename == "googlenet-inception-v1-2014-block.svg"
    root = ElementTree.fromstring((tmp_path / "drawing.svg").read_text("utf-8"))
    width = float(root.get("width"))
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save the drawing as PNG").click()
    saved.value.save_as(tmp_path / "drawing.png")
    from PIL import Image

    with Image.open(tmp_path / "drawing.png") as picture:
        assert abs(picture.width - 2 * width) <= 2
    page.goto((tmp_path / "drawing.svg").as_uri())  # Chromium opens it alone
    assert page.locator("svg text", has_text="Inception").count() >= 3


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
@pytest.mark.parametrize("name", ["resnet50", "efficientnet_b0", "lenet5"])
def test_the_diagram_is_above_the_fold_with_the_headline_numbers(server, visit, size, name):
    width, height = size
    page = standing(
        visit(f"{server.url}/architecture?arch={name}", viewport={"width": width, "height": height})
    )
    canvas = page.locator(".network .canvas").bounding_box()
    headline = page.locator(".headline dd").first
    headline.wait_for()  # the run that drew the diagram may still be replacing the numbers
    numbers = headline.bounding_box()
    assert numbers["y"] > 0
    assert canvas["y"] + canvas["height"] <= height
    assert canvas["height"] > 0.4 * height
    assert canvas["x"] + canvas["width"] <= width
