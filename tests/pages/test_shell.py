"""The frame around the pages: the choice in the URL, the picker, the hand-over to the navigation."""

import pytest
from streamlit.runtime.fragment import MemoryFragmentStorage
from streamlit.testing.v1 import AppTest

from explorer import catalogue
from explorer.networks import names
from explorer.ui.frame import navigation, page, picker, state
from tests.conftest import REPOSITORY


@pytest.fixture
def app() -> AppTest:
    made = AppTest.from_file(str(REPOSITORY / "app.py"), default_timeout=60)
    made.session_state[page.CONTROLS] = True  # no browser here would ever say so
    return made


def titles(app: AppTest) -> list[str]:
    return [title.value for title in app.title]


def test_the_first_page_is_the_timeline(app: AppTest):
    app.run()
    assert not app.exception
    assert titles(app) == ["Timeline"]
    assert app.caption[0].value == navigation.ENTRIES[0].sentence
    assert app.selectbox(key="picker").value is None


def test_the_address_names_the_architecture(app: AppTest):
    app.query_params["arch"] = "densenet121"
    app.run()
    assert app.session_state[state.ARCH] == "densenet121"
    assert app.selectbox(key="picker").value == "densenet121"


def test_a_link_may_name_anything_and_the_picker_goes_on_working(app: AppTest):
    app.query_params["arch"] = "<b>no such network</b>"
    app.run()
    assert not app.exception
    assert app.selectbox(key="picker").value == "<b>no such network</b>"
    app.selectbox(key="picker").set_value("vgg16").run()
    assert app.session_state[state.ARCH] == "vgg16"


def test_an_empty_picker_chooses_nothing(app: AppTest):
    """A browser may send the box as it was before it heard of the choice; that is no wish for another."""
    app.query_params["arch"] = "vgg16"
    app.run()
    app.selectbox(key="picker").set_value(None).run()
    assert app.session_state[state.ARCH] == "vgg16"
    assert app.selectbox(key="picker").value == "vgg16"


def test_a_page_that_ends_early_forgets_the_fragments_of_the_page_before(app: AppTest, monkeypatch):
    """Or one of them, asked for late by a slow browser, is drawn into this page, and the browser stops."""
    kept: list[frozenset[str] | None] = []

    def clear(storage: MemoryFragmentStorage, new_fragment_ids: frozenset[str] | None = None) -> None:
        kept.append(new_fragment_ids)

    monkeypatch.setattr(MemoryFragmentStorage, "clear", clear)
    app.query_params["arch"] = "lenet5"
    app.run().switch_page("pages/architecture.py").run()
    assert kept[-1]
    app.switch_page("pages/inference.py").run()  # no picture: it ends with the invitation
    assert kept[-1] == frozenset()
    for script in (*REPOSITORY.glob("pages/*.py"), *REPOSITORY.glob("explorer/ui/**/*.py")):
        assert "st.stop()\n" not in script.read_text("utf-8"), script


def test_presenting_comes_from_the_address(app: AppTest):
    app.query_params["present"] = "true"
    app.run()
    assert app.toggle(key="present").value is True
    assert titles(app) == ["Timeline"]


def test_a_page_run_without_the_frame_hands_over_to_it(app: AppTest):
    """AppTest starts each run as a fresh server does: the page's own script first, without app.py."""
    app.query_params["arch"] = "vgg16"
    app.run()
    app.switch_page("pages/inference.py").run()
    assert not app.exception
    assert app.selectbox(key="picker").value == "vgg16"
    assert titles(app) == ["Inference"]


def test_the_picker_lists_every_architecture_by_family_then_year():
    options = picker.options()
    known = catalogue.architectures()
    assert set(known) <= set(options)
    order = list(catalogue.FAMILIES)
    places = [(order.index(known[each].family), known[each].year) for each in options if each in known]
    assert places == sorted(places)
    assert options["resnet50"] == "ResNet-50 · 2015 · Skip connections"
    assert len(set(options.values())) == len(options)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("vgg", "vgg16"),  # Enter hands over the text even while the list shows matches
        ("ResNet-50", "resnet50"),
        ("resnet50", "resnet50"),
        ("alex", "alexnet"),
        ("vit-b/16", "vit_b16"),
        ("timm:convnextv2_atto", "timm:convnextv2_atto"),
        ("resnet26t", "resnet26t"),
        ("hf-hub:timm/resnet50.a1_in1k", "hf-hub:timm/resnet50.a1_in1k"),
        ("???", "???"),
        ("name:vgg16", "vgg16"),
        ("name:resnet34", "resnet34"),
        ("name:resnet10t", "resnet10t"),
    ],
)
def test_a_typed_text_becomes_the_network_that_was_meant(typed: str, meant: str):
    assert picker.listed(typed) == meant


def test_every_name_that_a_builder_knows_is_an_option():
    """A text that equals no option is offered as a new one, before those that it is part of."""
    labels = set(picker.options().values())
    assert {"vgg16", "resnet26t", "vit_b_16", "zfnet"} <= labels
    assert labels.issuperset(name for known in names().values() for name in known)


def test_references_lead_back_to_their_entry():
    assert picker.entry_of("vgg16").name == "VGG-16"
    assert picker.entry_of("torchvision:resnet50").id == "resnet50"
    assert picker.entry_of("timm:no_such") is None
