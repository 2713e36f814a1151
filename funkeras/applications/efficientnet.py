"""EfficientNetB0 to B7: one net, wider and deeper in step (Tan and Le, 2019, arXiv:1905.11946)."""

import math
from functools import partial
from typing import Any

from funkeras.applications.blocks import Style, convolved, divisible, inverted_residual
from funkeras.applications.imagenet_utils import (
    TORCH,
    Asked,
    Published,
    assembled,
    channel_axis,
    decode_predictions,
    dense,
    net,
    pooled,
    strided_edges,
    unchanged,
)
from funkeras.initializers import VarianceScaling
from funkeras.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    Dropout,
    GlobalAveragePooling2D,
    Multiply,
    Normalization,
    Rescaling,
    Reshape,
    ZeroPadding2D,
)
from funkeras.models import Model

__all__ = [
    "EfficientNetB0",
    "EfficientNetB1",
    "EfficientNetB2",
    "EfficientNetB3",
    "EfficientNetB4",
    "EfficientNetB5",
    "EfficientNetB6",
    "EfficientNetB7",
    "decode_predictions",
    "preprocess_input",
]

preprocess_input = unchanged

STAGES = (
    (1, 16, 3, 1, 1),
    (2, 24, 3, 2, 6),
    (2, 40, 5, 2, 6),
    (3, 80, 3, 2, 6),
    (3, 112, 5, 1, 6),
    (4, 192, 5, 2, 6),
    (1, 320, 3, 1, 6),
)
"""Blocks, filters, kernel, stride of the first block, and how much wider the middle of each is."""

NETS: dict[str, tuple[float, float, int, float, tuple[str, str]]] = {
    "b0": (
        *(1.0, 1.0, 224, 0.2),
        ("902e53a9f72be733fc0bcb005b3ebbac", "50bc09e76180e00e4465e1a485ddc09d"),
    ),
    "b1": (
        *(1.0, 1.1, 240, 0.2),
        ("1d254153d4ab51201f1646940f018540", "74c4e6b3e1f6a1eea24c589628592432"),
    ),
    "b2": (
        *(1.1, 1.2, 260, 0.3),
        ("b15cce36ff4dcbd00b6dd88e7857a6ad", "111f8e2ac8aa800a7a99e3239f7bfb39"),
    ),
    "b3": (
        *(1.2, 1.4, 300, 0.3),
        ("ffd1fdc53d0ce67064dc6a9c7960ede0", "af6d107764bb5b1abb91932881670226"),
    ),
    "b4": (
        *(1.4, 1.8, 380, 0.4),
        ("18c95ad55216b8f92d7e70b3a046e2fc", "ebc24e6d6c33eaebbd558eafbeedf1ba"),
    ),
    "b5": (
        *(1.6, 2.2, 456, 0.4),
        ("ace28f2a6363774853a83a0b21b9421a", "38879255a25d3c92d5e44e04ae6cec6f"),
    ),
    "b6": (
        *(1.8, 2.6, 528, 0.5),
        ("165f6e37dce68623721b423839de8be5", "9ecce42647a20130c1f39a5d4cb75743"),
    ),
    "b7": (
        *(2.0, 3.1, 600, 0.5),
        ("8c03f828fec3ef71311cd463b6759d99", "cbcfe4450ddf6f3ad90b1b398090fe4a"),
    ),
}
"""Net → width, depth, size of its pictures, dropout before its classes, and hashes."""

STORE = "https://storage.googleapis.com/keras-applications"

DROPPED = 0.2
"""The share of pictures for which training leaves out the last block; less for those before."""

KERNELS = VarianceScaling(2.0, "fan_out", "truncated_normal")
CLASSES = VarianceScaling(1 / 3, "fan_out", "uniform")


def style_of(depthwise: str, pad: str, momentum: float) -> Style:
    """How EfficientNets make their blocks."""
    return Style(
        expand=("expand_conv", "expand_bn", "expand_activation"),
        depthwise=(depthwise, "bn", "activation"),
        project=("project_conv", "project_bn", "project_activation"),
        pad=pad,
        add="add",
        normalization=partial(BatchNormalization, axis=channel_axis(), momentum=momentum),
        activation=partial(Activation, "swish"),
        initializer=KERNELS,
    )


def gated(x: Any, narrow: int, name: str) -> Any:
    """Each channel times a share that all channels' means choose, by way of `narrow` numbers."""
    filters = x.shape[channel_axis()]
    shape = (1, 1, filters) if channel_axis() == -1 else (filters, 1, 1)
    options = {"padding": "same", "kernel_initializer": KERNELS}
    y = GlobalAveragePooling2D(name=f"{name}se_squeeze")(x)
    y = Reshape(shape, name=f"{name}se_reshape")(y)
    y = Conv2D(narrow, 1, activation="swish", name=f"{name}se_reduce", **options)(y)
    y = Conv2D(filters, 1, activation="sigmoid", name=f"{name}se_expand", **options)(y)
    return Multiply(name=f"{name}se_excite")([x, y])


def block(
    x: Any, filters: int, wider: int, size: int, stride: int, style: Style, name: str, drop: float
) -> Any:
    """An inverted residual block with a gate."""
    channels = x.shape[channel_axis()]
    gate = partial(gated, narrow=max(1, channels // 4), name=name)
    wide = None if wider == 1 else channels * wider
    return inverted_residual(x, filters, wide, size, stride, style, name, gate, drop)


def top(x: Any, asked: Asked, dropout: float) -> Any:
    """Means over the places, dropped at times, and of them the classes."""
    x = GlobalAveragePooling2D(name="avg_pool")(x)
    x = Dropout(dropout, name="top_dropout")(x)
    return dense(x, asked, kernel_initializer=CLASSES)


def _body(x: Any, width: float, depth: float, published: bool) -> Any:
    style = style_of("dwconv", "dwconv_pad", 0.99)
    x = Rescaling(1 / 255)(x)
    x = Normalization(axis=channel_axis())(x)
    if published:
        # The published weights were trained on what is divided by the deviations' roots once more:
        # https://github.com/tensorflow/tensorflow/issues/49930
        x = Rescaling([1 / math.sqrt(deviation) for deviation in TORCH[1]])(x)
    x = ZeroPadding2D(strided_edges(x, 3), name="stem_conv_pad")(x)
    names = ("stem_conv", "stem_bn", "stem_activation")
    x = convolved(x, divisible(32 * width), 3, style, "", names, stride=2, padding="valid")
    counts = [math.ceil(depth * count) for count, *_ in STAGES]
    number = 0
    for stage, (_, filters, size, stride, wider) in enumerate(STAGES):
        own = divisible(filters * width)
        for place in range(counts[stage]):
            name = f"block{stage + 1}{chr(ord('a') + place)}_"
            drop = DROPPED * number / sum(counts)
            x = block(x, own, wider, size, 1 if place else stride, style, name, drop)
            number += 1
    return convolved(
        x, divisible(1280 * width), 1, style, "", ("top_conv", "top_bn", "top_activation")
    )


def _efficient_net(kind: str, asked: Asked) -> Model:
    width, depth, size, dropout, hashes = NETS[kind]
    return assembled(
        asked,
        partial(_body, width=width, depth=depth, published=asked.weights == "imagenet"),
        Published(STORE, f"efficientnet{kind}", hashes),
        size,
        top=partial(top, dropout=dropout),
        bottom=partial(pooled, named=True),
    )


EfficientNetB0 = net(partial(_efficient_net, "b0"), "EfficientNetB0")
"""The smallest net, for pictures of 224×224; arguments as of `VGG16`."""
EfficientNetB1 = net(partial(_efficient_net, "b1"), "EfficientNetB1")
"""The net for pictures of 240×240; arguments as of `VGG16`."""
EfficientNetB2 = net(partial(_efficient_net, "b2"), "EfficientNetB2")
"""The net for pictures of 260×260; arguments as of `VGG16`."""
EfficientNetB3 = net(partial(_efficient_net, "b3"), "EfficientNetB3")
"""The net for pictures of 300×300; arguments as of `VGG16`."""
EfficientNetB4 = net(partial(_efficient_net, "b4"), "EfficientNetB4")
"""The net for pictures of 380×380; arguments as of `VGG16`."""
EfficientNetB5 = net(partial(_efficient_net, "b5"), "EfficientNetB5")
"""The net for pictures of 456×456; arguments as of `VGG16`."""
EfficientNetB6 = net(partial(_efficient_net, "b6"), "EfficientNetB6")
"""The net for pictures of 528×528; arguments as of `VGG16`."""
EfficientNetB7 = net(partial(_efficient_net, "b7"), "EfficientNetB7")
"""The largest net, for pictures of 600×600; arguments as of `VGG16`."""
