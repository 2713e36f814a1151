"""MobileNet: depthwise convolutions (Howard et al., 2017, arXiv:1704.04861)."""

from functools import partial
from typing import Any

from funkeras.applications import imagenet_utils
from funkeras.applications.imagenet_utils import (
    Asked,
    Published,
    activation_of,
    assembled,
    channel_axis,
    decode_predictions,
    sizes_of,
)
from funkeras.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    Dropout,
    GlobalAveragePooling2D,
    ReLU,
    Reshape,
    ZeroPadding2D,
)
from funkeras.models import Model

__all__ = ["MobileNet", "decode_predictions", "preprocess_input"]

preprocess_input = partial(imagenet_utils.preprocess_input, mode="tf")
"""Pictures with values from 0 to 255, scaled to [-1, 1]."""

BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5)
BLOCKS += ((1024, 2), (1024, 1))
"""Filters and strides of each pair of a depthwise and a pointwise convolution."""

ALPHAS = {1.0: "1_0", 0.75: "7_5", 0.5: "5_0", 0.25: "2_5"}
"""Widths of the published nets, as their files write them."""


def _normalized(x: Any, name: str) -> Any:
    x = BatchNormalization(axis=channel_axis(), name=f"{name}_bn")(x)
    return ReLU(6.0, name=f"{name}_relu")(x)


def _body(x: Any, alpha: float, depth_multiplier: int) -> Any:
    x = Conv2D(int(32 * alpha), 3, strides=2, padding="same", use_bias=False, name="conv1")(x)
    x = _normalized(x, "conv1")
    for number, (filters, stride) in enumerate(BLOCKS, 1):
        if stride == 2:
            x = ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{number}")(x)
        x = DepthwiseConv2D(
            3,
            padding="same" if stride == 1 else "valid",
            depth_multiplier=depth_multiplier,
            strides=stride,
            use_bias=False,
            name=f"conv_dw_{number}",
        )(x)
        x = _normalized(x, f"conv_dw_{number}")
        name = f"conv_pw_{number}"
        x = Conv2D(int(filters * alpha), 1, padding="same", use_bias=False, name=name)(x)
        x = _normalized(x, name)
    return x


def _top(x: Any, asked: Asked, dropout: float) -> Any:
    depth = x.shape[channel_axis()]
    x = GlobalAveragePooling2D()(x)
    x = Reshape((1, 1, depth) if channel_axis() == -1 else (depth, 1, 1), name="reshape_1")(x)
    x = Dropout(dropout, name="dropout")(x)
    x = Conv2D(asked.classes, 1, padding="same", name="conv_preds")(x)
    x = Reshape((asked.classes,), name="reshape_2")(x)
    return Activation(activation_of(asked), name="act_softmax")(x)


def MobileNet(  # noqa: N802
    input_shape: Any = None,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    dropout: float = 0.001,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: Any = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Model:
    """A small net for phones.

    Args:
        alpha: share of the filters that each layer has.
        depth_multiplier: outputs of a depthwise convolution per channel.
        dropout: before the classifier.
        include_top, weights, input_tensor, input_shape, pooling, classes: as of `VGG16`, like
            classifier_activation and name.
    """
    rows = 224 if input_shape is None else sizes_of(input_shape)[0]
    if weights == "imagenet" and (alpha not in ALPHAS or depth_multiplier != 1):
        raise ValueError(
            f"there are published weights for alpha {sorted(ALPHAS)} and depth_multiplier 1; "
            f"got {alpha} and {depth_multiplier}"
        )
    name = name or f"mobilenet_{alpha:.2f}_{rows}"
    ends = (include_top, weights, input_tensor, input_shape, pooling, classes)
    return assembled(
        Asked(*ends, classifier_activation, name),
        partial(_body, alpha=alpha, depth_multiplier=depth_multiplier),
        Published(
            "mobilenet", f"mobilenet_{ALPHAS.get(alpha)}_{rows or 224}_tf", without="_no_top"
        ),
        rows if weights == "imagenet" and rows in (128, 160, 192, 224) else 224,
        top=partial(_top, dropout=dropout),
    )
