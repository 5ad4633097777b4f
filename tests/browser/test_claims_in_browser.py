"""The claims page in a browser: what is clicked opens and stands in the link, and leads on."""

import re

from playwright.sync_api import expect

ROW = 84  # pixels of a row of Streamlit's table, which is drawn on a canvas


def test_a_click_opens_the_claim_and_its_page(server, visit):
    page = visit(f"{server.url}/claims?source=003")
    opened = page.locator(".st-key-claim_opened")
    expect(opened).to_contain_text("The tricks of ResNet-RS bring 50 layers")
    page.get_by_test_id("stDataFrame").click(position={"x": 250, "y": 35 + 3.5 * ROW})  # the fourth row
    expect(opened).to_contain_text("A convolution of 4x4 with stride 4")
    expect(opened).to_contain_text("Wrong")
    page.wait_for_url(re.compile(r"/claims\?source=003&claim=003-stem$"))
    opened.get_by_role("button", name="See it on the page Architecture").click()
    page.wait_for_url(re.compile(r"/architecture\?arch=convnext_t$"))
    expect(page.get_by_role("heading", name="ConvNeXt-T").first).to_be_visible()
