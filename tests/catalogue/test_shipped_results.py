"""The table of published results that comes with the app."""

from datetime import date

from explorer.catalogue import published_files, shipped_results
from explorer.catalogue.published_tables import Key


def test_what_is_written_is_read_again() -> None:
    rows, day = shipped_results.shipped()
    assert shipped_results.read(shipped_results.text(rows, day)) == (rows, day)


def test_it_holds_every_row_of_the_published_files(shared_timm) -> None:
    rows, _ = shipped_results.shipped()
    assert rows == published_files.read_folder(shared_timm).rows
    assert len(rows) == 1556


def test_its_figures_are_those_of_the_project() -> None:
    rows, day = shipped_results.shipped()
    values = next(row.values for row in rows if row.key == Key("resnet50.a1_in1k", 288))
    assert values["top1"] == 81.24
    assert 0 < values["throughput i7-12700h"] < values["throughput 3090"] < values["throughput 5090"]
    assert day <= date.today()
