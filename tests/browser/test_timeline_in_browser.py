"""The home page as a visitor meets it: fast, without torch, drawn as laid out, by mouse and by keyboard."""

import itertools
import re

import pytest
from playwright.sync_api import expect

TIMELINE = ".timeline svg"
ARCHITECTURE = re.compile(r"/architecture\?arch=resnet50$")


def stop(page, name: str):
    return page.locator(f'.timeline [data-id="{name}"]')


@pytest.fixture
def timeline(server, visit):
    page = visit(server.url)
    page.wait_for_selector(TIMELINE)
    return page


def test_a_click_opens_the_architecture_and_back_returns(timeline):
    stop(timeline, "resnet50").click()
    timeline.wait_for_url(ARCHITECTURE)
    # With the year: the card that hangs on the timeline has a heading of its own.
    expect(timeline.get_by_role("heading", name="ResNet-50 · 2015")).to_be_visible()
    timeline.go_back()
    timeline.wait_for_selector(TIMELINE)
    expect(timeline.get_by_role("heading", name="Timeline")).to_be_visible()
    assert "/architecture" not in timeline.url


def test_a_cold_server_shows_it_by_its_own_name_and_before_torch_and_opens_a_stop_undisturbed(serve, visit):
    server = serve()
    page = visit("about:blank")
    told: list[bytes] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: told.append(frame)))
    page.goto(f"{server.url}/timeline")
    page.wait_for_selector(TIMELINE)
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()
    expect(stop(page, "convnext_t")).to_be_visible()
    assert page.get_by_text("Page not found").count() == 0
    assert not server.has_loaded("libtorch")
    assert server.has_loaded("python")  # the question can be answered at all

    # The pointer stays on the stop while it opens.
    dot = stop(page, "resnet50").locator(".dot").bounding_box()
    x, y = dot["x"] + dot["width"] / 2, dot["y"] + dot["height"] / 2
    page.mouse.click(x, y)
    for shift in (1, -1) * 10:  # the page is left meanwhile, at its own time
        page.mouse.move(x + shift, y)
        page.wait_for_timeout(50)
    page.wait_for_url(ARCHITECTURE)
    expect(page.get_by_role("heading", name="ResNet-50 · 2015")).to_be_visible()
    assert sum(b'"intent"' in frame for frame in told) == 1


def test_the_keyboard_does_what_the_mouse_does(timeline):
    stop(timeline, "vgg16").focus()
    card = timeline.locator(".timeline .card")
    expect(card.get_by_role("heading", name="VGG-16")).to_be_visible()
    timeline.keyboard.press("ArrowLeft")
    timeline.keyboard.press("ArrowRight")
    expect(card.get_by_role("heading", name="VGG-16")).to_be_visible()
    timeline.keyboard.press("Enter")
    timeline.wait_for_url(re.compile(r"arch=vgg16"))


def test_the_card_says_ceiling_idea_and_sources(timeline):
    stop(timeline, "resnet50").hover()
    card = timeline.locator(".timeline .card")
    for text in ("Ceiling", "Idea", "25.6 M", "torchvision ResNet50_Weights.IMAGENET1K_V1"):
        expect(card).to_contain_text(text)
    near = timeline.locator(".timeline .links path.near")
    assert {path.get_attribute("data-to") for path in near.all()} >= {"densenet121", "convnext_t"}


def test_a_family_alone_is_a_link(server, visit, timeline):
    timeline.get_by_role("button", name="Show the family Skip connections").click()
    timeline.wait_for_url(re.compile(r"families=residual"))
    again = visit(timeline.url)
    again.wait_for_selector(TIMELINE)
    expect(again.locator('.lane[data-family="plain"]')).to_have_class(re.compile(r"\boff\b"))
    expect(again.locator('.lane[data-family="residual"]')).not_to_have_class(re.compile(r"\boff\b"))


@pytest.mark.parametrize(
    ("width", "height", "query", "scheme"),
    [
        (1280, 720, "", "light"),
        (1280, 720, "?present=true", "dark"),
        (1920, 1080, "", "dark"),
        (1920, 1080, "?present=true", "light"),
    ],
)
def test_the_drawing_is_whole_on_the_first_screen_and_no_texts_touch(
    server, visit, width, height, query, scheme
):
    page = visit(f"{server.url}/{query}", viewport={"width": width, "height": height}, color_scheme=scheme)
    page.wait_for_selector(TIMELINE)
    page.wait_for_function("document.fonts.status === 'loaded'")
    if query:
        page.wait_for_function("parseFloat(getComputedStyle(document.documentElement).fontSize) > 20")
        expect(page.get_by_role("heading", name="Timeline")).to_be_visible()
    drawing = page.locator(TIMELINE).bounding_box()
    assert drawing["x"] >= 0
    assert drawing["x"] + drawing["width"] <= width
    assert drawing["y"] + drawing["height"] <= height
    texts = page.locator(f"{TIMELINE} text").evaluate_all(
        """texts => texts.map((text) => {
            const box = text.getBBox();
            return [text.textContent, box.x, box.y, box.width, box.height];
        })"""
    )
    assert len(texts) > (40 if query else 80)
    clashes = [(a[0], b[0]) for a, b in itertools.combinations(texts, 2) if overlap(a[1:], b[1:])]
    assert not clashes


def overlap(one, other) -> bool:
    """Whether two text boxes share ink: a box is taller than its letters, by a fifth on either side."""
    (x, y, w, h), (u, v, s, t) = one, other
    y, h, v, t = y + 0.2 * h, 0.6 * h, v + 0.2 * t, 0.6 * t
    return x + w > u and u + s > x and y + h > v and v + t > y


@pytest.mark.parametrize("width", [390, 820])
def test_a_narrow_window_has_the_story_from_the_top_down(server, visit, width):
    page = visit(server.url, viewport={"width": width, "height": 844})
    last = page.locator(".story li").last
    last.scroll_into_view_if_needed()
    expect(last).to_contain_text("ConvNeXt V2")
    box = last.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    last.get_by_role("button").click()
    page.wait_for_url(re.compile(r"/architecture\?arch=convnextv2"))


def test_a_filter_says_how_to_return(server, visit):
    page = visit(f"{server.url}/?families=plain")
    expect(page.locator(".filtered")).to_contain_text("Only Plain stacks.")
    page.get_by_role("button", name="Show all families").click()
    expect(page.locator(".filtered")).to_have_count(0)
    page.wait_for_url(lambda url: "families" not in url)
