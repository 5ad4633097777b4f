"""What stands twice outside the code and has to agree."""

import re
from pathlib import Path

import explorer

REPOSITORY = Path(__file__).resolve().parent.parent


def test_what_runs_before_a_commit_runs_on_the_clean_machine_too():
    hooks = re.findall(r"entry: (.+)", (REPOSITORY / ".pre-commit-config.yaml").read_text("utf-8"))
    assert len(hooks) == 4
    assert set(hooks) <= {line.strip() for line in (REPOSITORY / ".ci/run").read_text("utf-8").splitlines()}


def test_the_newest_changes_are_those_of_this_version():
    headings = re.findall(r"^## (\S+)", (REPOSITORY / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert headings[0] == explorer.__version__
