"""Layers that map or rearrange features: dense, activation, flatten, reshape, permute, repeat."""

import math
from collections.abc import Iterator

import jax.numpy as jnp
from jaxtyping import Float, Shaped

from funkeras import activations
from funkeras.functional.checks import known, no_mask, one_of, positive
from funkeras.functional.pair import Pair, Weight, layer, stateless
from funkeras.typing import Array, Identifier, Params, Shape

__all__ = ["activation", "dense", "flatten", "permute", "repeat_vector", "reshape"]


@layer("Dense")
def dense(
    units: int,
    activation: Identifier = None,
    use_bias: bool = True,
    kernel_initializer: Identifier = "glorot_uniform",
    bias_initializer: Identifier = "zeros",
) -> Pair:
    """Affine map of the last axis: `activation(x @ kernel + bias)`.

    >>> from funkeras.functional import output_shape
    >>> output_shape(dense(4), (None, 3))
    (None, 4)
    """
    positive("units", units)
    activate = activations.get(activation)

    def weights(input_shape: Shape) -> Iterator[Weight]:
        yield Weight("kernel", (known("last axis", input_shape, -1), units), kernel_initializer)
        if use_bias:
            yield Weight("bias", (units,), bias_initializer)

    def apply(params: Params, x: Shaped[Array, "*n features"]) -> Shaped[Array, "*n units"]:
        y = jnp.dot(x, params["kernel"])
        return activate(y + params["bias"] if use_bias else y)

    return stateless(apply, weights)


@layer("Activation")
def activation(activation: Identifier) -> Pair:
    """Apply a function to each input: `activation(x)`."""
    activate = activations.get(activation)

    def apply(params: Params, x: Shaped[Array, "*n"]) -> Shaped[Array, "*n"]:
        return activate(x)

    return stateless(apply)


@layer("Flatten")
def flatten(data_format: str | None = None) -> Pair:
    """All axes but the batch as one; `channels_first` inputs are read channels last.

    >>> from funkeras.functional import output_shape
    >>> output_shape(flatten(), (None, 4, 5))
    (None, 20)
    """
    one_of("data_format", data_format, (None, "channels_first", "channels_last"))

    def apply(params: Params, x: Shaped[Array, "batch *n"]) -> Shaped[Array, "batch features"]:
        if data_format == "channels_first" and x.ndim > 2:
            x = jnp.moveaxis(x, 1, -1)
        return jnp.reshape(x, (x.shape[0], math.prod(x.shape[1:])))

    return stateless(apply, mask=no_mask)


@layer("Reshape")
def reshape(target_shape: Shape) -> Pair:
    """Another shape for the same entries, the batch left out; one size may be -1.

    >>> from funkeras.functional import output_shape
    >>> output_shape(reshape((2, -1)), (None, 6))
    (None, 2, 3)
    """
    sizes = tuple(-1 if size is None else int(size) for size in target_shape)
    if sizes.count(-1) > 1:
        raise ValueError(f"target_shape may have one unknown size, got {target_shape}")

    def apply(params: Params, x: Shaped[Array, "batch *n"]) -> Shaped[Array, "batch *m"]:
        count = math.prod(x.shape[1:])
        wanted = abs(math.prod(sizes))
        if (count != wanted) if -1 not in sizes else count % max(wanted, 1):
            raise ValueError(f"target_shape {target_shape} does not fit an input of {x.shape[1:]}")
        return jnp.reshape(x, (x.shape[0], *sizes))

    return stateless(apply, mask=no_mask)


@layer("Permute")
def permute(dims: tuple[int, ...]) -> Pair:
    """Axes in another order; counted from 1, the batch stays.

    >>> from funkeras.functional import output_shape
    >>> output_shape(permute((2, 1)), (None, 10, 64))
    (None, 64, 10)
    """
    dims = tuple(dims)
    if sorted(dims) != list(range(1, len(dims) + 1)):
        raise ValueError(f"dims must be a permutation of 1..n, got {dims}")

    def apply(params: Params, x: Shaped[Array, "batch *n"]) -> Shaped[Array, "batch *m"]:
        if x.ndim != len(dims) + 1:
            raise ValueError(f"dims {dims} need an input of rank {len(dims) + 1}, got {x.shape}")
        return jnp.transpose(x, (0, *dims))

    return stateless(apply, mask=no_mask)


@layer("RepeatVector")
def repeat_vector(n: int) -> Pair:
    """Each feature vector `n` times along a new time axis.

    >>> from funkeras.functional import output_shape
    >>> output_shape(repeat_vector(3), (None, 32))
    (None, 3, 32)
    """
    positive("n", n)

    def apply(
        params: Params, x: Float[Array, "batch features"]
    ) -> Float[Array, "batch n features"]:
        return jnp.repeat(x[:, None, :], n, axis=1)

    return stateless(apply, mask=no_mask)
