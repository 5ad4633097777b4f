"""Controls that are declared once: what a link, a reset and another view make of them."""

from streamlit.testing.v1 import AppTest


def page() -> None:
    from dataclasses import dataclass

    import streamlit as st

    from explorer.ui.kit import lab

    @dataclass(frozen=True)
    class Choices:
        view: str = lab.words("view", "View", ("One", "Two"))
        depth: int = lab.slider("depth", "Depth", 0, 100, 50, kept=True)
        name: str = lab.menu("name", "Name", ("a", "b"), "b")
        width: int = lab.steps("width", "Width", (4, 8, 16), 8)
        dropout: bool = lab.toggle("dropout", "Dropout")
        layer: str = lab.hidden("layer")

    controls = lab.begin(Choices)
    most = st.number_input("Most", value=100, key="most")
    if controls.draw("view") == "One":
        controls.draw("depth", max_value=most)
        controls.draw("name")
        controls.draw("width")
        controls.draw("dropout")
    controls.reset()
    st.session_state["chosen"] = controls.chosen()


def opened(**parameters: str) -> AppTest:
    app = AppTest.from_function(page)
    app.query_params.update(parameters)
    app.run()
    assert not app.exception
    return app


def chosen(app: AppTest) -> dict:
    assert not app.exception
    return vars(app.session_state["chosen"])


FIRST = {"view": "One", "depth": 50, "name": "b", "width": 8, "dropout": False, "layer": ""}
OTHER = {"depth": 20, "name": "a", "width": 16, "dropout": True, "layer": "conv1"}


def test_a_link_that_says_nothing_gives_the_first_values():
    assert chosen(opened()) == FIRST


def test_a_link_says_every_control_by_its_name():
    link = {key: str(value).lower() if key == "dropout" else str(value) for key, value in OTHER.items()}
    assert chosen(opened(**link)) == FIRST | OTHER


def test_nonsense_gives_the_first_values():
    assert chosen(opened(view="x", depth="-7", name="<b>", width="5", dropout="perhaps")) == FIRST


def test_reset_puts_all_back():
    app = opened(depth="20", width="16", layer="conv1")
    app.button(key="lab_reset").click().run()
    assert chosen(app) == FIRST


def test_a_view_that_does_not_draw_a_control_keeps_it_or_has_its_first_value():
    app = opened(depth="20", width="16")
    app.segmented_control(key="view").set_value("Two").run()
    assert chosen(app) == FIRST | {"view": "Two", "depth": 20}


def test_a_value_outside_a_range_that_has_changed_goes_back_into_it():
    app = opened(depth="90")
    app.number_input(key="most").set_value(60).run()
    assert chosen(app)["depth"] == 50
    app.number_input(key="most").set_value(30).run()
    assert chosen(app)["depth"] == 30
