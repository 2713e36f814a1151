"""EfficientNetV2: plain convolutions in the first stages (Tan and Le, 2021, arXiv:2104.00298)."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from funkeras.applications.blocks import Style, convolved, divisible, joined
from funkeras.applications.efficientnet import DROPPED, block, style_of, top
from funkeras.applications.imagenet_utils import (
    TORCH,
    Asked,
    Published,
    assembled,
    channel_axis,
    decode_predictions,
    net,
    pooled,
    unchanged,
)
from funkeras.layers import Normalization, Rescaling
from funkeras.models import Model

__all__ = [
    "EfficientNetV2B0",
    "EfficientNetV2B1",
    "EfficientNetV2B2",
    "EfficientNetV2B3",
    "EfficientNetV2L",
    "EfficientNetV2M",
    "EfficientNetV2S",
    "decode_predictions",
    "preprocess_input",
]

preprocess_input = unchanged

Stages = tuple[int, tuple[tuple[int, int, int, int, bool], ...]]

B: Stages = (
    32,
    (
        (1, 16, 1, 1, True),
        (2, 32, 2, 4, True),
        (2, 48, 2, 4, True),
        (3, 96, 2, 4, False),
        (5, 112, 1, 6, False),
        (8, 192, 2, 6, False),
    ),
)
S: Stages = (
    24,
    (
        (2, 24, 1, 1, True),
        (4, 48, 2, 4, True),
        (4, 64, 2, 4, True),
        (6, 128, 2, 4, False),
        (9, 160, 1, 6, False),
        (15, 256, 2, 6, False),
    ),
)
M: Stages = (
    24,
    (
        (3, 24, 1, 1, True),
        (5, 48, 2, 4, True),
        (5, 80, 2, 4, True),
        (7, 160, 2, 4, False),
        (14, 176, 1, 6, False),
        (18, 304, 2, 6, False),
        (5, 512, 1, 6, False),
    ),
)
L: Stages = (
    32,
    (
        (4, 32, 1, 1, True),
        (7, 64, 2, 4, True),
        (7, 96, 2, 4, True),
        (10, 192, 2, 4, False),
        (19, 224, 1, 6, False),
        (25, 384, 2, 6, False),
        (7, 640, 1, 6, False),
    ),
)
"""Filters of the first convolution, and of each stage: blocks, filters, stride of the first block,
how much wider the middle of each is, and whether that is a plain convolution."""

NETS: dict[str, tuple[Stages, float, float, int, tuple[str, str]]] = {
    "b0": (
        *(B, 1.0, 1.0, 224),
        ("21ecbf6da12460d5c40bb2f29ceb2188", "893217f2bb855e2983157299931e43ff"),
    ),
    "b1": (
        *(B, 1.0, 1.1, 240),
        ("069f0534ff22adf035c89e2d9547a9dc", "0e80663031ca32d657f9caa404b6ec37"),
    ),
    "b2": (
        *(B, 1.1, 1.2, 260),
        ("424e49f28180edbde1e94797771950a7", "1dfe2e7a5d45b6632553a8961ea609eb"),
    ),
    "b3": (
        *(B, 1.2, 1.4, 300),
        ("1f1fc43bd98a6e4fd8fdfd551e02c7a0", "f6abf7b5849ac99a89b50dd3fd532856"),
    ),
    "s": (
        *(S, 1.0, 1.0, 384),
        ("e1d88a8495beba45748fedd0cecbe016", "af0682fb74e8c54910f2d4393339c070"),
    ),
    "m": (
        *(M, 1.0, 1.0, 480),
        ("a3bf6aa3276309f4fc6a34aa114c95cd", "1b8dc055df72dde80d614482840fe342"),
    ),
    "l": (
        *(L, 1.0, 1.0, 480),
        ("27e6d408b53c7ebc868fefa357689935", "b0b66b5c863aef5b46e8608fe1711615"),
    ),
}
"""Net → its stages, width, depth, size of its pictures, and hashes of the published weights."""


def _plain_block(
    x: Any, filters: int, wider: int, stride: int, style: Style, name: str, drop: float
) -> Any:
    """A block whose middle is one convolution; where it is no wider, that is all of it."""
    before, wide = x, x.shape[channel_axis()] * wider
    if wider == 1:
        x = convolved(x, filters, 3, style, name, style.project, stride)
    else:
        x = convolved(x, wide, 3, style, name, style.expand, stride)
        x = convolved(x, filters, 1, style, name, style.project, activated=False)
    return joined(x, before, stride, name, style.add, drop)


def _preprocessed(x: Any, kind: str) -> Any:
    if kind.startswith("b") and x.shape[channel_axis()] == 3:
        mean, deviation = TORCH
        variance = [own**2 for own in deviation]
        x = Rescaling(1 / 255)(x)
        return Normalization(axis=channel_axis(), mean=list(mean), variance=variance)(x)
    return Rescaling(1 / 128, offset=-1)(x)


def _body(x: Any, kind: str, preprocessed: bool) -> Any:
    (first, stages), width, depth, *_ = NETS[kind]
    style = style_of("dwconv2", "", 0.9)
    x = _preprocessed(x, kind) if preprocessed else x
    wide = divisible(first * width, bounded=False)
    x = convolved(x, wide, 3, style, "", ("stem_conv", "stem_bn", "stem_activation"), stride=2)
    number, blocks = 0, sum(count for count, *_ in stages)
    for stage, (count, filters, stride, wider, plain) in enumerate(stages, 1):
        own = divisible(filters * width, bounded=False)
        for place in range(math.ceil(depth * count)):
            name = f"block{stage}{chr(ord('a') + place)}_"
            step, drop = 1 if place else stride, DROPPED * number / blocks
            if plain:
                x = _plain_block(x, own, wider, step, style, name, drop)
            else:
                x = block(x, own, wider, 3, step, style, name, drop)
            number += 1
    last = divisible(1280 * width, bounded=False)
    return convolved(x, last, 1, style, "", ("top_conv", "top_bn", "top_activation"))


def _efficient_net(kind: str, asked: Asked) -> Model:
    *_, size, hashes = NETS[kind]
    return assembled(
        asked,
        partial(_body, kind=kind, preprocessed=asked.include_preprocessing),
        Published("efficientnet_v2", f"efficientnetv2-{kind}", hashes),
        size,
        top=partial(top, dropout=0.2),
        bottom=partial(pooled, named=True),
    )


def _net(kind: str, spelled: str) -> Callable[..., Model]:
    build = partial(_efficient_net, kind)
    return net(build, spelled, f"efficientnetv2-{kind}", "classifier_activation")


EfficientNetV2B0 = _net("b0", "EfficientNetV2B0")
"""The smallest net, for pictures of 224×224."""
EfficientNetV2B1 = _net("b1", "EfficientNetV2B1")
"""The net for pictures of 240×240."""
EfficientNetV2B2 = _net("b2", "EfficientNetV2B2")
"""The net for pictures of 260×260."""
EfficientNetV2B3 = _net("b3", "EfficientNetV2B3")
"""The net for pictures of 300×300."""
EfficientNetV2S = _net("s", "EfficientNetV2S")
"""The net with 22 million parameters, for pictures of 384×384."""
EfficientNetV2M = _net("m", "EfficientNetV2M")
"""The net with 54 million parameters, for pictures of 480×480."""
EfficientNetV2L = _net("l", "EfficientNetV2L")
"""The net with 119 million parameters, for pictures of 480×480."""
