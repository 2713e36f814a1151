"""Calls of convolutions and pooling: by name, inputs and what to do with them."""

import ml_dtypes
import numpy as np

R = np.random.RandomState(0)


def draw(*shape):
    return R.normal(size=shape).astype("float32")


LINE, IMAGE, VOLUME = draw(2, 6, 3), draw(1, 6, 5, 4), draw(1, 4, 3, 4, 2)
FIRST = draw(1, 4, 6, 5)
HALF = IMAGE.astype(ml_dtypes.bfloat16)
FOUR, K4 = draw(1, 2, 3, 2, 3, 2), draw(2, 2, 1, 2, 2, 2)
K1, K2, K3 = draw(3, 3, 2), draw(3, 2, 4, 3), draw(2, 2, 3, 2, 2)
GROUPED = draw(2, 2, 2, 6)
T1, T2, T3 = draw(3, 2, 3), draw(3, 2, 3, 4), draw(2, 3, 2, 2, 2)
D1, D2 = draw(3, 3, 2), draw(3, 2, 4, 2)
P1, P2 = draw(1, 6, 2), draw(1, 1, 8, 3)
WHOLE = np.arange(32, dtype="int32").reshape(1, 4, 4, 2)
COLUMNS = draw(1, 8, 9)
DEEP, BROAD = draw(1, 2, 3, 8), draw(1, 4, 6, 2)

CALLS = {
    "adaptive_average_pool": [
        ((LINE,), lambda ops, x: ops.adaptive_average_pool(x, 3)),
        ((IMAGE,), lambda ops, x: ops.adaptive_average_pool(x, (4, 2))),
        ((FIRST,), lambda ops, x: ops.adaptive_average_pool(x, 3, data_format="channels_first")),
    ],
    "adaptive_max_pool": [
        ((LINE,), lambda ops, x: ops.adaptive_max_pool(x, 3)),
        ((IMAGE,), lambda ops, x: ops.adaptive_max_pool(x, (4, 2))),
        ((FIRST,), lambda ops, x: ops.adaptive_max_pool(x, 3, data_format="channels_first")),
    ],
    "average_pool": [
        ((LINE,), lambda ops, x: ops.average_pool(x, 2, 2)),
        ((IMAGE,), lambda ops, x: ops.average_pool(x, (2, 3), 1, "same")),
        ((FIRST,), lambda ops, x: ops.average_pool(x, 2, (1, 2), data_format="channels_first")),
        ((VOLUME,), lambda ops, x: ops.average_pool(x, 2, 1, padding="same")),
        ((HALF,), lambda ops, x: ops.average_pool(x, 2, 2)),
    ],
    "max_pool": [
        ((LINE,), lambda ops, x: ops.max_pool(x, 3, 2)),
        ((IMAGE,), lambda ops, x: ops.max_pool(x, (2, 3), 1, "same")),
        ((FIRST,), lambda ops, x: ops.max_pool(x, 2, 1, data_format="channels_first")),
        ((VOLUME,), lambda ops, x: ops.max_pool(x, 2, 2)),
        ((HALF,), lambda ops, x: ops.max_pool(x, 2, 2)),
        ((WHOLE,), lambda ops, x: ops.max_pool(x, 2, 2)),
    ],
    "conv": [
        ((LINE, K1), lambda ops, x, k: ops.conv(x, k)),
        ((LINE, K1), lambda ops, x, k: ops.conv(x, k, 2, "same")),
        ((IMAGE, K2), lambda ops, x, k: ops.conv(x, k, (2, 1), "same")),
        ((IMAGE, K2), lambda ops, x, k: ops.conv(x, k, dilation_rate=(2, 1))),
        ((IMAGE, K2), lambda ops, x, k: ops.conv(x, k, 2, "same", dilation_rate=2)),
        ((IMAGE, GROUPED), lambda ops, x, k: ops.conv(x, k)),
        ((FIRST, K2), lambda ops, x, k: ops.conv(x, k, data_format="channels_first")),
        ((VOLUME, K3), lambda ops, x, k: ops.conv(x, k, padding="same")),
        ((FOUR, K4), lambda ops, x, k: ops.conv(x, k, 2, "same")),
        ((FOUR, K4), lambda ops, x, k: ops.conv(x, k)),
        ((WHOLE, WHOLE[0, :2, :2, :, None]), lambda ops, x, k: ops.conv(x, k)),
        ((HALF, K2), lambda ops, x, k: ops.conv(x, k)),
        ((HALF, K2.astype(ml_dtypes.bfloat16)), lambda ops, x, k: ops.conv(x, k)),
    ],
    "conv_transpose": [
        ((LINE, T1), lambda ops, x, k: ops.conv_transpose(x, k)),
        ((LINE, T1), lambda ops, x, k: ops.conv_transpose(x, k, 2, "same")),
        ((LINE, T1), lambda ops, x, k: ops.conv_transpose(x, k, 4, "valid")),
        ((LINE, T1), lambda ops, x, k: ops.conv_transpose(x, k, 4, "same")),
        ((LINE, T1), lambda ops, x, k: ops.conv_transpose(x, k, 2, "same", 1)),
        ((LINE, T1), lambda ops, x, k: ops.conv_transpose(x, k, 2, "valid", 1)),
        ((LINE, T1), lambda ops, x, k: ops.conv_transpose(x, k, 1, "same", dilation_rate=2)),
        ((IMAGE, T2), lambda ops, x, k: ops.conv_transpose(x, k, (2, 3), "same")),
        ((IMAGE, T2), lambda ops, x, k: ops.conv_transpose(x, k, (2, 3), "same", (0, 1))),
        ((IMAGE, T2), lambda ops, x, k: ops.conv_transpose(x, k, (1, 2))),
        ((FIRST, T2), lambda ops, x, k: ops.conv_transpose(x, k, data_format="channels_first")),
        ((FOUR, K4), lambda ops, x, k: ops.conv_transpose(x, k, 2)),
        ((VOLUME, T3), lambda ops, x, k: ops.conv_transpose(x, k, 2, "same")),
    ],
    "depthwise_conv": [
        ((LINE, D1), lambda ops, x, k: ops.depthwise_conv(x, k)),
        ((IMAGE, D2), lambda ops, x, k: ops.depthwise_conv(x, k, 2, "same")),
        ((FIRST, D2), lambda ops, x, k: ops.depthwise_conv(x, k, data_format="channels_first")),
    ],
    "separable_conv": [
        ((LINE, D1, P1), lambda ops, x, d, p: ops.separable_conv(x, d, p)),
        ((IMAGE, D2, P2), lambda ops, x, d, p: ops.separable_conv(x, d, p, 2, "same")),
        (
            (FIRST, D2, P2),
            lambda ops, x, d, p: ops.separable_conv(
                x, d, p, data_format="channels_first", dilation_rate=2
            ),
        ),
    ],
    "unfold": [
        ((FIRST,), lambda ops, x: ops.unfold(x, 2)),
        ((FIRST,), lambda ops, x: ops.unfold(x, (3, 2), dilation=(1, 2), padding=1, stride=2)),
        ((WHOLE,), lambda ops, x: ops.unfold(x, 2, stride=1)),
    ],
    "fold": [
        ((COLUMNS,), lambda ops, x: ops.fold(x, 4, 2)),
        ((COLUMNS,), lambda ops, x: ops.fold(x, (7, 5), (2, 2), (2, 1), (1, 1), (3, 2))),
    ],
    "depth_to_space": [
        ((DEEP,), lambda ops, x: ops.depth_to_space(x, 2)),
        ((FIRST,), lambda ops, x: ops.depth_to_space(x, 2, data_format="channels_first")),
    ],
    "space_to_depth": [
        ((BROAD,), lambda ops, x: ops.space_to_depth(x, 2)),
        ((BROAD,), lambda ops, x: ops.space_to_depth(x, 2, data_format="channels_first")),
        ((WHOLE,), lambda ops, x: ops.space_to_depth(x, 2)),
    ],
}
EAGER = set()
"""Operations that take no symbolic tensors here."""
