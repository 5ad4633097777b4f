"""The small frozen values of the catalogue: a published number, the paper it stands in, what it measures."""

from dataclasses import dataclass

from explorer.catalogue.evaluations import Evaluation, evaluation

# What a catalogue entry may publish, with the one unit each is kept in. A paper that prints an error rate as
# top-1 is kept as accuracy, and the fact's note repeats what was printed.
FACT_UNITS = {
    "top1": "%",
    "top5": "%",
    "top5_error": "%",
    "params": "M",
    "macs": "G MACs",
    "cifar10_error": "%",
    "cifar100_error": "%",
    "mnist_error": "%",
}


@dataclass(frozen=True)
class Fact:
    """A published number: never one that this program computed.

    source: where it is printed, in words; url: the address of that source; protocol: how it was measured
    (crops, resolution, single model or ensemble, training data, recipe); note: what a reader should know
    before comparing.
    """

    value: float
    unit: str
    source: str
    protocol: str = ""
    note: str = ""
    url: str = ""

    @property
    def evaluation(self) -> Evaluation:
        """How it was tested, to be compared with another fact's."""
        return evaluation(self.protocol)


@dataclass(frozen=True)
class Paper:
    """A publication; `authors` is a comma-separated list that may end in "et al."."""

    authors: str
    title: str
    venue: str
    year: int
    url: str

    @property
    def label(self) -> str:
        """How prose cites it: "Lowe 2004", "Zeiler & Fergus 2013", "He et al. 2015"."""
        surnames = [author.split()[-1] for author in self.authors.split(", ")]
        if len(surnames) > 2:
            return f"{surnames[0]} et al. {self.year}"
        return f"{' & '.join(surnames)} {self.year}"
