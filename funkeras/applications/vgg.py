"""VGG16 and VGG19: chains of 3×3 convolutions (Simonyan and Zisserman, 2014, arXiv:1409.1556)."""

from functools import partial
from typing import Any

from funkeras.applications.imagenet_utils import Asked, Published, assembled, dense, net
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


def _body(x: Any, counts: tuple[int, ...]) -> Any:
    for block, (filters, count) in enumerate(zip(FILTERS, counts, strict=True), 1):
        for number in range(1, count + 1):
            name = f"block{block}_conv{number}"
            x = Conv2D(filters, (3, 3), activation="relu", padding="same", name=name)(x)
        x = MaxPooling2D((2, 2), strides=(2, 2), name=f"block{block}_pool")(x)
    return x


def _top(x: Any, asked: Asked) -> Any:
    x = Flatten(name="flatten")(x)
    for name in ("fc1", "fc2"):
        x = Dense(4096, activation="relu", name=name)(x)
    return dense(x, asked)


def _vgg(kind: str, asked: Asked) -> Model:
    counts, hashes = NETS[kind]
    published = Published(kind, f"{kind}_weights_tf_dim_ordering_tf_kernels", hashes)
    return assembled(asked, partial(_body, counts=counts), published, top=_top)


VGG16 = net(partial(_vgg, "vgg16"), "VGG16")
"""The net with 16 layers that have weights; arguments as of `imagenet_utils.Asked`."""
VGG19 = net(partial(_vgg, "vgg19"), "VGG19")
"""The net with 19 layers that have weights; arguments as of `VGG16`."""
