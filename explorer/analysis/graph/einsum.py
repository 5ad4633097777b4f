"""The equation of an einsum, written out."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_letters


def terms(equation: str, shapes: Sequence[tuple[int, ...]]) -> tuple[tuple[str, ...], str]:
    """A letter for every axis of each operand, and for those of the result.

    "...ij,...jk" of two 3-D tensors is (("aij", "ajk"), "aik"): an ellipsis stands for as many leading axes
    as are left, counted from the last; an equation without an arrow gives the axes of the ellipsis, then the
    letters that stand there once, in the order of the alphabet.
    """
    left, arrow, right = equation.replace(" ", "").partition("->")
    given = left.split(",")
    free = [letter for letter in ascii_letters if letter not in equation]
    longest = max(
        (len(shape) - len(term) + 3 for term, shape in zip(given, shapes, strict=True) if "..." in term),
        default=0,
    )
    leading = "".join(free[:longest])

    def written(term: str, rank: int) -> str:
        missing = rank - len(term) + 3
        return term.replace("...", leading[longest - missing :]) if "..." in term else term

    found = tuple(written(term, len(shape)) for term, shape in zip(given, shapes, strict=True))
    if not arrow:
        once = sorted(letter for letter in set(left) - set(".,") if left.count(letter) == 1)
        return found, leading + "".join(once)
    return found, right.replace("...", leading)
