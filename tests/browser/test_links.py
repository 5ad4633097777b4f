"""Links: the address reproduces the view, on a cold server, in a stranger's browser, and by the Back key."""

import re

from playwright.sync_api import expect


def picker(page):
    return page.get_by_role("combobox").first


def test_odd_links_show_a_page(server, visit):
    odd = {
        "timeline?families=%00%FF&arch=~nobody": "Timeline",
        f"gradient_flow?gdepth={'9' * 5000}&gview=%3Cscript%3E": "Gradient flow",
    }
    for link, title in odd.items():
        page = visit(f"{server.url}/{link}")
        expect(page.get_by_role("heading", name=title).first).to_be_visible()
        expect(page.get_by_text(re.compile("left out|Showing ResNet-50 instead")).first).to_be_visible()
        expect(page.get_by_test_id("stException")).to_have_count(0)


def test_the_choice_goes_along_from_page_to_page_and_back(server, visit):
    page = visit(f"{server.url}/inference?arch=densenet121")
    expect(page.get_by_role("heading", name="Inference")).to_be_visible()
    page.get_by_role("link", name="Timeline").click()
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()
    page.wait_for_url(re.compile(r"/\?arch=densenet121$"))
    expect(page.locator(".timeline .card")).to_contain_text("DenseNet-121")
    page.go_back()
    expect(page.get_by_role("heading", name="Inference")).to_be_visible()
    expect(picker(page)).to_have_value(re.compile("DenseNet-121"))
    page.wait_for_url(re.compile(r"/inference\?arch=densenet121$"))


def test_a_shared_link_shows_a_stranger_the_same(server, visit):
    page = visit(f"{server.url}/inference")
    expect(page.get_by_role("heading", name="Inference")).to_be_visible()
    picker(page).click()
    page.keyboard.type("mobilenet v2")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("arch=mobilenet_v2"))
    stranger = visit(page.url)
    expect(picker(stranger)).to_have_value(re.compile("MobileNet V2"))
    expect(stranger.get_by_role("heading", name="Inference")).to_be_visible()


def test_a_choice_on_the_timeline_opens_it(server, visit):
    page = visit(server.url)
    page.wait_for_selector(".timeline svg")
    picker(page).click()
    page.keyboard.type("alexnet")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/architecture\?arch=alexnet$"))
    expect(page.get_by_role("heading", name="AlexNet").first).to_be_visible()


def test_an_unknown_name_is_a_sentence_and_the_picker_works(server, visit):
    page = visit(f"{server.url}/architecture?arch=no_such_network")
    expect(page.get_by_text(re.compile("no_such_network.*Showing ResNet-50 instead"))).to_be_visible()
    picker(page).click()
    page.keyboard.type("lenet")
    expect(page.get_by_role("option", name=re.compile("LeNet-5")).first).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("arch=lenet5"))
    expect(page.get_by_role("heading", name="LeNet-5").first).to_be_visible()


def test_nothing_is_fetched_from_elsewhere(server, visit):
    """The app works with the cable pulled: every request of the first page goes to the server itself."""
    page = visit("about:blank")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(server.url)
    page.wait_for_selector(".timeline svg")
    assert len(asked) > 5
    outside = [url for url in asked if not url.startswith((server.url, "data:", "blob:"))]
    assert not outside
