"""VGG16 and VGG19: chains of 3×3 convolutions (Simonyan and Zisserman, 2014, arXiv:1409.1556)."""

from typing import Any

from funkeras.applications.imagenet_utils import ending, entry, filled
from funkeras.layers import Conv2D, Dense, Flatten, MaxPooling2D
from funkeras.models import Model

__all__ = ["VGG16", "VGG19"]

FILTERS = (64, 128, 256, 512, 512)
NETS: dict[str, tuple[tuple[int, ...], tuple[str, str]]] = {
    "vgg16": (
        (2, 2, 3, 3, 3),
        ("64373286793e3c8b2b4e3219cbf3544b", "6d6bbae143d832006294945121d1f1fc"),
    ),
    "vgg19": (
        (2, 2, 4, 4, 4),
        ("cbe5617147190e668d6c5d5026f83318", "253f8cb515780f3b799900260a226db6"),
    ),
}
"""Name → convolutions in each block, and hashes of the published weights."""


def _vgg(
    kind: str,
    include_top: bool,
    weights: Any,
    input_tensor: Any,
    input_shape: Any,
    pooling: Any,
    classes: int,
) -> Model:
    if isinstance(pooling, int):  # the fifth argument of Keras 1
        pooling, classes = None, pooling
    counts, hashes = NETS[kind]
    begin = x = entry(input_tensor, input_shape, 224, 32, include_top, weights, classes)
    for block, (filters, count) in enumerate(zip(FILTERS, counts, strict=True), 1):
        for number in range(1, count + 1):
            name = f"block{block}_conv{number}"
            x = Conv2D(filters, (3, 3), activation="relu", padding="same", name=name)(x)
        x = MaxPooling2D((2, 2), strides=(2, 2), name=f"block{block}_pool")(x)
    if include_top:
        x = Flatten(name="flatten")(x)
        for name in ("fc1", "fc2"):
            x = Dense(4096, activation="relu", name=name)(x)
    x = ending(x, include_top, pooling, classes, pooled=False)
    stem = f"{kind}_weights_tf_dim_ordering_tf_kernels"
    return filled(Model(begin, x, name=kind), weights, kind, stem, hashes)


def VGG16(  # noqa: N802
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: Any = None,
    classes: int = 1000,
) -> Model:
    """The net with 16 layers that have weights.

    Args:
        include_top: with the classifier of 1000 classes.
        weights: `imagenet` for the published ones, a file, or None for random ones.
        input_tensor, input_shape: what it begins with; 224×224 pictures if left out.
        pooling: without the top, `avg` or `max` over the places, or None for the map of features.
    """
    return _vgg("vgg16", include_top, weights, input_tensor, input_shape, pooling, classes)


def VGG19(  # noqa: N802
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: Any = None,
    classes: int = 1000,
) -> Model:
    """The net with 19 layers that have weights; arguments as of `VGG16`."""
    return _vgg("vgg19", include_top, weights, input_tensor, input_shape, pooling, classes)
