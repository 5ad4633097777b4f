"""Back and Forward show what the address said, on every page, and the address stays what it was."""

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from explorer.ui.frame.navigation import ENTRIES

Change = Callable[[Page], None]
ADDRESSES = {entry.title: f"/{entry.script.removeprefix('pages/').removesuffix('.py')}" for entry in ENTRIES}
ADDRESSES[ENTRIES[0].title] = "/"


def pressed(selector: str, says: str = "aria-pressed") -> tuple[Change, Change]:
    """How to change the view by a button, tab or the like, and how to see that it was changed so."""

    def one(page: Page):
        return page.locator(selector).first

    return lambda page: one(page).click(), lambda page: expect(one(page)).to_have_attribute(says, "true")


def radio(name: str) -> tuple[Change, Change]:
    return pressed(f'role=radio[name="{name}"]', says="aria-checked")


def text(label: str, typed: str) -> tuple[Change, Change]:
    """The same for a field."""

    def one(page: Page):
        return page.get_by_label(label, exact=True).first

    def change(page: Page) -> None:
        one(page).fill(typed)
        one(page).press("Enter")

    return change, lambda page: expect(one(page)).to_have_value(typed)


# Title in the navigation -> a change of the view that the address remembers; a page that is not named here
# has words to choose from, and the second is pressed.
SECOND = pressed("role=radio >> nth=1", says="aria-checked")
CHANGES: dict[str, tuple[Change, Change]] = {
    "Timeline": pressed('.lane[data-family="plain"] .lane-label'),
    "Architecture": radio("Operations"),
    "Inference": (
        lambda page: page.get_by_role("slider").press("ArrowRight"),
        lambda page: expect(page.get_by_role("slider")).to_have_value("55"),
    ),
    "Receptive field": radio("Stack"),
    "Normalisation": radio("One batch"),
    "Gradient flow": radio("Activations"),
    "Inductive bias": radio("Pooling"),
    "Many maps": radio("Networks"),
    "Cover it up": (
        lambda page: page.get_by_role("button", name="Nothing", exact=True).click(),
        lambda page: expect(page.get_by_text("of the photo is covered")).to_have_text(re.compile("^0\\s%")),
    ),
    "Common mistakes": radio("Time"),
    "Efficiency": text("Find", "resnet50"),
    "Measure here": radio("Roofline"),
    "Compare": radio("Layers"),
    "Choose": pressed('role=tab[name="Rules of thumb"]', says="aria-selected"),
    "Claims": pressed('role=button[name="wrong"]'),
    # The address holds the question as well, and only the script knows which one follows.
    "Quiz": (
        lambda page: page.get_by_role("button", name="History", exact=True).click(),
        lambda page: expect(page.get_by_text(re.compile(r" · History · "))).to_be_visible(),
    ),
}


def follow(page: Page, title: str) -> None:
    """Open a page by the navigation, as a visitor does."""
    section = next(entry.section for entry in ENTRIES if entry.title == title)
    navigation = page.get_by_role("navigation", name="App pages")
    if section:
        navigation.get_by_role("button", name=section).click()
        page.get_by_role("menuitem", name=title).click()
    else:
        navigation.get_by_role("link", name=title).click()
    page.wait_for_url(lambda url: urlsplit(url).path == ADDRESSES[title])
    standing(page, title)


def standing(page: Page, title: str) -> None:
    """The page once it is drawn and, unless it works on by itself, its script has run to the end."""
    if title != "Architecture":  # which is titled with the network's name
        expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()
    if title != "Claims":  # which checks one claim after another
        expect(page.locator('.stApp[data-test-script-state="notRunning"]')).to_be_attached()


def parameters(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query, keep_blank_values=True)


def test_back_and_forward_show_the_view_of_every_page(server, visit):
    assert CHANGES.keys() <= ADDRESSES.keys()
    page = visit(server.url)
    standing(page, "Timeline")
    titles = list(ADDRESSES)
    for title, following in zip(titles, [*titles[1:], titles[0]], strict=True):
        change, is_changed = CHANGES.get(title, SECOND)
        before = page.url
        change(page)
        page.wait_for_url(lambda url, before=before: url != before)
        is_changed(page)
        standing(page, title)
        expect(page.get_by_text("The link asks for more")).to_have_count(0)
        changed = page.url
        follow(page, following)
        come_to = page.url
        page.go_back()
        page.wait_for_url(changed)
        standing(page, title)
        is_changed(page)
        assert page.url == changed
        page.go_forward()
        page.wait_for_url(come_to)
        standing(page, following)
        assert page.url == come_to


@pytest.mark.parametrize(
    ("address", "title", "following"),
    [
        ("/claims?find=VGG", "Claims", "Architecture"),
        ("/inference?arch=resnet18&sample=rocket&opacity=20", "Inference", "Common mistakes"),
    ],
)
def test_a_parameter_that_both_pages_know_is_kept_by_back(server, visit, address, title, following):
    page = visit(server.url + address)
    standing(page, title)
    follow(page, following)
    page.go_back()
    standing(page, title)
    page.wait_for_url(server.url + address)
    known = parameters(address)
    for name in known.keys() & {"find", "sample"}:
        expect(page.locator(f".st-key-{name} input").first).to_have_value(known[name][0])
    assert page.url == server.url + address


def test_a_link_gives_a_parameter_that_the_page_left_knows_as_well(server, visit):
    page = visit(f"{server.url}/compare?networks=resnet18,vgg16&compare=Measured")
    page.get_by_role("button", name="Measure them on this machine").click()
    page.wait_for_url(re.compile("/measure"))
    standing(page, "Measure here")
    assert parameters(page.url) == {"networks": ["resnet18,vgg16"]}


def test_the_open_boxes_and_the_node_of_a_drawing_come_back(server, visit):
    address = "/architecture?arch=resnet50&level=stage&open=stage-1&node=layer1.0"
    page = visit(server.url + address)
    panel = page.locator(".node-panel")
    expect(panel.get_by_role("heading")).to_have_text("Bottleneck")
    standing(page, "Architecture")
    page.get_by_role("button", name="Feature maps and heatmap here").click()
    page.wait_for_url(re.compile("/inference"))
    standing(page, "Inference")
    assert parameters(page.url)["arch"] == ["resnet50"]
    page.go_back()
    page.wait_for_url(server.url + address)
    expect(panel.get_by_role("heading")).to_have_text("Bottleneck")
    expect(page.locator('.network .node[data-id="stage-1"]')).to_have_attribute("aria-expanded", "true")
    standing(page, "Architecture")
    assert page.url == server.url + address


HELD = """window.requestIdleCallback = (call, { timeout } = {}) =>
  timeout ? (window.heldUntilIdle = call) : setTimeout(call);"""
LEAVING = {
    "Back": "addEventListener('popstate', () => setTimeout(heldUntilIdle)); history.back();",
    "link": "document.querySelector('nav a').click(); heldUntilIdle();",
}


@pytest.mark.parametrize("way", LEAVING)
def test_what_a_page_asks_for_as_it_is_left_does_not_empty_the_next(server, visit, way):
    """The table below the fold, which the browser asks for once it is idle."""
    page = visit("about:blank")
    page.add_init_script(HELD)
    page.goto(server.url)
    standing(page, "Timeline")
    follow(page, "Architecture")
    page.wait_for_function("() => Boolean(window.heldUntilIdle)")
    standing(page, "Architecture")
    page.evaluate(LEAVING[way])
    page.wait_for_url(f"{server.url}/")
    expect(page.get_by_text("Where the numbers come from")).to_be_visible()
    page.wait_for_timeout(500)  # the answer to a request of the page left would come now
    standing(page, "Timeline")
    expect(page.get_by_text("Where the numbers come from")).to_be_visible()


# The ruler looks at a changed window after so many milliseconds; here, when the page is being left.
HELD_RULER = """window.setTimeout = new Proxy(setTimeout, { apply: (real, self, [call, wait, ...more]) =>
  window.holding && wait === 150 ? (window.heldRuler = call) && 0
    : real.call(self, call, wait, ...more) });"""
BACK_AS_THE_RULER_LOOKS = """addEventListener('popstate', () => setTimeout(heldRuler)); history.back();"""


def test_a_window_that_changes_as_a_page_is_left_does_not_bring_it_back(server, visit):
    """On a phone a row of panels has no room, which the page must hear of."""
    page = visit("about:blank")
    page.add_init_script(HELD_RULER)
    page.goto(f"{server.url}/degradation")
    standing(page, "Degradation")
    follow(page, "Architecture")
    page.evaluate("window.holding = true")
    page.set_viewport_size({"width": 390, "height": 720})
    page.wait_for_function("() => Boolean(window.heldRuler)")
    page.evaluate(BACK_AS_THE_RULER_LOOKS)
    page.wait_for_url("**/degradation**")
    standing(page, "Degradation")
    page.wait_for_timeout(500)  # the answer to a request of the page left would come now
    standing(page, "Degradation")


def test_what_follows_one_act_is_one_entry_of_the_history(server, visit):
    """In whichever order Streamlit tells the browser of a page and of its parameters."""
    page = visit(server.url)
    standing(page, "Timeline")
    page.get_by_text("Present", exact=True).wait_for()  # home's controls come last, by a run of their own
    page.wait_for_timeout(1000)
    page.wait_for_function("history.oneEntryAnAct")
    before = page.evaluate("history.length")
    page.keyboard.press("Shift")
    for address in ("/?families=plain", "/elsewhere", "/elsewhere?arch=resnet50&arch=resnet50"):
        page.evaluate("(address) => history.pushState({}, '', address)", address)
    assert page.evaluate("history.length") == before + 1
    assert page.url.endswith("/elsewhere?arch=resnet50")
