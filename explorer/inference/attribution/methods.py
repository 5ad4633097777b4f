"""The table of methods that every edge offers: Streamlit, Gradio, the command line, the library."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from torch import Tensor

from explorer.inference.attribution import from_attention, from_captum, from_gradient, from_passes
from explorer.inference.attribution.evidence import Evidence

STRENGTH = "Activation strength"
"""In place of a method where there is no class score: an embedding's network says only where it is moved."""

strength = from_gradient.strength


@dataclass(frozen=True)
class Method:
    """One way to ask where an answer comes from.

    explain: gives a map, not negative and not normalised, [h, w] of the layer or [H, W] of the picture.
    at: "layer" where the chosen layer matters, else "picture". question: what the map answers.
    passes: what it costs beside the forward and backward pass that every answer takes, in words.
    long: more than a second or two on a CPU, so that it wants a bar. limits: where it does not apply, or "".
    of_a_class: the map depends on the class that is explained.
    """

    explain: Callable[[Evidence], Tensor]
    at: Literal["layer", "picture"]
    question: str
    passes: str
    paper: str
    url: str
    limits: str = ""
    long: bool = False
    of_a_class: bool = True


_LAYER_ONLY = "none"

METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "Grad-CAM": Method(
            from_gradient.grad_cam,
            "layer",
            "Which places hold channels that speak for the class, each weighed by its mean gradient?",
            _LAYER_ONLY,
            "Selvaraju et al. 2017",
            "https://arxiv.org/abs/1610.02391",
        ),
        "HiResCAM": Method(
            from_gradient.hires_cam,
            "layer",
            "The same place by place, without a mean: it cannot point where no evidence is.",
            _LAYER_ONLY,
            "Draelos and Carin 2020",
            "https://arxiv.org/abs/2011.08891",
        ),
        "LayerCAM": Method(
            from_gradient.layer_cam,
            "layer",
            "Place by place by positive gradients alone, which suits the fine maps of early layers.",
            _LAYER_ONLY,
            "Jiang et al. 2021",
            "https://doi.org/10.1109/TIP.2021.3089943",
        ),
        "Grad-CAM++": Method(
            from_gradient.grad_cam_plus_plus,
            "layer",
            "Where are all things of the class, if there are several?",
            _LAYER_ONLY,
            "Chattopadhyay et al. 2018",
            "https://arxiv.org/abs/1710.11063",
        ),
        "XGrad-CAM": Method(
            from_gradient.xgrad_cam,
            "layer",
            "Grad-CAM with weights that add up to the score.",
            _LAYER_ONLY,
            "Fu et al. 2020",
            "https://arxiv.org/abs/2008.02312",
        ),
        "EigenCAM": Method(
            from_gradient.eigen_cam,
            "layer",
            "What stands out at this layer, whatever the class?",
            _LAYER_ONLY,
            "Muhammad and Yeasin 2020",
            "https://arxiv.org/abs/2008.00299",
            of_a_class=False,
        ),
        "Ablation-CAM": Method(
            from_passes.ablation_cam,
            "layer",
            "Which channels does the score lose most by, if each is silenced?",
            "one from the layer on for each channel",
            "Desai and Ramaswamy 2020",
            "https://openaccess.thecvf.com/content_WACV_2020/html/Desai_Ablation-CAM_Visual_Explanations_for_Deep_Convolutional_Network_via_Gradient-free_Localization_WACV_2020_paper.html",
            long=True,
        ),
        "Score-CAM": Method(
            from_passes.score_cam,
            "layer",
            "Which channels, laid over the picture as a mask, leave the most of the score?",
            "one for each channel",
            "Wang et al. 2020",
            "https://arxiv.org/abs/1910.01279",
            long=True,
        ),
        "Attention rollout": Method(
            from_attention.attention_rollout,
            "picture",
            "How much of each patch reaches the answer through attention, whatever the class?",
            "1 forward",
            "Abnar and Zuidema 2020",
            "https://arxiv.org/abs/2005.00928",
            limits="transformers whose patches all look at each other, as ViT and DeiT",
            of_a_class=False,
        ),
        "Saliency": Method(
            from_captum.saliency,
            "picture",
            "Which pixels would move the score most, changed a little?",
            "1 forward, 1 backward",
            "Simonyan et al. 2014",
            "https://arxiv.org/abs/1312.6034",
        ),
        "Input × gradient": Method(
            from_captum.input_x_gradient,
            "picture",
            "Which pixels make the score, to first order?",
            "1 forward, 1 backward",
            "Shrikumar et al. 2016",
            "https://arxiv.org/abs/1605.01713",
        ),
        "Integrated gradients": Method(
            from_captum.integrated_gradients,
            "picture",
            "How is the score shared out among the pixels, starting from one even colour?",
            f"{from_captum.STEPS} forward, {from_captum.STEPS} backward",
            "Sundararajan et al. 2017",
            "https://arxiv.org/abs/1703.01365",
            long=True,
        ),
        "SmoothGrad": Method(
            from_captum.smooth_grad,
            "picture",
            "Saliency without its noise: the mean over copies of the picture with noise added.",
            f"{from_captum.NOISY} forward, {from_captum.NOISY} backward",
            "Smilkov et al. 2017",
            "https://arxiv.org/abs/1706.03825",
            long=True,
        ),
        "Guided backpropagation": Method(
            from_captum.guided_backpropagation,
            "picture",
            "Which fine patterns excite the network? It fails the test with random weights: it draws edges.",
            "1 forward, 1 backward",
            "Springenberg et al. 2015",
            "https://arxiv.org/abs/1412.6806",
            limits="networks with ReLU layers",
        ),
        "Guided Grad-CAM": Method(
            from_captum.guided_grad_cam,
            "layer",
            "The fine patterns of guided backpropagation, where Grad-CAM is warm.",
            "1 forward, 1 backward",
            "Selvaraju et al. 2017",
            "https://arxiv.org/abs/1610.02391",
            limits="networks with ReLU layers",
        ),
        "DeepLIFT": Method(
            from_captum.deep_lift,
            "picture",
            "What does each pixel's difference from one even colour add to the score?",
            "2 forward, 1 backward",
            "Shrikumar et al. 2017",
            "https://arxiv.org/abs/1704.02685",
            limits="networks of ReLU layers, none used twice",
        ),
        "Occlusion": Method(
            from_passes.occlusion,
            "picture",
            "How much probability is lost if a patch is covered?",
            f"{from_passes.PATCHES - 1} × {from_passes.PATCHES - 1} forward",
            "Zeiler and Fergus 2014",
            "https://arxiv.org/abs/1311.2901",
            long=True,
        ),
        "Superpixels": Method(
            from_passes.superpixels,
            "picture",
            "How much probability is lost if a region of like colour is taken out?",
            f"about {from_passes.SUPERPIXELS} forward",
            "Achanta et al. 2012 for the regions",
            "https://doi.org/10.1109/TPAMI.2012.120",
            long=True,
        ),
        "RISE": Method(
            from_passes.rise,
            "picture",
            "Which places, left in sight by random masks, come with a sure answer?",
            f"{from_passes.RISE_MASKS} forward",
            "Petsiuk et al. 2018",
            "https://arxiv.org/abs/1806.07421",
            long=True,
        ),
    }
)
