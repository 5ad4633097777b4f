"""Sample pictures that lie on this machine, so they work with the cable pulled.

Some come with scikit-image's wheel: titles, credits and licences follow the notes of `skimage.data`'s
functions (scikit-image 0.26), and only pictures whose notes state free use and that ship as files inside the
package are listed. The others lie in `assets/samples`, with their licences in CREDITS.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

from explorer.home import ASSETS

FOLDER = ASSETS / "samples"
_SKIMAGE = "scikit-image"
_COMMONS = "Wikimedia Commons"


@dataclass(frozen=True)
class Sample:
    """A picture with what must be said beside it.

    shows: names of the classes, ImageNet's or CIFAR-10's, that are right answers to it; () where no class is.
    source: where it was published.
    """

    name: str
    title: str
    licence: str
    credit: str
    file: str
    shows: tuple[str, ...] = ()
    url: str = ""
    source: str = _SKIMAGE

    @property
    def path(self) -> Path:
        """The file, in the installed package or in `assets/samples`; nothing is downloaded."""
        return (
            FOLDER / self.file
            if self.source == _COMMONS
            else Path(str(files("skimage"))) / "data" / self.file
        )

    def load(self) -> bytes:
        return self.path.read_bytes()


_PUBLIC_DOMAIN = "Public domain"
_CC0 = "CC0"
_BY_SA = "CC BY-SA 4.0, cropped"
_CAT = ("Egyptian cat", "tiger cat", "tabby", "cat")

# The labs draw from them in this order: a new one goes to the end.
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
                url="https://www.flickr.com/photos/spacexphotos/16511594820",
            ),
            Sample(
                "astronaut",
                "Astronaut Eileen Collins",
                _PUBLIC_DOMAIN,
                "NASA Great Images",
                "astronaut.png",
                url="https://flic.kr/p/r9qvLn",
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
            Sample(
                "german_shepherd",
                "German shepherd",
                _PUBLIC_DOMAIN,
                "Hans Kemperman",
                "german_shepherd.jpg",
                ("German shepherd", "dog"),
                "https://commons.wikimedia.org/wiki/File:German-shepherd-4040871920._(2).jpg",
                _COMMONS,
            ),
            Sample(
                "horse",
                "Zaniskari horse",
                _BY_SA,
                "Eatcha",
                "horse.jpg",
                ("sorrel", "horse"),
                "https://commons.wikimedia.org/wiki/File:Zaniskari_Horse_in_Ladakh.jpg",
                _COMMONS,
            ),
            Sample(
                "giant_panda",
                "Giant panda",
                _PUBLIC_DOMAIN,
                "Jeff Kubina",
                "giant_panda.jpg",
                ("giant panda",),
                "https://commons.wikimedia.org/wiki/File:Giant_Panda_2004-03-2.jpg",
                _COMMONS,
            ),
            Sample(
                "red_panda",
                "Red panda",
                _CC0,
                "Mathias Appel",
                "red_panda.jpg",
                ("lesser panda",),
                "https://commons.wikimedia.org/wiki/File:Red_Panda_(30324056733).jpg",
                _COMMONS,
            ),
            Sample(
                "castle",
                "Neuschwanstein Castle",
                _CC0,
                "cameralends",
                "castle.jpg",
                ("castle",),
                "https://commons.wikimedia.org/wiki/File:Neuschwanstein_Castle_(532850).jpg",
                _COMMONS,
            ),
        )
    }
)

OFFERED: tuple[Sample, ...] = tuple(sample for sample in SAMPLES.values() if sample.shows)
"""Those whose thing a network can name; the others are for labs and links."""
