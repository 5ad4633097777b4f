"""How an accuracy was tested, as data: read from a fact's protocol, so that like is compared with like."""

import re
from dataclasses import dataclass, fields
from functools import lru_cache

_WORDS = {"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7"}
_NUMBER = r"(\d+|" + "|".join(_WORDS) + r"|many|multi)"
_CROPS = re.compile(_NUMBER + r"[- ]crops?\b(?: (\d{2,3})\b)?")
_SCALES = re.compile(_NUMBER + r" scales?\b")
_AT = re.compile(r"\b(?:at|size) (\d{2,3})\b")
_NETWORKS = re.compile(_NUMBER + r" networks\b")
_DATA = re.compile(r"CIFAR-100?|MNIST|ImageNet V2|ImageNet-[AR]|Sketch")


@dataclass(frozen=True)
class Evaluation:
    """Text that compares, "" where the source does not say.

    networks: "1 network", "7 networks", "an ensemble". views: what of a picture is looked at, "1 crop", "10
    crops", "5 scales". side: of the input, "224 pixels". pictures: "validation set", "test set". An accuracy
    that names no set of pictures is one of the validation set: the test set's labels are not public.
    """

    networks: str
    views: str
    side: str
    pictures: str

    def differences(self, other: "Evaluation") -> tuple[str, ...]:
        """In words, one for each thing that sets the two apart or that one of them does not state; () where
        they were measured alike. Says nothing of recipes and training data, which accuracy is there to judge.
        """
        found = []
        for field in fields(self):
            own, others = getattr(self, field.name), getattr(other, field.name)
            if own and others and own != others:
                found.append(f"{others} against {own}")
            elif not (own and others):
                found.append(f"{_ASKED[field.name]} not stated")
        return tuple(found)


_ASKED = {"networks": "networks", "views": "crops", "side": "input size", "pictures": "pictures"}


@lru_cache(maxsize=4096)
def evaluation(protocol: str) -> Evaluation:
    """What a protocol says: of "single network, 10 crops 224" 1 network, 10 crops, 224 pixels."""
    crops, scales = _CROPS.search(protocol), _SCALES.search(protocol)
    views = [_counted(scales[1], "scale")] if scales else []
    if crops:
        views.append(_counted(crops[1], "crop"))
    if "dense" in protocol:
        views.append("dense")
    at = _AT.search(protocol)
    side = (crops and crops[2]) or (at and at[1]) or ""
    data = _DATA.search(protocol)
    of = f" of {data[0]}" if data else ""
    return Evaluation(
        networks=_networks(protocol) if protocol else "",
        views=", ".join(views),
        side=f"{side} pixels" if side else "",
        pictures=f"{'test' if 'test set' in protocol or data else 'validation'} set{of}" if protocol else "",
    )


def _networks(protocol: str) -> str:
    if counted := _NETWORKS.search(protocol):
        return _counted(counted[1], "network")
    if "ensemble" in protocol or re.search(r"\d+ .* and \d+ ", protocol):
        return "an ensemble"
    return "1 network"


def _counted(number: str, noun: str) -> str:
    """ "five", "scale" -> "5 scales"; "multi", "crop" -> "many crops"."""
    count = "many" if number == "multi" else _WORDS.get(number, number)
    return f"{count} {noun}{'' if count == '1' else 's'}"
