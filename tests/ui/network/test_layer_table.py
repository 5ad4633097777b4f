"""The layer table adds up to the network, and a search finds what it should."""

import pytest

from explorer import analysis
from explorer.ui.network import layer_table, stages


@pytest.fixture(scope="module")
def table():
    trace = analysis.trace("resnet50")
    sheet = analysis.stats_of(trace)
    return layer_table.rows(sheet, trace.modules, stages.index(trace, sheet))


def test_the_rows_sum_to_the_network(table):
    assert table["params"].sum() == 25_557_032
    assert table["macs"].sum() == 4_089_184_256
    assert table["params_percent"].sum() == pytest.approx(100)
    assert (table["stage"] != "").all()


@pytest.mark.parametrize("text", ["CONV1", " conv1 ", "conv1"])
def test_the_search_ignores_case_and_blanks(table, text):
    hits = layer_table.found(table, text, "", "")
    assert len(hits) == 17  # the stem's and one a block
    assert hits["layer"].str.contains("conv1").all()


def test_the_search_takes_signs_as_signs(table):
    assert layer_table.found(table, "layer1.0", "", "")["layer"].str.startswith("layer1.0").all()
    assert layer_table.found(table, ".*", "", "").empty
    assert layer_table.found(table, "(", "", "").empty


def test_filters_narrow_together(table):
    hits = layer_table.found(table, "downsample", "pointwise", "stage 2")
    assert list(hits["layer"]) == ["layer2.0.downsample.0"]


def test_the_field_of_a_layer_is_the_hand_derived_one(table):
    """7 for the stem, 11 after the pooling of 3 at stride 2, then two 3x3 that add 8 each at stride 4."""
    fields = table.groupby("layer")["field_height"].first()
    assert fields["conv1"] == 7
    assert fields["maxpool"] == 11
    assert fields["layer1.0.conv2"] == 19
    assert fields["layer1.1.conv2"] == 27
