"""Words of the page on inductive bias: what to look for, the code behind it, what is measured and by whom."""

from __future__ import annotations

import streamlit as st

from explorer.ui.inductive_bias.view import ANSWER, MAP, POOLING, SHUFFLE, Watched, shrinking
from explorer.ui.kit import explain
from explorer.ui.kit.formatting import plain

_PATCHES = "patch_embed"  # what timm's transformers call the layer that cuts the picture up
_LOOK_FOR = {
    MAP: "Each ring is a shift by whole strides: there the map moves exactly with the picture, for pooling "
    "and strides alike. Between two rings values are left out, and the error rises.",
    ANSWER: "A thing remains what it is wherever it stands, so the upper curve ought to be flat. Where "
    "does it wobble, and does the answer change?",
    SHUFFLE: "Shuffled patches keep the texture and lose the shape: up to which grid does the answer stay? "
    "Without positions a ViT cannot tell a shuffle of its own patches (2, 7 and 14 a side at 224 pixels).",
    POOLING: "The middle signal is not the shifted one, it is another one: this is where the answer begins "
    "to wobble. With a blur before the stride the two come closer.",
}


def look_for(shown: str, both: tuple[Watched, Watched] | None) -> str:
    """What the picture in front of the reader shows; of two networks also how they shrink. Markdown."""
    said = (shrinking(both) if both and shown in (MAP, ANSWER) else "") + _LOOK_FOR[shown]
    if both and shown == MAP and (of := next((of for of in both if _PATCHES in of.layers), None)):
        said += f" Of {plain(of.name)} compare `{_PATCHES}`, where shifts by whole patches are exact, with a "
        said += "later layer: its position embedding ends that."
    return said


def formula(shown: str) -> None:
    """The functions behind what is shown."""
    from explorer.labs.inductive_bias import patch_shuffle
    from explorer.labs.inductive_bias import shifts as bias

    behind = {
        MAP: (bias.moved, bias.relative_error, bias.correlation),
        ANSWER: (bias.consistency, bias.relative_error),
        SHUFFLE: (patch_shuffle.logits_of,),
        POOLING: (bias.max_pool_1d,),
    }
    explain.code(*behind[shown])


def sources() -> None:
    with st.expander("What is measured, and sources", icon=":material/menu_book:"):
        st.markdown(
            "**Equivariance**, f(T x) = T f(x): relative error ‖moved map − map of the moved picture‖ / ‖map "
            "of the moved picture‖ over all channels, in the cells whose receptive fields stay inside the "
            "picture before and after the shift (white frame); where a layer has none, over all cells. The "
            "map moves by shift / stride cells, linearly between cells. The stride is that of the layer's "
            "receptive field, counted in the network's graph.\n\n"
            "**Invariance**, f(T x) = f(x): the probability of the class that is likeliest without a shift. "
            "The margin comes from the picture beyond the crop, then from its mirror image.\n\n"
            "**Scores moved**: ‖scores − scores at rest‖ / ‖scores at rest‖. For an untrained network this "
            "is the only one of the two that says anything.\n\n"
            "Zhang 2019, [Making Convolutional Networks Shift-Invariant "
            "Again](https://arxiv.org/abs/1904.11486) · Azulay and Weiss 2019, [Why do deep convolutional "
            "networks generalize so poorly to small image "
            "transformations?](https://arxiv.org/abs/1805.12177) · Naseer et al. 2021, [Intriguing "
            "Properties of Vision Transformers](https://arxiv.org/abs/2105.10497) (shuffled patches) · "
            "Geirhos et al. 2019, [ImageNet-trained CNNs are biased towards texture](https://arxiv.org/abs/1811.12231)"
        )
