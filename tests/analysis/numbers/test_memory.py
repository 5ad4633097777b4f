"""Memory against sums done by hand and against what autograd really keeps."""

import pytest
import torch
from torch import Tensor, nn
from torchvision import models

from explorer.analysis import Trace, memory, peak_activation_bytes, trace, trace_module
from explorer.analysis.numbers.memory import OPTIMISERS, PRECISIONS, saved_activation_bytes


@pytest.fixture(scope="module")
def chain() -> Trace:
    """Image 3x8x8 = 192 numbers -> 4x8x8 = 256 -> relu 256 -> 5x8x8 = 320."""
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.Conv2d(4, 5, 1))
    return trace_module(model.to("meta"), (1, 3, 8, 8), "chain")


def test_peak_is_the_widest_pair_of_a_chain(chain: Trace) -> None:
    assert peak_activation_bytes(chain) == 4 * (256 + 320)


def test_a_skip_keeps_its_tensor_alive() -> None:
    class Skip(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Conv2d(3, 9, 1), nn.Conv2d(9, 3, 1)

        def forward(self, x: Tensor) -> Tensor:
            return x + self.b(self.a(x))

    found = trace_module(Skip().to("meta"), (1, 3, 8, 8), "skip")
    assert peak_activation_bytes(found) == 4 * (3 + 9 + 3) * 64


def test_views_take_no_memory() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Flatten(), nn.Unflatten(1, (4, 8, 8)))
    assert peak_activation_bytes(trace_module(model.to("meta"), (1, 3, 8, 8), "views")) == 4 * (192 + 256)


def test_training_by_hand(chain: Trace) -> None:
    params = 3 * 4 + 4 + 4 * 5 + 5
    found = memory(chain, batch_size=10, precision="fp32", optimiser="Adam / AdamW")
    assert (found.weights, found.gradients, found.optimiser) == (4 * params, 4 * params, 8 * params)
    # Kept: the image for the first convolution, the result of the relu for itself and the second one.
    assert found.activations == 10 * 4 * (192 + 256)
    assert found.total == found.weights + found.gradients + found.optimiser + found.activations


def test_mixed_precision_by_hand(chain: Trace) -> None:
    params = 41
    found = memory(chain, 10, "fp16 + fp32 master", "SGD + momentum")
    assert (found.weights, found.gradients, found.optimiser) == (6 * params, 2 * params, 4 * params)
    assert found.activations == 10 * 2 * (192 + 256)


def test_inference_needs_weights_and_the_peak(chain: Trace) -> None:
    found = memory(chain, 10, "bf16", mode="inference")
    assert (found.weights, found.gradients, found.optimiser) == (2 * 41, 0, 0)
    assert found.activations == 10 * 2 * (256 + 320)


def test_batch_size_scales_activations_only() -> None:
    traced = trace("torchvision:resnet18")
    one, eight = memory(traced, 1), memory(traced, 8)
    assert eight.activations == 8 * one.activations
    assert eight.total - eight.activations == one.total - one.activations


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_every_choice_answers(chain: Trace, precision: str, optimiser: str) -> None:
    assert (
        memory(chain, 1, precision, optimiser).total > memory(chain, 1, precision, mode="inference").weights
    )


def test_an_unknown_choice_is_named(chain: Trace) -> None:
    with pytest.raises(KeyError, match=r"fp4.*fp32"):
        memory(chain, precision="fp4")
    with pytest.raises(KeyError, match=r"Adagrad.*SGD"):
        memory(chain, optimiser="Adagrad")


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2", "densenet121"])
def test_saved_activations_are_what_autograd_keeps(name: str) -> None:
    size = 64
    model = models.get_model(name)
    for module in model.modules():
        if hasattr(module, "inplace"):
            module.inplace = False
    weights = {p.untyped_storage().data_ptr() for p in model.parameters()}
    kept: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        if tensor.dim() > 1 and tensor.untyped_storage().data_ptr() not in weights:
            kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        output = model(torch.rand(1, 3, size, size))
    real = sum(tensor.untyped_storage().nbytes() for tensor in kept.values())
    assert output.shape == (1, 1000)
    # Statistics of batch norms (1-D) are one number a channel, whatever the batch; the mask of a dropout
    # is left out.
    assert saved_activation_bytes(trace(f"torchvision:{name}", size)) == pytest.approx(real, rel=0.002)
