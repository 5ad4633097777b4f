"""The Architecture page in a browser: the diagram answers mouse and keyboard, the link gives the view."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

SUMMARY = re.compile(r"(\d+) of (\d+) layers")


def stage(page, name: str):
    return page.locator(f'.diagram .card[data-id="{name}"]')


def opened(page):
    """The page once the diagram stands."""
    page.locator(".diagram svg").wait_for()
    return page


def layers_shown(page, shown: int) -> None:
    expect(page.get_by_text(re.compile(rf"\b{shown} of \d+ layers"))).to_be_visible()


def test_a_click_on_a_stage_filters_the_table_and_stands_in_the_link(server, visit):
    page = opened(visit(f"{server.url}/architecture?arch=resnet50&drawing=volumes"))
    whole = int(SUMMARY.search(page.get_by_text(SUMMARY).inner_text())[2])
    layers_shown(page, whole)
    stage(page, "stage 4").click()
    expect(stage(page, "stage 4")).to_have_attribute("aria-pressed", "true")
    page.wait_for_url(re.compile(r"stage=stage"))
    expect(page.get_by_text(re.compile(rf"\b{whole} of {whole} layers"))).not_to_be_visible()
    stage(page, "stage 4").click()  # a second click goes back to the whole network
    layers_shown(page, whole)
    expect(stage(page, "stage 4")).to_have_attribute("aria-pressed", "false")


def test_the_diagram_works_from_the_keyboard(server, visit):
    page = opened(visit(f"{server.url}/architecture?arch=vgg16&drawing=volumes"))
    stage(page, "stage 1").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(stage(page, "stage 2")).to_have_attribute("aria-pressed", "true")
    expect(stage(page, "stage 2")).to_be_focused()  # repainting does not lose the reader's place
    assert "Parameters 221,440" in stage(page, "stage 2").get_attribute("aria-label")


def test_a_link_opens_stage_tab_and_size_for_a_stranger(server, visit):
    page = opened(
        visit(f"{server.url}/architecture?arch=resnet50&drawing=volumes&stage=stage+2&size=192&view=Memory")
    )
    expect(stage(page, "stage 2")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("tab", name="Memory")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_text(re.compile(r"at 192 × 192"))).to_be_visible()


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
def test_the_diagram_is_above_the_fold_and_fits_its_column(server, visit, size):
    width, height = size
    page = opened(
        visit(
            f"{server.url}/architecture?arch=efficientnet_b0&drawing=volumes",
            viewport={"width": width, "height": height},
        )
    )
    boxes = [card.bounding_box() for card in page.locator(".diagram .card, .diagram .port").all()]
    assert len(boxes) == 11
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)
    assert all(box["y"] + box["height"] <= height for box in boxes)


def test_names_from_a_strangers_config_are_shown_as_text(server, visit, tmp_path: Path):
    """A local folder may be called anything; none of it may become an element of the page."""
    folder = tmp_path / "<img src=x onerror=document.title=1>"
    folder.mkdir()
    config = {"architecture": "resnet18", "num_classes": 10, "pretrained_cfg": {"input_size": [3, 64, 64]}}
    (folder / "config.json").write_text(json.dumps(config))
    page = opened(visit(f"{server.url}/architecture?arch=local-dir:{folder}&drawing=volumes"))
    expect(page.get_by_role("heading", name="img-src-x")).to_be_visible()
    assert page.locator("img[src='x']").count() == 0
    assert page.title() != "1"


def test_what_was_chosen_under_one_tab_is_there_when_it_is_opened_again(server, visit):
    page = visit(f"{server.url}/architecture?arch=lenet5&batch=64&find=conv&view=Story")
    batch, search = page.get_by_role("slider", name="Batch size"), page.get_by_label("Search layers")
    for _ in range(2):
        page.get_by_role("tab", name="Memory").click()
        expect(batch).to_have_attribute("aria-valuetext", "64")
        page.get_by_role("tab", name="Layers").click()
        expect(search).to_have_value("conv")
    search.fill("fc")
    search.press("Enter")
    page.wait_for_url("**find=fc**")
    page.get_by_role("tab", name="Memory").click()
    page.get_by_role("tab", name="Layers").click()
    expect(search).to_have_value("fc")
    page.get_by_role("tab", name="Memory").click()
    page.wait_for_url("**batch=64**")
