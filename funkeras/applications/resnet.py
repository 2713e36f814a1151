"""ResNet50, 101 and 152: sums with shortcuts (He et al., 2015, arXiv:1512.03385)."""

from functools import partial
from typing import Any

from funkeras import config
from funkeras.applications.imagenet_utils import (
    Asked,
    Published,
    assembled,
    channel_axis,
    classified,
    decode_predictions,
    net,
    pooled,
    preprocess_input,
)
from funkeras.layers import Activation, Add, BatchNormalization, Conv2D, MaxPooling2D, ZeroPadding2D
from funkeras.models import Model

__all__ = ["ResNet50", "ResNet101", "ResNet152", "decode_predictions", "preprocess_input"]

FILTERS = (64, 128, 256, 512)
BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
"""Number of layers → blocks of each stage, which has those filters."""

HASHES = {
    50: ("2cb95161c43110f7111970584f804107", "4d473c1dd8becc155b73f8504c6f6626"),
    101: ("f1aeb4b969a6efcfb50fad2f0c20cfc5", "88cf7a10940856eca736dc7b7e228a21"),
    152: ("100835be76be38e30d865e96f2aaae62", "ee4c566cf9a93f14d82f913c2dc6dd0c"),
}
"""Number of layers → hashes of the published weights, with the top and without."""

OLD = "https://github.com/fchollet/deep-learning-models/releases/download/v0.2"
"""Where those of Keras 1 and 2 are, whose layers of ResNet50 stand in another order."""


class Names:
    """What layers are called: `res2a_branch2a` in Keras 1 and 2, `conv2_block1_1_conv` later.

    The former had names for convolutions and normalizations alone.
    """

    def __init__(self, modern: bool) -> None:
        self.modern = modern
        self.epsilon = 1.001e-5 if modern else 1e-3

    def of(self, stage: int, block: int, part: int | None, kind: str) -> str | None:
        """Of a layer of that kind in a block, counted from 0; part 0 is the shortcut."""
        if self.modern:
            return f"conv{stage}_block{block + 1}_{kind if part is None else f'{part}_{kind}'}"
        if part is None or kind == "relu":
            return None
        where = f"{stage}{chr(ord('a') + block)}_branch" + ("1", "2a", "2b", "2c")[part]
        return {"conv": "res", "bn": "bn"}[kind] + where


def normalized(x: Any, norm: str | None, relu: str | None = None, epsilon: float = 1.001e-5) -> Any:
    """Normalized and activated."""
    x = BatchNormalization(axis=channel_axis(), epsilon=epsilon, name=norm)(x)
    return Activation("relu", name=relu)(x)


def _block(x: Any, names: Names, stage: int, block: int, filters: int, stride: int) -> Any:
    name = partial(names.of, stage, block)

    def convolved(x: Any, part: int, filters: int, size: int = 1, stride: int = 1) -> Any:
        conv = Conv2D(filters, size, strides=stride, padding="same", name=name(part, "conv"))
        norm = {"epsilon": names.epsilon, "name": name(part, "bn")}
        return BatchNormalization(axis=channel_axis(), **norm)(conv(x))

    def short(x: Any) -> Any:
        return convolved(x, 0, 4 * filters, 1, stride) if block == 0 else x

    shortcut = short(x) if names.modern else None
    y = Activation("relu", name=name(1, "relu"))(convolved(x, 1, filters, 1, stride))
    y = Activation("relu", name=name(2, "relu"))(convolved(y, 2, filters, 3))
    y = convolved(y, 3, 4 * filters)
    shortcut = short(x) if shortcut is None else shortcut
    y = Add(name=name(None, "add"))([shortcut, y] if names.modern else [y, shortcut])
    return Activation("relu", name=name(None, "out"))(y)


def _body(x: Any, names: Names, blocks: tuple[int, ...]) -> Any:
    conv, norm = ("conv1_conv", "conv1_bn") if names.modern else ("conv1", "bn_conv1")
    relu, pool = ("conv1_relu", "pool1_pool") if names.modern else (None, None)
    x = ZeroPadding2D((3, 3), name="conv1_pad")(x)
    x = Conv2D(64, 7, strides=2, padding="valid", name=conv)(x)
    x = normalized(x, norm, relu, names.epsilon)
    x = ZeroPadding2D((1, 1), name="pool1_pad")(x)
    x = MaxPooling2D(3, strides=2, name=pool)(x)
    for stage, (filters, count) in enumerate(zip(FILTERS, blocks, strict=True), 2):
        for block in range(count):
            x = _block(x, names, stage, block, filters, 1 if block or stage == 2 else 2)
    return x


def _resnet(depth: int, asked: Asked) -> Model:
    modern = depth != 50 or config.dialect() == "modern"
    stem = f"resnet{depth}_weights_tf_dim_ordering_tf_kernels"
    return assembled(
        asked,
        partial(_body, names=Names(modern), blocks=BLOCKS[depth]),
        Published("resnet", stem, HASHES[depth]) if modern else Published(OLD, stem),
        top=partial(classified, name="predictions" if modern else "fc1000"),
        bottom=partial(pooled, named=modern),
    )


ResNet50 = net(partial(_resnet, 50), "ResNet50")
"""The net with 50 layers that have weights; arguments as of `VGG16`.

Layers are named as the dialect's generation names them, whose published weights it takes.
"""
ResNet101 = net(partial(_resnet, 101), "ResNet101")
"""The net with 101 layers that have weights; arguments as of `VGG16`."""
ResNet152 = net(partial(_resnet, 152), "ResNet152")
"""The net with 152 layers that have weights; arguments as of `VGG16`."""
