"""timm's tables: read whole where they are whole, and with a remark where they are not."""

import pytest

from explorer.catalogue.published_tables import ACCURACY, TABLES, Key, TableError, joined, read

HEADER = "model,img_size,top1,top1_err,top5,top5_err,crop_pct,interpolation\n"
ROW = "resnet50.a1_in1k,224,80.214,19.786,94.614,5.386,0.95,bicubic\n"
TABLE = TABLES[ACCURACY]


def test_a_row_is_keyed_on_model_and_size():
    found = read(HEADER + ROW + ROW.replace("224", "288").replace("80.214", "81.2"), TABLE)
    assert found.rows[Key("resnet50.a1_in1k", 224)] == {"top1": 80.214, "top5": 94.614}
    assert found.rows[Key("resnet50.a1_in1k", 288)]["top1"] == 81.2
    assert found.remarks == ()


def test_missing_is_missing_and_said():
    text = "\ufeff" + HEADER + ROW.replace("80.214", "nan").replace("94.614", "") + ROW.replace("a1", "a2")
    found = read(text, TABLE)
    assert found.rows[Key("resnet50.a1_in1k", 224)] == {}
    assert found.rows[Key("resnet50.a2_in1k", 224)]["top1"] == 80.214
    assert found.remarks == (f"{ACCURACY}: 2 values are missing.",)


def test_repeated_and_unusable_rows_are_left_out_and_said():
    found = read(
        HEADER + ROW + ROW.replace("80.214", "1") + ",224,1,1,1,1,1,x\n" + "a,big,1,1,1,1,1,x\n", TABLE
    )
    assert found.rows == {Key("resnet50.a1_in1k", 224): {"top1": 80.214, "top5": 94.614}}
    assert found.remarks == (
        f"{ACCURACY}: 2 rows without a model or an image size were left out.",
        f"{ACCURACY}: 1 row repeats a key; the one with the higher top1 counts.",
    )


def test_a_column_that_went_away_costs_only_its_axis():
    found = read("model,img_size,top1\nvgg16.tv_in1k,224,71.6\n", TABLE)
    assert found.rows[Key("vgg16.tv_in1k", 224)] == {"top1": 71.6}
    assert found.remarks == (f"{ACCURACY} has no column 'top5': that axis is missing.",)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has no column 'model' or 'img_size'"),
        ("<!doctype html><html>no such page</html>", "has no column 'model' or 'img_size'"),
        (HEADER, "holds no row"),
        ("name,img_size\nresnet50,224\n", "has no column 'model'"),
    ],
)
def test_what_is_no_table_is_refused(text, says):
    with pytest.raises(TableError, match=says):
        read(text, TABLE)


def test_throughput_is_of_the_architecture_and_the_size():
    speed = TABLES["benchmark-infer-amp-nchw-pt291-cu130-5090.csv"]
    rows = joined(
        [
            read("model,infer_img_size,infer_samples_per_sec\nresnet50,224,9000\n", speed),
            read(HEADER + ROW + ROW.replace("224", "288"), TABLE),
        ]
    )
    assert [row.values.get("throughput 5090") for row in rows] == [9000, None]
    assert rows[0].values["top1"] == 80.214


def test_without_accuracies_there_is_nothing_to_join():
    assert joined([]) == ()


def test_the_published_files(shared_timm):
    readings = [read((shared_timm / name).read_text("utf-8"), table) for name, table in TABLES.items()]
    assert [remark for reading in readings for remark in reading.remarks] == []
    rows = joined(readings)
    assert len(rows) == 1556
    best = max(rows, key=lambda row: row.values["top1"])
    assert best.key == Key("eva02_large_patch14_448.mim_m38m_ft_in22k_in1k", 448)
    assert best.values["real top1"] == 91.144
    assert sum("throughput 5090" in row.values for row in rows) > 1000


def test_impossible_values_are_missing_and_said():
    text = HEADER + ROW.replace("80.214", "1e9").replace("94.614", "-5") + ROW.replace("a1", "a2")
    found = read(text, TABLE)
    assert not next(iter(found.rows.values()))
    assert found.remarks == (f"{ACCURACY}: 2 values are no percentages or no speeds and count as missing.",)
