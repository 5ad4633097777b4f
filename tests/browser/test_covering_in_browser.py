"""Painting over a photo by mouse and keyboard: the answer moves along, and the link says what is covered."""

import re

from playwright.sync_api import expect

SAID = "of the photo is covered"


def test_a_drag_covers_and_the_answer_moves_along(server, visit):
    page = visit(f"{server.url}/covering?cover=nothing&sample=chelsea")
    headline = page.get_by_text(SAID)
    expect(headline).to_contain_text("0\u202f% of the photo")
    box = page.locator(".covering .sheet").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 5, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 5, middle, steps=40)
    page.mouse.up()
    expect(headline).to_contain_text(re.compile(r"6\.\d\s% of the photo"))  # a row of sixteen
    page.wait_for_url(re.compile(r"cover=[0-9a-f]{64}"))
    stranger = visit(page.url)
    expect(stranger.get_by_text(SAID)).to_have_text(headline.inner_text())


def test_the_keyboard_covers_and_uncovers(server, visit):
    page = visit(f"{server.url}/covering?cover=nothing&sample=chelsea")
    headline = page.get_by_text(SAID)
    expect(headline).to_be_visible()
    sheet = page.get_by_role("application")
    sheet.focus()
    sheet.press("Space")
    expect(headline).to_contain_text("0.4\u202f% of the photo")
    sheet.press("ArrowRight")
    sheet.press("Space")
    expect(headline).to_contain_text("0.8\u202f% of the photo")
    sheet.press("Space")
    expect(headline).to_contain_text("0.4\u202f% of the photo")
