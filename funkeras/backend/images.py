"""Convolution, pooling, padding and resizing of sequences, images and volumes.

They are the functional layers, given their kernels. Kernels are `(*sizes, in, out)`; in the classic
dialect with channels first they are `(out, in, *sizes)`, as Keras 1 has them. They are not flipped,
but on the backend Theano, which flipped them in Keras 1 and 2.
"""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from funkeras import config
from funkeras import functional as F
from funkeras.backend.arranging import whole
from funkeras.backend.lifting import op
from funkeras.functional.convolution import channels_at
from funkeras.functional.pair import Pair

__all__ = [
    "asymmetric_spatial_2d_padding",
    "asymmetric_temporal_padding",
    "atrous_conv2d",
    "conv1d",
    "conv2d",
    "conv2d_transpose",
    "conv3d",
    "conv3d_transpose",
    "deconv2d",
    "deconv3d",
    "depthwise_conv2d",
    "local_conv1d",
    "local_conv2d",
    "pool2d",
    "pool3d",
    "resize_images",
    "resize_volumes",
    "separable_conv1d",
    "separable_conv2d",
    "spatial_2d_padding",
    "spatial_3d_padding",
    "temporal_padding",
]


def _run(pair: Pair, x: Any, **params: Any) -> Any:
    arrays = {name: jnp.asarray(value) for name, value in params.items()}
    return pair.apply(arrays, {}, jnp.asarray(x))[0]


def _stored(kernel: Any, data_format: str | None) -> Any:
    """A kernel as (*sizes, in, out), from where the dialect keeps it, as the backend reads it."""
    kernel = jnp.asarray(kernel)
    if config.dialect() == "classic" and channels_at(data_format) == 1:
        kernel = jnp.moveaxis(kernel, (1, 0), (-2, -1))
    turned = config.backend() == "theano" and config.dialect() != "modern"
    return jnp.flip(kernel, tuple(range(kernel.ndim - 2))) if turned else kernel


def _convolve(
    build: Callable[..., Pair],
    x: Any,
    kernel: Any,
    strides: Any,
    padding: str,
    data_format: str | None,
    dilation: Any,
) -> Any:
    options = {"data_format": data_format, "dilation_rate": dilation, "use_bias": False}
    pair = build(kernel.shape[-1], kernel.shape[:-2], strides, padding, **options)
    return _run(pair, x, kernel=kernel)


@op
def conv1d(
    x: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
    image_shape: Any = None,
    filter_shape: Any = None,
) -> Any:
    """The convolution of sequences; `padding` may be `causal`.

    Keras 1 has channels last here whatever the images have. `image_shape` and `filter_shape`, here
    and below, are what it told Theano: the arrays have them.
    """
    if data_format is None and config.dialect() == "classic":
        data_format = "channels_last"
    return _convolve(F.conv1d, x, kernel, strides, padding, data_format, dilation_rate)


@op
def conv2d(
    x: Any,
    kernel: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
    image_shape: Any = None,
    filter_shape: Any = None,
) -> Any:
    """The convolution of images."""
    kernel = _stored(kernel, data_format)
    return _convolve(F.conv2d, x, kernel, strides, padding, data_format, dilation_rate)


@op
def conv3d(
    x: Any,
    kernel: Any,
    strides: Any = (1, 1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1, 1),
    volume_shape: Any = None,
    filter_shape: Any = None,
) -> Any:
    """The convolution of volumes."""
    kernel = _stored(kernel, data_format)
    return _convolve(F.conv3d, x, kernel, strides, padding, data_format, dilation_rate)


@op
def atrous_conv2d(
    x: Any,
    kernel: Any,
    rate: int = 1,
    padding: str = "valid",
    data_format: str | None = None,
    image_shape: Any = None,
    filter_shape: Any = None,
) -> Any:
    """The convolution of images with `rate - 1` places between the entries of the kernel."""
    kernel = _stored(kernel, data_format)
    return _convolve(F.conv2d, x, kernel, 1, padding, data_format, rate)


def _transposed(
    build: Callable[..., Pair],
    x: Any,
    kernel: Any,
    output_shape: Any,
    strides: Any,
    padding: str,
    data_format: str | None,
    dilation: Any = 1,
) -> Any:
    sizes = whole(jnp.shape(x)[:1] if output_shape[0] is None else output_shape[:1])
    pair = build(
        kernel.shape[-2],
        kernel.shape[:-2],
        strides,
        padding,
        data_format=data_format,
        dilation_rate=dilation,
        use_bias=False,
        output_shape=(*sizes, *whole(output_shape[1:])),
    )
    return _run(pair, x, kernel=kernel)


@op
def conv2d_transpose(
    x: Any,
    kernel: Any,
    output_shape: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Any:
    """The transposed convolution of images; its kernel is (*sizes, out, in)."""
    kernel = jnp.asarray(kernel)
    return _transposed(
        F.conv2d_transpose, x, kernel, output_shape, strides, padding, data_format, dilation_rate
    )


@op
def conv3d_transpose(
    x: Any,
    kernel: Any,
    output_shape: Any,
    strides: Any = (1, 1, 1),
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """The transposed convolution of volumes; its kernel is (*sizes, out, in)."""
    kernel = jnp.asarray(kernel)
    return _transposed(F.conv3d_transpose, x, kernel, output_shape, strides, padding, data_format)


@op
def deconv2d(
    x: Any,
    kernel: Any,
    output_shape: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    image_shape: Any = None,
    filter_shape: Any = None,
) -> Any:
    """Keras 1's transposed convolution of images; its kernel is stored as that of `conv2d`."""
    kernel = jnp.swapaxes(_stored(kernel, data_format), -1, -2)
    return _transposed(F.conv2d_transpose, x, kernel, output_shape, strides, padding, data_format)


@op
def deconv3d(
    x: Any,
    kernel: Any,
    output_shape: Any,
    strides: Any = (1, 1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    image_shape: Any = None,
    filter_shape: Any = None,
) -> Any:
    """Keras 1's transposed convolution of volumes; its kernel is stored as that of `conv3d`."""
    kernel = jnp.swapaxes(_stored(kernel, data_format), -1, -2)
    return _transposed(F.conv3d_transpose, x, kernel, output_shape, strides, padding, data_format)


@op
def depthwise_conv2d(
    x: Any,
    depthwise_kernel: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Any:
    """The convolution of each channel by itself, with a kernel (*sizes, in, multiplier)."""
    kernel = _stored(depthwise_kernel, data_format)
    options = {"data_format": data_format, "dilation_rate": dilation_rate, "use_bias": False}
    pair = F.depthwise_conv2d(kernel.shape[:2], strides, padding, kernel.shape[-1], **options)
    return _run(pair, x, depthwise_kernel=kernel)


def _separable(
    build: Callable[..., Pair],
    x: Any,
    depthwise: Any,
    pointwise: Any,
    strides: Any,
    padding: str,
    data_format: str | None,
    dilation: Any,
) -> Any:
    pair = build(
        pointwise.shape[-1],
        depthwise.shape[:-2],
        strides,
        padding,
        data_format,
        dilation,
        depthwise.shape[-1],
        use_bias=False,
    )
    return _run(pair, x, depthwise_kernel=depthwise, pointwise_kernel=pointwise)


@op
def separable_conv1d(
    x: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    """The convolution of each channel of a sequence, then a mixture of the channels."""
    depthwise, pointwise = jnp.asarray(depthwise_kernel), jnp.asarray(pointwise_kernel)
    return _separable(
        F.separable_conv1d, x, depthwise, pointwise, strides, padding, data_format, dilation_rate
    )


@op
def separable_conv2d(
    x: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Any:
    """The convolution of each channel of an image, then a mixture of the channels."""
    depthwise = _stored(depthwise_kernel, data_format)
    pointwise = _stored(pointwise_kernel, data_format)
    return _separable(
        F.separable_conv2d, x, depthwise, pointwise, strides, padding, data_format, dilation_rate
    )


def _local(
    build: Callable[..., Pair],
    inputs: Any,
    kernel: Any,
    kernel_size: Any,
    strides: Any,
    data_format: str | None,
) -> Any:
    size, steps = whole(kernel_size), whole(strides)
    filters = jnp.shape(kernel)[-1]
    pair = build(filters, size, steps, data_format=data_format, use_bias=False)
    return _run(pair, inputs, kernel=kernel)


@op
def local_conv1d(
    inputs: Any, kernel: Any, kernel_size: Any, strides: Any, data_format: str | None = None
) -> Any:
    """A convolution with a kernel of its own at each place: (places, size · in, filters)."""
    return _local(F.locally_connected1d, inputs, kernel, kernel_size, strides, data_format)


@op
def local_conv2d(
    inputs: Any,
    kernel: Any,
    kernel_size: Any,
    strides: Any,
    output_shape: Any = None,
    data_format: str | None = None,
) -> Any:
    """A convolution with a kernel of its own at each place: (places, size · in, filters)."""
    return _local(F.locally_connected2d, inputs, kernel, kernel_size, strides, data_format)


POOLS: dict[tuple[str, int], Callable[..., Pair]] = {
    ("max", 2): F.max_pooling2d,
    ("max", 3): F.max_pooling3d,
    ("avg", 2): F.average_pooling2d,
    ("avg", 3): F.average_pooling3d,
}


def _pool(
    space: int, x: Any, size: Any, strides: Any, padding: str, data_format: str | None, mode: str
) -> Any:
    if (mode, space) not in POOLS:
        raise ValueError(f"pool_mode must be max or avg, got {mode!r}")
    return _run(POOLS[mode, space](size, strides, padding, data_format), x)


@op
def pool2d(
    x: Any,
    pool_size: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    pool_mode: str = "max",
) -> Any:
    """The largest value (`max`) or the mean (`avg`) of each window of an image."""
    return _pool(2, x, pool_size, strides, padding, data_format, pool_mode)


@op
def pool3d(
    x: Any,
    pool_size: Any,
    strides: Any = (1, 1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    pool_mode: str = "max",
) -> Any:
    """The largest value (`max`) or the mean (`avg`) of each window of a volume."""
    return _pool(3, x, pool_size, strides, padding, data_format, pool_mode)


@op
def temporal_padding(x: Any, padding: Any = 1) -> Any:
    """Zeros before and after a sequence."""
    return _run(F.zero_padding1d(padding, "channels_last"), x)


@op
def asymmetric_temporal_padding(x: Any, left_pad: int = 1, right_pad: int = 1) -> Any:
    """Zeros before and after a sequence."""
    return _run(F.zero_padding1d((left_pad, right_pad), "channels_last"), x)


@op
def spatial_2d_padding(x: Any, padding: Any = 1, data_format: str | None = None) -> Any:
    """Zeros around images: one number, one for each axis, or a pair for each."""
    return _run(F.zero_padding2d(padding, data_format), x)


@op
def asymmetric_spatial_2d_padding(
    x: Any,
    top_pad: int = 1,
    bottom_pad: int = 1,
    left_pad: int = 1,
    right_pad: int = 1,
    data_format: str | None = None,
) -> Any:
    """Zeros around images."""
    return _run(F.zero_padding2d(((top_pad, bottom_pad), (left_pad, right_pad)), data_format), x)


@op
def spatial_3d_padding(x: Any, padding: Any = 1, data_format: str | None = None) -> Any:
    """Zeros around volumes: one number, one for each axis, or a pair for each."""
    return _run(F.zero_padding3d(padding, data_format), x)


@op
def resize_images(
    x: Any,
    height_factor: int,
    width_factor: int,
    data_format: str | None,
    interpolation: str = "nearest",
) -> Any:
    """Images as many times as high and wide."""
    return _run(F.up_sampling2d((height_factor, width_factor), data_format, interpolation), x)


@op
def resize_volumes(
    x: Any, depth_factor: int, height_factor: int, width_factor: int, data_format: str | None
) -> Any:
    """Volumes as many times as deep, high and wide."""
    return _run(F.up_sampling3d((depth_factor, height_factor, width_factor), data_format), x)
