"""What part an operation plays, by its ATen name: the colour roles of the diagrams and the shares of the
stats sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from explorer.analysis.graph.operations import Operand


def words(text: str) -> frozenset[str]:
    """ATen names, written as one would read them."""
    return frozenset(text.split())


# Nothing happens to the values at inference: the reader is wired to what went in.
IDENTITIES = words(
    """
    alias alpha_dropout clone contiguous detach detach_ dropout dropout_ feature_alpha_dropout
    feature_dropout lift_fresh_copy native_dropout to type_as _to_copy
    """
)

# Tensors made from the shape of another, not from its values.
FACTORIES = words(
    """
    empty_like full_like new_empty new_full new_ones new_zeros ones_like rand_like zeros_like size
    sym_size
    """
)

# The result shares the memory of the first argument.
VIEWS = words(
    """
    as_strided chunk diagonal expand expand_as flatten getitem movedim narrow permute select slice split
    split_with_sizes squeeze swapaxes t transpose unbind unflatten unfold unsqueeze view view_as
    """
)

_RESHAPES = VIEWS | words(
    """
    channel_shuffle constant_pad_nd flip im2col col2im index index_select masked_fill
    native_channel_shuffle pad pixel_shuffle pixel_unshuffle repeat repeat_interleave reshape reshape_as
    roll tile upsample_bicubic2d upsample_bilinear2d upsample_linear1d upsample_nearest1d upsample_nearest2d
    _upsample_bicubic2d_aa _upsample_bilinear2d_aa _upsample_lanczos2d_aa _upsample_nearest_exact1d
    _upsample_nearest_exact2d
    """
)
CONVOLUTIONS = words(
    """
    conv1d conv2d conv3d convolution conv_transpose1d conv_transpose2d conv_transpose3d deform_conv2d
    """
)
_PRODUCTS = words("addbmm addmm addmv baddbmm bmm dot einsum linalg_matmul matmul mm mv tensordot vdot")
_MERGES = words(
    """
    add add_ addcmul cat concat div div_ lerp maximum minimum mul mul_ stack sub sub_
    """
)
ADDITIONS = words("add add_")
_SUMS = words("add add_ cat concat stack sub sub_")

_BY_NAME: Mapping[str, str] = {
    **dict.fromkeys(_RESHAPES, "reshape"),
    **dict.fromkeys(
        words(
            """
            celu elu gelu glu hardsigmoid hardsigmoid_ hardswish hardswish_ hardtanh hardtanh_ leaky_relu
            leaky_relu_ log_softmax mish mish_ prelu relu relu_ relu6 relu6_ selu sigmoid sigmoid_ silu silu_
            softmax softplus square tanh tanh_
            """
        ),
        "activation",
    ),
    **dict.fromkeys(  # torch writes local response normalisation as a 3-D pooling over channels
        words(
            """
            avg_pool3d batch_norm group_norm instance_norm layer_norm linalg_vector_norm rms_norm
            """
        ),
        "norm",
    ),
    **dict.fromkeys(
        words(
            """
            adaptive_avg_pool1d adaptive_avg_pool2d adaptive_max_pool1d adaptive_max_pool2d amax avg_pool1d
            avg_pool2d max_pool1d max_pool2d max_pool2d_with_indices mean
            """
        ),
        "pool",
    ),
    "linear": "linear",
    "scaled_dot_product_attention": "attention",
}


def role(name: str, attributes: Mapping[str, Any], operands: Sequence[Operand], image_inputs: int) -> str:
    """One of `operations.ROLES`. image_inputs: how many of the operands depend on the image."""
    if name in CONVOLUTIONS:
        return _convolution_role(attributes)
    if name.removesuffix("_") in _PRODUCTS:
        return "attention" if image_inputs > 1 else "linear"
    if name in _MERGES:
        with_parameter = (
            name in _SUMS and len(operands) > 1 and any(o.source != "constant" for o in operands[1:])
        )
        return "merge" if image_inputs > 1 or with_parameter else "other"
    return _BY_NAME.get(name) or _BY_NAME.get(name.removesuffix("_"), "other")


def _convolution_role(attributes: Mapping[str, Any]) -> str:
    groups, channels = attributes.get("groups", 1), attributes["in_channels"]
    if groups == channels > 1:
        return "depthwise"
    if groups > 1:
        return "grouped"
    return "pointwise" if set(attributes["kernel_size"]) == {1} else "spatial"
