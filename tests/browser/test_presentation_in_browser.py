"""What the last row of a room reads, and what a narrow window holds: measured on the screen."""

from explorer.ui.frame.navigation import ENTRIES

# Visible words: their size on the screen, and whether the box around them or the window cuts them off. Icons
# are letters of a font to the browser, and no words.
# A diagram pans, and a name without room in its bar wraps out of sight.
WORDS = """() => {
  const found = [];
  const look = (root) => {
    for (const each of root.querySelectorAll("*")) {
      if (each.shadowRoot) look(each.shadowRoot);
      const own = [...each.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
      const text = own.map((node) => node.data.trim()).join(" ").trim();
      const shown = each.checkVisibility({ opacityProperty: true, visibilityProperty: true });
      const box = each.getBoundingClientRect();
      if (!text || !shown || box.width < 2 || box.height < 2) continue;
      if (each.closest('style, script, [data-testid="stIconMaterial"]')) continue;
      const matrix = each.ownerSVGElement ? each.getScreenCTM() : null;
      const scale = matrix ? Math.hypot(matrix.a, matrix.b) : 1;
      const style = getComputedStyle(each);
      const chart = each.closest("svg.main-svg")?.getBoundingClientRect();
      found.push({
        text: text.slice(0, 60),
        size: parseFloat(style.fontSize) * scale,
        cut: (style.overflowX !== "visible" && each.scrollWidth > each.clientWidth + 1)
          || (!each.closest(".canvas, .bars b") && (box.left < -1 || box.right > innerWidth + 1))
          || Boolean(chart && (box.left < chart.left - 2 || box.right > chart.right + 2)),
      });
    }
  };
  look(document.querySelector(".stApp"));
  return found;
}"""
BEYOND = """() => Math.max(...[document.scrollingElement, document.querySelector("[data-testid=stMain]")]
  .map((each) => each.scrollWidth - each.clientWidth))"""
# Nothing has been at work for so many milliseconds without a break.
STILL = """(milliseconds) => {
  const atWork = document.querySelector('[data-testid="stStatusWidget"], [data-testid="stSkeleton"],'
    + '[data-testid="stSpinner"], [data-stale="true"]');
  window.stillSince = atWork ? undefined : window.stillSince ?? performance.now();
  return !atWork && performance.now() - window.stillSince >= milliseconds;
}"""

READ_IN_A_HALL = {  # address -> what stands on it once it is complete
    "": ".ladder",
    "architecture": ".network .node",
    "inference?sample=chelsea": ".answer button",
    "degradation": ".legendtext",
    "receptive_field": ".legendtext",
    "compare": ".compared",
}


def settled(page) -> None:
    """Nothing is at work for longer than the ruler looks at a new window: its answer starts a second run."""
    page.evaluate("window.stillSince = undefined")
    page.wait_for_function(STILL, arg=500, polling=50)


def test_every_word_is_read_from_the_last_row(visit, server):
    """22 px of 1080 at least. The canvas of a data frame draws type of .875rem."""
    page = visit(f"{server.url}/?present=true", viewport={"width": 1920, "height": 1080})
    for address, complete in READ_IN_A_HALL.items():
        page.goto(f"{server.url}/{address}{'&' if '?' in address else '?'}present=true")
        page.locator(complete).first.wait_for()
        page.wait_for_function("() => getComputedStyle(document.documentElement).fontSize === '25.3px'")
        settled(page)
        words = page.evaluate(WORDS)
        assert len(words) > 20, address
        assert not [each for each in words if each["size"] < 22], address
        assert not [each for each in words if each["cut"]], address
        assert page.get_by_role("heading", level=1).is_visible(), address
        controls = page.locator("[data-testid=stMain] :is(.stSelectbox, .stSlider, .stButtonGroup)")
        assert not controls.locator("visible=true").count(), address
    page.locator(".st-key-controls_shown label").click()
    assert controls.locator("visible=true").first.is_visible()


def test_no_page_scrolls_sideways(visit, server):
    page = visit(server.url, viewport={"width": 390, "height": 844})
    wide = {}
    for entry in ENTRIES:
        address = entry.script.removeprefix("pages/").removesuffix(".py").replace("timeline", "")
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto(f"{server.url}/{address}")
        page.get_by_role("heading", level=1).first.wait_for()
        for width in (390, 820):
            page.set_viewport_size({"width": width, "height": 844})
            settled(page)
            wide[entry.title, width] = page.evaluate(BEYOND)
    assert {case: beyond for case, beyond in wide.items() if beyond > 0} == {}


def test_what_a_page_asks_is_never_folded_away(visit, server):
    for width, presented in ((1280, "present=true"), (390, "")):
        page = visit(f"{server.url}/quiz?q=through_ten&{presented}", viewport={"width": width, "height": 800})
        page.get_by_placeholder("A number").fill("1")
        page.get_by_role("button", name="Check").click()
        page.locator(".st-key-quiz_next").wait_for()
        page.goto(f"{server.url}/choose?{presented}")
        page.get_by_text("Where will it run?").wait_for()
        page.get_by_role("radio", name="RTX 3090").click()
        page.wait_for_url("**con=RTX+3090**")
