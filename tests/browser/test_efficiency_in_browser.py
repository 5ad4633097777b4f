"""The efficiency chart under the hand: dragging selects, the wheel scrolls the page, names keep apart."""

from itertools import combinations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE_MS

SCROLLED = "document.querySelector('[data-testid=stMain]').scrollTop"
NAMES = """
(texts) => texts.filter((each) => each.checkVisibility())
  .map((each) => { const box = each.getBoundingClientRect();
                   return [each.textContent, box.left, box.top, box.right, box.bottom]; })
"""


def opened(visit, server, width: int, height: int):
    page = visit(f"{server.url}/efficiency", viewport={"width": width, "height": height})
    page.locator(".scatter .point").first.wait_for(timeout=PATIENCE_MS)
    return page


def ticks(page) -> list[str]:
    return page.locator(".scatter .axes text").all_text_contents()


def test_dragging_selects_and_the_wheel_scrolls_the_page(server, visit) -> None:
    page = opened(visit, server, 1280, 720)
    plot = page.locator(".scatter .place > svg").bounding_box()
    before = ticks(page)
    page.mouse.move(plot["x"] + 300, plot["y"] + 150)
    page.mouse.wheel(0, 100)
    page.wait_for_function(f"{SCROLLED} > 0", timeout=PATIENCE_MS)
    assert ticks(page) == before
    page.mouse.wheel(0, -1000)
    page.wait_for_function(f"{SCROLLED} === 0", timeout=PATIENCE_MS)
    dot = page.locator(".scatter .name", has_text="AlexNet").bounding_box()
    page.mouse.move(dot["x"] - 60, dot["y"] - 8)
    page.mouse.down()
    page.mouse.move(dot["x"] - 30, dot["y"], steps=4)
    page.mouse.move(dot["x"] + 10, dot["y"] + 16, steps=4)
    page.mouse.up()
    page.wait_for_url("**emarked=*AlexNet_Weights*", timeout=PATIENCE_MS)
    assert ticks(page) == before


def test_the_keyboard_goes_to_a_dot_and_selects_it_and_zooms(server, visit) -> None:
    page = opened(visit, server, 1280, 720)
    chart, tip = page.locator(".scatter .place > svg"), page.locator(".scatter .tip")
    before = ticks(page)
    chart.focus()
    page.keyboard.press("ArrowLeft")
    expect(tip).to_contain_text("Stands here for")
    first = tip.inner_text()
    page.keyboard.press("ArrowLeft")
    expect(tip).not_to_have_text(first)
    page.keyboard.press("+")
    assert ticks(page) != before
    page.keyboard.press("0")
    assert ticks(page) == before
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_url("**emarked=*", timeout=PATIENCE_MS)
    expect(page.locator(".scatter .ring")).to_have_count(1)


@pytest.mark.parametrize(("width", "height", "at_least"), [(390, 844, 5), (1280, 720, 20), (1920, 1080, 20)])
def test_names_in_the_chart_do_not_overlap(server, visit, width: int, height: int, at_least: int) -> None:
    page = opened(visit, server, width, height)
    names = page.locator(".scatter .name text").evaluate_all(NAMES)
    assert len(names) >= at_least
    assert len({name for name, *_ in names}) == len(names)
    margin = 1.5  # of a line's height, in which no letter stands
    over = [
        (one, two)
        for (one, left, top, right, bottom), (two, left2, top2, right2, bottom2) in combinations(names, 2)
        if left < right2 and left2 < right and top + margin < bottom2 and top2 + margin < bottom
    ]
    assert over == []
