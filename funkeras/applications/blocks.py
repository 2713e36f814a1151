"""Inverted residual blocks: wide in the middle, where a convolution sees each channel by itself.

MobileNetV2 has them (Sandler et al., 2018, arXiv:1801.04381), and so have MobileNetV3 and both
EfficientNets; these differ in what they call the layers and in what they add between.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from funkeras.applications.imagenet_utils import channel_axis, strided_edges
from funkeras.layers import Add, Conv2D, DepthwiseConv2D, Dropout, ZeroPadding2D

__all__ = ["Style", "convolved", "divisible", "inverted_residual", "joined"]


class Style(NamedTuple):
    """How a family makes its blocks. Names of layers follow that of their block."""

    expand: tuple[str, ...]
    """Names of the first convolution, its normalization and, if it has one, its activation."""
    depthwise: tuple[str, ...]
    """The same of the convolution in the middle."""
    project: tuple[str, ...]
    """The same of the last convolution, which has no activation."""
    pad: str
    """Name of what pads before a stride of 2; empty where TensorFlow's `same` does."""
    add: str
    """Name of the sum with the shortcut."""
    normalization: Callable[..., Any]
    activation: Callable[..., Any]
    """Layers, of a name."""
    initializer: Any = "glorot_uniform"
    """Of kernels."""


def divisible(value: float, bounded: bool = True) -> int:
    """The multiple of 8 next to a number of filters, if `bounded` at least nine tenths of it.

    >>> divisible(32 * 0.35), divisible(24 * 1.3), divisible(11, bounded=False)
    (16, 32, 8)
    """
    nearest = max(8, int(value + 4) // 8 * 8)
    return nearest + 8 if bounded and nearest < 0.9 * value else nearest


def ended(x: Any, style: Style, name: str, names: tuple[str, ...], activated: bool) -> Any:
    """Normalized and, but for the last convolution of a block, activated."""
    x = style.normalization(name=f"{name}{names[1]}")(x)
    own = f"{name}{names[2]}" if len(names) > 2 else None
    return style.activation(name=own)(x) if activated else x


def convolved(
    x: Any,
    filters: int,
    size: int,
    style: Style,
    name: str,
    names: tuple[str, ...],
    stride: int = 1,
    padding: str = "same",
    activated: bool = True,
) -> Any:
    """A convolution, normalized and activated."""
    options = {"use_bias": False, "kernel_initializer": style.initializer}
    own = f"{name}{names[0]}"
    x = Conv2D(filters, size, strides=stride, padding=padding, name=own, **options)(x)
    return ended(x, style, name, names, activated)


def joined(x: Any, before: Any, stride: int, name: str, add: str, drop: float) -> Any:
    """The sum with what the block began with, if the shapes agree; trained, it is dropped at times.

    Args:
        drop: the share of pictures for which training leaves out what the block computed.
    """
    axis = channel_axis()
    if stride != 1 or x.shape[axis] != before.shape[axis]:
        return x
    if drop:
        x = Dropout(drop, noise_shape=(None, 1, 1, 1), name=f"{name}drop")(x)
    return Add(name=f"{name}{add}")([before, x])


def inverted_residual(
    x: Any,
    filters: int,
    wide: int | None,
    size: int,
    stride: int,
    style: Style,
    name: str,
    squeezed: Callable[[Any], Any] | None = None,
    drop: float = 0.0,
) -> Any:
    """A block that gives `filters` channels.

    Args:
        wide: channels in its middle; None for those that come.
        size: of the kernel that sees each channel by itself.
        squeezed: what is done after that.
        drop: as of `joined`.
    """
    before = x
    if wide is not None:
        x = convolved(x, wide, 1, style, name, style.expand)
    padded = stride == 2 and style.pad
    if padded:
        x = ZeroPadding2D(strided_edges(x, size), name=f"{name}{style.pad}")(x)
    x = DepthwiseConv2D(
        size,
        strides=stride,
        padding="valid" if padded else "same",
        use_bias=False,
        depthwise_initializer=style.initializer,
        name=f"{name}{style.depthwise[0]}",
    )(x)
    x = ended(x, style, name, style.depthwise, activated=True)
    x = squeezed(x) if squeezed else x
    x = convolved(x, filters, 1, style, name, style.project, activated=False)
    return joined(x, before, stride, name, style.add, drop)
