"""Inception-ResNet-v2: sums of branches and shortcuts (Szegedy et al., 2016, arXiv:1602.07261)."""

from functools import partial
from typing import Any

from funkeras.applications import imagenet_utils
from funkeras.applications.imagenet_utils import (
    Asked,
    Published,
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
    Lambda,
    MaxPooling2D,
)
from funkeras.models import Model

__all__ = ["InceptionResNetV2", "decode_predictions", "preprocess_input"]

preprocess_input = partial(imagenet_utils.preprocess_input, mode="tf")
"""Pictures with values from 0 to 255, scaled to [-1, 1]."""

HASHES = ("e693bd0210a403b3192acc6073ad2e96", "d19885ff4a710c122648d3b5c3b684e4")

BLOCKS: dict[str, tuple[tuple[tuple[int, Any], ...], ...]] = {
    "block35": (((32, 1),), ((32, 1), (32, 3)), ((32, 1), (48, 3), (64, 3))),
    "block17": (((192, 1),), ((128, 1), (160, (1, 7)), (192, (7, 1)))),
    "block8": (((192, 1),), ((192, 1), (224, (1, 3)), (256, (3, 1)))),
}
"""Kind of block → its branches: filters and kernel of each convolution."""


def scaled_sum(inputs: Any, scale: float) -> Any:
    """The first input and a share of the second."""
    return inputs[0] + inputs[1] * scale


def _conv(
    x: Any, filters: int, size: Any, stride: int = 1, same: bool = True, name: Any = None
) -> Any:
    padding = "same" if same else "valid"
    x = Conv2D(filters, size, strides=stride, padding=padding, use_bias=False, name=name)(x)
    norm, relu = (None, None) if name is None else (f"{name}_bn", f"{name}_ac")
    return Activation("relu", name=relu)(
        BatchNormalization(axis=channel_axis(), scale=False, name=norm)(x)
    )


def _chain(x: Any, *convolutions: tuple[int, Any]) -> Any:
    for filters, size in convolutions:
        x = _conv(x, filters, size)
    return x


def _strided(x: Any, filters: int) -> Any:
    return _conv(x, filters, 3, 2, same=False)


def _joined(name: str, branches: list[Any]) -> Any:
    return Concatenate(axis=channel_axis(), name=name)(branches)


def _block(x: Any, kind: str, number: int, scale: float, activated: bool = True) -> Any:
    name = f"{kind}_{number}"
    mixed = _joined(f"{name}_mixed", [_chain(x, *branch) for branch in BLOCKS[kind]])
    change = Conv2D(x.shape[channel_axis()], 1, padding="same", name=f"{name}_conv")(mixed)
    x = Lambda(scaled_sum, arguments={"scale": scale}, name=name)([x, change])
    return Activation("relu", name=f"{name}_ac")(x) if activated else x


def _body(x: Any) -> Any:
    x = _conv(_strided(x, 32), 32, 3, same=False)
    x = MaxPooling2D(3, strides=2)(_conv(x, 64, 3))
    x = _conv(_conv(x, 80, 1, same=False), 192, 3, same=False)
    x = MaxPooling2D(3, strides=2)(x)
    one, five = _conv(x, 96, 1), _chain(x, (48, 1), (64, 5))
    three = _chain(x, (64, 1), (96, 3), (96, 3))
    averaged = _conv(AveragePooling2D(3, strides=1, padding="same")(x), 64, 1)
    x = _joined("mixed_5b", [one, five, three, averaged])
    for number in range(1, 11):
        x = _block(x, "block35", number, 0.17)
    three, twice = _strided(x, 384), _strided(_chain(x, (256, 1), (256, 3)), 384)
    x = _joined("mixed_6a", [three, twice, MaxPooling2D(3, strides=2)(x)])
    for number in range(1, 21):
        x = _block(x, "block17", number, 0.1)
    one = _strided(_conv(x, 256, 1), 384)
    two = _strided(_conv(x, 256, 1), 288)
    three = _strided(_chain(x, (256, 1), (288, 3)), 320)
    x = _joined("mixed_7a", [one, two, three, MaxPooling2D(3, strides=2)(x)])
    for number in range(1, 10):
        x = _block(x, "block8", number, 0.2)
    x = _block(x, "block8", 10, 1.0, activated=False)
    return _conv(x, 1536, 1, name="conv_7b")


def _net(asked: Asked) -> Model:
    stem = "inception_resnet_v2_weights_tf_dim_ordering_tf_kernels"
    published = Published("inception_resnet_v2", stem, HASHES)
    return assembled(asked, _body, published, 299, 75)


InceptionResNetV2 = net(_net, "InceptionResNetV2", "inception_resnet_v2")
"""The net for pictures of 299×299; arguments as of `VGG16`."""
