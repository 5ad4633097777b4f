"""axe-core on every page, light and dark: nothing serious, nothing critical.

EXPLORER_AXE=all looks at every view of the labs and pages too, which takes some twenty minutes.
"""

import os
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from explorer.ui.frame.navigation import ENTRIES

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs the script of axe-core")

ADDRESSES = {entry.title: f"/{entry.script.removeprefix('pages/').removesuffix('.py')}" for entry in ENTRIES}
OPENING = {"Quiz": "q=through_ten"}  # which else opens with any of its questions: one with a form
# Of a page, the views beside the one it opens with, as parameters of its address.
VIEWS = {
    "Architecture": (
        "drawing=volumes",
        "drawing=beside&beside=resnet101",
        "drawing=families",
        "node=layer1.0",
        "view=Weights",
        "view=Memory",
        "view=Story",
        "view=Published+results",
    ),
    "Inference": ("sample=chelsea", "sample=chelsea&arch=resnet50&layer=layer2&target=3&cmap=magma"),
    "Receptive field": ("rf=Picture", "rf=Stack", "rf=Effective", "rf=Effective&rfinputs=Photos"),
    "Normalisation": (
        "nview=One+batch",
        "nview=Statistics",
        "nview=Train+or+eval",
        "nview=In+a+network",
        "nview=In+blocks",
    ),
    "Gradient flow": ("gview=Jacobians", "gview=Paths", "gview=The+claim", "gview=Activations"),
    "Degradation": ("dshow=Loss", "dshow=Gradient+norm"),
    "Inductive bias": ("test=Answer", "test=Shuffle", "test=Pooling"),
    "Common mistakes": ("see=All+of+them", "see=Time"),
    "Efficiency": ("etable=evolution", "ecolour=year", "ebubble=params"),
    "Measure here": ("measure=Roofline", "measure=By+kind"),
    "Compare": ("compare=Diagram", "compare=Layers", "compare=Measured"),
    "Choose": ("ctab=Why+not+%E2%80%A6%3F", "ctab=Rules+of+thumb"),
    "Claims": ("verdict=wrong",),
    "Quiz": ("q=three_3x3", "q=order_ladder"),
}
EVERYTHING = os.environ.get("EXPLORER_AXE") == "all"
ALL = {"resultTypes": ["violations"], "rules": {"label-content-name-mismatch": {"enabled": True}}}
# A dark page is the light one in other colours.
RULES = {"light": ALL, "dark": {"resultTypes": ["violations"], "runOnly": ["color-contrast"]}}
INK = "text => getComputedStyle(text).fill"
GRAVE = ("serious", "critical")
FADING = {"exclude": [["[data-stale='true']"]]}  # what is about to be replaced is veiled on purpose


def settled(page: Page) -> None:
    expect(page.locator("[data-testid='stHtml'] style").first).to_be_attached()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    if "/claims" not in page.url:  # which checks one claim after another
        expect(page.locator('.stApp[data-test-script-state="notRunning"]')).to_be_attached()


def findings(page: Page, scheme: str) -> list[str]:
    """One line an element: how grave, which rule, what it looks at and why."""
    found = axe.Axe().run(page, context=FADING, options=RULES[scheme]).response["violations"]
    return [
        f"{rule['impact']} {rule['id']}: {node['html'][:120]} ({node['failureSummary'].splitlines()[-1]})"
        for rule in found
        for node in rule["nodes"]
        if rule["impact"] in GRAVE
    ]


@pytest.mark.parametrize("title", ADDRESSES)
def test_axe_finds_nothing_serious_on_any_view_of_a_page(server, visit, title):
    wrong = {}
    for view in (OPENING.get(title, ""), *(VIEWS.get(title, ()) if EVERYTHING else ())):
        page = visit(f"{server.url}{ADDRESSES[title]}?{view}")
        for scheme in ("light", "dark"):
            if scheme == "dark":
                page.emulate_media(color_scheme=scheme)
                page.wait_for_timeout(500)  # until the page has heard of it, and perhaps runs again
            settled(page)
            title_of_axis = page.locator("text.xtitle").first
            if scheme == "light":
                ink = title_of_axis.evaluate(INK) if title_of_axis.count() else ""
            elif ink:  # axe does not look into a chart
                expect(title_of_axis).not_to_have_css("fill", ink)
            wrong[scheme, view] = findings(page, scheme)
        page.close()
    assert not {each: found for each, found in wrong.items() if found}


def pressed(option: str) -> Callable[[Page], None]:
    return lambda page: page.get_by_role("button", name=option).click()


def typed(page: Page) -> None:
    page.get_by_label("Your answer").fill("7")
    page.locator(".st-key-quiz_check button").click()


def put_in_order(page: Page) -> None:
    names = page.locator("[class*=st-key-quiz_pick_] button")
    for placed in (1, 2, 4):  # the last one falls into its place by itself
        names.and_(page.locator(":enabled")).first.click()
        expect(names.and_(page.locator(":disabled"))).to_have_count(placed)
    page.locator(".st-key-quiz_check button").click()


ANSWERS = (
    ("degradation", pressed("Its error is higher on the training pictures as well")),
    ("degradation", pressed("It has fewer parameters")),
    *([("three_3x3", typed), ("order_ladder", put_in_order)] if EVERYTHING else []),
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_answers_right_and_wrong(server, visit, scheme):
    for question, answer in ANSWERS:
        page = visit(f"{server.url}/quiz?q={question}", color_scheme=scheme)
        answer(page)
        expect(page.locator(".st-key-quiz_next button")).to_be_visible()
        settled(page)
        assert findings(page, scheme) == []
