"""The Architecture page, without a browser: what it says of a network, and what when it cannot."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from explorer import catalogue


def tiles(app: AppTest) -> list[tuple[str, str, str]]:
    """Name, number and what stands beneath it, of the headline."""
    text = "".join(each.proto.body for each in app.get("html")).replace("\u00a0", " ")
    return re.findall(r"<dt>([^<]*) <span.*?<dd>([^<]*)</dd><dd[^>]*>([^<]*)<", text)


def metrics(app: AppTest) -> dict[str, str]:
    beside = {each.label: each.value.replace("\u00a0", " ") for each in app.metric}
    return {name: number for name, number, _ in tiles(app)} | beside


def table(app: AppTest):
    return next(each.value for each in app.dataframe if "params_percent" in each.value)


def texts(app: AppTest) -> str:
    return "\n".join(each.value for kind in (app.markdown, app.caption, app.info, app.error) for each in kind)


def test_resnet50s_numbers_are_torchvisions(open_page):
    app = open_page(arch="resnet50")
    assert not app.exception
    assert metrics(app)["Parameters"] == "25.6 M"
    assert metrics(app)["MACs"] == "4.09 G"
    assert metrics(app)["Depth"] == "50"
    assert metrics(app)["Receptive field"] == "427 px"
    assert tiles(app)[0][2] == "25,557,032"
    assert table(app)["params"].sum() == 25_557_032
    assert table(app)["macs"].sum() == 4_089_184_256
    assert "1 MAC = one multiply and one add" in texts(app)
    assert "224 × 224" in texts(app)


def test_the_first_row_is_above_the_search_and_the_search_narrows_it(open_page):
    app = open_page(arch="resnet50")
    everything = len(table(app))
    app.text_input(key="find").set_value("LAYER4.2").run()
    assert 0 < len(table(app)) < everything
    assert table(app)["layer"].str.startswith("layer4.2").all()
    app.text_input(key="find").set_value("no such layer").run()
    assert "No layer matches" in texts(app)


def test_a_stage_and_a_kind_filter_the_layers_together(open_page):
    app = open_page(arch="resnet50", stage="stage 3")
    assert set(table(app)["stage"]) == {"Stage 3"}
    # Six blocks of two pointwise convolutions each, and the projection of the first.
    app.selectbox(key="kind").set_value("Pointwise convolution (1×1)").run()
    assert len(table(app)) == 13
    app.selectbox(key="stage_box").set_value("").run()
    assert {"Stage 1", "Stage 2", "Stage 3", "Stage 4"} <= set(table(app)["stage"])


def test_vggs_linear_block_leaps_to_the_eye(open_page):
    said = texts(open_page(arch="vgg16")).replace("\u00a0", " ")
    assert "Linear: 89.4 % of the parameters. Spatial convolution: 99.2 % of the MACs." in said
    assert "Head: 89.4 % of the parameters." in said


def test_the_image_size_changes_the_work_and_not_the_parameters(open_page):
    app = open_page(arch="resnet50", size="448")
    assert metrics(app)["Parameters"] == "25.6 M"
    assert metrics(app)["MACs"] == "16.4 G"  # four times 4.09: all but the linear layer


def test_a_size_the_network_cannot_take_is_a_sentence_beside_its_own(open_page):
    app = open_page(arch="vit_b16", size="225")
    assert not app.exception
    assert "225" in app.error[0].value
    assert metrics(app)["Parameters"] == "86.6 M"
    next(button for button in app.button if button.label == "Use its own size").click().run()
    assert not app.error
    assert app.number_input(key="size").value is None


def test_a_network_without_an_entry_has_its_numbers(open_page):
    app = open_page(arch="timm:resnet14t")
    assert not app.exception
    assert app.title[0].value == "resnet14t"
    assert table(app)["params"].sum() == pytest.approx(10.08e6, rel=0.001)  # timm's results table: 10.08 M
    assert "opened by its name" in texts(open_page(arch="timm:resnet14t", view="Story"))


def test_an_unknown_name_is_a_sentence_and_the_default_stands_in(open_page):
    app = open_page(arch="resnot50")
    assert not app.exception
    assert "resnot50" in app.warning[0].value
    assert metrics(app)["Parameters"] == "25.6 M"


def test_a_hand_made_pipeline_has_a_story_and_no_numbers(open_page):
    entry = next(each for each in catalogue.architectures().values() if not each.builders)
    app = open_page(arch=entry.id)
    assert not app.exception
    assert entry.name in app.title[0].value
    assert not tiles(app)
    assert "The ceiling before it" in texts(app)


def test_published_results_keep_their_protocols_and_disagreements(open_page):
    app = open_page(arch="resnet50", view="Published results")
    results = next(each.value for each in app.table if "Protocol" in each.value)
    facts = [fact for facts in catalogue.get("resnet50").facts.values() for fact in facts]
    assert len(results) == len(facts)
    top1 = results[results["Result"] == "ImageNet top-1"]
    assert {"77.15 %", "76.13 %"} <= set(top1["Value"])
    assert (top1["Protocol"] != "–").all()
    assert top1["Source"].str.contains(r"\]\(https://").all()


def test_memory_follows_batch_precision_and_optimiser(open_page):
    app = open_page(arch="resnet50", view="Memory")
    weights = 4 * 25_557_032

    def total() -> int:
        shown = next(each for each in app.metric if each.label == "Memory").delta
        return int(re.sub(r"\D", "", shown))

    sgd = total()
    app.selectbox(key="optimiser").set_value("Adam / AdamW").run()
    assert total() - sgd == weights  # two numbers a parameter instead of one
    app.selectbox(key="optimiser").set_value("SGD").run()
    one = total()
    app.select_slider(key="batch").set_value(64).run()
    kept = (total() - one) // 32
    assert (total() - one) % 32 == 0
    assert kept > 50 * 2**20  # what one image leaves for the backward pass


def test_relatives_open_on_the_same_page(open_page):
    app = open_page(arch="resnet50", view="Story")
    came_from = catalogue.get("resnet50").came_from[0]
    app.button(key=f"Came from-{came_from}").click().run()
    assert catalogue.get(came_from).name in app.title[0].value
    assert came_from in app.query_params["arch"]


def test_what_was_chosen_for_one_network_does_not_stick_to_the_next(open_page):
    app = open_page(arch="resnet50", stage="stage 3", size="256")
    app.selectbox(key="picker").set_value("vgg16").run()
    assert app.number_input(key="size").value is None
    assert len(set(table(app)["stage"])) > 1


def panel(app: AppTest) -> str:
    """What the side panel of the diagram says, without its markup."""
    pieces = [each.proto.body for each in app.get("html") if "node-panel" in each.proto.body]
    return re.sub(r"<[^>]+>", " ", " ".join(pieces)).replace("\u00a0", " ")


def test_the_chosen_layers_panel_has_its_formulas_filled_in(open_page):
    app = open_page(arch="resnet50", node="conv2d_2")  # layer1.0.conv2: 3 × 3, 64 to 64 channels, 56 × 56
    assert not app.exception
    said = panel(app)
    assert "3² · 64 · 64 · 56 · 56 =  115,605,504" in said
    assert "3² · 64 · 64 =  36,864" in said
    assert "layer1.0.conv2" in said
    assert "115,605,504 (2.8 %)" in said
    assert re.search(r"`Conv2d` in `torch/nn/modules/conv\.py:\d+`", texts(app))


def test_the_panel_of_a_box_opens_it_or_goes_inside(open_page):
    app = open_page(arch="resnet50", level="stage", node="stage-2")
    assert "Module" not in panel(app)  # a stage is no module
    assert "1,219,584 (4.8 %)" in panel(app)
    next(each for each in app.button if each.label == "Expand").click().run()
    assert app.session_state["open"] == "stage-2"
    next(each for each in app.button if each.label == "Collapse").click().run()
    assert app.session_state["open"] == ""
    next(each for each in app.button if each.label == "Go inside").click().run()
    assert app.session_state["inside"] == "stage-2"


def test_the_diagram_of_one_network_is_not_asked_of_the_next(open_page):
    app = open_page(arch="resnet50", open="stage-1", inside="stage-2", node="stage-2", overlay="macs")
    app.selectbox(key="picker").set_value("vgg16").run()
    assert not app.exception
    assert [app.session_state[name] for name in ("open", "inside", "node")] == ["", "", ""]
    assert app.session_state["overlay"] == "macs"  # how one looks stays


def test_volumes_stand_beside_the_graph(open_page):
    app = open_page(arch="resnet50", drawing="volumes", stage="stage 3")
    assert not app.exception
    assert set(table(app)["stage"]) == {"Stage 3"}
