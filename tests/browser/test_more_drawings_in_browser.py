"""Side by side, the families, measured overlays and full screen of the Architecture page, in a browser."""

import re

from playwright.sync_api import expect


def opened(visit, server, link: str):
    page = visit(f"{server.url}/architecture?{link}")
    page.locator(".headline dd").first.wait_for()
    return page


def test_another_network_stands_beside_this_one_and_in_the_link(server, visit):
    page = opened(visit, server, "arch=vgg16")
    page.get_by_role("radio", name="Side by side").click()
    page.wait_for_url(re.compile("drawing=beside"))
    beside = page.get_by_role("table", name=re.compile("VGG-16 beside"))
    expect(beside).to_contain_text("at 224 px")
    page.locator(".st-key-beside_menu input").fill("VGG-19")
    page.get_by_role("option", name=re.compile("VGG-19")).first.click()
    page.wait_for_url(re.compile("beside=.*vgg19"))
    expect(beside).to_contain_text("VGG-19")
    page.reload()
    expect(beside).to_contain_text("VGG-19")


def test_the_families_stand_in_small_and_lead_to_their_networks(server, visit):
    page = opened(visit, server, "arch=vgg16&drawing=families")
    link = page.get_by_role("link", name=re.compile("GoogLeNet"))
    expect(link).to_be_visible()
    expect(page.locator("svg .kind-depthwise").first).to_be_attached()
    link.click()
    page.wait_for_url(re.compile("arch=googlenet"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("GoogLeNet")


def test_the_time_of_each_layer_is_measured_and_coloured(server, visit):
    page = opened(visit, server, "arch=zoo:resnet20")
    page.locator(".st-key-overlay_menu input").click()
    page.get_by_role("option", name="Time per layer, measured").click()
    page.wait_for_url(re.compile("overlay=time"))
    scale = page.locator(".network .legend .scale")
    expect(scale).to_contain_text("Time per layer on")
    expect(scale).to_contain_text("ms")


def test_full_screen_shows_the_drawing_larger_and_esc_leaves_it(server, visit):
    page = opened(visit, server, "arch=resnet50")
    canvas = page.locator(".network .canvas")
    before = canvas.bounding_box()
    page.locator('[data-do="full"]').click()
    page.wait_for_function("document.fullscreenElement !== null")
    assert canvas.bounding_box()["height"] > before["height"]
    page.locator('[data-do="full"]').click()
    page.wait_for_function("document.fullscreenElement === null")
