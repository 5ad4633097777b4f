"""Results of claims on the disk: what is read is what was written, and what is spoilt is left out."""

import json
from dataclasses import replace

import pytest

from explorer.catalogue.claims import claims
from explorer.labs.claims import kept as kept_results
from explorer.labs.claims.checking import check
from explorer.labs.claims.kept import Kept

CHEAP = ("000-width-linear", "001-dense-78", "002-bn-output")
SPOILT = {
    "another way": lambda row: row["ways"][0].update(asked="0"),
    "a way too few": lambda row: row["ways"].clear(),
    "no number": lambda row: row["ways"][0].update(values=["1"]),
    "not finite": lambda row: row["ways"][0].update(values=[float("nan")]),
    "a value too many": lambda row: row["ways"][0]["values"].extend([1.0, 2.0]),
    "no words": lambda row: row["ways"][0].update(how=None),
    "no basis": lambda row: row["ways"][0].update(basis="guessed"),
    "no seconds": lambda row: row.pop("seconds"),
    "no versions": lambda row: row.update(made_with=[1]),
    "no row": lambda row: row.clear(),
}


@pytest.fixture(scope="module")
def results() -> dict[str, Kept]:
    return {name: Kept(check(claims()[name]), kept_results.made_with()) for name in CHEAP}


@pytest.fixture(autouse=True)
def own_file(monkeypatch, tmp_path):
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path))


def test_what_is_read_is_what_was_written(results):
    assert kept_results.read(kept_results.file()) == {}
    kept_results.write(results)
    assert kept_results.read(kept_results.file()) == results
    assert all(each.current for each in kept_results.read(kept_results.file()).values())


def test_another_version_or_code_is_not_current(results):
    name, kept = next(iter(results.items()))
    kept_results.write({name: Kept(kept.result, ("torch 1.0", *kept.made_with[1:]))})
    assert not kept_results.read(kept_results.file())[name].current


def test_the_shipped_table_stands_for_what_this_machine_has_not_checked(monkeypatch, tmp_path, results):
    monkeypatch.setattr(kept_results, "SHIPPED", tmp_path / "shipped.json")
    kept_results.SHIPPED.write_text(kept_results.text(results))
    own = {CHEAP[0]: results[CHEAP[0]]}
    kept_results.write(own)
    known = kept_results.known()
    assert {name: each.current for name, each in known.items()} == {name: name in own for name in CHEAP}
    kept_results.write(known)  # what came with the app was not checked here
    assert kept_results.read(kept_results.file()) == own


def test_a_value_is_dropped_when_its_claim_asks_something_else(monkeypatch, results):
    kept_results.write(results)
    claim = claims()[CHEAP[1]]
    way = replace(claim.ways[0], arguments={**claim.ways[0].arguments, "depth": 7})
    monkeypatch.setattr(kept_results, "claims", lambda: {**claims(), claim.id: replace(claim, ways=(way,))})
    assert set(kept_results.read(kept_results.file())) == {*CHEAP} - {claim.id}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_a_spoilt_result_takes_no_other_away(results, spoil):
    kept_results.write(results)
    rows = json.loads(kept_results.file().read_text())
    spoil(rows[CHEAP[0]])
    kept_results.file().write_text(json.dumps(rows))
    assert set(kept_results.read(kept_results.file())) == set(CHEAP[1:])


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "\x00", "[" * 100_000])
def test_a_spoilt_file_holds_nothing(text):
    kept_results.file().parent.mkdir(parents=True)
    kept_results.file().write_text(text)
    assert kept_results.read(kept_results.file()) == {}


def test_an_error_is_not_kept(monkeypatch):
    claim = claims()[CHEAP[0]]
    monkeypatch.setattr("explorer.labs.claims.checking.CHECKS", {})
    failed = check(claim)
    assert failed.verdict == "error"
    kept_results.write({claim.id: Kept(failed, kept_results.made_with())})
    assert kept_results.read(kept_results.file()) == {}


def test_a_disk_that_takes_nothing_is_said_once(monkeypatch, tmp_path, results, caplog):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "file"))
    for _ in range(2):
        kept_results.write(results)
    assert len(caplog.records) == 1
