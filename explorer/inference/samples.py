"""Sample pictures that come with scikit-image's wheel, so they work with the cable pulled.

Titles, credits and licences follow the notes of `skimage.data`'s functions (scikit-image 0.26); only
pictures whose notes state free use and that ship as files inside the package are listed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType

SOURCE = "scikit-image, skimage.data"


@dataclass(frozen=True)
class Sample:
    """A picture with what must be said beside it.

    shows: names of the classes, ImageNet's or CIFAR-10's, that are right answers to it; () where no class is.
    """

    name: str
    title: str
    licence: str
    credit: str
    file: str
    shows: tuple[str, ...] = ()
    url: str = ""

    def load(self) -> bytes:
        """The file's bytes, read from the installed package; nothing is downloaded."""
        return files("skimage").joinpath("data", self.file).read_bytes()


_PUBLIC_DOMAIN = "Public domain"
_CC0 = "CC0"
_CAT = ("Egyptian cat", "tiger cat", "tabby", "cat")

SAMPLES: Mapping[str, Sample] = MappingProxyType(
    {
        sample.name: sample
        for sample in (
            Sample("chelsea", "Chelsea the cat", _CC0, "Stefan van der Walt", "chelsea.png", _CAT),
            Sample(
                "coffee",
                "Coffee cup",
                _CC0,
                "Rachel Michetti, Pikolo Espresso Bar",
                "coffee.png",
                ("espresso", "cup", "coffee mug"),
            ),
            Sample(
                "rocket",
                "Falcon 9 carrying DSCOVR",
                _PUBLIC_DOMAIN,
                "SpaceX",
                "rocket.jpg",
                ("missile", "projectile", "space shuttle"),
                "https://www.flickr.com/photos/spacexphotos/16511594820",
            ),
            Sample(
                "astronaut",
                "Astronaut Eileen Collins",
                _PUBLIC_DOMAIN,
                "NASA Great Images",
                "astronaut.png",
                ("space shuttle",),
                "https://flic.kr/p/r9qvLn",
            ),
            Sample(
                "camera",
                "Photographer with camera",
                _CC0,
                "Lav Varshney",
                "camera.png",
                ("tripod", "reflex camera"),
            ),
            Sample(
                "retina",
                "Human retina",
                _CC0,
                "Mikael Häggström, Wikimedia Commons",
                "retina.jpg",
                url="https://commons.wikimedia.org/wiki/File:Fundus_photograph_of_normal_left_eye.jpg",
            ),
            Sample(
                "hubble_deep_field",
                "Hubble eXtreme Deep Field",
                _PUBLIC_DOMAIN,
                "NASA, HubbleSite",
                "hubble_deep_field.jpg",
                url="http://hubblesite.org/newscenter/archive/releases/2012/37/image/a/",
            ),
        )
    }
)
