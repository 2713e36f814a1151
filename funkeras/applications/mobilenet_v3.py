"""MobileNetV3: blocks that a search chose (Howard et al., 2019, arXiv:1905.02244)."""

from collections.abc import Callable
from functools import partial
from typing import Any

from funkeras.applications.blocks import Style, convolved, divisible, inverted_residual
from funkeras.applications.imagenet_utils import (
    Asked,
    Published,
    activation_of,
    assembled,
    channel_axis,
    decode_predictions,
    pooled,
    spelled_as,
    unchanged,
)
from funkeras.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    Multiply,
    ReLU,
    Rescaling,
)
from funkeras.models import Model

__all__ = ["MobileNetV3Large", "MobileNetV3Small", "decode_predictions", "preprocess_input"]

preprocess_input = unchanged

Row = tuple[float, int, int, int, bool, bool]

SMALL: tuple[Row, ...] = (
    (1, 16, 3, 2, True, False),
    (72 / 16, 24, 3, 2, False, False),
    (88 / 24, 24, 3, 1, False, False),
    (4, 40, 5, 2, True, True),
    *((6, 40, 5, 1, True, True),) * 2,
    *((3, 48, 5, 1, True, True),) * 2,
    (6, 96, 5, 2, True, True),
    *((6, 96, 5, 1, True, True),) * 2,
)
LARGE: tuple[Row, ...] = (
    (1, 16, 3, 1, False, False),
    (4, 24, 3, 2, False, False),
    (3, 24, 3, 1, False, False),
    (3, 40, 5, 2, True, False),
    *((3, 40, 5, 1, True, False),) * 2,
    (6, 80, 3, 2, False, True),
    (2.5, 80, 3, 1, False, True),
    *((2.3, 80, 3, 1, False, True),) * 2,
    *((6, 112, 3, 1, True, True),) * 2,
    (6, 160, 5, 2, True, True),
    *((6, 160, 5, 1, True, True),) * 2,
)
"""Of each block: how much wider its middle is, its filters, kernel and stride, whether it has a
gate, and whether it is activated by `hard_swish`."""

NETS = {"small": (SMALL, 1024), "large": (LARGE, 1280)}
"""Kind → its blocks, and the features before its classes."""

HASHES = {
    "large_224_0.75": ("765b44a33ad4005b3ac83185abf1d0eb", "40af19a13ebea4e2ee0c676887f69a2e"),
    "large_224_1.0": ("59e551e166be033d707958cf9e29a6a7", "07fb09a5933dd0c8eaafa16978110389"),
    "large_minimalistic_224_1.0": (
        "675e7b876c45c57e9e63e6d90a36599c",
        "ec5221f64a2f6d1ef965a614bdae7973",
    ),
    "small_224_0.75": ("cb65d4e5be93758266aa0a7f2c6708b7", "ebdb5cc8e0b497cd13a7c275d475c819"),
    "small_224_1.0": ("8768d4c2e7dee89b9d02b2d03d65d862", "d3e8ec802a04aa4fc771ee12a9a9b836"),
    "small_minimalistic_224_1.0": (
        "99cd97fb2fcdad2bf028eb838de69e37",
        "cde8136e733e811080d9fcd8a252f7e4",
    ),
}
"""Net → hashes of the published weights, with the top and without."""

HARD = partial(Activation, "hard_swish")


def _style(activation: Callable[..., Any]) -> Style:
    return Style(
        expand=("expand", "expand_bn"),
        depthwise=("depthwise", "depthwise_bn"),
        project=("project", "project_bn"),
        pad="depthwise_pad",
        add="add",
        normalization=partial(
            BatchNormalization, axis=channel_axis(), epsilon=1e-3, momentum=0.999
        ),
        activation=activation,
    )


def _gated(x: Any, name: str) -> Any:
    """Each channel times a share that all channels' means choose."""
    filters = x.shape[channel_axis()]
    name = f"{name}squeeze_excite_"
    y = GlobalAveragePooling2D(keepdims=True, name=f"{name}avg_pool")(x)
    y = Conv2D(divisible(filters / 4), 1, padding="same", name=f"{name}conv")(y)
    y = ReLU(name=f"{name}relu")(y)
    y = Conv2D(filters, 1, padding="same", name=f"{name}conv_1")(y)
    y = ReLU(6.0)(y + 3.0) * (1 / 6)
    return Multiply(name=f"{name}mul")([x, y])


def _body(
    x: Any, blocks: tuple[Row, ...], alpha: float, minimalistic: bool, preprocessed: bool
) -> Any:
    style = _style(ReLU if minimalistic else HARD)
    if preprocessed:
        x = Rescaling(1 / 127.5, offset=-1.0)(x)
    x = convolved(x, 16, 3, style, "", ("conv", "conv_bn"), stride=2)
    for number, (wider, filters, size, stride, gated, hard) in enumerate(blocks):
        name = f"expanded_conv_{number}_" if number else "expanded_conv_"
        x = inverted_residual(
            x,
            divisible(filters * alpha),
            divisible(x.shape[channel_axis()] * wider) if number else None,
            3 if minimalistic else size,
            stride,
            style if hard else _style(ReLU),
            name,
            squeezed=partial(_gated, name=name) if gated and not minimalistic else None,
        )
    last = divisible(x.shape[channel_axis()] * 6)
    return convolved(x, last, 1, style, "", ("conv_1", "conv_1_bn"))


def _top(x: Any, asked: Asked, features: int, minimalistic: bool, dropout_rate: float) -> Any:
    x = GlobalAveragePooling2D(keepdims=True)(x)
    x = Conv2D(features, 1, padding="same", name="conv_2")(x)
    x = (ReLU if minimalistic else HARD)()(x)
    x = Dropout(dropout_rate)(x) if dropout_rate > 0 else x
    x = Conv2D(asked.classes, 1, padding="same", name="logits")(x)
    return Activation(activation_of(asked), name="predictions")(Flatten()(x))


def _mobilenet(kind: str, spelled: str) -> Callable[..., Model]:
    blocks, features = NETS[kind]

    def called(
        input_shape: Any = None,
        alpha: float = 1.0,
        minimalistic: bool = False,
        include_top: bool = True,
        weights: Any = "imagenet",
        input_tensor: Any = None,
        classes: int = 1000,
        pooling: Any = None,
        dropout_rate: float = 0.2,
        classifier_activation: Any = "softmax",
        include_preprocessing: bool = True,
        name: str | None = spelled,
    ) -> Model:
        """A small net for phones, for pictures of any size.

        Args:
            alpha: share of the filters that each layer has.
            minimalistic: with 3×3 kernels and ReLU alone, and without gates.
            dropout_rate: before the classifier.
            include_preprocessing: whether the net itself scales values from 0 to 255.
            include_top, weights, input_tensor, input_shape, pooling, classes: as of `VGG16`, like
                classifier_activation and name.
        """
        net = f"{kind}{'_minimalistic' if minimalistic else ''}_224_{float(alpha)}"
        if weights == "imagenet" and net not in HASHES:
            raise ValueError(
                f"there are published weights for alpha 0.75 and 1.0, minimalistic for 1.0 alone; "
                f"got alpha={alpha}, minimalistic={minimalistic}"
            )
        ends = (include_top, weights, input_tensor, input_shape, pooling, classes)
        own = divisible(features * alpha) if alpha > 1 else features
        return assembled(
            Asked(*ends, classifier_activation, name),
            partial(
                _body,
                blocks=blocks,
                alpha=alpha,
                minimalistic=minimalistic,
                preprocessed=include_preprocessing,
            ),
            Published(
                "mobilenet_v3",
                f"weights_mobilenet_v3_{net}_float",
                HASHES.get(net, (None, None)),
                "_no_top_v2",
            ),
            size=None,
            top=partial(_top, features=own, minimalistic=minimalistic, dropout_rate=dropout_rate),
            bottom=partial(pooled, named=True),
        )

    return spelled_as(spelled, called)


MobileNetV3Small = _mobilenet("small", "MobileNetV3Small")
"""The small net: 2.6 million parameters."""
MobileNetV3Large = _mobilenet("large", "MobileNetV3Large")
"""The large net: 5.5 million parameters."""
