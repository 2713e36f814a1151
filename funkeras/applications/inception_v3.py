"""InceptionV3: branches of convolutions side by side (Szegedy et al., 2015, arXiv:1512.00567)."""

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
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    MaxPooling2D,
)
from funkeras.models import Model

__all__ = ["InceptionV3", "decode_predictions", "preprocess_input"]

preprocess_input = partial(imagenet_utils.preprocess_input, mode="tf")
"""Pictures with values from 0 to 255, scaled to [-1, 1]."""

(TF_WEIGHTS_PATH, TF_WEIGHTS_PATH_NO_TOP, TH_WEIGHTS_PATH, TH_WEIGHTS_PATH_NO_TOP) = addresses(
    "v0.2", "inception_v3"
)

HASHES = ("9a0d58056eeedaa3f26cb7ebd46da564", "bcbd6486424b2319ff4ef7d526e38f63")


def _conv(x: Any, filters: int, rows: int, columns: int, stride: int = 1, same: bool = True) -> Any:
    padding = "same" if same else "valid"
    x = Conv2D(filters, (rows, columns), strides=stride, padding=padding, use_bias=False)(x)
    return Activation("relu")(BatchNormalization(axis=channel_axis(), scale=False)(x))


def _chain(x: Any, *convolutions: tuple[int, int, int]) -> Any:
    """Convolutions in turn: filters, rows, columns."""
    for filters, rows, columns in convolutions:
        x = _conv(x, filters, rows, columns)
    return x


def _averaged(x: Any, filters: int) -> Any:
    return _conv(AveragePooling2D(3, strides=1, padding="same")(x), filters, 1, 1)


def _mixed(number: int | str, branches: list[Any]) -> Any:
    return Concatenate(axis=channel_axis(), name=f"mixed{number}")(branches)


def _split(x: Any, filters: int) -> list[Any]:
    return [_conv(x, filters, 1, 3), _conv(x, filters, 3, 1)]


def _body(x: Any) -> Any:
    x = _conv(x, 32, 3, 3, 2, same=False)
    x = _conv(x, 32, 3, 3, same=False)
    x = _conv(x, 64, 3, 3)
    x = MaxPooling2D(3, strides=2)(x)
    x = _conv(x, 80, 1, 1, same=False)
    x = _conv(x, 192, 3, 3, same=False)
    x = MaxPooling2D(3, strides=2)(x)
    for number, pooled in enumerate((32, 64, 64)):
        one = _conv(x, 64, 1, 1)
        five = _chain(x, (48, 1, 1), (64, 5, 5))
        three = _chain(x, (64, 1, 1), (96, 3, 3), (96, 3, 3))
        x = _mixed(number, [one, five, three, _averaged(x, pooled)])
    three = _conv(x, 384, 3, 3, 2, same=False)
    twice = _conv(_chain(x, (64, 1, 1), (96, 3, 3)), 96, 3, 3, 2, same=False)
    x = _mixed(3, [three, twice, MaxPooling2D(3, strides=2)(x)])
    for number, width in ((4, 128), (5, 160), (6, 160), (7, 192)):
        one = _conv(x, 192, 1, 1)
        seven = _chain(x, (width, 1, 1), (width, 1, 7), (192, 7, 1))
        half = ((width, 7, 1), (width, 1, 7))
        twice = _chain(x, (width, 1, 1), *half, (width, 7, 1), (192, 1, 7))
        x = _mixed(number, [one, seven, twice, _averaged(x, 192)])
    three = _conv(_conv(x, 192, 1, 1), 320, 3, 3, 2, same=False)
    seven = _chain(x, (192, 1, 1), (192, 1, 7), (192, 7, 1))
    seven = _conv(seven, 192, 3, 3, 2, same=False)
    x = _mixed(8, [three, seven, MaxPooling2D(3, strides=2)(x)])
    for number in (0, 1):
        one = _conv(x, 320, 1, 1)
        three = _mixed(f"9_{number}", _split(_conv(x, 384, 1, 1), 384))
        twice = _split(_chain(x, (448, 1, 1), (384, 3, 3)), 384)
        twice = Concatenate(axis=channel_axis())(twice)
        x = _mixed(9 + number, [one, three, twice, _averaged(x, 192)])
    return x


def _net(asked: Asked) -> Model:
    stem = "inception_v3_weights_tf_dim_ordering_tf_kernels"
    return assembled(asked, _body, Published("inception_v3", stem, HASHES), 299, 75)


InceptionV3 = net(_net, "InceptionV3", "inception_v3")
"""The net for pictures of 299×299; arguments as of `VGG16`.

It is that of Keras 2 and 3: in Keras 1 the activation came before the normalization, and its
published weights belong to that other net.
"""
