"""Which rule moves and widens the receptive field through which operation: a table by ATen name.

The rules: `field_views` for what only moves elements, `field_mixing` for what computes with them.
"""

from __future__ import annotations

from collections.abc import Mapping

from explorer.analysis import field_mixing, field_views
from explorer.analysis.field_operands import Rule
from explorer.analysis.roles import words

_ELEMENTWISE = words(
    """
    abs add add_ addcdiv addcmul addcmul_ bitwise_not celu clamp clamp_ clamp_max clamp_min copy_ cos
    div div_ elu elu_ eq erf exp floor ge gelu gt hardsigmoid hardsigmoid_ hardswish hardswish_ hardtanh
    hardtanh_ le leaky_relu leaky_relu_ lerp log log1p logical_and logical_not lt masked_fill
    masked_fill_ maximum minimum mish mish_ mul mul_ nan_to_num ne neg pow pow_ prelu reciprocal relu
    relu6 relu6_ relu_ rsqrt rsub selu sigmoid sigmoid_ silu silu_ sin softplus sqrt square sub sub_
    tanh tanh_ where
    """
)
_REDUCTIONS = words(
    """
    amax amin linalg_vector_norm logsumexp max mean median min norm prod std std_mean sum var var_mean
    """
)

RULES: Mapping[str, Rule] = {
    **dict.fromkeys(_ELEMENTWISE, field_mixing.elementwise),
    **dict.fromkeys(_REDUCTIONS, field_mixing.reduction),
    **dict.fromkeys(
        words("avg_pool1d avg_pool2d avg_pool3d max_pool1d max_pool2d max_pool2d_with_indices"),
        field_mixing.pooling,
    ),
    **dict.fromkeys(
        words("conv1d conv2d conv3d convolution conv_transpose1d conv_transpose2d"), field_mixing.convolution
    ),
    **dict.fromkeys(
        words("adaptive_avg_pool1d adaptive_avg_pool2d adaptive_max_pool1d adaptive_max_pool2d"),
        field_mixing.adaptive_pooling,
    ),
    **dict.fromkeys(
        words(
            """
            upsample_nearest2d upsample_nearest_exact2d upsample_bilinear2d upsample_bicubic2d
            _upsample_bicubic2d_aa _upsample_bilinear2d_aa
            """
        ),
        field_mixing.upsampling,
    ),
    **dict.fromkeys(words("addbmm addmm baddbmm bmm matmul mm"), field_mixing.product),
    **dict.fromkeys(
        words("batch_norm group_norm instance_norm layer_norm rms_norm"), field_mixing.normalisation
    ),
    **dict.fromkeys(words("softmax log_softmax"), field_mixing.softmax),
    **dict.fromkeys(words("view reshape flatten unflatten view_as reshape_as squeeze"), field_views.view),
    **dict.fromkeys(words("permute transpose t movedim swapaxes"), field_views.permutation),
    **dict.fromkeys(words("expand expand_as"), field_views.expansion),
    **dict.fromkeys(words("repeat tile repeat_interleave"), field_views.repetition),
    **dict.fromkeys(words("split split_with_sizes chunk unbind"), field_views.parting),
    **dict.fromkeys(words("cat concat stack"), field_views.joining),
    **dict.fromkeys(words("pad constant_pad_nd"), field_views.padding),
    **dict.fromkeys(words("pixel_shuffle pixel_unshuffle"), field_views.shuffling),
    **dict.fromkeys(words("index index_select"), field_views.indexing),
    **dict.fromkeys(words("lstm gru rnn_tanh rnn_relu"), field_mixing.recurrence),
    "linear": field_mixing.linear,
    "einsum": field_mixing.einsum,
    "scaled_dot_product_attention": field_mixing.attention,
    "slice": field_views.slicing,
    "narrow": field_views.narrowing,
    "select": field_views.selection,
    "unsqueeze": field_views.unsqueezing,
    "flip": field_views.flipping,
    # Positions wander round the edge; the attention that follows marks the mixing.
    "roll": field_views.unchanged,
    "unfold": field_views.unfolding,
    "im2col": field_views.patching,
    "col2im": field_views.unpatching,
    "output": field_views.unchanged,
}
