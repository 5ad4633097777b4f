"""What can be BUILT: timm, torchvision, the networks written here, the zoo, the hub, folders.

`resolving` turns what was typed into a Reference and needs no torch; `registries` has the names,
`written_here` those of the networks written here. `building` builds it: `from_*.py` are one module a
builder, each with build, input_spec, entries, entry, fetch and read. `weights` lists trained weights and
loads them into a Network, whose values stand in `entries`; `downloading` brings the files,
`checkpoint_contents` opens them, `checkpoint_file` holds what is said of them (`checkpoint_config`,
`torchvision_config`) to what is in them; `inputs` and `labels` say what goes in and what comes out;
`own/` holds what the visitor brought; `deploying` gives the form in which a network is deployed. One file a
family holds the networks: lenet, zfnet, plain, cifar, wide_resnet, shufflenet_v1; `initialising` is
how most of them start.

Names that need torch are imported when first used, so that resolving a name stays cheap.
"""

from typing import TYPE_CHECKING

from explorer import lazy
from explorer.networks.registries import UnknownNetwork, names
from explorer.networks.resolving import Reference, resolve

if TYPE_CHECKING:
    from explorer.networks.building import CannotBuild, build, check_budget, input_spec, parameter_count
    from explorer.networks.entries import Network, WeightsEntry, WeightsUnavailable
    from explorer.networks.inputs import InputSpec
    from explorer.networks.running import CannotRun
    from explorer.networks.weights import choose_weights, entry_of, fits, load, on_this_machine, weights_of

__all__ = [
    "CannotBuild",
    "CannotRun",
    "InputSpec",
    "Network",
    "Reference",
    "UnknownNetwork",
    "WeightsEntry",
    "WeightsUnavailable",
    "build",
    "check_budget",
    "choose_weights",
    "entry_of",
    "fits",
    "input_spec",
    "load",
    "names",
    "on_this_machine",
    "parameter_count",
    "resolve",
    "weights_of",
]


__getattr__ = lazy.attributes(
    __name__,
    {
        "building": ("CannotBuild", "build", "check_budget", "input_spec", "parameter_count"),
        "running": ("CannotRun",),
        "entries": ("Network", "WeightsEntry", "WeightsUnavailable"),
        "inputs": ("InputSpec",),
        "weights": ("choose_weights", "entry_of", "fits", "load", "on_this_machine", "weights_of"),
    },
)
