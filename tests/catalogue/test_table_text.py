"""The same table, however a program or a person saved it, is the same table; what is none is said why."""

import pytest

from explorer.catalogue.published_tables import ACCURACY, TABLES, Key, TableError, read

TABLE = TABLES[ACCURACY]
SPEED = TABLES["benchmark-infer-amp-nchw-pt291-cu130-5090.csv"]
PLAIN = "model,img_size,top1,top5\nresnet50.a1_in1k,224,80.214,94.614\nresnet18.a1_in1k,224,71.5,90.1\n"
SEMICOLONS = PLAIN.replace(",", ";").replace(".2", ",2").replace(".6", ",6").replace(".5", ",5")
SEMICOLONS = SEMICOLONS.replace(".1\n", ",1\n")


@pytest.mark.parametrize(
    "data",
    [
        PLAIN.encode(),
        PLAIN.replace("\n", "\r").encode(),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("utf-16"),
        PLAIN.encode("utf-16-le"),
        PLAIN.encode("utf-16-be"),
        ("\ufeff" + PLAIN).encode("utf-16-be"),
        PLAIN.encode("utf-32"),
        PLAIN.replace(",", "\t").encode(),
        PLAIN.replace(",", ";").encode(),
        ("sep=,\r\n" + PLAIN).encode(),
        SEMICOLONS.encode(),
        ("sep=;\n" + SEMICOLONS).encode("utf-16"),
        SEMICOLONS.replace("224", '"224"').replace(";80,214", '; "80,214 %"').replace("; ", ";").encode(),
        PLAIN.replace("model,img_size", " Model , IMG_SIZE").encode(),
        PLAIN.replace("80.214,94.614", "0.80214,0.94614").replace("71.5,90.1", "0.715,0.901").encode(),
        PLAIN.replace("80.214,94.614", "0.80214,0.94614").encode(),
        ("\n\n" + PLAIN + "\n\n").encode(),
    ],
)
def test_one_table_in_many_dresses(data: bytes):
    found = read(data, TABLE)
    assert found.rows == {
        Key("resnet50.a1_in1k", 224): {"top1": 80.214, "top5": 94.614},
        Key("resnet18.a1_in1k", 224): {"top1": 71.5, "top5": 90.1},
    }


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (PLAIN.encode() + b"x" * 131_073 + b",224,1,2\n", "line 4: field larger than field limit"),
        (PLAIN.encode() + b"caf\xe9,224,1,2\n", r"is no UTF-8 text: byte \d+ is 0xe9; save it as UTF-8"),
        (PLAIN.encode("utf-16")[:-1], "is no UTF-16 text"),
        (PLAIN.encode() + b"\0", "zero bytes"),
        (b"PK\x03\x04" + bytes(100), "is an archive or a workbook; save it as CSV"),
        (b"x" * (16 * 2**20 + 1), "is larger than 16 MB"),
        (b'sep="\nmodel,img_size\n', "has no column|cannot be taken apart"),
        (b"", "has no column"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(data: bytes, says: str):
    with pytest.raises(TableError, match=f"^{ACCURACY} .*({says})"):
        read(data, TABLE)


def test_thousands_are_grouped_in_either_way():
    head = "model,infer_img_size,infer_samples_per_sec\n"
    assert read(head + 'resnet50,224,"12,345.5"\n', SPEED).rows[Key("resnet50", 224)] == {
        "throughput 5090": 12345.5
    }
    office = head.replace(",", ";") + "resnet50;224;12.345,5\nresnet18;224;9.000,0\n"
    assert read(office, SPEED).rows[Key("resnet50", 224)] == {"throughput 5090": 12345.5}
    assert read(office, SPEED).rows[Key("resnet18", 224)] == {"throughput 5090": 9000}


def test_fractions_are_said_and_low_percentages_left():
    text = PLAIN.replace("80.214,94.614", "0.80214,0.94614")
    assert (
        f"{ACCURACY}: 1 row gives accuracies as fractions of 1 and was read so." in read(text, TABLE).remarks
    )
    low = PLAIN.replace("80.214,94.614", "0.48,2.32")
    assert read(low, TABLE).rows[Key("resnet50.a1_in1k", 224)] == {"top1": 0.48, "top5": 2.32}
    slow = read("model,infer_img_size,infer_samples_per_sec\nvit,224,0.5\n", SPEED)
    assert slow.rows[Key("vit", 224)] == {"throughput 5090": 0.5}


@pytest.mark.parametrize("order", [1, -1])
def test_of_doubled_rows_the_better_counts_whole(order: int):
    rows = ["r,224,70,95\n", "r,224,80,90\n", "r,224,,99\n"][::order]
    assert read("model,img_size,top1,top5\n" + "".join(rows), TABLE).rows[Key("r", 224)] == {
        "top1": 80,
        "top5": 90,
    }


def test_sizes_that_are_none_are_left_out():
    text = PLAIN + "a,1e308,1,1\nb,-1,1,1\nc,224.5,1,1\nd,inf,1,1\n"
    assert len(read(text, TABLE).rows) == 2
