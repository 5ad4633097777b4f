"""How the networks written here start where their papers follow He et al."""

from torch import nn


def he_normal(module: nn.Module) -> None:
    """For `network.apply`: a convolution's weights get standard deviation sqrt(2 / fan_out), all else stays.

    He et al. 2015, https://arxiv.org/abs/1502.01852, section 2.2, backward case.
    """
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
