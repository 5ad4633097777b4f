"""A drawing saved as SVG and opened alone: nobody's fonts but its own, and every word in its place."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

from explorer.__main__ import main

# Boxes of all words, the cards around theirs, and whether the font is the file's own, once it is loaded.
MEASURE = """async () => {
  await document.fonts.ready;
  const of = (each) => ['x', 'y', 'width', 'height'].map((side) => each.getBoundingClientRect()[side]);
  const words = [...document.querySelectorAll('text')];
  return {
    fonts: [...document.fonts].map((each) => each.family + ' ' + each.status),
    sheet: of(document.documentElement),
    words: words.map((each) => ({
      text: each.textContent, box: of(each),
      card: each.closest('.node:not(.open)') && of(each.closest('.node').querySelector('.card')),
    })),
  };
}"""


def outside(inner: list[float], outer: list[float], slack: float = 0.5) -> bool:
    x, y, width, height = inner
    left, top, wide, high = outer
    return not (
        x >= left - slack
        and y >= top - slack
        and x + width <= left + wide + slack
        and y + height <= top + high + slack
    )


def overlapping(one: list[float], other: list[float]) -> bool:
    """By more than a pixel across and than the empty strip above and below letters."""
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    return across > 1 and down > 0.35 * min(one[3], other[3])


def check(page: Page, file: Path) -> None:
    page.goto(file.as_uri())
    seen = page.evaluate(MEASURE)
    assert '"Source Sans" loaded' in seen["fonts"] or "Source Sans loaded" in seen["fonts"]
    words = seen["words"]
    assert len(words) > 10
    assert [each["text"] for each in words if outside(each["box"], seen["sheet"])] == []
    assert [each["text"] for each in words if each["card"] and outside(each["box"], each["card"])] == []
    pairs = [(one, other) for n, one in enumerate(words) for other in words[n + 1 :]]
    both = [(one["text"], other["text"]) for one, other in pairs if overlapping(one["box"], other["box"])]
    assert both == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["resnet50"],
        ["inception_v3", "--level", "op"],
        ["mobilenet_v2", "--overlay", "macs", "--dark"],
        ["convnext_t", "--flow", "down", "--level", "stage"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_words_of_a_drawing_from_the_command_line_lie_in_their_places(visit, tmp_path, arguments):
    file = tmp_path / "drawing.svg"
    assert main(["diagram", *arguments, "--out", str(file)]) == 0
    check(visit("about:blank"), file)


def test_words_of_a_drawing_saved_in_the_browser_lie_in_their_places(server, visit, tmp_path):
    page = visit(f"{server.url}/architecture?arch=googlenet")
    page.locator(".network svg .scene").first.wait_for()
    with page.expect_download() as download:
        page.locator('.network [data-do="svg"]').click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    check(visit("about:blank"), file)
