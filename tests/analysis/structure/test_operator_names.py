"""Every name in a table of operations is one that torch or torchvision has registered.

A name with a slip in it is never looked up, and the operation goes without its rule in silence.
"""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping

import pytest
import torch
import torchvision  # noqa: F401 - registers its operators

from explorer import analysis

REGISTERED = {name.partition("::")[2].partition(".")[0] for name in torch._C._dispatch_get_all_op_names()}
# Nodes of a trace, and what torch's counter knows as a call above the operators.
NO_OPERATORS = {"getitem", "output", "input", "flex_attention", "flex_attention_backward"}


def tables() -> Iterator[tuple[str, frozenset[str]]]:
    """Whatever at the top of a module of the analysis is a set, or the keys, of mostly operators' names."""
    for found in pkgutil.walk_packages(analysis.__path__, "explorer.analysis."):
        module = importlib.import_module(found.name)
        for name, value in vars(module).items():
            if not isinstance(value, (frozenset, Mapping)):
                continue
            written = frozenset(each for each in value if isinstance(each, str))
            if len(written & REGISTERED) > len(written) / 2:
                yield f"{found.name.removeprefix('explorer.analysis.')}.{name}", written


TABLES = dict(tables())


def test_the_tables_are_found() -> None:
    assert {
        "graph.costs.RULES", "graph.costs.PRODUCTS", "graph.costs._UNPRICED", "field.rules.RULES",
        "graph.roles.VIEWS", "graph.roles._BY_NAME", "graph.roles.ADDITIONS", "numbers.memory._NEEDS_INPUTS",
        "structure.op_labels._WORDS", "structure.skips._CONCATENATIONS",
    } <= set(TABLES)  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
def test_every_name_is_registered(table: str) -> None:
    assert sorted(TABLES[table] - REGISTERED - NO_OPERATORS) == []
