"""Methods that follow the score back to the pixels, by captum; each says how channels become one value."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import torch
from torch import Tensor, nn

from explorer.inference.attribution.evidence import DoesNotApply, Evidence, out_of_place
from explorer.inference.attribution.from_gradient import grad_cam

STEPS = 32  # of the integral
NOISY = 16  # pictures
_NOISE = 0.15  # of the range of the prepared picture's values, the middle of what the paper tries
_MISSING = 0.05  # of a score's difference may be lost to rounding and pooling
_SEED = 0  # the same picture gives the same map
_ITS_SCORE = 0  # the one column of `Asked.scoring`


def saliency(at: Evidence) -> Tensor:
    """max over the channels of |d score / d x|, [H, W]"""
    with _captum(at) as (attr, model):
        return _of_pixels(attr.Saliency(model).attribute(at.x, _ITS_SCORE)).amax(dim=0)


def input_x_gradient(at: Evidence) -> Tensor:
    """|sum over the channels of x d score / d x|, [H, W]"""
    with _captum(at) as (attr, model):
        return _of_pixels(attr.InputXGradient(model).attribute(at.x, _ITS_SCORE)).sum(dim=0).abs()


def integrated_gradients(at: Evidence) -> Tensor:
    """|sum over the channels| of x times the mean gradient on the way from the mean colour to x, [H, W]"""
    with _captum(at) as (attr, model):
        found = attr.IntegratedGradients(model).attribute(
            at.x, target=_ITS_SCORE, n_steps=STEPS, internal_batch_size=at.batch_size
        )
    return _of_pixels(found).sum(dim=0).abs()


def smooth_grad(at: Evidence) -> Tensor:
    """max over the channels of |mean of d score / d x over noisy copies of x|, [H, W]"""
    with _captum(at) as (attr, model), torch.random.fork_rng(devices=[at.x.device] if at.x.is_cuda else []):
        torch.manual_seed(_SEED)
        found = attr.NoiseTunnel(attr.Saliency(model)).attribute(
            at.x,
            target=_ITS_SCORE,
            abs=False,
            nt_samples=NOISY,
            nt_samples_batch_size=min(at.batch_size, NOISY),
            stdevs=_NOISE * float(at.x.max() - at.x.min()),
        )
    return _of_pixels(found).abs().amax(dim=0)


def guided_backpropagation(at: Evidence) -> Tensor:
    """max over the channels of the gradient that passes each ReLU only where it is positive, [H, W]"""
    if not any(isinstance(module, nn.ReLU) for module in at.network.model.modules()):
        raise DoesNotApply(
            "Guided backpropagation changes the gradient at each ReLU, and this network has no layer of that "
            "kind; SmoothGrad asks a like question of any network."
        )
    with _captum(at) as (attr, model):
        return _of_pixels(attr.GuidedBackprop(model).attribute(at.x, _ITS_SCORE)).relu().amax(dim=0)


def guided_grad_cam(at: Evidence) -> Tensor:
    """Guided backpropagation times Grad-CAM at the layer, grown to the picture, [H, W]"""
    return guided_backpropagation(at) * at.grown(grad_cam(at))


def deep_lift(at: Evidence) -> Tensor:
    """|sum over the channels| of what each pixel's difference from the mean colour adds to the score, [H, W]

    It must add up to the score's whole difference (the paper's eq. 1). Where it does not, the network has
    activations that captum has no rule for.
    """
    with _captum(at) as (attr, model):
        try:
            parts, missing = attr.DeepLift(model).attribute(
                at.x, target=_ITS_SCORE, return_convergence_delta=True
            )
        except (AssertionError, RuntimeError) as error:
            if "more than once" not in str(error):
                raise
            raise DoesNotApply(
                "DeepLIFT needs an activation of its own at each place, and this network uses one layer at "
                "several; integrated gradients asks the same question."
            ) from error
    found = _of_pixels(parts)
    if missing.abs().max() > _MISSING * max(found.sum().abs(), (found.sum() - missing).abs()):
        raise DoesNotApply(
            "DeepLIFT's parts do not add up to the score here: the network has activations without a "
            "rule, as SiLU and GELU; integrated gradients asks the same question."
        )
    return found.sum(dim=0).abs()


@contextmanager
def _captum(at: Evidence) -> Iterator[tuple[ModuleType, nn.Module]]:
    """(captum.attr, what it is to follow). It warns of hooks that it sets and takes away again.

    Imported here, as it brings Matplotlib, which no other answer needs.
    """
    from captum import attr

    with warnings.catch_warnings(), out_of_place(at.network.model):
        warnings.simplefilter("ignore")
        yield attr, at.scoring()


def _of_pixels(found: Tensor) -> Tensor:
    """[C, H, W] of the one picture."""
    return found[0].detach().float()
