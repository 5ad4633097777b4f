"""axe-core on every page, light and dark: nothing serious, nothing critical.

EXPLORER_AXE=all looks at every view of the labs and pages too, which takes some twenty minutes.
"""

import os

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
    "Inference": ("sample=chelsea",),
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
    "Measure here": ("measure=Roofline", "measure=By+kind"),
    "Compare": ("compare=Diagram", "compare=Layers", "compare=Measured"),
    "Choose": ("ctab=Why+not+%E2%80%A6%3F", "ctab=Rules+of+thumb"),
    "Claims": ("verdict=wrong",),
    "Quiz": ("q=three_3x3", "q=order_ladder"),
}
ALL = {"resultTypes": ["violations"], "rules": {"label-content-name-mismatch": {"enabled": True}}}
# A dark page is the light one in other colours.
RULES = {"light": ALL, "dark": {"resultTypes": ["violations"], "runOnly": ["color-contrast"]}}
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
    views = VIEWS.get(title, ()) if os.environ.get("EXPLORER_AXE") == "all" else ()
    for view in (OPENING.get(title, ""), *views):
        page = visit(f"{server.url}{ADDRESSES[title]}?{view}")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_timeout(500)  # until the page has heard of it, and perhaps runs again
            settled(page)
            wrong[scheme, view] = findings(page, scheme)
        page.close()
    assert not {each: found for each, found in wrong.items() if found}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_answers_right_and_wrong(server, visit, scheme):
    said = ("Its error is higher on the training pictures as well", "It has fewer parameters")
    for option in said:
        page = visit(f"{server.url}/quiz?q=degradation", color_scheme=scheme)
        page.get_by_role("button", name=option).click()
        expect(page.locator(".st-key-quiz_next button")).to_be_visible()
        settled(page)
        assert findings(page, scheme) == []
