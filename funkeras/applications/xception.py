"""Xception: separable convolutions with shortcuts (Chollet, 2016, arXiv:1610.02357)."""

from functools import partial
from typing import Any

from funkeras.applications import imagenet_utils
from funkeras.applications.imagenet_utils import (
    Asked,
    Published,
    addresses,
    assembled,
    channel_axis,
    decode_predictions,
    net,
)
from funkeras.layers import (
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    MaxPooling2D,
    SeparableConv2D,
)
from funkeras.models import Model

__all__ = ["Xception", "decode_predictions", "preprocess_input"]

preprocess_input = partial(imagenet_utils.preprocess_input, mode="tf")
"""Pictures with values from 0 to 255, scaled to [-1, 1]."""

TF_WEIGHTS_PATH, TF_WEIGHTS_PATH_NO_TOP = addresses("v0.4", "xception", ["tf"])

HASHES = ("0a58e3b7378bc2990ea3b43d5981f1f6", "b0042744bf5b25fce3cb969f33bebb97")


def _normalized(x: Any, name: str | None = None) -> Any:
    return BatchNormalization(axis=channel_axis(), name=name and f"{name}_bn")(x)


def _activated(x: Any, name: str) -> Any:
    return Activation("relu", name=f"{name}_act")(x)


def _separable(x: Any, name: str, filters: int) -> Any:
    x = SeparableConv2D(filters, 3, padding="same", use_bias=False, name=name)(x)
    return _normalized(x, name)


def _reducing(x: Any, number: int, first: int, second: int, activated: bool = True) -> Any:
    """Two separable convolutions and a pooling beside a shortcut, half the rows and columns."""
    name = f"block{number}"
    shortcut = Conv2D(second, 1, strides=2, padding="same", use_bias=False)(x)
    shortcut = _normalized(shortcut)
    x = _activated(x, f"{name}_sepconv1") if activated else x
    x = _separable(x, f"{name}_sepconv1", first)
    x = _separable(_activated(x, f"{name}_sepconv2"), f"{name}_sepconv2", second)
    x = MaxPooling2D(3, strides=2, padding="same", name=f"{name}_pool")(x)
    return Add()([x, shortcut])


def _body(x: Any) -> Any:
    for name, filters, stride in (("block1_conv1", 32, 2), ("block1_conv2", 64, 1)):
        x = Conv2D(filters, 3, strides=stride, padding="valid", use_bias=False, name=name)(x)
        x = _activated(_normalized(x, name), name)
    x = _reducing(x, 2, 128, 128, activated=False)
    x = _reducing(x, 3, 256, 256)
    x = _reducing(x, 4, 728, 728)
    for number in range(5, 13):
        shortcut = x
        for part in range(1, 4):
            name = f"block{number}_sepconv{part}"
            x = _separable(_activated(x, name), name, 728)
        x = Add()([x, shortcut])
    x = _reducing(x, 13, 728, 1024)
    for name, filters in (("block14_sepconv1", 1536), ("block14_sepconv2", 2048)):
        x = _activated(_separable(x, name, filters), name)
    return x


def _net(asked: Asked) -> Model:
    stem = "xception_weights_tf_dim_ordering_tf_kernels"
    return assembled(asked, _body, Published("xception", stem, HASHES), 299, 71)


Xception = net(_net, "Xception")
"""The net for pictures of 299×299; arguments as of `VGG16`."""
