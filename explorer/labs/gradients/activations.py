"""Activation functions with their derivatives in closed form, and what a chain of derivatives leaves over.

sigmoid, tanh: Glorot and Bengio 2010, https://proceedings.mlr.press/v9/glorot10a.html. ReLU: Nair and Hinton
2010. GELU: Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415. SiLU, also called Swish: Elfwing et
al. 2017, https://arxiv.org/abs/1702.03118.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor


def sigmoid_derivative(z: Tensor) -> Tensor:
    return torch.sigmoid(z) * (1 - torch.sigmoid(z))


def tanh_derivative(z: Tensor) -> Tensor:
    return 1 - torch.tanh(z) ** 2


def relu_derivative(z: Tensor) -> Tensor:
    """1 above zero, 0 below; at zero itself 0, as PyTorch has it."""
    return (z > 0).to(z.dtype)


def gelu(z: Tensor) -> Tensor:
    """z times the share of a standard normal that lies below z."""
    return z * torch.special.ndtr(z)


def gelu_by_tanh(z: Tensor) -> Tensor:
    """The approximation of the paper's section 2, 0.5 z (1 + tanh(sqrt(2/pi) (z + 0.044715 z^3)))."""
    return 0.5 * z * (1 + torch.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)))


def gelu_derivative(z: Tensor) -> Tensor:
    density = torch.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    return torch.special.ndtr(z) + z * density


def silu(z: Tensor) -> Tensor:
    return z * torch.sigmoid(z)


def silu_derivative(z: Tensor) -> Tensor:
    return torch.sigmoid(z) * (1 + z * (1 - torch.sigmoid(z)))


@dataclass(frozen=True)
class Activation:
    """value, derivative: element by element, any shape. formula: LaTeX."""

    name: str
    value: Callable[[Tensor], Tensor]
    derivative: Callable[[Tensor], Tensor]
    formula: str
    derivative_formula: str


ACTIVATIONS: Mapping[str, Activation] = MappingProxyType(
    {
        each.name: each
        for each in (
            Activation("ReLU", torch.relu, relu_derivative, r"\max(0, z)", r"1\ (z > 0),\ 0\ (z \le 0)"),
            Activation("GELU", gelu, gelu_derivative, r"z\,\Phi(z)", r"\Phi(z) + z\,\varphi(z)"),
            Activation(
                "SiLU", silu, silu_derivative, r"z\,\sigma(z)", r"\sigma(z)\,(1 + z\,(1 - \sigma(z)))"
            ),
            Activation("tanh", torch.tanh, tanh_derivative, r"\tanh z", r"1 - \tanh^2 z"),
            Activation(
                "sigmoid",
                torch.sigmoid,
                sigmoid_derivative,
                r"\sigma(z) = \frac{1}{1 + e^{-z}}",
                r"\sigma(z)\,(1 - \sigma(z))",
            ),
            Activation("linear", torch.clone, torch.ones_like, "z", "1"),
        )
    }
)

_GRID = torch.linspace(-12, 12, 240_001, dtype=torch.float64)


def steepest(name: str) -> tuple[float, float]:
    """(z, derivative) where the derivative is greatest, on a grid of 0.0001 from -12 to 12."""
    slopes = ACTIVATIONS[name].derivative(_GRID)
    greatest = slopes >= slopes.max() - 1e-12
    place = _GRID[greatest].abs().argmin()  # of several, the one nearest to zero
    return float(_GRID[greatest][place]), float(slopes.max())


def typical_slope(name: str) -> float:
    """Root mean square of the derivative at z drawn from a standard normal: sqrt(E[f'(z)^2]).

    With unit-variance pre-activations and weights that neither grow nor shrink a gradient on average, this
    is the factor of one layer. Schoenholz et al. 2017, https://arxiv.org/abs/1611.01232, equation 9.
    """
    density = torch.exp(-(_GRID**2) / 2) / math.sqrt(2 * math.pi)
    return math.sqrt(float(torch.trapezoid(ACTIVATIONS[name].derivative(_GRID) ** 2 * density, _GRID)))


def chain(slope: float, depth: int) -> float:
    """What is left of a gradient of 1 after `depth` derivatives of size `slope`: 0.25 ** 10 = 9.5e-7."""
    return slope**depth


def asleep(name: str, z: Tensor, share_of_steepest: float = 0.01) -> float:
    """Share of pre-activations whose derivative is below 1 % of the function's greatest: dead or
    saturated.
    """
    slopes = ACTIVATIONS[name].derivative(z).abs()
    return float((slopes < share_of_steepest * GREATEST[name]).double().mean())


GREATEST: Mapping[str, float] = MappingProxyType({name: steepest(name)[1] for name in ACTIVATIONS})
"""The greatest derivative of each: 0.25 for the sigmoid, 1 for tanh and ReLU, 1.13 for GELU."""
