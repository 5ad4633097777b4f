"""The shipped counts are what the program counts."""

from importlib.metadata import version
from pathlib import Path

import pytest
from torchvision.models import get_weight

from explorer.analysis.numbers import counting
from explorer.catalogue.counts import DEPLOYED, FIELDS, counts
from explorer.catalogue.writing import WriteError
from tests.full_disk import fill


@pytest.mark.parametrize(
    ("network", "image_size"),
    [
        ("timm:tinynet_e", 106),
        ("timm:resnet18", 224),
        ("timm:mobilenetv3_small_100", 224),
        ("timm:test_vit", 160),
        ("timm:mobileone_s0", 224),
        ("timm:levit_128s", 224),
        ("timm:resnetv2_50x1_bit", 224),  # whose weights are computed
        ("torchvision:maxvit_t", 224),  # windows and grids
    ],
)
def test_the_shipped_row_is_counted_again(network: str, image_size: int) -> None:
    row = counting.row(network, image_size)
    assert {name: row[name] for name in FIELDS} == counts().of[network, image_size]
    deployed = {name: row[column] for name, column in DEPLOYED.items()}
    assert deployed == counts().deployed.get((network, image_size), dict.fromkeys(DEPLOYED, ""))


def test_torchvisions_own_counts_agree_with_the_shipped_ones() -> None:
    entries = {entry.id: entry for entry in counting.torchvision_entries()}
    assert len(entries) == 115
    for id_, entry in entries.items():
        meta = get_weight(id_.partition(":")[2]).meta
        counted = counts().of[str(entry.reference), entry.input.image_size]
        assert counted["params"] == meta["num_params"], id_
        assert counted["macs"] / 1e9 == pytest.approx(meta["_ops"], rel=0.005, abs=0.0005), id_


def test_families_that_merge_branches_or_norms_are_counted_in_both_forms() -> None:
    """And what has one form is not: of the others no network is."""
    families = (
        "efficientvim_", "efficientvit_m", "fastvit_", "ghostnetv3_", "iformer_", "lcnetv2_", "levit_",
        "mobileone_", "nextvit_", "repghostnet_", "repvgg_", "repvit_", "shvit_", "tiny_vit_",
    )  # fmt: skip
    both = {name.partition(":")[2] for name, _ in counts().deployed}
    expected = {name.partition(":")[2] for name, _ in counts().of if name.startswith("timm:")}
    assert both == {name for name in expected if name.startswith(families)}
    for key, deployed in counts().deployed.items():
        assert deployed["params"] < counts().of[key]["params"], key
        assert deployed["macs"] <= counts().of[key]["macs"], key


def test_the_file_says_what_counted_it() -> None:
    assert f"timm {version('timm')}" in counts().counted_with


def test_every_published_network_is_counted(shared_timm: Path) -> None:
    wanted = counting.wanted((shared_timm / "results-imagenet.csv").read_text("utf-8"))
    assert len(wanted) == 1279
    assert [key for key in wanted if key not in counts().of] == []


def test_a_broken_run_goes_on_where_it_stopped(tmp_path: Path, monkeypatch, capsys) -> None:
    file = tmp_path / "counts.csv"
    asked: list[str] = []

    def row(network: str, image_size: int) -> dict[str, str | int]:
        asked.append(network)
        if network == "timm:broken":
            raise ValueError("it cannot be built")
        both = (*FIELDS, *DEPLOYED.values())
        one = dict.fromkeys(DEPLOYED.values(), "") if network == "timm:c" else {}
        return {"network": network, "img_size": image_size, **{name: n for n, name in enumerate(both)}, **one}

    monkeypatch.setattr(counting, "row", row)
    counting.write([("timm:a", 32), ("timm:broken", 32)], file)
    counting.write([("timm:a", 32), ("timm:broken", 32), ("timm:c", 64)], file)
    assert asked == ["timm:a", "timm:broken", "timm:broken", "timm:c"]
    values = [str(n) for n in range(len(FIELDS) + len(DEPLOYED))]
    header, *rows = file.read_text("utf-8").splitlines()[1:]
    assert header == ",".join(("network", "img_size", *FIELDS, *DEPLOYED.values()))
    one = values[: len(FIELDS)] + [""] * len(DEPLOYED)
    assert rows == [f"timm:a,32,{','.join(values)}", f"timm:c,64,{','.join(one)}"]
    assert "timm:broken at 32: it cannot be built" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text", ["# of before\nbirds,songs\n1,2\n", "# of before\nnetwork,img_size\na,big\n"]
)
def test_a_file_that_is_no_table_of_counts_is_said(tmp_path: Path, text: str) -> None:
    file = tmp_path / "counts.csv"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"counts\.csv is no table of counts"):
        counting.write([("timm:a", 32)], file)
    assert file.read_text() == text


def test_a_full_disk_is_said_and_the_rows_of_before_stay(full_disk: Path, monkeypatch) -> None:
    values = {name: n for n, name in enumerate(FIELDS)}
    monkeypatch.setattr(
        counting, "row", lambda network, size: {"network": network, "img_size": size, **values}
    )
    file = full_disk / "counts.csv"
    counting.write([("timm:a", 32)], file)
    before = file.read_bytes()
    fill(full_disk)
    with pytest.raises(WriteError, match=r"counts\.csv cannot be written: No space left on device"):
        counting.write([("timm:a", 32), ("timm:b", 32)], file)
    assert file.read_bytes() == before
