"""The claims page as a visitor meets it: a few cheap claims, checked while the page is open."""

from dataclasses import replace
from functools import partial
from types import MappingProxyType

import pytest
from streamlit.testing.v1 import AppTest

from explorer.catalogue.claims import claims
from explorer.labs.claims import checking as lab
from explorer.labs.claims import kept
from explorer.ui.claims import running, view
from tests.conftest import REPOSITORY
from tests.pages import opening

FEW = (
    "000-width-linear",  # wrong
    "001-dense-78",  # holds
    "001-compound-constraint",  # rounded
    "002-bn-output",  # depends
    "002-separable-formula",  # wrong
    "003-stem",  # wrong
)
opened = partial(opening.opened, "pages/claims.py")


@pytest.fixture(autouse=True)
def few(monkeypatch, tmp_path):
    """These claims only, and nothing checked yet; what has been, by id."""
    found: dict = {}
    some = MappingProxyType({name: claims()[name] for name in FEW})
    for module in (running, view):
        monkeypatch.setattr(module, "claims", lambda: some)
    monkeypatch.setattr(running, "kept", lambda: found)
    monkeypatch.setattr(kept, "file", lambda: tmp_path / "results.json")
    return found


def rows(app: AppTest) -> dict[str, str]:
    """Id -> verdict, as the table has them."""
    return dict(zip(app.dataframe[0].value["Id"], app.dataframe[0].value["Verdict"], strict=True))


def says(app: AppTest, *parts: str) -> bool:
    text = " ".join(each.value for each in [*app.markdown, *app.caption])
    return all(part in text for part in parts)


def test_all_claims_are_checked_and_counted():
    app = opened()
    assert list(rows(app).values()) == ["✗ wrong", "✓ holds", "≈ rounded", "± depends", "✗ wrong", "✗ wrong"]
    assert says(app, "**6 claims**", "**1** hold]", "**1** rounded]", "**1** depend]", "**3** wrong]")
    assert not [button for button in app.button if button.key in ("claims_stop", "claims_go_on")]


def test_what_was_printed_and_measured_stands_in_the_row():
    app = opened()
    row = app.dataframe[0].value.set_index("Id").loc["002-bn-output"]
    assert row["Printed"] == "-1.68; 0.10; 1.90; 3.68 output"
    assert row["Measured"] == "-1.6833; 0.10557; 1.8944; 3.6833 | -1.68; 0.1; 1.9; 3.68"
    assert row["Basis"] == "computed"


def test_filters_by_verdict_source_topic_and_words():
    app = opened(verdict="wrong")
    assert list(rows(app)) == ["000-width-linear", "002-separable-formula", "003-stem"]
    app.selectbox(key="source_box").set_value("002").run()
    assert list(rows(app)) == ["002-separable-formula"]
    app.button(key="lab_reset").click().run()
    app.selectbox(key="topic").set_value("Structure").run()
    assert list(rows(app)) == ["001-dense-78", "003-stem"]
    app.text_input(key="find").set_value("stem vgg 2x2").run()
    assert not app.dataframe
    app.text_input(key="find").set_value("stem 2x2").run()
    assert list(rows(app)) == ["003-stem"]


def test_a_link_opens_a_claim_with_its_defence_and_its_code():
    app = opened(claim="002-bn-output")
    assert says(app, "**Depends on the protocol**", "“\\[−1.68, 0.10, 1.90, 3.68\\]”")
    assert says(app, "exact to the end | **\\-1.6833; 0.10557; 1.8944; 3.6833 output** | computed: output of")
    assert says(app, "Rounding in between gives 0.10 and 1.90")
    assert not app.code  # until it is opened
    app.session_state["code_worked_example"] = True
    app.run()
    assert any("def worked_example(" in code.value for code in app.code)


def test_a_claim_leads_to_the_network_it_is_about():
    app = opened(claim="003-stem")
    assert app.button(key="see_003-stem").label == "See it on the page Architecture"
    app.button(key="see_003-stem").click().run()
    assert not app.exception
    assert app.session_state["arch"] == "convnext_t"


def test_nonsense_in_the_link_shows_the_first_claim():
    app = opened(claim="999-none", verdict="true", topic="Colour", source="9")
    assert says(app, "Twice the channels cost a layer twice the multiply-adds")
    assert len(rows(app)) == 6


def test_a_filter_that_nothing_passes_says_so():
    app = opened(find="no such words")
    assert app.info[0].value.startswith("No claim passes these filters")


def test_stopping_leaves_what_is_done_and_going_on_does_the_rest(few):
    app = opened()
    few.clear()
    app.session_state["_claims_stopped"] = True
    app.run()
    assert (
        list(rows(app).values()) == ["… waiting"] * 6
    )  # the table stands before the opened claim is checked
    assert list(few) == ["000-width-linear"]
    app.button(key="claims_go_on").click().run()
    assert "… waiting" not in rows(app).values()


def test_a_check_that_fails_is_shown_with_its_reason(monkeypatch):
    def broken(**_):
        raise RuntimeError("no such layer")

    monkeypatch.setattr(lab, "CHECKS", {**lab.CHECKS, "layer": broken})
    app = opened(claim="003-stem", verdict="holds")
    assert rows(app) == {"001-dense-78": "✓ holds", "003-stem": "! error"}
    assert says(app, "**1** could not be checked]", "no such layer")


def test_numbers_are_short_and_whole_numbers_whole():
    from explorer.ui.claims.words import number

    assert [number(value) for value in (70_144, 2.0, 25.557032, 0.12822, 8.0817e-47, 9.4e6, 0.0)] == [
        "70,144",
        "2",
        "25.557",
        "0.12822",
        "8.1e-47",
        "9,400,000",
        "0",
    ]


def first_opened() -> AppTest:
    """The page before anything is checked anew."""
    app = AppTest.from_file(str(REPOSITORY / "app.py"), default_timeout=opening.PATIENCE)
    app.session_state["_claims_stopped"] = True
    app.run()
    return app.switch_page("pages/claims.py").run()


def test_a_fresh_machine_has_all_verdicts_at_once(few):
    few.update({name: each for name, each in kept.known().items() if name in FEW})
    app = first_opened()
    assert "… waiting" not in rows(app).values()
    made = kept.libraries(few[FEW[0]].made_with)
    assert says(app, f"Last checked with {made}", "being checked anew here", "the table that is shipped")
    app.button(key="claims_go_on").click().run()
    assert all(each.current for each in few.values())
    assert says(app, "Checked here with", "on this machine")
    assert not says(app, "anew")


def test_other_versions_than_the_tables_are_named(few):
    shipped = {name: each for name, each in kept.known().items() if name in FEW}
    few.update({name: replace(each, made_with=("torch 9.0", "code 0")) for name, each in shipped.items()})
    here = kept.libraries(kept.made_with())
    assert says(
        first_opened(),
        f"Last checked with torch 9.0; being checked anew here, **with other versions: {here}**",
    )


def test_verdicts_of_an_earlier_version_are_shown_while_they_are_checked_anew(few):
    opened()
    before = {name: kept.Kept(each.result, ("torch 1.0", "code 0")) for name, each in few.items()}
    few.update(before)
    app = first_opened()
    assert "… waiting" not in rows(app).values()
    assert says(app, "with torch 1.0, before the code or a package changed; it is being checked anew")
    app.button(key="claims_go_on").click().run()
    assert all(each.current for each in few.values())
    assert not says(app, "checked anew")
