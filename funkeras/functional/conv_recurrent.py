"""Recurrent layers whose products are convolutions: `rnn` of a convolutional LSTM cell."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TypeAlias

import jax
import jax.numpy as jnp

from funkeras import activations, config
from funkeras.functional.cells import (
    Cell,
    Gates,
    Masks,
    States,
    dropout_masks,
    gate_by_gate,
    joined,
    make_cell,
)
from funkeras.functional.checks import known, positive, rank, strides_or_dilation, tuple_of
from funkeras.functional.convolution import channels_at, fitting_padding, padding_rule
from funkeras.functional.convolve import convolve, explicit_padding, output_sizes
from funkeras.functional.pair import Pair, Weight, layer
from funkeras.functional.recurrent import rnn
from funkeras.typing import Array, Identifier, Key, Params, Shape

__all__ = ["conv_lstm1d", "conv_lstm2d", "conv_lstm2d_cell", "conv_lstm3d"]

Sizes: TypeAlias = int | Sequence[int]
"""One number for each spatial axis, or a single one for all."""

GATES = 4
PADDINGS = ("valid", "same")


@layer("ConvLSTM2DCell")
def conv_lstm2d_cell(
    filters: int,
    kernel_size: Sizes,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
    activation: Identifier = "tanh",
    recurrent_activation: Identifier = "sigmoid",
    use_bias: bool = True,
    kernel_initializer: Identifier = "glorot_uniform",
    recurrent_initializer: Identifier = "orthogonal",
    bias_initializer: Identifier = "zeros",
    unit_forget_bias: bool | Identifier = True,
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    seed: int | None = None,
) -> Pair:
    """`lstm_cell` with convolutions for products: states are images of `filters` channels.

    Gates are the channels of `conv(x, kernel) + conv(h, recurrent_kernel) + bias`, where the second
    one keeps the size of `h`: padding `same`, no strides, no dilation. Shi et al. 2015,
    https://arxiv.org/abs/1506.04214
    """
    return _conv_lstm_cell(
        2,
        filters,
        kernel_size,
        strides,
        padding,
        data_format,
        dilation_rate,
        activation,
        recurrent_activation,
        use_bias,
        kernel_initializer,
        recurrent_initializer,
        bias_initializer,
        unit_forget_bias,
        dropout,
        recurrent_dropout,
        seed,
    )


def _conv_lstm_cell(
    space: int,
    filters: int,
    kernel_size: Sizes,
    strides: Sizes,
    padding: str,
    data_format: str | None,
    dilation_rate: Sizes,
    activation: Identifier,
    recurrent_activation: Identifier,
    use_bias: bool,
    kernel_initializer: Identifier,
    recurrent_initializer: Identifier,
    bias_initializer: Identifier,
    unit_forget_bias: bool | Identifier,
    dropout: float,
    recurrent_dropout: float,
    seed: int | None,
) -> Cell:
    """The cell over `space` axes; its kernels are (*kernel_size, in, 4 * filters)."""
    positive("filters", filters)
    size = tuple_of("kernel_size", kernel_size, space)
    strides = tuple_of("strides", strides, space)
    dilation = tuple_of("dilation_rate", dilation_rate, space)
    strides_or_dilation(strides, dilation)
    ones = (1,) * space
    rule, kept_rule = padding_rule(padding, PADDINGS), padding_rule("same", PADDINGS)
    channels = channels_at(data_format)
    # Of a step's input, and of several steps', counted from the right.
    place = -1 if channels == -1 else -1 - space
    activate, gate = activations.get(activation), activations.get(recurrent_activation)
    special = {True: "ones", False: bias_initializer}
    forget = special[unit_forget_bias] if isinstance(unit_forget_bias, bool) else unit_forget_bias
    by_gate = config.dialect() == "classic"
    mask_draw = dropout_masks((dropout, recurrent_dropout), GATES, seed)

    def spatial(shape: Shape) -> tuple[int, ...]:
        rank(shape, space + 2)
        rest = shape[1:-1] if channels == -1 else shape[2:]
        return tuple(known("size", rest, i) for i in range(space))

    def weights(x_shape: Shape) -> Iterator[Weight]:
        rank(x_shape, space + 2)
        features = known("channels axis", x_shape, channels)
        kernels = (kernel_initializer, recurrent_initializer)
        first, second = gate_by_gate(kernels, GATES) if by_gate else kernels
        yield Weight("kernel", (*size, features, GATES * filters), first)
        yield Weight("recurrent_kernel", (*size, filters, GATES * filters), second)
        if use_bias:
            bias = joined(bias_initializer, forget, bias_initializer, bias_initializer)
            yield Weight("bias", (GATES * filters,), bias)

    def state_shapes(x_shape: Shape) -> tuple[Shape, ...]:
        inner = spatial(x_shape)
        edges = fitting_padding(rule, inner, size, strides, dilation)
        inner = output_sizes(inner, size, strides, edges, dilation)
        shape = (*inner, filters) if channels == -1 else (filters, *inner)
        return ((x_shape[0], *shape),) * 2

    def draw(key: Key | None, training: bool, x: jax.ShapeDtypeStruct) -> Masks:
        return mask_draw(key, training, x, state_shapes(x.shape)[0])

    def convolved(
        x: Array,
        kernel: Array,
        masks: Array | None,
        rule: str,
        strides: tuple[int, ...],
        dilation: tuple[int, ...],
    ) -> Gates:
        """The gates' shares, channels last, of any number of steps on leading axes."""

        def run(x: Array, kernel: Array) -> Array:
            x = jnp.moveaxis(x, place, -1)
            steps = x.reshape(-1, *x.shape[-space - 1 :])
            edges = explicit_padding(rule, steps.shape[1:-1], size, strides, dilation)
            y = convolve(steps, kernel, strides, edges, dilation)
            return y.reshape(*x.shape[: -space - 1], *y.shape[1:])

        if masks is None:
            return tuple(jnp.split(run(x, kernel), GATES, axis=-1))
        blocks = jnp.split(kernel, GATES, axis=-1)
        return tuple(run(x * mask, block) for mask, block in zip(masks, blocks, strict=True))

    of_input = partial(convolved, rule=rule, strides=strides, dilation=dilation)
    of_state = partial(convolved, rule=kept_rule, strides=ones, dilation=ones)

    def project(params: Params, masks: Masks, x: Array) -> Gates:
        z = of_input(x, params["kernel"], masks.input)
        if not use_bias:
            return z
        return tuple(map(jnp.add, z, jnp.split(params["bias"], GATES)))

    def step(params: Params, masks: Masks, z: Gates, states: States) -> tuple[Array, States]:
        h, c = states
        kept = of_state(h, params["recurrent_kernel"], masks.recurrent)
        i, f, g, o = (jnp.moveaxis(a + b, -1, place) for a, b in zip(z, kept, strict=True))
        c = gate(f) * c + gate(i) * activate(g)
        h = gate(o) * activate(c)
        return h, (h, c)

    def absorb(params: Params, masks: Masks, z: Gates, h: Array, change: Array) -> Gates:
        return of_state(h, change, masks.recurrent)

    return make_cell(step, weights, state_shapes, draw, project, absorb=absorb)


@layer("ConvLSTM1D")
def conv_lstm1d(
    filters: int,
    kernel_size: Sizes,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
    activation: Identifier = "tanh",
    recurrent_activation: Identifier = "sigmoid",
    use_bias: bool = True,
    kernel_initializer: Identifier = "glorot_uniform",
    recurrent_initializer: Identifier = "orthogonal",
    bias_initializer: Identifier = "zeros",
    unit_forget_bias: bool | Identifier = True,
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    seed: int | None = None,
    return_sequences: bool = False,
    return_state: bool = False,
    go_backwards: bool = False,
    stateful: bool = False,
) -> Pair:
    """`conv_lstm2d` over sequences of sequences, (batch, time, steps, channels).

    >>> from funkeras.functional import output_shape
    >>> output_shape(conv_lstm1d(4, 3), (None, 5, 8, 2))
    (None, 6, 4)
    """
    cell = _conv_lstm_cell(
        1,
        filters,
        kernel_size,
        strides,
        padding,
        data_format,
        dilation_rate,
        activation,
        recurrent_activation,
        use_bias,
        kernel_initializer,
        recurrent_initializer,
        bias_initializer,
        unit_forget_bias,
        dropout,
        recurrent_dropout,
        seed,
    )
    return rnn(cell, return_sequences, return_state, go_backwards, stateful)


@layer("ConvLSTM2D")
def conv_lstm2d(
    filters: int,
    kernel_size: Sizes,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
    activation: Identifier = "tanh",
    recurrent_activation: Identifier = "sigmoid",
    use_bias: bool = True,
    kernel_initializer: Identifier = "glorot_uniform",
    recurrent_initializer: Identifier = "orthogonal",
    bias_initializer: Identifier = "zeros",
    unit_forget_bias: bool | Identifier = True,
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    seed: int | None = None,
    return_sequences: bool = False,
    return_state: bool = False,
    go_backwards: bool = False,
    stateful: bool = False,
) -> Pair:
    """A convolutional LSTM over sequences of images, by the formula of `conv_lstm2d_cell`.

    >>> from funkeras.functional import output_shape
    >>> output_shape(conv_lstm2d(4, 3, padding="same", return_sequences=True), (None, 5, 8, 8, 2))
    (None, 5, 8, 8, 4)
    """
    cell = _conv_lstm_cell(
        2,
        filters,
        kernel_size,
        strides,
        padding,
        data_format,
        dilation_rate,
        activation,
        recurrent_activation,
        use_bias,
        kernel_initializer,
        recurrent_initializer,
        bias_initializer,
        unit_forget_bias,
        dropout,
        recurrent_dropout,
        seed,
    )
    return rnn(cell, return_sequences, return_state, go_backwards, stateful)


@layer("ConvLSTM3D")
def conv_lstm3d(
    filters: int,
    kernel_size: Sizes,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
    activation: Identifier = "tanh",
    recurrent_activation: Identifier = "sigmoid",
    use_bias: bool = True,
    kernel_initializer: Identifier = "glorot_uniform",
    recurrent_initializer: Identifier = "orthogonal",
    bias_initializer: Identifier = "zeros",
    unit_forget_bias: bool | Identifier = True,
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    seed: int | None = None,
    return_sequences: bool = False,
    return_state: bool = False,
    go_backwards: bool = False,
    stateful: bool = False,
) -> Pair:
    """`conv_lstm2d` over sequences of volumes.

    >>> from funkeras.functional import output_shape
    >>> output_shape(conv_lstm3d(4, 2, strides=2), (None, 5, 4, 4, 4, 2))
    (None, 2, 2, 2, 4)
    """
    cell = _conv_lstm_cell(
        3,
        filters,
        kernel_size,
        strides,
        padding,
        data_format,
        dilation_rate,
        activation,
        recurrent_activation,
        use_bias,
        kernel_initializer,
        recurrent_initializer,
        bias_initializer,
        unit_forget_bias,
        dropout,
        recurrent_dropout,
        seed,
    )
    return rnn(cell, return_sequences, return_state, go_backwards, stateful)
