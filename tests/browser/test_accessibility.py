"""axe-core on every page and every view of the labs, light and dark: nothing serious, nothing critical."""

import pytest
from playwright.sync_api import expect

from explorer.ui.page import ENTRIES

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs the script of axe-core")

# Of a page, the views beside the one it opens with, as parameters of its address.
VIEWS = {
    "architecture": (
        "drawing=volumes",
        "drawing=beside&beside=resnet101",
        "drawing=families",
        "node=layer1.0",
        "view=Weights",
        "view=Memory",
        "view=Story",
        "view=Published+results",
    ),
    "inference": ("sample=chelsea",),
    "receptive_field": ("rf=Picture", "rf=Stack"),
    "normalisation": (
        "nview=One+batch",
        "nview=Statistics",
        "nview=Train+or+eval",
        "nview=In+a+network",
        "nview=In+blocks",
    ),
    "gradient_flow": ("gview=Jacobians", "gview=Paths", "gview=The+claim", "gview=Activations"),
    "degradation": ("dshow=Loss", "dshow=Gradient+norm"),
    "inductive_bias": ("test=Answer", "test=Shuffle", "test=Pooling"),
    "mistakes": ("see=All+of+them", "see=Time"),
    "measure": ("measure=Roofline", "measure=By+kind"),
    "compare": ("compare=Diagram", "compare=Layers", "compare=Measured"),
    "choose": ("ctab=Why+not+%E2%80%A6%3F", "ctab=Rules+of+thumb"),
    "claims": ("verdict=wrong",),
}
RULES = {"resultTypes": ["violations"], "rules": {"label-content-name-mismatch": {"enabled": True}}}
GRAVE = ("serious", "critical")
FADING = {"exclude": [["[data-stale='true']"]]}  # what is about to be replaced is veiled on purpose


def addresses() -> list[str]:
    pages = ["", *(entry.script.removeprefix("pages/").removesuffix(".py") for entry in ENTRIES[1:])]
    return [*pages, *(f"{page}?{view}" for page in pages for view in VIEWS.get(page, ()))]


def findings(page) -> list[str]:
    """One line an element: how grave, which rule, what it looks at and why."""
    found = axe.Axe().run(page, context=FADING, options=RULES).response["violations"]
    return [
        f"{rule['impact']} {rule['id']}: {node['html'][:120]} ({node['failureSummary'].splitlines()[-1]})"
        for rule in found
        for node in rule["nodes"]
        if rule["impact"] in GRAVE
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_page(server, visit, scheme):
    page = visit("about:blank", color_scheme=scheme)
    wrong = {}
    for address in addresses():
        page.goto(f"{server.url}/{address}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        if not address.startswith("claims"):  # which checks one claim after another
            expect(page.locator('.stApp[data-test-script-state="notRunning"]')).to_be_attached()
        if found := findings(page):
            wrong[address] = found
    assert not wrong
