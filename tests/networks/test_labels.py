"""A class by its name, as people type it."""

import pytest

from explorer.networks.labels import index_of

LABELS = ("tench", "crane", "tiger cat", "Egyptian cat", "crane")


@pytest.mark.parametrize(
    ("named", "index"), [("tench", 0), ("Tiger Cat", 2), (" egyptian cat ", 3), ("4", 4), ("17", 17)]
)
def test_by_name_or_number(named, index):
    assert index_of(LABELS, named) == index


def test_outputs_without_names_have_numbers():
    assert index_of((), "5") == 5


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ("crane", r"2 classes are called 'crane'; name one by its number: \[1, 4\]"),
        ("tiger", "no class is called 'tiger'; there is tiger cat"),
        ("tiger cta", "there is tiger cat"),
        ("submarine", "no class is called 'submarine'$"),
        ("", "no class is called ''$"),
        ("-1", "no class is called '-1'$"),
    ],
)
def test_what_is_neither_is_told_with_the_nearest(named, says):
    with pytest.raises(ValueError, match=says):
        index_of(LABELS, named)
