"""Networks of a test's own making, as `explorer.networks` hands out others."""

from torch import nn

from explorer import networks
from explorer.networks import InputSpec, Network


def tiny_network(model: nn.Module, labels: tuple[str, ...] = (), side: int = 16) -> Network:
    entry = networks.WeightsEntry(id="random:tiny", reference=networks.resolve("timm:resnet18"), label="tiny")
    return Network(model.eval(), entry.reference, entry, InputSpec((3, side, side), resize=side), labels)
