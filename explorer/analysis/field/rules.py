"""Which rule moves and widens the receptive field through which operation: a table by ATen name, without the
underscore that ends the names of what works in place.

The rules: `views` for what only moves elements, `mixing` for what computes with them.
"""

from __future__ import annotations

from collections.abc import Mapping

from explorer.analysis.field import mixing, views
from explorer.analysis.field.operands import Rule
from explorer.analysis.graph.roles import words

_ELEMENTWISE = words(
    """
    abs absolute add addcdiv addcmul atan atan2 bitwise_and bitwise_not bitwise_or ceil celu clamp
    clamp_max clamp_min copy cos div elu eq erf erfinv exp exp2 expm1 floor fmax fmin fmod ge gelu
    gt hardshrink hardsigmoid hardswish hardtanh heaviside isfinite isnan le leaky_relu lerp log
    log1p log2 log_sigmoid logical_and logical_not logical_or logit lt masked_fill maximum minimum
    mish mul nan_to_num ne neg pow prelu real reciprocal relu relu6 remainder round rrelu rsqrt rsub
    selu sgn sigmoid sign silu sin softplus softshrink sqrt square sub tan tanh threshold
    trunc where
    """
)
_REDUCTIONS = words(
    """
    amax amin linalg_vector_norm logsumexp max mean median min norm prod std std_mean sum var var_mean
    """
)

RULES: Mapping[str, Rule] = {
    **dict.fromkeys(_ELEMENTWISE, mixing.elementwise),
    **dict.fromkeys(_REDUCTIONS, mixing.reduction),
    **dict.fromkeys(
        words(
            """
            avg_pool1d avg_pool2d avg_pool3d max_pool1d max_pool1d_with_indices max_pool2d
            max_pool2d_with_indices max_pool3d max_pool3d_with_indices
            """
        ),
        mixing.pooling,
    ),
    **dict.fromkeys(
        words(
            """
            conv1d conv2d conv3d convolution conv_transpose1d conv_transpose2d conv_transpose3d
            deform_conv2d
            """
        ),
        mixing.convolution,
    ),
    **dict.fromkeys(
        words(
            """
            adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d
            adaptive_max_pool2d adaptive_max_pool3d
            """
        ),
        mixing.adaptive_pooling,
    ),
    **dict.fromkeys(
        words(
            """
            upsample_nearest1d upsample_nearest2d upsample_linear1d upsample_bilinear2d
            upsample_bicubic2d _upsample_bicubic2d_aa _upsample_bilinear2d_aa _upsample_lanczos2d_aa
            _upsample_nearest_exact1d _upsample_nearest_exact2d
            """
        ),
        mixing.upsampling,
    ),
    **dict.fromkeys(
        words("addbmm addmm addmv baddbmm bmm dot linalg_matmul matmul mm mv vdot"), mixing.product
    ),
    **dict.fromkeys(words("batch_norm group_norm instance_norm layer_norm rms_norm"), mixing.normalisation),
    **dict.fromkeys(words("softmax log_softmax"), mixing.softmax),
    **dict.fromkeys(words("view reshape flatten unflatten view_as reshape_as ravel squeeze"), views.view),
    **dict.fromkeys(words("permute transpose t movedim moveaxis swapaxes swapdims"), views.permutation),
    **dict.fromkeys(words("expand expand_as"), views.expansion),
    **dict.fromkeys(words("repeat tile repeat_interleave"), views.repetition),
    **dict.fromkeys(words("split split_with_sizes chunk unbind"), views.parting),
    **dict.fromkeys(words("cat concat stack"), views.joining),
    **dict.fromkeys(words("pad constant_pad_nd"), views.padding),
    **dict.fromkeys(words("pixel_shuffle pixel_unshuffle"), views.shuffling),
    **dict.fromkeys(words("channel_shuffle native_channel_shuffle"), views.channel_shuffling),
    **dict.fromkeys(words("index index_select"), views.indexing),
    # Where they read depends on a grid or on boxes, which may lie anywhere.
    **dict.fromkeys(
        words("grid_sampler max_unpool2d ps_roi_align ps_roi_pool roi_align roi_pool"), mixing.anywhere
    ),
    **dict.fromkeys(words("lstm gru rnn_tanh rnn_relu"), mixing.recurrence),
    "linear": mixing.linear,
    "einsum": mixing.einsum,
    "scaled_dot_product_attention": mixing.attention,
    "slice": views.slicing,
    "narrow": views.narrowing,
    "select": views.selection,
    "unsqueeze": views.unsqueezing,
    "flip": views.flipping,
    # Positions wander round the edge; the attention that follows marks the mixing.
    "roll": views.unchanged,
    "unfold": views.unfolding,
    "im2col": views.patching,
    "col2im": views.unpatching,
    "output": views.unchanged,
}
