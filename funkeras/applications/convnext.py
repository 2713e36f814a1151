"""ConvNeXt: a ResNet made as transformers are made (Liu et al., 2022, arXiv:2201.03545)."""

from collections.abc import Callable
from functools import partial
from typing import Any

from funkeras import config
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
    unchanged,
)
from funkeras.layers import (
    Activation,
    Conv2D,
    Dense,
    GlobalAveragePooling2D,
    LayerNormalization,
    LayerScale,
    Normalization,
)
from funkeras.models import Model, Sequential

__all__ = [
    "ConvNeXtBase",
    "ConvNeXtLarge",
    "ConvNeXtSmall",
    "ConvNeXtTiny",
    "ConvNeXtXLarge",
    "decode_predictions",
    "preprocess_input",
]

preprocess_input = unchanged

NETS = {
    "tiny": (
        *((3, 3, 9, 3), 96),
        (
            "8ae6e78ce2933352b1ef4008e6dd2f17bc40771563877d156bc6426c7cf503ff",
            "d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1",
        ),
    ),
    "small": (
        *((3, 3, 27, 3), 96),
        (
            "ce1277d8f1ee5a0ef0e171469089c18f5233860ceaf9b168049cb9263fd7483c",
            "6fc8009faa2f00c1c1dfce59feea9b0745eb260a7dd11bee65c8e20843da6eab",
        ),
    ),
    "base": (
        *((3, 3, 27, 3), 128),
        (
            "52cbb006d3dadd03f6e095a8ca1aca47aecdd75acb4bc74bce1f5c695d0086e6",
            "40a20c5548a5e9202f69735ecc06c990e6b7c9d2de39f0361e27baeb24cb7c45",
        ),
    ),
    "large": (
        *((3, 3, 27, 3), 192),
        (
            "070c5ed9ed289581e477741d3b34beffa920db8cf590899d6d2c67fba2a198a6",
            "96f02b6f0753d4f543261bc9d09bed650f24dd6bc02ddde3066135b63d23a1cd",
        ),
    ),
    "xlarge": (
        *((3, 3, 27, 3), 256),
        (
            "c1f5ccab661354fc3a79a10fa99af82f0fbf10ec65cb894a3ae0815f17a889ee",
            "de3f8a54174130e0cecdc71583354753d557fcf1f4487331558e2a16ba0cfe05",
        ),
    ),
}
"""Net → blocks of each stage, channels of the first stage, each next one having twice as many, and
hashes of the published weights."""

EPSILON = 1e-6
"""In normalizations."""
SCALE = 1e-6
"""What blocks' changes are multiplied by before training."""


def _block(x: Any, name: str) -> Any:
    """A convolution that sees each channel by itself, then two layers that see each place so."""
    channels = x.shape[-1]
    options = {"padding": "same", "groups": channels}
    y = Conv2D(channels, 7, name=f"{name}_depthwise_conv", **options)(x)
    y = LayerNormalization(epsilon=EPSILON, name=f"{name}_layernorm")(y)
    y = Dense(4 * channels, name=f"{name}_pointwise_conv_1")(y)
    y = Activation("gelu", name=f"{name}_gelu")(y)
    y = Dense(channels, name=f"{name}_pointwise_conv_2")(y)
    y = LayerScale(SCALE, channels, name=f"{name}_layer_scale")(y)
    return x + Activation("linear", name=f"{name}_identity")(y)


def _smaller(stage: int, channels: int, name: str) -> Sequential:
    """What makes the places of a stage: 4×4 of the picture, then 2×2 of those before."""
    if stage == 0:
        conv = Conv2D(channels, 4, strides=4, name=f"{name}_stem_conv")
        norm = LayerNormalization(epsilon=EPSILON, name=f"{name}_stem_layernorm")
        return Sequential([conv, norm], name=f"{name}_stem")
    name, number = f"{name}_downsampling", stage - 1
    norm = LayerNormalization(epsilon=EPSILON, name=f"{name}_layernorm_{number}")
    conv = Conv2D(channels, 2, strides=2, name=f"{name}_conv_{number}")
    return Sequential([norm, conv], name=f"{name}_block_{number}")


def _body(x: Any, blocks: tuple[int, ...], channels: int, name: str, preprocessed: bool) -> Any:
    if preprocessed and x.shape[channel_axis()] == 3:
        mean, variance = [own * 255 for own in TORCH[0]], [(own * 255) ** 2 for own in TORCH[1]]
        own = f"{name}_prestem_normalization"
        x = Normalization(mean=mean, variance=variance, name=own)(x)
    for stage, count in enumerate(blocks):
        x = _smaller(stage, channels * 2**stage, name)(x)
        for number in range(count):
            x = _block(x, f"{name}_stage_{stage}_block_{number}")
    return x


def _top(x: Any, asked: Asked) -> Any:
    name = asked.name
    x = GlobalAveragePooling2D(name=f"{name}_head_gap")(x)
    x = LayerNormalization(epsilon=EPSILON, name=f"{name}_head_layernorm")(x)
    return dense(x, asked, f"{name}_head_dense")


def _bottom(x: Any, asked: Asked) -> Any:
    return LayerNormalization(epsilon=EPSILON)(pooled(x, asked))


def _convnext(kind: str, asked: Asked) -> Model:
    if config.image_data_format() == "channels_first":
        raise ValueError("ConvNeXt takes pictures with the channels last: channels_last")
    blocks, channels, hashes = NETS[kind]
    usual = f"convnext_{kind}"
    asked = asked._replace(name=asked.name or usual)
    return assembled(
        asked,
        partial(
            _body,
            blocks=blocks,
            channels=channels,
            name=asked.name or usual,
            preprocessed=asked.include_preprocessing,
        ),
        Published("convnext", usual, hashes),
        top=_top,
        bottom=_bottom,
    )


def _net(kind: str, spelled: str) -> Callable[..., Model]:
    """Names of its layers begin with its own."""
    return net(partial(_convnext, kind), spelled, f"convnext_{kind}", "include_top")


ConvNeXtTiny = _net("tiny", "ConvNeXtTiny")
"""The net with 29 million parameters."""
ConvNeXtSmall = _net("small", "ConvNeXtSmall")
"""The net with 50 million parameters."""
ConvNeXtBase = _net("base", "ConvNeXtBase")
"""The net with 89 million parameters."""
ConvNeXtLarge = _net("large", "ConvNeXtLarge")
"""The net with 198 million parameters."""
ConvNeXtXLarge = _net("xlarge", "ConvNeXtXLarge")
"""The net with 350 million parameters."""
