"""MobileNetV2: narrow ends, wide middles (Sandler et al., 2018, arXiv:1801.04381)."""

from functools import partial
from typing import Any

from funkeras.applications import imagenet_utils
from funkeras.applications.blocks import Style, convolved, divisible, inverted_residual
from funkeras.applications.imagenet_utils import (
    Asked,
    Published,
    assembled,
    channel_axis,
    classified,
    decode_predictions,
    sizes_of,
    strided_edges,
)
from funkeras.layers import BatchNormalization, ReLU, ZeroPadding2D
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


def _style() -> Style:
    return Style(
        expand=("_expand", "_expand_BN", "_expand_relu"),
        depthwise=("_depthwise", "_depthwise_BN", "_depthwise_relu"),
        project=("_project", "_project_BN"),
        pad="_pad",
        add="_add",
        normalization=partial(
            BatchNormalization, axis=channel_axis(), epsilon=1e-3, momentum=0.999
        ),
        activation=partial(ReLU, 6.0),
    )


def _body(x: Any, alpha: float) -> Any:
    style = _style()
    plain = partial(convolved, style=style, name="", padding="valid")
    x = ZeroPadding2D(strided_edges(x, 3), name="Conv1_pad")(x)
    x = plain(x, divisible(32 * alpha), 3, names=("Conv1", "bn_Conv1", "Conv1_relu"), stride=2)
    number = 0
    for filters, count, stride in STAGES:
        for place in range(count):
            own = divisible(int(filters * alpha))
            wide = 6 * x.shape[channel_axis()] if number else None
            name = f"block_{number}" if number else "expanded_conv"
            x = inverted_residual(x, own, wide, 3, 1 if place else stride, style, name)
            number += 1
    last = divisible(1280 * max(alpha, 1))
    return plain(x, last, 1, names=("Conv_1", "Conv_1_bn", "out_relu"))


def MobileNetV2(  # noqa: N802
    input_shape: Any = None,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: Any = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Model:
    """A small net for phones, more exact than `MobileNet`.

    Args:
        alpha: share of the filters that each layer has.
        depth_multiplier: accepted, as Keras accepts it: it changes nothing.
        include_top, weights, input_tensor, input_shape, pooling, classes: as of `VGG16`, like
            classifier_activation and name.
    """
    if weights == "imagenet" and (alpha not in ALPHAS or depth_multiplier != 1):
        raise ValueError(
            f"there are published weights for alpha {list(ALPHAS)} and depth_multiplier 1; "
            f"got {alpha} and {depth_multiplier}"
        )
    rows = 224 if input_shape is None else sizes_of(input_shape)[0]
    name = name or f"mobilenetv2_{alpha:.2f}_{rows}"
    ends = (include_top, weights, input_tensor, input_shape, pooling, classes)
    stem = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{float(alpha)}_{rows or 224}"
    return assembled(
        Asked(*ends, classifier_activation, name),
        partial(_body, alpha=alpha),
        Published(STORE, stem, without="_no_top"),
        rows if rows in SIZES else 224,
        top=partial(classified, name="Logits"),
    )
