"""NASNet-A: cells that a search found (Zoph et al., 2017, arXiv:1707.07012)."""

from collections.abc import Callable
from functools import partial
from typing import Any

from funkeras import config
from funkeras.applications import imagenet_utils
from funkeras.applications.imagenet_utils import (
    Asked,
    Published,
    assembled,
    channel_axis,
    decode_predictions,
    sizes_of,
    spelled_as,
    strided_edges,
)
from funkeras.layers import (
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Cropping2D,
    MaxPooling2D,
    SeparableConv2D,
    ZeroPadding2D,
    add,
    concatenate,
)
from funkeras.models import Model

__all__ = ["NASNetLarge", "NASNetMobile", "decode_predictions", "preprocess_input"]

preprocess_input = partial(imagenet_utils.preprocess_input, mode="tf")
"""Pictures with values from 0 to 255, scaled to [-1, 1]."""

HASHES = {
    "mobile": ("020fb642bf7360b370c678b08e0adf61", "1ed92395b5b598bdda52abe5c0dbfd63"),
    "large": ("11577c9a518f0070763c2b964a382f17", "d81d89dc07e6e56530c4e77faddd61b5"),
}


def _normalized(x: Any, name: str) -> Any:
    return BatchNormalization(axis=channel_axis(), momentum=0.9997, epsilon=1e-3, name=name)(x)


def _pointwise(x: Any, filters: int, name: str) -> Any:
    options = {"padding": "same", "use_bias": False, "kernel_initializer": "he_normal"}
    return Conv2D(filters, 1, name=name, **options)(x)


def _separable(x: Any, filters: int, size: int, name: str, stride: int = 1) -> Any:
    """Two separable convolutions, each after a ReLU and before a normalization."""
    for part in (1, 2):
        x = Activation("relu")(x)
        step = stride if part == 1 else 1
        if step > 1:
            x = ZeroPadding2D(strided_edges(x, size), name=f"separable_conv_1_pad_{name}")(x)
        x = SeparableConv2D(
            filters,
            size,
            strides=step,
            padding="same" if step == 1 else "valid",
            use_bias=False,
            name=f"separable_conv_{part}_{name}",
        )(x)
        x = _normalized(x, f"separable_conv_{part}_bn_{name}")
    return x


def _adjusted(before: Any, x: Any, filters: int, name: str) -> Any:
    """What the cell before the last gave, with the rows of `x` and so many channels."""
    if before is None:
        return x
    if sizes_of(before.shape[1:])[0] != sizes_of(x.shape[1:])[0]:
        before = Activation("relu", name=f"adjust_relu_1_{name}")(before)
        shifted = Cropping2D(((1, 0), (1, 0)))(ZeroPadding2D(((0, 1), (0, 1)))(before))
        halves = []
        for part, half in enumerate((before, shifted), 1):
            half = AveragePooling2D(1, strides=2, name=f"adjust_avg_pool_{part}_{name}")(half)
            halves.append(_pointwise(half, filters // 2, f"adjust_conv_{part}_{name}"))
        return _normalized(concatenate(halves, axis=channel_axis()), f"adjust_bn_{name}")
    if before.shape[channel_axis()] != filters:
        before = _pointwise(Activation("relu")(before), filters, f"adjust_conv_projection_{name}")
        return _normalized(before, f"adjust_bn_{name}")
    return before


def _entered(x: Any, filters: int, kind: str, name: str) -> Any:
    """The input of a cell with the channels that its parts have."""
    x = _pointwise(Activation("relu")(x), filters, f"{kind}_conv_1_{name}")
    return _normalized(x, f"{kind}_bn_1_{name}")


def _normal(x: Any, before: Any, filters: int, name: str) -> tuple[Any, Any]:
    """A cell that keeps rows and columns, and its input, which the cell after the next takes."""
    p = _adjusted(before, x, filters, name)
    h = _entered(x, filters, "normal", name)

    def convolved(x: Any, size: int, place: str) -> Any:
        return _separable(x, filters, size, f"normal_{place}_{name}")

    def averaged(x: Any, place: str) -> Any:
        return AveragePooling2D(3, 1, padding="same", name=f"normal_{place}_{name}")(x)

    pairs = (
        lambda: [convolved(h, 5, "left1"), convolved(p, 3, "right1")],
        lambda: [convolved(p, 5, "left2"), convolved(p, 3, "right2")],
        lambda: [averaged(h, "left3"), p],
        lambda: [averaged(p, "left4"), averaged(p, "right4")],
        lambda: [convolved(h, 3, "left5"), h],
    )
    sums = [add(pair(), name=f"normal_add_{n}_{name}") for n, pair in enumerate(pairs, 1)]
    return concatenate([p, *sums], axis=channel_axis(), name=f"normal_concat_{name}"), x


def _reduction(x: Any, before: Any, filters: int, name: str) -> tuple[Any, Any]:
    """A cell that halves rows and columns, and its input."""
    p = _adjusted(before, x, filters, name)
    h = _entered(x, filters, "reduction", name)
    around = ZeroPadding2D(strided_edges(h, 3), name=f"reduction_pad_1_{name}")(h)

    def convolved(x: Any, size: int, place: str, stride: int = 2) -> Any:
        return _separable(x, filters, size, f"reduction_{place}_{name}", stride)

    def pooled(pool: Any, place: str) -> Any:
        return pool(3, strides=2, padding="valid", name=f"reduction_{place}_{name}")(around)

    first = [convolved(h, 5, "left1"), convolved(p, 7, "right1")]
    x1 = add(first, name=f"reduction_add_1_{name}")
    second = [pooled(MaxPooling2D, "left2"), convolved(p, 7, "right2")]
    x2 = add(second, name=f"reduction_add_2_{name}")
    third = [pooled(AveragePooling2D, "left3"), convolved(p, 5, "right3")]
    x3 = add(third, name=f"reduction_add3_{name}")
    x4 = AveragePooling2D(3, 1, padding="same", name=f"reduction_left4_{name}")(x1)
    x4 = add([x2, x4])
    fifth = [convolved(x1, 3, "left4", stride=1), pooled(MaxPooling2D, "right5")]
    x5 = add(fifth, name=f"reduction_add4_{name}")
    made = concatenate([x2, x3, x4, x5], axis=channel_axis(), name=f"reduction_concat_{name}")
    return made, x


def _body(x: Any, filters: int, count: int, stem: int, skips: bool) -> Any:
    """Three groups of `count` normal cells, each twice as wide as the one before.

    Where the net `skips` reductions, the first cell after one takes what came before it.
    """
    options = {"use_bias": False, "kernel_initializer": "he_normal"}
    x = Conv2D(stem, 3, strides=2, padding="valid", name="stem_conv1", **options)(x)
    x = _normalized(x, "stem_bn1")
    x, before = _reduction(x, None, filters // 4, "stem_1")
    x, before = _reduction(x, before, filters // 2, "stem_2")
    for group in range(3):
        wide = filters * 2**group
        if group:
            x, reduced = _reduction(x, before, wide, f"reduce_{group * count}")
            before = before if skips else reduced
        for number in range(count):
            x, before = _normal(x, before, wide, str(group * count + number + (group > 0)))
    return Activation("relu")(x)


def _nasnet(kind: str, size: int, spelled: str, **widths: Any) -> Callable[..., Model]:
    """A net whose cells depend on the size of the pictures.

    Without the top too that is the usual one, if none is given.
    """

    def called(
        input_shape: Any = None,
        include_top: bool = True,
        weights: Any = "imagenet",
        input_tensor: Any = None,
        pooling: Any = None,
        classes: int = 1000,
        classifier_activation: Any = "softmax",
        name: str | None = f"nasnet_{kind}",
    ) -> Model:
        """The net; arguments as of `VGG16`, `input_shape` first."""
        if input_shape is None and input_tensor is None:
            last = config.image_data_format() == "channels_last"
            input_shape = (size, size, 3) if last else (3, size, size)
        ends = (include_top, weights, input_tensor, input_shape, pooling, classes)
        asked = Asked(*ends, classifier_activation, name)
        published = Published("nasnet", f"NASNet-{kind}", HASHES[kind], "-no-top", lowered=True)
        return assembled(asked, partial(_body, **widths), published, size)

    return spelled_as(spelled, called)


NASNetMobile = _nasnet("mobile", 224, "NASNetMobile", filters=44, count=4, stem=32, skips=False)
"""The small net, for pictures of 224×224; arguments as of `VGG16`, `input_shape` first."""
NASNetLarge = _nasnet("large", 331, "NASNetLarge", filters=168, count=6, stem=96, skips=True)
"""The large net, for pictures of 331×331; arguments as of `VGG16`, `input_shape` first."""
