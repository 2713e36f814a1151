"""Convolutions of each channel by itself, and those with a mixture of the channels after."""

from collections.abc import Callable, Iterator

import jax.numpy as jnp
from jaxtyping import Shaped

from funkeras import activations
from funkeras.functional.checks import known, no_mask, positive, rank, tuple_of
from funkeras.functional.convolution import (
    PADDINGS,
    Sizes,
    channels_at,
    fitting_padding,
    padding_rule,
)
from funkeras.functional.convolve import convolve
from funkeras.functional.pair import Pair, Weight, layer, stateless
from funkeras.typing import Array, Identifier, Params, Shape

__all__ = ["depthwise_conv1d", "depthwise_conv2d", "separable_conv1d", "separable_conv2d"]


@layer("DepthwiseConv1D")
def depthwise_conv1d(
    kernel_size: Sizes,
    strides: Sizes = 1,
    padding: str = "valid",
    depth_multiplier: int = 1,
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
    activation: Identifier = None,
    use_bias: bool = True,
    depthwise_initializer: Identifier = "glorot_uniform",
    bias_initializer: Identifier = "zeros",
) -> Pair:
    """Slide `depth_multiplier` kernels along each channel of a sequence, by itself.

    >>> from funkeras.functional import output_shape
    >>> output_shape(depthwise_conv1d(3, depth_multiplier=2), (None, 7, 4))
    (None, 5, 8)
    """
    return _depthwise(
        1,
        kernel_size,
        strides,
        padding_rule(padding, (*PADDINGS, "causal")),
        depth_multiplier,
        data_format,
        dilation_rate,
        activation,
        use_bias,
        depthwise_initializer,
        bias_initializer,
    )


@layer("DepthwiseConv2D")
def depthwise_conv2d(
    kernel_size: Sizes,
    strides: Sizes = 1,
    padding: str = "valid",
    depth_multiplier: int = 1,
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
    activation: Identifier = None,
    use_bias: bool = True,
    depthwise_initializer: Identifier = "glorot_uniform",
    bias_initializer: Identifier = "zeros",
) -> Pair:
    """Slide `depth_multiplier` kernels over each channel of an image, by itself.

    Output channel c * depth_multiplier + m is `conv(x[..., c], kernel[..., c, m]) + bias`.

    >>> from funkeras.functional import output_shape
    >>> output_shape(depthwise_conv2d(3, padding="same"), (None, 7, 7, 4))
    (None, 7, 7, 4)
    """
    return _depthwise(
        2,
        kernel_size,
        strides,
        padding_rule(padding),
        depth_multiplier,
        data_format,
        dilation_rate,
        activation,
        use_bias,
        depthwise_initializer,
        bias_initializer,
    )


@layer("SeparableConv1D")
def separable_conv1d(
    filters: int,
    kernel_size: Sizes,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
    depth_multiplier: int = 1,
    activation: Identifier = None,
    use_bias: bool = True,
    depthwise_initializer: Identifier = "glorot_uniform",
    pointwise_initializer: Identifier = "glorot_uniform",
    bias_initializer: Identifier = "zeros",
) -> Pair:
    """Convolve each channel of a sequence by itself, then mix the channels of each step.

    >>> from funkeras.functional import output_shape
    >>> output_shape(separable_conv1d(5, 3, padding="causal"), (None, 7, 4))
    (None, 7, 5)
    """
    return _separable(
        1,
        filters,
        kernel_size,
        strides,
        padding_rule(padding, (*PADDINGS, "causal")),
        data_format,
        dilation_rate,
        depth_multiplier,
        activation,
        use_bias,
        depthwise_initializer,
        pointwise_initializer,
        bias_initializer,
    )


@layer("SeparableConv2D")
def separable_conv2d(
    filters: int,
    kernel_size: Sizes,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
    depth_multiplier: int = 1,
    activation: Identifier = None,
    use_bias: bool = True,
    depthwise_initializer: Identifier = "glorot_uniform",
    pointwise_initializer: Identifier = "glorot_uniform",
    bias_initializer: Identifier = "zeros",
) -> Pair:
    """Convolve each channel of an image by itself, then mix the channels of each pixel.

    `activation(depthwise(x) @ pointwise_kernel + bias)`: far fewer weights than a full kernel has
    (Chollet 2017, https://arxiv.org/abs/1610.02357).

    >>> from funkeras.functional import output_shape
    >>> output_shape(separable_conv2d(5, 3, depth_multiplier=2), (None, 7, 7, 4))
    (None, 5, 5, 5)
    """
    return _separable(
        2,
        filters,
        kernel_size,
        strides,
        padding_rule(padding),
        data_format,
        dilation_rate,
        depth_multiplier,
        activation,
        use_bias,
        depthwise_initializer,
        pointwise_initializer,
        bias_initializer,
    )


def _by_channel(
    space: int, kernel_size: Sizes, strides: Sizes, padding: str, dilation_rate: Sizes
) -> tuple[tuple[int, ...], Callable[[Array, Array], Array]]:
    """Size of the kernel, and the convolution of each channel by (*space, channels, multiplier)."""
    kernel_size = tuple_of("kernel_size", kernel_size, space)
    strides = tuple_of("strides", strides, space)
    dilation = tuple_of("dilation_rate", dilation_rate, space)

    def run(x: Array, kernel: Array) -> Array:
        edges = fitting_padding(padding, x.shape[1:-1], kernel_size, strides, dilation)
        kernel = kernel.reshape(*kernel_size, 1, -1)
        return convolve(x, kernel, strides, edges, dilation, groups=x.shape[-1])

    return kernel_size, run


def _depthwise(
    space: int,
    kernel_size: Sizes,
    strides: Sizes,
    padding: str,
    depth_multiplier: int,
    data_format: str | None,
    dilation_rate: Sizes,
    activation: Identifier,
    use_bias: bool,
    depthwise_initializer: Identifier,
    bias_initializer: Identifier,
) -> Pair:
    positive("depth_multiplier", depth_multiplier)
    size, by_channel = _by_channel(space, kernel_size, strides, padding, dilation_rate)
    channels_axis = channels_at(data_format)
    activate = activations.get(activation)

    def weights(input_shape: Shape) -> Iterator[Weight]:
        rank(input_shape, space + 2)
        channels = known("channels axis", input_shape, channels_axis)
        yield Weight("depthwise_kernel", (*size, channels, depth_multiplier), depthwise_initializer)
        if use_bias:
            yield Weight("bias", (channels * depth_multiplier,), bias_initializer)

    def apply(params: Params, x: Shaped[Array, "batch *n"]) -> Shaped[Array, "batch *m"]:
        rank(x.shape, space + 2)
        y = by_channel(jnp.moveaxis(x, channels_axis, -1), params["depthwise_kernel"])
        y = y + params["bias"] if use_bias else y
        return activate(jnp.moveaxis(y, -1, channels_axis))

    return stateless(apply, weights, no_mask)


def _separable(
    space: int,
    filters: int,
    kernel_size: Sizes,
    strides: Sizes,
    padding: str,
    data_format: str | None,
    dilation_rate: Sizes,
    depth_multiplier: int,
    activation: Identifier,
    use_bias: bool,
    depthwise_initializer: Identifier,
    pointwise_initializer: Identifier,
    bias_initializer: Identifier,
) -> Pair:
    positive("filters", filters)
    positive("depth_multiplier", depth_multiplier)
    size, by_channel = _by_channel(space, kernel_size, strides, padding, dilation_rate)
    channels_axis = channels_at(data_format)
    activate = activations.get(activation)

    def weights(input_shape: Shape) -> Iterator[Weight]:
        rank(input_shape, space + 2)
        channels = known("channels axis", input_shape, channels_axis)
        yield Weight("depthwise_kernel", (*size, channels, depth_multiplier), depthwise_initializer)
        shape = (*(1,) * space, channels * depth_multiplier, filters)
        yield Weight("pointwise_kernel", shape, pointwise_initializer)
        if use_bias:
            yield Weight("bias", (filters,), bias_initializer)

    def apply(params: Params, x: Shaped[Array, "batch *n"]) -> Shaped[Array, "batch *m"]:
        rank(x.shape, space + 2)
        y = by_channel(jnp.moveaxis(x, channels_axis, -1), params["depthwise_kernel"])
        mixture = params["pointwise_kernel"]
        y = y @ mixture.reshape(mixture.shape[space:])
        y = y + params["bias"] if use_bias else y
        return activate(jnp.moveaxis(y, -1, channels_axis))

    return stateless(apply, weights, no_mask)
