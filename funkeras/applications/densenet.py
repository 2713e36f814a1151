"""DenseNet: each layer sees all before it (Huang et al., 2016, arXiv:1608.06993)."""

from functools import partial
from typing import Any

from funkeras.applications import imagenet_utils
from funkeras.applications.imagenet_utils import (
    Asked,
    Published,
    assembled,
    channel_axis,
    classified,
    decode_predictions,
    net,
    pooled,
)
from funkeras.layers import (
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    MaxPooling2D,
    ZeroPadding2D,
)
from funkeras.models import Model

__all__ = ["DenseNet121", "DenseNet169", "DenseNet201", "decode_predictions", "preprocess_input"]

preprocess_input = partial(imagenet_utils.preprocess_input, mode="torch")
"""Pictures with values from 0 to 255, scaled by the means and deviations of the data."""

GROWTH = 32
"""Channels that each layer adds."""

NETS = {
    121: (6, 12, 24, 16),
    169: (6, 12, 32, 32),
    201: (6, 12, 48, 32),
}
"""Number of layers → layers in each block."""

HASHES = {
    121: ("9d60b8095a5708f2dcce2bca79d332c7", "30ee3e1110167f948a6b9946edeeb738"),
    169: ("d699b8f76981ab1b30698df4c175e90b", "b8c4d4c20dd625c148057b9ff1c1176b"),
    201: ("1ceb130c1ea1b78c3bf6114dbdfd8807", "c13680b51ded0fb44dff2d8f86ac8bb1"),
}
"""Number of layers → hashes of the published weights, with the top and without."""


def _normalized(x: Any, norm: str, relu: str) -> Any:
    x = BatchNormalization(axis=channel_axis(), epsilon=1.001e-5, name=norm)(x)
    return Activation("relu", name=relu)(x)


def _widened(x: Any, name: str) -> Any:
    """What came, and the channels that a layer adds to it."""
    y = _normalized(x, f"{name}_0_bn", f"{name}_0_relu")
    y = Conv2D(4 * GROWTH, 1, use_bias=False, name=f"{name}_1_conv")(y)
    y = _normalized(y, f"{name}_1_bn", f"{name}_1_relu")
    y = Conv2D(GROWTH, 3, padding="same", use_bias=False, name=f"{name}_2_conv")(y)
    return Concatenate(axis=channel_axis(), name=f"{name}_concat")([x, y])


def _halved(x: Any, name: str) -> Any:
    """Half as many channels, rows and columns."""
    x = _normalized(x, f"{name}_bn", f"{name}_relu")
    x = Conv2D(x.shape[channel_axis()] // 2, 1, use_bias=False, name=f"{name}_conv")(x)
    return AveragePooling2D(2, strides=2, name=f"{name}_pool")(x)


def _body(x: Any, counts: tuple[int, ...]) -> Any:
    x = ZeroPadding2D(3)(x)
    x = Conv2D(64, 7, strides=2, use_bias=False, name="conv1/conv")(x)
    x = _normalized(x, "conv1/bn", "conv1/relu")
    x = MaxPooling2D(3, strides=2, name="pool1")(ZeroPadding2D(1)(x))
    for stage, count in enumerate(counts, 2):
        x = _halved(x, f"pool{stage - 1}") if stage > 2 else x
        for number in range(count):
            x = _widened(x, f"conv{stage}_block{number + 1}")
    return _normalized(x, "bn", "relu")


def _dense_net(depth: int, asked: Asked) -> Model:
    stem = f"densenet{depth}_weights_tf_dim_ordering_tf_kernels"
    return assembled(
        asked,
        partial(_body, counts=NETS[depth]),
        Published("densenet", stem, HASHES[depth]),
        top=partial(classified, name="fc1000"),
        bottom=partial(pooled, named=True),
    )


DenseNet121 = net(partial(_dense_net, 121), "DenseNet121")
"""The net with 121 layers that have weights; arguments as of `VGG16`."""
DenseNet169 = net(partial(_dense_net, 169), "DenseNet169")
"""The net with 169 layers that have weights; arguments as of `VGG16`."""
DenseNet201 = net(partial(_dense_net, 201), "DenseNet201")
"""The net with 201 layers that have weights; arguments as of `VGG16`."""
