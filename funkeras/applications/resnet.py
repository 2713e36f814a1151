"""ResNet50: sums with shortcuts (He et al., 2015, arXiv:1512.03385)."""

from typing import Any

from funkeras import config
from funkeras.applications.imagenet_utils import channel_axis, ending, entry, filled
from funkeras.layers import Activation, Add, BatchNormalization, Conv2D, MaxPooling2D, ZeroPadding2D
from funkeras.models import Model

__all__ = ["ResNet50"]

STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))
"""Filters, blocks and stride of the first block of each stage."""

FILES = {
    False: (
        "https://github.com/fchollet/deep-learning-models/releases/download/v0.2",
        (None, None),
    ),
    True: ("resnet", ("2cb95161c43110f7111970584f804107", "4d473c1dd8becc155b73f8504c6f6626")),
}
"""Whether of Keras 3 → where the weights are, in that generation's order, and their hashes."""


class _Names:
    """What layers are called: `res2a_branch2a` in Keras 1 and 2, `conv2_block1_1_conv` later."""

    def __init__(self, modern: bool) -> None:
        self.modern = modern
        self.epsilon = 1.001e-5 if modern else 1e-3

    def conv(self, stage: int, block: int, part: int) -> tuple[str, str]:
        """Of a convolution and its normalization; part 0 is the shortcut."""
        if self.modern:
            name = f"conv{stage}_block{block + 1}_{part}"
            return f"{name}_conv", f"{name}_bn"
        where = f"{stage}{chr(ord('a') + block)}_branch" + ("1", "2a", "2b", "2c")[part]
        return f"res{where}", f"bn{where}"


def _block(x: Any, names: _Names, stage: int, block: int, filters: int, stride: int) -> Any:
    def convolved(x: Any, part: int, filters: int, size: int, stride: int) -> Any:
        conv, norm = names.conv(stage, block, part)
        x = Conv2D(filters, size, strides=stride, padding="same", name=conv)(x)
        return BatchNormalization(axis=channel_axis(), epsilon=names.epsilon, name=norm)(x)

    def short(x: Any) -> Any:
        return convolved(x, 0, 4 * filters, 1, stride) if block == 0 else x

    shortcut = short(x) if names.modern else None
    y = Activation("relu")(convolved(x, 1, filters, 1, stride))
    y = Activation("relu")(convolved(y, 2, filters, 3, 1))
    y = convolved(y, 3, 4 * filters, 1, 1)
    shortcut = short(x) if shortcut is None else shortcut
    return Activation("relu")(Add()([shortcut, y] if names.modern else [y, shortcut]))


def ResNet50(  # noqa: N802
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: Any = None,
    classes: int = 1000,
) -> Model:
    """The net with 50 layers that have weights; arguments as of `VGG16`.

    Layers are named as the dialect's generation names them, whose published weights it takes.
    """
    if isinstance(pooling, int):  # the fifth argument of Keras 1
        pooling, classes = None, pooling
    modern = config.dialect() == "modern"
    names = _Names(modern)
    begin = entry(input_tensor, input_shape, 224, 32, include_top, weights, classes)
    first, norm = ("conv1_conv", "conv1_bn") if modern else ("conv1", "bn_conv1")
    x = ZeroPadding2D((3, 3), name="conv1_pad")(begin)
    x = Conv2D(64, 7, strides=2, padding="valid", name=first)(x)
    x = BatchNormalization(axis=channel_axis(), epsilon=names.epsilon, name=norm)(x)
    x = Activation("relu")(x)
    x = ZeroPadding2D((1, 1), name="pool1_pad")(x)
    x = MaxPooling2D(3, strides=2)(x)
    for stage, (filters, count, stride) in enumerate(STAGES, 2):
        for block in range(count):
            x = _block(x, names, stage, block, filters, stride if block == 0 else 1)
    x = ending(x, include_top, pooling, classes, name="" if modern else "fc1000")
    folder, hashes = FILES[modern]
    stem = "resnet50_weights_tf_dim_ordering_tf_kernels"
    return filled(Model(begin, x, name="resnet50"), weights, folder, stem, hashes)
