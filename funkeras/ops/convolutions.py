"""Convolutions, pooling, and windows of pixels as rows; over one to three axes of space.

Arrays are (batch, *space, channels), or (batch, channels, *space) with channels first.
"""

from collections.abc import Sequence
from itertools import product
from typing import Any, TypeAlias

import jax.numpy as jnp

from funkeras.functional.adaptive import adaptive
from funkeras.functional.adaptive import largest as largest_of_covering
from funkeras.functional.adaptive import mean as mean_of_covering
from funkeras.functional.checks import one_of, rank, tuple_of
from funkeras.functional.convolution import channels_at, fitting_padding
from funkeras.functional.convolve import convolve, convolve_transposed, output_sizes
from funkeras.functional.pooling import largest, mean, pooling
from funkeras.ops.arguments import array
from funkeras.ops.lifting import op

__all__ = [
    "adaptive_average_pool",
    "adaptive_max_pool",
    "average_pool",
    "conv",
    "conv_transpose",
    "depth_to_space",
    "depthwise_conv",
    "fold",
    "max_pool",
    "separable_conv",
    "space_to_depth",
    "unfold",
]

Sizes: TypeAlias = int | Sequence[int]
PADDINGS = ("valid", "same")


@op
def adaptive_average_pool(inputs: Any, output_size: Sizes, data_format: str | None = None) -> Any:
    """Mean of windows that cover all entries, `output_size` of them along each axis of space."""
    x = array(inputs)
    return adaptive(x.ndim - 2, mean_of_covering, output_size, data_format).apply({}, {}, x)[0]


@op
def adaptive_max_pool(inputs: Any, output_size: Sizes, data_format: str | None = None) -> Any:
    """Largest of windows that cover all entries, `output_size` of them along each axis of space."""
    x = array(inputs)
    return adaptive(x.ndim - 2, largest_of_covering, output_size, data_format).apply({}, {}, x)[0]


@op
def average_pool(
    inputs: Any,
    pool_size: Sizes,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """Mean of each window, padding left out; `strides` is `pool_size` when not given."""
    x = array(inputs)
    pair = pooling(x.ndim - 2, mean, pool_size, strides, padding.lower(), data_format)
    return pair.apply({}, {}, x)[0]


@op
def max_pool(
    inputs: Any,
    pool_size: Sizes,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """Largest value of each window; `strides` is `pool_size` when not given."""
    x = array(inputs)
    pair = pooling(x.ndim - 2, largest, pool_size, strides, padding.lower(), data_format)
    return pair.apply({}, {}, x)[0]


@op
def conv(
    inputs: Any,
    kernel: Any,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Any:
    """Cross-correlation with a kernel (*space, channels / groups, out), of the kernel's dtype."""
    kernel = array(kernel)
    x = array(inputs).astype(kernel.dtype)
    channels, depth = x.shape[channels_at(data_format)], kernel.shape[-2]
    if channels % depth:
        raise ValueError(
            f"the {channels} channels of the input must be a multiple of the kernel's {depth}, "
            f"with data_format {data_format!r}"
        )
    return _slid(x, kernel, strides, padding, data_format, dilation_rate, channels // depth)


@op
def depthwise_conv(
    inputs: Any,
    kernel: Any,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Any:
    """Cross-correlation of each channel by itself, with a kernel (*space, channels, multiplier)."""
    x, kernel = array(inputs), array(kernel)
    channels = _fitting(x, kernel, -2, data_format)
    kernel = kernel.reshape(*kernel.shape[:-2], 1, -1)
    return _slid(x, kernel, strides, padding, data_format, dilation_rate, channels)


@op
def separable_conv(
    inputs: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Any:
    """A depthwise convolution, and one of single pixels: https://arxiv.org/abs/1610.02357."""
    x = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(x, pointwise_kernel, data_format=data_format)


@op
def conv_transpose(
    inputs: Any,
    kernel: Any,
    strides: Sizes = 1,
    padding: str = "valid",
    output_padding: Sizes | None = None,
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Any:
    """The transpose of a convolution, with a kernel (*space, out, channels).

    Of n inputs it makes n * stride outputs with `same` padding, and `max(reach - stride, 0)` more
    with `valid`; or (n - 1) * stride + `output_padding`, and 1 for an odd reach or the whole reach.
    """
    x, kernel = array(inputs), array(kernel)
    _fitting(x, kernel, -1, data_format)
    space, channels_axis = kernel.ndim - 2, channels_at(data_format)
    steps = tuple_of("strides", strides, space)
    dilation = tuple_of("dilation_rate", dilation_rate, space)
    rule = one_of("padding", padding.lower(), PADDINGS)
    extra = (None,) * space
    if output_padding is not None:
        extra = tuple_of("output_padding", output_padding, space, least=0)
    x = jnp.moveaxis(x, channels_axis, -1)
    size, edges = [], []
    for n, k, d, s, more in zip(
        x.shape[1:-1], kernel.shape[:space], dilation, steps, extra, strict=True
    ):
        reach = (k - 1) * d + 1
        before, after = _cropped(rule, reach, s, more)
        size.append((n - 1) * s + reach - before - after)
        edges.append((before, after))
    y = convolve_transposed(x, kernel, tuple(size), steps, tuple(edges), dilation)
    return jnp.moveaxis(y, -1, channels_axis)


@op
def unfold(
    x: Any, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1
) -> Any:
    """Windows of images (n, c, rows, columns) as columns: (n, c * window, number of windows)."""
    x = array(x)
    rank(x.shape, 4)
    edges = [(edge, edge) for edge in tuple_of("padding", padding, 2, least=0)]
    wide = jnp.pad(x, ((0, 0), (0, 0), *edges))
    _, places = _places(wide.shape[2:], kernel_size, dilation, stride)
    seen = jnp.stack([wide[:, :, rows, columns] for rows, columns in places], 2)
    return seen.reshape(x.shape[0], x.shape[1] * seen.shape[2], -1)


@op
def fold(
    x: Any,
    output_size: Sizes,
    kernel_size: Sizes,
    dilation: Sizes = 1,
    padding: Sizes = 0,
    stride: Sizes = 1,
) -> Any:
    """The transpose of `unfold`: images (n, c, *output_size) of the sums of what windows hold."""
    x = array(x)
    rank(x.shape, 3)
    size, edges = tuple_of("output_size", output_size, 2), tuple_of("padding", padding, 2, least=0)
    wide = tuple(n + 2 * edge for n, edge in zip(size, edges, strict=True))
    counts, places = _places(wide, kernel_size, dilation, stride)
    if x.shape[1] % len(places) or x.shape[2] != counts[0] * counts[1]:
        raise ValueError(
            f"expected (n, a multiple of {len(places)}, {counts[0] * counts[1]}) for output_size "
            f"{size}, got {x.shape}"
        )
    seen = x.reshape(x.shape[0], -1, len(places), *counts)
    y = jnp.zeros((*seen.shape[:2], *wide), x.dtype)
    for index, (rows, columns) in enumerate(places):
        y = y.at[:, :, rows, columns].add(seen[:, :, index])
    return y[:, :, edges[0] : edges[0] + size[0], edges[1] : edges[1] + size[1]]


@op
def depth_to_space(x: Any, block_size: int, data_format: str | None = "channels_last") -> Any:
    """Channels as blocks of pixels: each image `block_size` times as high and as wide."""
    x, b, last = _blocks(x, block_size, data_format)
    n, *rest = x.shape
    channels = rest[-1] if last else rest[0]
    if channels % b**2:
        raise ValueError(f"block_size² = {b**2} must divide the {channels} channels")
    if last:
        h, w, c = rest
        parts = x.reshape(n, h, w, b, b, -1).transpose(0, 1, 3, 2, 4, 5)
        return parts.reshape(n, h * b, w * b, c // b**2)
    c, h, w = rest
    parts = x.reshape(n, -1, b, b, h, w).transpose(0, 1, 4, 2, 5, 3)
    return parts.reshape(n, c // b**2, h * b, w * b)


@op
def space_to_depth(x: Any, block_size: int, data_format: str | None = "channels_last") -> Any:
    """Blocks of pixels as channels: `depth_to_space` undone."""
    x, b, last = _blocks(x, block_size, data_format)
    n, *rest = x.shape
    sizes = rest[:2] if last else rest[1:]
    if any(size % b for size in sizes):
        raise ValueError(f"block_size {b} must divide rows and columns, got {tuple(sizes)}")
    if last:
        h, w, c = rest
        parts = x.reshape(n, h // b, b, w // b, b, c).transpose(0, 1, 3, 2, 4, 5)
        return parts.reshape(n, h // b, w // b, c * b**2)
    c, h, w = rest
    parts = x.reshape(n, c, h // b, b, w // b, b).transpose(0, 1, 3, 5, 2, 4)
    return parts.reshape(n, c * b**2, h // b, w // b)


def _slid(
    x: Any,
    kernel: Any,
    strides: Sizes,
    padding: str,
    data_format: str | None,
    dilation_rate: Sizes,
    groups: int,
) -> Any:
    """The convolution by a kernel (*space, channels / groups, out)."""
    rank(x.shape, kernel.ndim)
    space, channels_axis = kernel.ndim - 2, channels_at(data_format)
    steps = tuple_of("strides", strides, space)
    dilation = tuple_of("dilation_rate", dilation_rate, space)
    rule = one_of("padding", padding.lower(), PADDINGS)
    x = jnp.moveaxis(x, channels_axis, -1)
    edges = fitting_padding(rule, x.shape[1:-1], kernel.shape[:space], steps, dilation)
    return jnp.moveaxis(convolve(x, kernel, steps, edges, dilation, groups), -1, channels_axis)


def _fitting(x: Any, kernel: Any, axis: int, data_format: str | None) -> int:
    """The number of channels, if it is the size of that axis of the kernel."""
    rank(x.shape, kernel.ndim)
    channels = x.shape[channels_at(data_format)]
    if channels != kernel.shape[axis]:
        raise ValueError(
            f"the kernel, of shape {kernel.shape}, is for {kernel.shape[axis]} channels; the input "
            f"has {channels}, with data_format {data_format!r}"
        )
    return channels


def _cropped(rule: str, reach: int, stride: int, extra: int | None) -> tuple[int, int]:
    """What is cropped before and after an axis of all the places that the inputs reach."""
    if rule == "valid":
        return 0, -(max(stride - reach, 0) if extra is None else extra)
    more = stride - 2 if extra is None else reach % 2 - 2 + extra
    total = reach + more
    before = max(reach - 1 - (total + 1) // 2, 0)
    return before, reach - 2 - more - before


def _places(
    size: Sequence[int], kernel_size: Sizes, dilation: Sizes, stride: Sizes
) -> tuple[tuple[int, ...], list[tuple[slice, ...]]]:
    """Numbers of windows along both axes, and for each place in a window where it lies in them."""
    window, spread, steps = (
        tuple_of(name, value, 2)
        for name, value in (
            ("kernel_size", kernel_size),
            ("dilation", dilation),
            ("stride", stride),
        )
    )
    counts = output_sizes(size, window, steps, ((0, 0), (0, 0)), spread)
    if min(counts) < 1:
        raise ValueError(f"kernel_size {window} must fit the padded image, of size {tuple(size)}")
    axes = [
        [slice(q * d, q * d + (count - 1) * s + 1, s) for q in range(k)]
        for k, d, s, count in zip(window, spread, steps, counts, strict=True)
    ]
    return counts, list(product(*axes))


def _blocks(x: Any, block_size: int, data_format: str | None) -> tuple[Any, int, bool]:
    """The images, the size of blocks, and whether channels are last."""
    x = array(x)
    rank(x.shape, 4)
    if block_size < 2:
        raise ValueError(f"block_size must be at least 2, got {block_size}")
    return x, block_size, channels_at(data_format) == -1
