"""Check every claim once, so that a fresh machine shows verdicts at once: how
`catalogue/data/claims/verdicts.json` is made.

python -m explorer.labs.claims.shipped [--check]

Half a minute of CPU time. `--check` writes nothing: it names the claims that come to something else here than
in the table, and ends with 1 where there are any. The page shows the table with the versions it was made
with, and checks all of it anew.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from time import process_time
from typing import TYPE_CHECKING

from explorer import terminal
from explorer.catalogue.claims import Claim, claims
from explorer.catalogue.writing import write_whole
from explorer.labs.claims import kept as kept_results
from explorer.labs.claims.kept import SHIPPED, Kept

# What needs torch is imported inside the functions: Ctrl-C during those seconds is one line, too.
if TYPE_CHECKING:
    from explorer.labs.claims.results import Result

_CLOSE = 1e-3  # relative: other processors and thread counts add in another order


def disagreements(table: Mapping[str, Kept], of: Iterable[Claim]) -> list[str]:
    """One line for each of these claims that comes to something else here than in the table."""
    from explorer.labs.claims.checking import check

    found = []
    for claim in of:
        here = check(claim)
        if claim.id not in table:
            found.append(f"{claim.id}: not in the table, {here.verdict} here")
        elif not _agree(table[claim.id].result, here):
            found.append(f"{claim.id}: {_told(table[claim.id].result)} in the table, {_told(here)} here")
    return found


def _agree(kept: Result, here: Result) -> bool:
    """The same verdict from the same values; a value that was timed is another at every turn."""
    from explorer.labs.claims.checking import is_timed

    if kept.verdict != here.verdict or is_timed(here.claim):
        return kept.verdict == here.verdict
    then, now = _values(kept), _values(here)
    return len(then) == len(now) and all(map(_close, then, now))


def _close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=_CLOSE)


def _values(result: Result) -> list[float]:
    return [value for finding in result.findings for value in finding.values]


def _told(result: Result) -> str:
    return f"{result.verdict} ({result.error or ', '.join(map(str, _values(result)))})"


def make() -> int:
    """Write the table; 1 where a claim could not be checked, which is left out."""
    results = [_checked(claim) for claim in claims().values()]
    table = {each.claim.id: Kept(each, kept_results.made_with()) for each in results}
    write_whole(SHIPPED, kept_results.text(table).encode())
    failed = [each for each in results if each.error]
    for result in failed:
        print(f"{result.claim.id}: {result.error}", file=sys.stderr)
    print(f"{len(table) - len(failed)} verdicts in {SHIPPED}")
    return 1 if failed else 0


def _checked(claim: Claim) -> Result:
    """seconds: of CPU time, which other work on the machine leaves as it is."""
    from explorer.labs.claims.checking import check

    begun = process_time()
    return replace(check(claim), seconds=round(process_time() - begun, 3))


def compare() -> int:
    found = disagreements(kept_results.read(SHIPPED), claims().values())
    print("\n".join(found) or f"The table says what comes out here, for all {len(claims())} claims.")
    return 1 if found else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare the table with what comes out here")
    return terminal.run("verdicts", compare if parser.parse_args().check else make)


if __name__ == "__main__":
    sys.exit(main())
