"""MobileNetV2: narrow ends, wide middles (Sandler et al., 2018, arXiv:1801.04381)."""

from functools import partial
from typing import Any

from funkeras.applications import imagenet_utils
from funkeras.applications.imagenet_utils import (
    channel_axis,
    decode_predictions,
    ending,
    entry,
    filled,
    sizes_of,
    strided_edges,
)
from funkeras.layers import Add, BatchNormalization, Conv2D, DepthwiseConv2D, ReLU, ZeroPadding2D
from funkeras.models import Model

__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]

preprocess_input = partial(imagenet_utils.preprocess_input, mode="tf")
"""Pictures with values from 0 to 255, scaled to [-1, 1]."""

STAGES = ((16, 1, 1), (24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1))
"""Filters, blocks and stride of the first block of each stage."""

ALPHAS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)
SIZES = (96, 128, 160, 192, 224)
"""Widths and sizes of pictures of the published nets."""

STORE = "https://github.com/JonathanCMitchell/mobilenet_v2_keras/releases/download/v1.1"


def _divisible(value: float) -> int:
    """The multiple of 8 next to a number of filters, not less than nine tenths of it.

    >>> _divisible(32 * 0.35), _divisible(24 * 1.3)
    (16, 32)
    """
    nearest = max(8, int(value + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * value else nearest


def _normalized(x: Any, name: str, activated: str = "") -> Any:
    x = BatchNormalization(axis=channel_axis(), epsilon=1e-3, momentum=0.999, name=name)(x)
    return ReLU(6.0, name=activated)(x) if activated else x


def _block(x: Any, number: int, filters: int, stride: int) -> Any:
    before, channels = x, x.shape[channel_axis()]
    name = f"block_{number}" if number else "expanded_conv"
    if number:
        wide = {"padding": "same", "use_bias": False, "name": f"{name}_expand"}
        x = Conv2D(6 * channels, 1, **wide)(x)
        x = _normalized(x, f"{name}_expand_BN", f"{name}_expand_relu")
    if stride == 2:
        x = ZeroPadding2D(strided_edges(x, 3), name=f"{name}_pad")(x)
    padding = "same" if stride == 1 else "valid"
    deep = {"strides": stride, "padding": padding, "use_bias": False, "name": f"{name}_depthwise"}
    x = DepthwiseConv2D(3, **deep)(x)
    x = _normalized(x, f"{name}_depthwise_BN", f"{name}_depthwise_relu")
    narrow = {"padding": "same", "use_bias": False, "name": f"{name}_project"}
    x = _normalized(Conv2D(filters, 1, **narrow)(x), f"{name}_project_BN")
    return Add(name=f"{name}_add")([before, x]) if channels == filters and stride == 1 else x


def MobileNetV2(  # noqa: N802
    input_shape: Any = None,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: Any = None,
    classes: int = 1000,
) -> Model:
    """A small net for phones, more exact than `MobileNet`.

    Args:
        alpha: share of the filters that each layer has.
        depth_multiplier: accepted, as Keras accepts it: it changes nothing.
        include_top, weights, input_tensor, input_shape, pooling, classes: as of `VGG16`.
    """
    if weights == "imagenet" and (alpha not in ALPHAS or depth_multiplier != 1):
        raise ValueError(
            f"there are published weights for alpha {list(ALPHAS)} and depth_multiplier 1; "
            f"got {alpha} and {depth_multiplier}"
        )
    rows = 224 if input_shape is None else sizes_of(input_shape)[0]
    size = rows if rows in SIZES else 224
    begin = entry(input_tensor, input_shape, size, 32, include_top, weights, classes)
    x = ZeroPadding2D(strided_edges(begin, 3), name="Conv1_pad")(begin)
    x = Conv2D(_divisible(32 * alpha), 3, strides=2, use_bias=False, name="Conv1")(x)
    x = _normalized(x, "bn_Conv1", "Conv1_relu")
    number = 0
    for filters, count, stride in STAGES:
        for place in range(count):
            x = _block(x, number, _divisible(int(filters * alpha)), 1 if place else stride)
            number += 1
    x = Conv2D(_divisible(1280 * max(alpha, 1)), 1, use_bias=False, name="Conv_1")(x)
    x = _normalized(x, "Conv_1_bn", "out_relu")
    x = ending(x, include_top, pooling, classes, name="Logits")
    model = Model(begin, x, name=f"mobilenetv2_{alpha:.2f}_{rows}")
    stem = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{float(alpha)}_{rows or 224}"
    return filled(model, weights, STORE, stem, (None, None), "_no_top")
