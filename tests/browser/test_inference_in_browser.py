"""The Inference page in Chromium: cold links, uploads, pasted pictures, the same link for another visitor."""

import base64
import re

from playwright.sync_api import Page, expect

from explorer.inference import SAMPLES

NETWORK = "arch=zoo:lenet5"  # shipped with the project, so it is there without internet
HEIGHT = 720  # of the window
FIRST_ANSWER_MS = 240_000  # a fresh server imports torch and timm first: 5 s, or minutes on a crowded machine
PASTE = """async data => {
    const blob = await (await fetch('data:image/png;base64,' + data)).blob();
    const file = new File([blob], 'x.png', {type: 'image/png'});
    const clipboardData = new DataTransfer();
    clipboardData.items.add(file);
    document.dispatchEvent(new ClipboardEvent('paste', {clipboardData, bubbles: true}));
}"""


def bars(page: Page) -> list[str]:
    expect(page.locator(".answer button")).to_have_count(5, timeout=FIRST_ANSWER_MS)
    return page.locator(".answer button").all_inner_texts()


def said(page: Page) -> str:
    expect(page.locator(".says .what")).to_contain_text("evidence for")
    return page.locator(".says .what").inner_text()


def test_a_cold_deep_link_shows_navigation_and_answer_above_the_fold(serve, visit):
    page = visit(f"{serve().url}/inference?{NETWORK}&sample=chelsea")
    assert bars(page)
    expect(page.get_by_role("link", name="Architecture")).to_be_visible()
    expect(page.locator(".credit")).to_contain_text("CC0")
    for part in (".stage", ".answer", ".maps .grid"):
        box = page.locator(part).bounding_box()
        assert box["y"] + box["height"] <= HEIGHT


def test_an_upload_is_answered_and_no_other_visitor_sees_it(server, visit, tmp_path):
    photo = tmp_path / "my own photo.png"
    photo.write_bytes(SAMPLES["coffee"].load())
    page = visit(f"{server.url}/inference?{NETWORK}")
    page.get_by_text("Upload", exact=True).first.click()
    page.locator("input[type=file]").set_input_files(photo)
    assert bars(page)
    expect(page.get_by_role("button", name="my own photo.png").first).to_be_visible()
    assert "sample=" not in page.url

    other = visit(page.url)
    expect(other.get_by_text("Choose a picture to begin")).to_be_visible()
    expect(other.locator(".answer")).to_have_count(0)


def test_a_link_shows_another_visitor_the_same(server, visit):
    page = visit(f"{server.url}/inference?{NETWORK}&sample=rocket")
    bars(page)
    second = page.locator(".answer button").nth(1)
    label = second.locator(".label").inner_text()
    second.click()
    expect(page.locator(".says .what")).to_contain_text(f"evidence for {label}")
    expect(page).to_have_url(re.compile("target="))

    other = visit(page.url)
    assert bars(other) == bars(page)
    assert said(other) == said(page)
    expect(other.locator(".answer button[aria-pressed=true] .label")).to_contain_text(label)


def test_a_pasted_picture_takes_the_place_of_the_sample(server, visit):
    page = visit(f"{server.url}/inference?{NETWORK}&sample=rocket")
    before = bars(page)
    page.evaluate(PASTE, base64.b64encode(SAMPLES["coffee"].load()).decode())
    expect(page.get_by_role("button", name="Pasted picture").first).to_be_visible()
    expect(page.locator(".credit")).to_contain_text("Your picture stays in this visit")
    # The old answer stands until the new one is there.
    expect(page.locator(".answer")).not_to_contain_text(before[0].splitlines()[-1], timeout=FIRST_ANSWER_MS)
    assert bars(page) != before


def test_a_file_that_is_no_picture_is_refused_and_the_answer_stays(server, visit, tmp_path):
    text = tmp_path / "photo.jpg"
    text.write_text("no pixels here")
    page = visit(f"{server.url}/inference?{NETWORK}&sample=rocket")
    before = bars(page)
    page.get_by_test_id("stPopoverButton").first.click()
    page.get_by_text("Upload", exact=True).first.click()
    page.locator("input[type=file]").set_input_files(text)
    expect(page.locator(".notice")).to_contain_text("not a picture that can be read")
    assert bars(page) == before


def test_pointing_at_a_feature_map_lays_it_over_the_picture(server, visit):
    page = visit(f"{server.url}/inference?{NETWORK}&sample=rocket")
    tile = page.locator(".tile").first
    number = tile.inner_text()
    evidence = said(page)
    tile.hover()
    expect(page.locator(".says .what")).to_contain_text(f"Channel {number} of")
    page.mouse.move(5, 5)
    expect(page.locator(".says .what")).to_have_text(evidence)


def test_a_number_is_opened_and_stepped_through_and_stands_in_the_link(server, visit):
    page = visit(f"{server.url}/inference?{NETWORK}&sample=rocket&layer=c1&cell=no.such.one")
    page.locator(".number").scroll_into_view_if_needed()
    cell = page.locator(".number .pick")
    cell.wait_for(timeout=FIRST_ANSWER_MS)
    expect(page.locator(".number .title")).to_contain_text("of c1")
    assert page.locator(".number .cells").count() == 3  # patch, kernel, products
    expect(page.locator(".number .then .note")).to_contain_text("come to")

    page.locator(".tile").last.click(position={"x": 10, "y": 10})
    expect(page).to_have_url(re.compile(r"cell=\d+\.\d+\.\d+"))
    channel, row, column = map(int, re.search(r"cell=(\d+)\.(\d+)\.(\d+)", page.url).groups())
    assert page.locator(".tile").last.inner_text() == str(channel)
    expect(page.locator(".picture .field")).to_be_visible()

    cell.focus()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(rf"cell={channel}\.{row}\.{column + 1}"))
    title = f"One number, opened: channel {channel} of c1, row {row}, column {column + 1}"
    expect(page.locator(".number .title")).to_have_text(title)
    expect(cell).to_be_focused()

    other = visit(page.url)
    other.locator(".number").scroll_into_view_if_needed()
    expect(other.locator(".number .title")).to_have_text(title, timeout=FIRST_ANSWER_MS)


def test_opacity_moves_the_heatmap_and_stands_in_the_link(server, visit):
    page = visit(f"{server.url}/inference?{NETWORK}&sample=rocket&opacity=80")
    bars(page)
    expect(page.locator(".heat")).to_have_css("opacity", "0.8")
    page.get_by_role("slider", name="Opacity").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".heat")).to_have_css("opacity", "0.85")
    expect(page).to_have_url(re.compile("opacity=85"))


def test_on_a_fresh_server_the_first_click_is_answered_with_a_thousand_classes(serve, visit, tmp_path):
    """Nothing chosen, nothing downloaded: the newcomer's first view and first click."""
    empty = {"TORCH_HOME": str(tmp_path), "HF_HOME": str(tmp_path), "EXPLORER_WEIGHTS": ""}
    page = visit(f"{serve(**empty).url}/inference")
    page.locator("button[data-sample]").first.click()
    assert bars(page)[0].startswith("Egyptian cat")
    expect(page.get_by_text("knows 1,000 classes")).to_be_visible()
    expect(page.get_by_role("button", name="Download")).to_have_count(0)
    for part in (".stage", ".answer", ".maps .grid"):
        box = page.locator(part).bounding_box()
        assert box["y"] + box["height"] <= HEIGHT


def test_a_server_started_anew_takes_the_picture_from_the_open_page(serve, visit, tmp_path):
    photo = tmp_path / "my own photo.png"
    photo.write_bytes(SAMPLES["coffee"].load())
    first = serve()
    page = visit(f"{first.url}/inference?{NETWORK}")
    page.get_by_text("Upload", exact=True).first.click()
    page.locator("input[type=file]").set_input_files(photo)
    before = bars(page)
    first.kill()
    second = serve(port=first.port)
    expect(page.locator(".credit", has_text="The server was started anew")).to_be_visible(
        timeout=FIRST_ANSWER_MS
    )
    expect(page.get_by_role("button", name="my own photo.png").first).to_be_visible()
    assert bars(page) == before

    navigation = page.get_by_role("navigation", name="App pages")
    navigation.get_by_role("button", name="Labs").click()
    page.get_by_role("menuitem", name="Receptive field").click()
    page.get_by_role("radio", name="Picture", exact=True).click()
    expect(page.get_by_role("button", name="my own photo.png").first).to_be_visible()
    page.evaluate(PASTE, base64.b64encode(SAMPLES["rocket"].load()).decode())
    expect(page.get_by_role("button", name="Pasted picture").first).to_be_visible()
    expect(page.get_by_text("The server was started anew")).to_have_count(0)
    second.kill()
    serve(port=first.port)
    expect(page.get_by_text("The server was started anew")).to_be_visible(timeout=FIRST_ANSWER_MS)


def test_the_way_through_the_network_is_pointed_at_stepped_through_and_opened(server, visit):
    page = visit(f"{server.url}/inference?arch=zoo:resnet20&sample=rocket")
    bars(page)
    columns = page.locator(".through .column")
    expect(columns).to_have_count(4)
    columns.nth(1).locator(".map").first.hover()
    expect(page.locator(".through .says")).to_contain_text("It sees 15 × 15 pixels")
    expect(page.locator(".frame .field")).to_be_visible()
    page.locator(".answer").hover()
    expect(page.locator(".frame .field")).to_be_hidden()

    columns.nth(1).locator(".map").first.click()
    expect(columns.nth(1).locator(".large")).to_be_visible()
    expect(columns.nth(0)).to_have_class(re.compile("feeding"))
    expect(page.locator(".through .says")).to_contain_text("Most comes from channel")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(columns.nth(2).locator(".large")).to_be_visible()
    expect(columns.nth(1).locator(".large")).to_have_count(0)
    expect(columns.nth(2).locator(".map").nth(1)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".through .large")).to_have_count(0)

    page.get_by_role("button", name="Stage 2", exact=True).click()
    expect(columns).to_have_count(6)
    expect(page).to_have_url(re.compile("opened=stage"))
    expect(visit(page.url).locator(".through .column")).to_have_count(6)
