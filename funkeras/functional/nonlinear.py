"""Activations as layers: fixed ones, and those whose shape is learned."""

from collections.abc import Iterator, Sequence

import jax.numpy as jnp
from jax import nn
from jaxtyping import Shaped

from funkeras import activations, config, initializers
from funkeras.functional.checks import known
from funkeras.functional.pair import Pair, Weight, layer, stateless
from funkeras.typing import Array, Identifier, Key, Params, PyTree, Shape, State

__all__ = [
    "elu",
    "leaky_relu",
    "parametric_softplus",
    "prelu",
    "relu",
    "softmax",
    "srelu",
    "thresholded_relu",
]

MASKED = {"float16": -3e4}
"""dtype → what stands for minus infinity before a softmax, where it is not -1e9."""


@layer("ReLU")
def relu(
    max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0
) -> Pair:
    """`min(x, max_value)` above the threshold, `negative_slope * (x - threshold)` below it."""
    for name, value in (("max_value", max_value), ("negative_slope", negative_slope)):
        if value is not None and value < 0:
            raise ValueError(f"{name} must not be negative, got {value}")
    if threshold < 0:
        raise ValueError(f"threshold must not be negative, got {threshold}")

    def apply(params: Params, x: Shaped[Array, "*n"]) -> Shaped[Array, "*n"]:
        return activations.relu(x, negative_slope, max_value, threshold)

    return stateless(apply)


@layer("LeakyReLU")
def leaky_relu(negative_slope: float = 0.3) -> Pair:
    """`x` above 0, `negative_slope * x` below. A negative slope is refused where Keras 3 holds."""
    if negative_slope is None or (negative_slope < 0 and config.dialect() == "modern"):
        raise ValueError(f"negative_slope must not be negative, got {negative_slope}")

    def apply(params: Params, x: Shaped[Array, "*n"]) -> Shaped[Array, "*n"]:
        return activations.leaky_relu(x, negative_slope)

    return stateless(apply)


@layer("ELU")
def elu(alpha: float = 1.0) -> Pair:
    """`x` above 0, `alpha * (exp(x) - 1)` below.

    Clevert et al. 2016, https://arxiv.org/abs/1511.07289
    """

    def apply(params: Params, x: Shaped[Array, "*n"]) -> Shaped[Array, "*n"]:
        return activations.elu(x, alpha)

    return stateless(apply)


@layer("ThresholdedReLU")
def thresholded_relu(theta: float = 1.0) -> Pair:
    """`x` above `theta`, 0 elsewhere.

    Konda et al. 2014, https://arxiv.org/abs/1402.3337
    """

    def apply(params: Params, x: Shaped[Array, "*n"]) -> Shaped[Array, "*n"]:
        return jnp.where(x > theta, x, jnp.zeros((), x.dtype))

    return stateless(apply)


@layer("Softmax")
def softmax(axis: int | Sequence[int] = -1) -> Pair:
    """`exp(x) / sum(exp(x))` along an axis, or several; what is masked gets 0 and counts nothing.

    A mask with fewer axes than the input, such as one of time steps, holds for all features.
    """
    axes = axis if isinstance(axis, int) else tuple(axis)

    def apply(
        params: Params,
        state: State,
        x: Shaped[Array, "*n"],
        *,
        training: bool = False,
        key: Key | None = None,
        mask: PyTree = None,
    ) -> tuple[Shaped[Array, "*n"], State]:
        if mask is None:
            return activations.softmax(x, axes), state
        present = mask.astype(bool).reshape(mask.shape + (1,) * (x.ndim - mask.ndim))
        least = jnp.asarray(MASKED.get(x.dtype.name, -1e9), x.dtype)
        y = activations.softmax(jnp.where(present, x, least), axes)
        return jnp.where(present, y, jnp.zeros((), y.dtype)), state

    return Pair(apply)


@layer("PReLU")
def prelu(
    alpha_initializer: Identifier = "zeros", shared_axes: int | Sequence[int] | None = None
) -> Pair:
    """`x` above 0, `alpha * x` below, with one learned `alpha` for each input of a sample.

    Along `shared_axes`, counted from 1, all inputs have the same one. He et al. 2015,
    https://arxiv.org/abs/1502.01852
    """
    shared = _axes(shared_axes)

    def weights(input_shape: Shape) -> Iterator[Weight]:
        yield Weight("alpha", _sizes(input_shape, shared), alpha_initializer)

    def apply(params: Params, x: Shaped[Array, "*n"]) -> Shaped[Array, "*n"]:
        return nn.relu(x) - params["alpha"] * nn.relu(-x)

    return stateless(apply, weights)


@layer("ParametricSoftplus")
def parametric_softplus(
    alpha_init: float = 0.2,
    beta_init: float = 5.0,
    shared_axes: int | Sequence[int] | None = None,
) -> Pair:
    """`alpha * log(1 + exp(beta * x))` with learned `alpha` and `beta`. A layer of Keras 1.

    `shared_axes` is as in `prelu`. McFarland et al. 2013,
    https://doi.org/10.1371/journal.pcbi.1003143
    """
    shared = _axes(shared_axes)

    def weights(input_shape: Shape) -> Iterator[Weight]:
        sizes = _sizes(input_shape, shared)
        yield Weight("alpha", sizes, initializers.constant(alpha_init))
        yield Weight("beta", sizes, initializers.constant(beta_init))

    def apply(params: Params, x: Shaped[Array, "*n"]) -> Shaped[Array, "*n"]:
        return params["alpha"] * nn.softplus(params["beta"] * x)

    return stateless(apply, weights)


@layer("SReLU")
def srelu(
    t_left_initializer: Identifier = "zeros",
    a_left_initializer: Identifier = "glorot_uniform",
    t_right_initializer: Identifier = "glorot_uniform",
    a_right_initializer: Identifier = "ones",
    shared_axes: int | Sequence[int] | None = None,
) -> Pair:
    """`x` between two learned thresholds, of slope `a_left` below them and `a_right` above.

    The thresholds are `t_left` and `t_left + |t_right|`. A layer of Keras 1; `shared_axes` is as
    in `prelu`. Jin et al. 2015, https://arxiv.org/abs/1512.07030
    """
    shared = _axes(shared_axes)
    # Keras 1 on Theano bounds the part below as well, which tells where its slope is negative.
    on_theano = config.backend() == "theano" and config.dialect() != "modern"
    starts = {
        "t_left": t_left_initializer,
        "a_left": a_left_initializer,
        "t_right": t_right_initializer,
        "a_right": a_right_initializer,
    }

    def weights(input_shape: Shape) -> Iterator[Weight]:
        sizes = _sizes(input_shape, shared)
        yield from (Weight(name, sizes, initializer) for name, initializer in starts.items())

    def apply(params: Params, x: Shaped[Array, "*n"]) -> Shaped[Array, "*n"]:
        left, width = params["t_left"], jnp.abs(params["t_right"])
        z = x - left
        below = params["a_left"] * nn.relu(-z)
        above = params["a_right"] * nn.relu(z - width)
        if on_theano:
            return left + jnp.minimum(nn.relu(z) - below, width) + above
        return left + jnp.minimum(nn.relu(z), width) - below + above

    return stateless(apply, weights)


def _axes(shared_axes: int | Sequence[int] | None) -> tuple[int, ...]:
    axes = (shared_axes,) if isinstance(shared_axes, int) else tuple(shared_axes or ())
    if any(axis < 1 for axis in axes):
        raise ValueError(f"shared_axes are counted from 1, the batch left out; got {shared_axes}")
    return axes


def _sizes(input_shape: Shape, shared: tuple[int, ...]) -> tuple[int, ...]:
    """Shape of a weight for each input of a sample, with size 1 along shared axes."""
    if shared and max(shared) >= len(input_shape):
        raise ValueError(f"shared_axes {shared} do not fit an input of shape {input_shape}")
    return tuple(
        1 if axis in shared else known(f"axis {axis}", input_shape, axis)
        for axis in range(1, len(input_shape))
    )
