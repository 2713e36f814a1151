"""ResNet50V2, 101V2 and 152V2: shortcuts that nothing activates (He et al., 2016).

"Identity mappings in deep residual networks", arXiv:1603.05027.
"""

from functools import partial
from typing import Any

from funkeras.applications import imagenet_utils
from funkeras.applications.imagenet_utils import (
    Asked,
    Published,
    assembled,
    decode_predictions,
    net,
    pooled,
)
from funkeras.applications.resnet import BLOCKS, FILTERS, normalized
from funkeras.layers import Add, Conv2D, MaxPooling2D, ZeroPadding2D
from funkeras.models import Model

__all__ = ["ResNet50V2", "ResNet101V2", "ResNet152V2", "decode_predictions", "preprocess_input"]

preprocess_input = partial(imagenet_utils.preprocess_input, mode="tf")
"""Pictures with values from 0 to 255, scaled to [-1, 1]."""

HASHES = {
    50: ("3ef43a0b657b3be2300d5770ece849e0", "fac2f116257151a9d068a22e544a4917"),
    101: ("6343647c601c52e1368623803854d971", "c0ed64b8031c3730f411d2eb4eea35b5"),
    152: ("a49b44d1979771252814e80f8ec446f9", "ed17cf2e0169df9d443503ef94b23b33"),
}
"""Number of layers → hashes of the published weights, with the top and without."""


def _block(x: Any, name: str, filters: int, stride: int, widened: bool) -> Any:
    """Normalization and activation before each convolution; `widened`, so is the shortcut."""
    y = normalized(x, f"{name}_preact_bn", f"{name}_preact_relu")
    if widened:
        shortcut = Conv2D(4 * filters, 1, strides=stride, name=f"{name}_0_conv")(y)
    else:
        shortcut = MaxPooling2D(1, strides=stride)(x) if stride > 1 else x
    y = Conv2D(filters, 1, use_bias=False, name=f"{name}_1_conv")(y)
    y = normalized(y, f"{name}_1_bn", f"{name}_1_relu")
    y = ZeroPadding2D(1, name=f"{name}_2_pad")(y)
    y = Conv2D(filters, 3, strides=stride, use_bias=False, name=f"{name}_2_conv")(y)
    y = normalized(y, f"{name}_2_bn", f"{name}_2_relu")
    y = Conv2D(4 * filters, 1, name=f"{name}_3_conv")(y)
    return Add(name=f"{name}_out")([shortcut, y])


def _body(x: Any, blocks: tuple[int, ...]) -> Any:
    """Stages whose last block halves rows and columns, but for the last stage."""
    x = ZeroPadding2D(3, name="conv1_pad")(x)
    x = Conv2D(64, 7, strides=2, name="conv1_conv")(x)
    x = ZeroPadding2D(1, name="pool1_pad")(x)
    x = MaxPooling2D(3, strides=2, name="pool1_pool")(x)
    for stage, (filters, count) in enumerate(zip(FILTERS, blocks, strict=True), 2):
        for block in range(1, count + 1):
            stride = 2 if block == count and stage < 5 else 1
            x = _block(x, f"conv{stage}_block{block}", filters, stride, widened=block == 1)
    return normalized(x, "post_bn", "post_relu")


def _resnet(depth: int, asked: Asked) -> Model:
    stem = f"resnet{depth}v2_weights_tf_dim_ordering_tf_kernels"
    return assembled(
        asked,
        partial(_body, blocks=BLOCKS[depth]),
        Published("resnet", stem, HASHES[depth]),
        bottom=partial(pooled, named=True),
    )


ResNet50V2 = net(partial(_resnet, 50), "ResNet50V2")
"""The net with 50 layers that have weights; arguments as of `VGG16`."""
ResNet101V2 = net(partial(_resnet, 101), "ResNet101V2")
"""The net with 101 layers that have weights; arguments as of `VGG16`."""
ResNet152V2 = net(partial(_resnet, 152), "ResNet152V2")
"""The net with 152 layers that have weights; arguments as of `VGG16`."""
