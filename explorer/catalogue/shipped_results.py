"""timm's published results as a table of our own, so that the charts are whole without internet.

python -m explorer.catalogue.shipped_results FOLDER

reads the published files in FOLDER and writes `data/published.csv`: a first line that says whose figures
these are and when they were taken over, then one row a set of weights and image size. A missing value is an
empty cell.
"""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Iterable
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType

from explorer.catalogue.published_tables import PROJECT_PAGE, TABLES, Key, PublishedResult
from explorer.catalogue.sources import DATA
from explorer.catalogue.writing import write_whole

FILE = DATA / "published.csv"
MEASURES = tuple(name for table in TABLES.values() for name in table.measures.values())
_SAID = f"# From timm's results, {PROJECT_PAGE}; taken over on "


def text(rows: Iterable[PublishedResult], day: date) -> str:
    """The contents of the table."""
    written = io.StringIO()
    written.write(f"{_SAID}{day.isoformat()}\n")
    lines = csv.writer(written, lineterminator="\n")
    lines.writerow(("model", "img_size", *MEASURES))
    for row in rows:
        lines.writerow((*row.key, *(row.values.get(name, "") for name in MEASURES)))
    return written.getvalue()


def read(content: str) -> tuple[tuple[PublishedResult, ...], date]:
    """Rows and the day they were taken over, from what `text` wrote."""
    first, _, table = content.partition("\n")
    rows = tuple(
        PublishedResult(
            Key(line["model"], int(line["img_size"])),
            MappingProxyType({name: float(line[name]) for name in MEASURES if line[name]}),
        )
        for line in csv.DictReader(io.StringIO(table))
    )
    return rows, date.fromisoformat(first.removeprefix(_SAID))


@cache
def shipped() -> tuple[tuple[PublishedResult, ...], date]:
    """The table that comes with the app, read once."""
    return read(FILE.read_text("utf-8"))


def main() -> None:
    from explorer.catalogue import published_files

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, help="timm's results folder")
    folder = parser.parse_args().folder
    found = published_files.read_folder(folder)
    for remark in found.remarks:
        print(remark)
    write_whole(FILE, text(found.rows, date.today()).encode())
    print(f"{len(found.rows)} rows in {FILE}")


if __name__ == "__main__":
    main()
