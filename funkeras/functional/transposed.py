"""Transposed convolutions: each input spreads a kernel over the output."""

from collections.abc import Iterator, Sequence

import jax.numpy as jnp
from jaxtyping import Shaped

from funkeras import activations
from funkeras.functional.checks import known, no_mask, positive, rank, strides_or_dilation, tuple_of
from funkeras.functional.convolution import PADDINGS, Sizes, channels_at, padding_rule
from funkeras.functional.convolve import (
    Padding,
    convolve_transposed,
    explicit_padding,
    output_sizes,
)
from funkeras.functional.drawing import kernel_start
from funkeras.functional.pair import Pair, Weight, layer, stateless
from funkeras.typing import Array, Identifier, Params, Shape

__all__ = ["conv1d_transpose", "conv2d_transpose", "conv3d_transpose"]


@layer("Conv1DTranspose")
def conv1d_transpose(
    filters: int,
    kernel_size: Sizes,
    strides: Sizes = 1,
    padding: str = "valid",
    output_padding: Sizes | None = None,
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
    activation: Identifier = None,
    use_bias: bool = True,
    kernel_initializer: Identifier = "glorot_uniform",
    bias_initializer: Identifier = "zeros",
    output_shape: Sequence[int | None] | None = None,
) -> Pair:
    """The transpose of a convolution in time: `activation(conv_transposed(x, kernel) + bias)`.

    >>> from funkeras.functional import output_shape
    >>> output_shape(conv1d_transpose(8, 3, strides=2), (None, 5, 4))
    (None, 11, 8)
    """
    return _transposed(
        1,
        filters,
        kernel_size,
        strides,
        padding,
        output_padding,
        data_format,
        dilation_rate,
        activation,
        use_bias,
        kernel_initializer,
        bias_initializer,
        output_shape,
    )


@layer("Conv2DTranspose")
def conv2d_transpose(
    filters: int,
    kernel_size: Sizes,
    strides: Sizes = 1,
    padding: str = "valid",
    output_padding: Sizes | None = None,
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
    activation: Identifier = None,
    use_bias: bool = True,
    kernel_initializer: Identifier = "glorot_uniform",
    bias_initializer: Identifier = "zeros",
    output_shape: Sequence[int | None] | None = None,
) -> Pair:
    """The transpose of a convolution of images: `activation(conv_transposed(x, kernel) + bias)`.

    `valid` gives every place that an input reaches, `same` gives `size * strides`, and `full`, the
    transpose of a `full` convolution, (size - 1) * strides - span + 2, where span is the reach of
    the dilated kernel. With `output_padding` it is (size - 1) * strides + span + output_padding,
    less 2 * (span // 2) for `same` and 2 * (span - 1) for `full`. Keras 1 asks for an
    `output_shape` instead, with the batch, of which the spatial sizes count.

    >>> from funkeras.functional import output_shape
    >>> output_shape(conv2d_transpose(8, 3, strides=2, padding="same"), (None, 7, 7, 4))
    (None, 14, 14, 8)
    """
    return _transposed(
        2,
        filters,
        kernel_size,
        strides,
        padding,
        output_padding,
        data_format,
        dilation_rate,
        activation,
        use_bias,
        kernel_initializer,
        bias_initializer,
        output_shape,
    )


@layer("Conv3DTranspose")
def conv3d_transpose(
    filters: int,
    kernel_size: Sizes,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    output_padding: Sizes | None = None,
    dilation_rate: Sizes = 1,
    activation: Identifier = None,
    use_bias: bool = True,
    kernel_initializer: Identifier = "glorot_uniform",
    bias_initializer: Identifier = "zeros",
    output_shape: Sequence[int | None] | None = None,
) -> Pair:
    """The transpose of a convolution of volumes: `activation(conv_transposed(x, kernel) + bias)`.

    >>> from funkeras.functional import output_shape
    >>> output_shape(conv3d_transpose(2, 2, strides=(1, 2, 3)), (None, 4, 4, 4, 1))
    (None, 5, 8, 12, 2)
    """
    return _transposed(
        3,
        filters,
        kernel_size,
        strides,
        padding,
        output_padding,
        data_format,
        dilation_rate,
        activation,
        use_bias,
        kernel_initializer,
        bias_initializer,
        output_shape,
    )


def _transposed(
    space: int,
    filters: int,
    kernel_size: Sizes,
    strides: Sizes,
    padding: str,
    output_padding: Sizes | None,
    data_format: str | None,
    dilation_rate: Sizes,
    activation: Identifier,
    use_bias: bool,
    kernel_initializer: Identifier,
    bias_initializer: Identifier,
    output_shape: Sequence[int | None] | None,
) -> Pair:
    """The transposed convolution over `space` axes; its kernel is (*kernel_size, filters, in)."""
    positive("filters", filters)
    padding = str(padding).lower()
    rule = padding_rule(padding, PADDINGS)
    kernel_size = tuple_of("kernel_size", kernel_size, space)
    strides = tuple_of("strides", strides, space)
    dilation = tuple_of("dilation_rate", dilation_rate, space)
    strides_or_dilation(strides, dilation)
    channels_axis = channels_at(data_format)
    activate = activations.get(activation)
    start = kernel_start(kernel_initializer, channels_axis == 1, transposed=True)
    reach = tuple((k - 1) * d + 1 for k, d in zip(kernel_size, dilation, strict=True))
    extra = None
    if output_padding is not None:
        extra = tuple_of("output_padding", output_padding, space, least=0)
        if any(more >= stride for more, stride in zip(extra, strides, strict=True)):
            raise ValueError(f"output_padding must be less than strides {strides}, got {extra}")
    wanted = None
    if output_shape is not None:
        wanted = _spatial_sizes(output_shape, filters, space, channels_axis)

    def weights(input_shape: Shape) -> Iterator[Weight]:
        rank(input_shape, space + 2)
        channels = known("channels axis", input_shape, channels_axis)
        yield Weight("kernel", (*kernel_size, filters, channels), start)
        if use_bias:
            yield Weight("bias", (filters,), bias_initializer)

    def apply(params: Params, x: Shaped[Array, "batch *n"]) -> Shaped[Array, "batch *m"]:
        rank(x.shape, space + 2)
        x = jnp.moveaxis(x, channels_axis, -1)
        given = x.shape[1:-1]
        size = wanted or _output_size(padding, given, reach, strides, extra)
        back = explicit_padding(rule, size, kernel_size, strides, dilation)
        if wanted and output_sizes(size, kernel_size, strides, back, dilation) != given:
            raise ValueError(
                f"output_shape must be one that a {padding} convolution with kernel_size "
                f"{kernel_size} and strides {strides} brings to {given}, got {output_shape}"
            )
        if min(size) < 1:
            raise ValueError(f"the input must be larger than {given} to leave any output")
        edges = _cropped(rule, given, size, reach, strides)
        y = convolve_transposed(x, params["kernel"], size, strides, edges, dilation)
        y = y + params["bias"] if use_bias else y
        return activate(jnp.moveaxis(y, -1, channels_axis))

    return stateless(apply, weights, no_mask)


def _spatial_sizes(
    output_shape: Sequence[int | None], filters: int, space: int, channels_axis: int
) -> tuple[int, ...]:
    """The sizes in the shape that Keras 1 asks for: (batch, *sizes, filters), or filters second."""
    sizes = list(output_shape)
    if len(sizes) != space + 2 or sizes.pop(channels_axis) != filters:
        raise ValueError(
            f"output_shape must have a batch, {space} sizes and {filters} filters on axis "
            f"{channels_axis}, got {tuple(output_shape)}"
        )
    return tuple_of("output_shape", [size or 0 for size in sizes[1:]], space)


def _output_size(
    padding: str,
    size: Sequence[int],
    reach: Sequence[int],
    strides: Sequence[int],
    extra: Sequence[int] | None,
) -> tuple[int, ...]:
    """Outputs along each axis where no shape is asked for."""
    axes = zip(size, reach, strides, strict=True)
    if extra is not None:
        return tuple(
            (n - 1) * s + k - 2 * _edge(padding, k) + more
            for (n, k, s), more in zip(axes, extra, strict=True)
        )
    beyond = {
        "valid": lambda k, s: max(k - s, 0),
        "same": lambda k, s: 0,
        "full": lambda k, s: 2 - k - s,
    }[padding]
    return tuple(n * s + beyond(k, s) for n, k, s in axes)


def _edge(rule: str, reach: int) -> int:
    """What the transposed convolution pads before an axis of any size."""
    return {"valid": 0, "full": reach - 1}.get(rule, reach // 2)


def _cropped(
    rule: str,
    size: Sequence[int],
    output_size: Sequence[int],
    reach: Sequence[int],
    strides: Sequence[int],
) -> Padding:
    """What is cropped before and after each axis of all the places that the inputs reach.

    It is the padding of the convolution that this one transposes; at the end it can be negative.
    """

    def crop(n: int, m: int, k: int, s: int) -> tuple[int, int]:
        total = (n - 1) * s + k - m
        before = max(total, 0) // 2 if rule == "same" else _edge(rule, k)
        return before, total - before

    return tuple(map(crop, size, output_size, reach, strides))
