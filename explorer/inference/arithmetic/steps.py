"""The lines of the board: what is done, the numbers that go in, and the one that comes out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.units import three_digits

PICTURE = "the picture"
_SMALL = 1e-4
_MINUS = "\N{MINUS SIGN}"


def figure(value: float) -> str:
    """Three digits, with a minus that is one; what is very small with its power of ten, 5.74e−9."""
    text = f"{value:.2e}".replace("e-0", "e-") if 0 < abs(value) < _SMALL else three_digits(value)
    return text.replace("-", _MINUS)


def term(value: float) -> str:
    """The same inside of a formula: a negative number stands in brackets."""
    return f"({figure(value)})" if value < 0 else figure(value)


@dataclass(frozen=True, eq=False)
class Step:
    """One line. words: what is done. where: path of the module, or the operation's name outside of any.

    formula: the closed form with the numbers filled in, to three digits. value: what comes out, computed
    here from the numbers that go in.
    """

    words: str
    where: str
    formula: str
    value: float


@dataclass(frozen=True, eq=False)
class Given(Step):
    """A number that is taken as it is. words: why it is not opened further."""


@dataclass(frozen=True, eq=False)
class Patch:
    """What is read of the input. numbers: float64 [C, kh, kw], 0 where padding is read.

    inside: bool [kh, kw], False there. first: number of the first of its channels, as groups read a part of
    them. corner: (row, column) of its first place in the input map, below 0 in padding; None where the input
    is no map. dilation: (down, across), places of the map from one of the patch to the next. maps: float32
    [C, H, W], all of the input in these channels, or None. source: where the input comes from, `PICTURE` or a
    module's path.
    """

    numbers: np.ndarray
    inside: np.ndarray
    first: int = 0
    corner: tuple[int, int] | None = None
    dilation: tuple[int, int] = (1, 1)
    maps: np.ndarray | None = None
    source: str = ""


@dataclass(frozen=True, eq=False)
class Weighed(Step):
    """Inputs times weights, summed: a convolution, or a linear layer at one place. kernel: float64
    [C, kh, kw]."""

    patch: Patch
    kernel: np.ndarray

    @property
    def partial(self) -> np.ndarray:
        """float64 [C]: what each input channel adds to the sum."""
        return np.asarray((self.patch.numbers * self.kernel).sum(axis=(1, 2)))

    def strongest(self, most: int) -> tuple[int, ...]:
        """Places among the input channels of those that add or take away the most."""
        order = np.argsort(-np.abs(self.partial), kind="stable")[:most]
        return tuple(int(each) for each in order)


@dataclass(frozen=True, eq=False)
class Pooled(Step):
    """A patch of one channel to its largest number or its mean.

    taken: (row, column) in the patch of the largest, None for a mean. divisor: of the mean.
    """

    patch: Patch
    taken: tuple[int, int] | None
    divisor: float


@dataclass(frozen=True, eq=False)
class Attended(Step):
    """Values of all tokens, float64 [T], by how much this one looks at each: weights, float64 [T], sum 1.

    aside: it does not make the number itself but its strongest input, which is channel `aside`; -1 if it
    makes the number. prefix: tokens before those of the grid. grid: (rows, columns) of the others; of a
    window, if whole is False. token: who looks.
    """

    weights: np.ndarray
    values: np.ndarray
    token: int
    head: int
    grid: tuple[int, int]
    prefix: int
    whole: bool
    aside: int = -1


@dataclass(frozen=True)
class Operand:
    """A number beside the one that is followed. name: what it is, as a reader would say."""

    name: str
    value: float


@dataclass(frozen=True, eq=False)
class Changed(Step):
    """One number to one number: a bias, a norm, an activation, a shortcut added, a gate. others: what else
    goes in."""

    before: float
    others: tuple[Operand, ...] = ()
