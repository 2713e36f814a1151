"""Convolutions of sequences, images and volumes: one implementation for every rank."""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import jax.numpy as jnp
from jaxtyping import Shaped

from funkeras import activations, config
from funkeras.functional.checks import (
    known,
    no_mask,
    one_of,
    positive,
    rank,
    strides_or_dilation,
    tuple_of,
)
from funkeras.functional.convolve import Padding, convolve, explicit_padding, output_sizes
from funkeras.functional.drawing import kernel_start
from funkeras.functional.pair import Pair, Weight, layer, stateless
from funkeras.typing import Array, Identifier, Params, Shape

__all__ = ["conv1d", "conv2d", "conv3d"]

Sizes: TypeAlias = int | Sequence[int]
"""One number for each spatial axis, or a single one for all."""

PADDINGS = ("valid", "same", "full")


def channels_at(data_format: str | None) -> int:
    """The channels axis, 1 or -1: `config.image_data_format()` decides when none is given."""
    chosen = config.image_data_format() if data_format is None else data_format
    one_of("data_format", chosen, ("channels_first", "channels_last"))
    return 1 if chosen == "channels_first" else -1


def padding_rule(padding: str, allowed: Sequence[str] = PADDINGS) -> str:
    """The rule for that argument, in any letters as `SAME` is.

    On the backend Theano, Keras 1 and 2 had another for `same`.
    """
    padding = str(padding).lower()
    one_of("padding", padding, allowed)
    on_theano = config.backend() == "theano" and config.dialect() != "modern"
    return "same_theano" if padding == "same" and on_theano else padding


def fitting_padding(
    padding: str,
    size: Sequence[int],
    kernel_size: Sequence[int],
    strides: Sequence[int],
    dilation: Sequence[int],
) -> Padding:
    """What goes before and after each axis, if the kernel then fits the input."""
    edges = explicit_padding(padding, size, kernel_size, strides, dilation)
    if min(output_sizes(size, kernel_size, strides, edges, dilation)) < 1:
        raise ValueError(
            f"kernel_size {tuple(kernel_size)} with dilation_rate {tuple(dilation)} must fit the "
            f"input, got one of {tuple(size)} with padding {padding!r}"
        )
    return edges


@layer("Conv1D")
def conv1d(
    filters: int,
    kernel_size: Sizes,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
    groups: int = 1,
    activation: Identifier = None,
    use_bias: bool = True,
    kernel_initializer: Identifier = "glorot_uniform",
    bias_initializer: Identifier = "zeros",
) -> Pair:
    """Slide `filters` kernels along time: `activation(conv(x, kernel) + bias)`.

    `causal` padding looks at no later step than the present one.

    >>> from funkeras.functional import output_shape
    >>> output_shape(conv1d(8, 3, strides=2), (None, None, 4))
    (None, None, 8)
    """
    return _convolution(
        1,
        filters,
        kernel_size,
        strides,
        padding_rule(padding, (*PADDINGS, "causal")),
        data_format,
        dilation_rate,
        groups,
        activation,
        use_bias,
        kernel_initializer,
        bias_initializer,
    )


@layer("Conv2D")
def conv2d(
    filters: int,
    kernel_size: Sizes,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
    groups: int = 1,
    activation: Identifier = None,
    use_bias: bool = True,
    kernel_initializer: Identifier = "glorot_uniform",
    bias_initializer: Identifier = "zeros",
) -> Pair:
    """Slide `filters` kernels over an image: `activation(conv(x, kernel) + bias)`.

    >>> from funkeras.functional import output_shape
    >>> output_shape(conv2d(32, 3, padding="same"), (None, 28, 28, 1))
    (None, 28, 28, 32)
    """
    return _convolution(
        2,
        filters,
        kernel_size,
        strides,
        padding_rule(padding),
        data_format,
        dilation_rate,
        groups,
        activation,
        use_bias,
        kernel_initializer,
        bias_initializer,
    )


@layer("Conv3D")
def conv3d(
    filters: int,
    kernel_size: Sizes,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
    groups: int = 1,
    activation: Identifier = None,
    use_bias: bool = True,
    kernel_initializer: Identifier = "glorot_uniform",
    bias_initializer: Identifier = "zeros",
) -> Pair:
    """Slide `filters` kernels through a volume: `activation(conv(x, kernel) + bias)`.

    >>> from funkeras.functional import output_shape
    >>> output_shape(conv3d(2, (1, 2, 3)), (None, 4, 4, 4, 1))
    (None, 4, 3, 2, 2)
    """
    return _convolution(
        3,
        filters,
        kernel_size,
        strides,
        padding_rule(padding),
        data_format,
        dilation_rate,
        groups,
        activation,
        use_bias,
        kernel_initializer,
        bias_initializer,
    )


def _convolution(
    space: int,
    filters: int,
    kernel_size: Sizes,
    strides: Sizes,
    padding: str,
    data_format: str | None,
    dilation_rate: Sizes,
    groups: int,
    activation: Identifier,
    use_bias: bool,
    kernel_initializer: Identifier,
    bias_initializer: Identifier,
) -> Pair:
    """The convolution over `space` axes; its kernel is (*kernel_size, in / groups, filters)."""
    positive("filters", filters)
    positive("groups", groups)
    if filters % groups:
        raise ValueError(f"filters must be a multiple of groups, got {filters} for {groups} groups")
    kernel_size = tuple_of("kernel_size", kernel_size, space)
    strides = tuple_of("strides", strides, space)
    dilation = tuple_of("dilation_rate", dilation_rate, space)
    strides_or_dilation(strides, dilation)
    channels_axis = channels_at(data_format)
    activate = activations.get(activation)
    start = kernel_start(kernel_initializer, channels_axis == 1)

    def weights(input_shape: Shape) -> Iterator[Weight]:
        rank(input_shape, space + 2)
        channels = known("channels axis", input_shape, channels_axis)
        if channels % groups:
            raise ValueError(f"groups must divide the {channels} channels, got {groups}")
        shape = (*kernel_size, channels // groups, filters)
        yield Weight("kernel", shape, start)
        if use_bias:
            yield Weight("bias", (filters,), bias_initializer)

    def apply(params: Params, x: Shaped[Array, "batch *n"]) -> Shaped[Array, "batch *m"]:
        rank(x.shape, space + 2)
        x = jnp.moveaxis(x, channels_axis, -1)
        size = x.shape[1:-1]
        edges = fitting_padding(padding, size, kernel_size, strides, dilation)
        y = convolve(x, params["kernel"], strides, edges, dilation, groups)
        y = y + params["bias"] if use_bias else y
        return activate(jnp.moveaxis(y, -1, channels_axis))

    return stateless(apply, weights, no_mask)
