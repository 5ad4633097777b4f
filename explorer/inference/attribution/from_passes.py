"""Methods that change something, in the picture or at the layer, and ask the network again.

What is taken away becomes zero, which in a prepared picture is the mean colour of the training pictures.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from explorer.inference.attribution.evidence import Evidence
from explorer.inference.spatial import grown
from explorer.inference.watching import hooked
from explorer.networks.running import scores

PATCHES = 16  # a side of the picture is occluded in steps of so many
SUPERPIXELS = 60
RISE_MASKS = 400
_RISE_CELLS = 8  # a side
_RISE_KEPT = 0.5
_SEED = 0  # the same picture gives the same map


def score_cam(at: Evidence) -> Tensor:
    """w_c = softmax over the channels of the score of the picture seen through A_c scaled to 0..1: eq. 4.

    A channel without contrast is no mask and weighs nothing.
    """
    low, high = at.activation.amin(dim=(1, 2)), at.activation.amax(dim=(1, 2))
    contrast = (high > low).nonzero().flatten().tolist()
    if not contrast:
        return torch.zeros_like(at.activation[0])

    def masked() -> Iterator[Tensor]:
        for c in contrast:
            mask = at.grown(at.activation[c])
            bottom, top = mask.min(), mask.max()
            yield at.x[0] * (mask - bottom) / (top - bottom).clamp(min=torch.finfo(mask.dtype).tiny)

    weights = torch.zeros_like(low)
    weights[contrast] = at.answers(masked(), len(contrast), at.score).softmax(dim=0).to(weights)
    return torch.einsum("c,chw->hw", weights, at.activation).relu()


def ablation_cam(at: Evidence) -> Tensor:
    """w_c = (y - y_c) / |y|, the share of the score that is lost where channel c is zero: eq. 3."""
    whole = at.score(at.x).detach()[0].float()
    without = _scores_without_each_channel(at)
    weights = (whole - without) / whole.abs().clamp(min=torch.finfo(whole.dtype).tiny)
    return torch.einsum("c,chw->hw", weights, at.activation).relu()


@torch.no_grad()
def _scores_without_each_channel(at: Evidence) -> Tensor:
    """[c]. What comes before the layer is computed for one picture, what follows for many variants of it.

    A network in which both meet in a way that does not broadcast gets the picture once a variant.
    """
    module, channels = at.network.model.get_submodule(at.layer.path), range(len(at.activation))
    axis = 0 if at.layer.layout == "channels first" else -1
    found: list[Tensor] = []
    copies = 1  # of the picture in front of the layer; 0: as many as there are variants
    size = at.batch_size
    while len(found) * size < len(channels):
        batch = channels[len(found) * size : (len(found) + 1) * size]

        def ablated(_module: nn.Module, _inputs: object, output: Tensor, batch: range = batch) -> Tensor:
            many = output.expand(len(batch), *output.shape[1:]).clone()
            for row, channel in enumerate(batch):
                many[row].select(axis, channel).zero_()
            return many

        try:
            with hooked([module], after=ablated):
                answer = at.network.model(at.x.expand(copies or len(batch), *at.x.shape[1:]))
            if len(answer) != len(batch):
                raise RuntimeError("the variants were lost on their way")
        except RuntimeError:
            if not copies:
                raise
            copies = 0
            continue
        found.append(at.lead(scores(at.network, answer)).float())
        at.progress(batch.stop, len(channels))
    return torch.cat(found)


def occlusion(at: Evidence) -> Tensor:
    """How much probability a patch takes with it, mean over the patches that cover a pixel, [H, W].

    The patch is two steps of a sixteenth of the side wide and moves by one.
    """
    _, _, height, width = at.x.shape
    rows, columns = _steps(height), _steps(width)
    boxes = [
        (top, min(top + 2 * rows, height), left, min(left + 2 * columns, width))
        for top in range(0, max(1, height - rows), rows)
        for left in range(0, max(1, width - columns), columns)
    ]

    def occluded() -> Iterator[Tensor]:
        for top, bottom, left, right in boxes:
            picture = at.x[0].clone()
            picture[:, top:bottom, left:right] = 0
            yield picture

    lost = at.probability(at.x).detach() - at.answers(occluded(), len(boxes))
    total, covered = torch.zeros_like(at.x[0, 0]), torch.zeros_like(at.x[0, 0])
    for (top, bottom, left, right), each in zip(boxes, lost, strict=True):
        total[top:bottom, left:right] += each
        covered[top:bottom, left:right] += 1
    return (total / covered.clamp(min=1)).relu()


def _steps(side: int) -> int:
    return max(1, side // PATCHES)


def superpixels(at: Evidence) -> Tensor:
    """How much probability a region of like colour takes with it, [H, W]; regions by SLIC."""
    from skimage.segmentation import slic

    picture = at.x[0].permute(1, 2, 0).cpu().double().numpy()
    regions = torch.from_numpy(np.asarray(slic(picture, SUPERPIXELS, channel_axis=-1))).to(at.x.device)
    names = regions.unique().tolist()
    without = (at.x[0] * (regions != name) for name in names)
    lost = at.probability(at.x).detach() - at.answers(without, len(names))
    found = torch.zeros_like(at.x[0, 0])
    for name, each in zip(names, lost, strict=True):
        found[regions == name] = each.to(found)
    return found.relu()


def rise(at: Evidence) -> Tensor:
    """sum_i f(x M_i) M_i over random masks M_i, divided by what is kept of each pixel, less its mean: eq. 6.

    The mean is taken off because every mask carries a share of the answer: without that no place is dark.
    """
    random = torch.Generator().manual_seed(_SEED)
    height, width = at.x.shape[-2:]
    cell = (-(-height // _RISE_CELLS), -(-width // _RISE_CELLS))
    drawn = (torch.rand(RISE_MASKS, _RISE_CELLS + 1, _RISE_CELLS + 1, generator=random) < _RISE_KEPT).float()
    shifts = torch.stack(
        [torch.randint(0, side, (RISE_MASKS,), generator=random) for side in cell]
    ).T.tolist()

    def mask(i: int) -> Tensor:
        whole = grown(drawn[i], [(_RISE_CELLS + 1) * side for side in cell])
        top, left = shifts[i]
        return whole[top : top + height, left : left + width].to(at.x)

    found = at.answers((at.x[0] * mask(i) for i in range(RISE_MASKS)), RISE_MASKS)
    weighted, kept = torch.zeros_like(at.x[0, 0]), torch.zeros_like(at.x[0, 0])
    for i, answer in enumerate(found - found.mean()):
        weighted += answer * mask(i)
        kept += mask(i)
    return (weighted / kept.clamp(min=1)).relu()
