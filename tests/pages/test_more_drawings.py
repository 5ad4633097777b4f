"""Side by side and the families on the Architecture page, without a browser."""

import re
from html import unescape

import pytest
from streamlit.testing.v1 import AppTest


def table(app: AppTest) -> str:
    """The words of the table of two networks."""
    bodies = [each.proto.body for each in app.get("html") if "<table>" in each.proto.body]
    text = unescape(re.sub(r"<[^>]+>", " ", bodies[-1]))
    return " ".join(text.replace("\u00a0", " ").split())


def warnings(app: AppTest) -> str:
    return "\n".join(each.value for each in app.warning)


def test_the_second_network_is_chosen_and_its_size(open_page):
    app = open_page(arch="resnet50", drawing="beside", beside="resnet101")
    assert not app.exception
    said = table(app)
    assert "ResNet-50 at 224 px" in said
    assert "ResNet-101 at 224 px" in said
    assert "blocks 6 × Bottleneck against 23 × Bottleneck" in said
    assert said.count(" alike ") == 5
    app.selectbox(key="beside_menu").set_value("resnet18").run()
    assert "ResNet-18 at 224 px" in table(app)
    assert "blocks 6 × Bottleneck against 2 × BasicBlock" in table(app)
    assert app.session_state["beside"] == "resnet18"
    app.number_input(key="beside_size_field").set_value(160).run()
    assert "ResNet-18 at 160 px" in table(app)
    assert app.session_state["beside_size"] == "160"
    assert not app.exception


def test_a_network_beside_itself_stands_there_larger(open_page):
    app = open_page(arch="resnet18", drawing="beside", beside="resnet18")
    assert "ResNet-18 at 224 px" in table(app)
    assert "ResNet-18 at 288 px" in table(app)
    assert "params the same" in table(app)


def test_without_a_choice_what_it_came_from_stands_beside_it(open_page):
    app = open_page(arch="densenet121", drawing="beside")
    assert not app.exception
    assert app.selectbox(key="beside_menu").value == "resnet50"
    assert "ResNet-50 at 224 px" in table(app)


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ({"beside": "no such network <b>"}, "stands beside itself instead"),
        ({"beside": "bovw_svm"}, "stands beside itself instead"),
        ({"beside": "resnet34", "beside_size": "elephant"}, "whole number from 1 to 2048"),
    ],
)
def test_nonsense_in_a_link_is_said_and_ignored(open_page, link, sentence):
    app = open_page(arch="resnet18", drawing="beside", **link)
    assert not app.exception
    assert sentence in warnings(app)
    assert "ResNet-18 at 224 px" in table(app)


def test_a_size_the_network_refuses_is_a_sentence(open_page):
    app = open_page(arch="resnet18", drawing="beside", beside="vit_b16", beside_size="100")
    assert not app.exception
    assert app.error


def test_the_families_are_drawn(open_page):
    app = open_page(arch="resnet18", drawing="families")
    assert not app.exception
    assert app.session_state["drawing"] == "families"
    assert app.session_state["_gallery_seen"]  # every block was found and painted
