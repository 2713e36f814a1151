"""Normalisation: by the batch, by the features of a sample, by groups, by size."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import jax.numpy as jnp
from jax import lax
from jaxtyping import Shaped

from funkeras import config
from funkeras.functional.checks import known, positive
from funkeras.functional.convolve import at_least_single
from funkeras.functional.pair import Pair, Weight, layer, stateless
from funkeras.typing import Array, Identifier, Key, Mask, Params, Shape, State

__all__ = [
    "batch_normalization",
    "group_normalization",
    "layer_normalization",
    "rms_normalization",
    "unit_normalization",
]

Axes: TypeAlias = int | Sequence[int]

UNBIASED: dict[str, Callable[[float | Array, float], float | Array]] = {
    "classic": lambda count, epsilon: 1.0,
    "keras2": lambda count, epsilon: count / (count - 1.0 - epsilon),
    "modern": lambda count, epsilon: 1.0,
}
"""Dialect → factor that takes a batch's variance to what the moving one learns from."""


@layer("BatchNormalization")
def batch_normalization(
    axis: Axes = -1,
    momentum: float = 0.99,
    epsilon: float = 1e-3,
    center: bool = True,
    scale: bool = True,
    beta_initializer: Identifier = "zeros",
    gamma_initializer: Identifier = "ones",
    moving_mean_initializer: Identifier = "zeros",
    moving_variance_initializer: Identifier = "ones",
) -> Pair:
    """Normalise each feature: `gamma * (x - mean) / sqrt(variance + epsilon) + beta`.

    In training by the mean and variance of the batch, which moving averages follow:
    `moving = momentum * moving + (1 - momentum) * batch`; at inference by those. Masked steps
    count for neither, except in Keras 1 and 2.2.4, where they do.
    Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167

    >>> from funkeras.functional import output_shape
    >>> output_shape(batch_normalization(), (None, 28, 28, 3))
    (None, 28, 28, 3)
    """
    if not 0 <= momentum <= 1:
        raise ValueError(f"momentum must be in [0, 1], got {momentum}")
    dialect = config.dialect()
    unbiased = UNBIASED[dialect]
    heeds_mask = dialect == "modern"

    def weights(input_shape: Shape) -> Iterator[Weight]:
        shape = _feature_shape(input_shape, axis)
        yield from _affine_weights(shape, center, scale, beta_initializer, gamma_initializer)
        yield Weight("moving_mean", shape, moving_mean_initializer, trainable=False)
        yield Weight("moving_variance", shape, moving_variance_initializer, trainable=False)

    def apply(
        params: Params,
        state: State,
        x: Shaped[Array, "batch *n"],
        *,
        training: bool = False,
        key: Key | None = None,
        mask: Mask = None,
    ) -> tuple[Shaped[Array, "batch *n"], State]:
        axes = _axes(axis, x.ndim)
        wide = _widened(x)
        if not training:
            mean, variance = (
                _spread(state[name], axes, wide) for name in ("moving_mean", "moving_variance")
            )
            return _normalized(wide, mean, variance, epsilon, params, axes).astype(x.dtype), state
        reduced = tuple(i for i in range(x.ndim) if i not in axes)
        mean, variance, count = _moments(wide, reduced, mask if heeds_mask else None)
        y = _normalized(wide, mean, variance, epsilon, params, axes)

        def follow(name: str, batch: Array) -> Array:
            moving = state[name]
            target = lax.stop_gradient(batch).reshape(moving.shape).astype(moving.dtype)
            return moving * momentum + target * (1 - momentum)

        return y.astype(x.dtype), {
            "moving_mean": follow("moving_mean", mean),
            "moving_variance": follow("moving_variance", variance * unbiased(count, epsilon)),
        }

    return Pair(apply, weights)


@layer("LayerNormalization")
def layer_normalization(
    axis: Axes = -1,
    epsilon: float = 1e-3,
    center: bool = True,
    scale: bool = True,
    beta_initializer: Identifier = "zeros",
    gamma_initializer: Identifier = "ones",
) -> Pair:
    """Normalise each sample over `axis`: `gamma * (x - mean) / sqrt(variance + epsilon) + beta`.

    Ba, Kiros and Hinton 2016, https://arxiv.org/abs/1607.06450
    """

    def weights(input_shape: Shape) -> Iterator[Weight]:
        shape = _feature_shape(input_shape, axis)
        return _affine_weights(shape, center, scale, beta_initializer, gamma_initializer)

    def apply(params: Params, x: Shaped[Array, "batch *n"]) -> Shaped[Array, "batch *n"]:
        axes = _axes(axis, x.ndim)
        wide = _widened(x)
        mean, variance, _ = _moments(wide, axes)
        return _normalized(wide, mean, variance, epsilon, params, axes).astype(x.dtype)

    return stateless(apply, weights)


@layer("GroupNormalization")
def group_normalization(
    groups: int = 32,
    axis: int = -1,
    epsilon: float = 1e-3,
    center: bool = True,
    scale: bool = True,
    beta_initializer: Identifier = "zeros",
    gamma_initializer: Identifier = "ones",
) -> Pair:
    """Normalise each sample over all positions of each of `groups` groups of channels.

    One group is a layer normalisation of the whole sample; -1 gives each channel its own.
    Wu and He 2018, https://arxiv.org/abs/1803.08494
    """
    if groups != -1:
        positive("groups", groups)

    def weights(input_shape: Shape) -> Iterator[Weight]:
        shape = _feature_shape(input_shape, axis)
        if shape[0] % groups:
            raise ValueError(f"groups must divide the {shape[0]} channels, got {groups}")
        return _affine_weights(shape, center, scale, beta_initializer, gamma_initializer)

    def apply(params: Params, x: Shaped[Array, "batch *n"]) -> Shaped[Array, "batch *n"]:
        (channels,) = _axes(axis, x.ndim)
        count = x.shape[channels] if groups == -1 else groups
        split = (*x.shape[:channels], count, -1, *x.shape[channels + 1 :])
        wide = _widened(x).reshape(split)
        within = tuple(i for i in range(1, wide.ndim) if i != channels)
        mean, variance, _ = _moments(wide, within)
        y = ((wide - mean) * lax.rsqrt(variance + epsilon)).reshape(x.shape)
        return _affine(y, params, (channels,)).astype(x.dtype)

    return stateless(apply, weights)


@layer("RMSNormalization")
def rms_normalization(axis: Axes = -1, epsilon: float = 1e-6) -> Pair:
    """Scale each sample by its root mean square: `scale * x / sqrt(mean(x**2) + epsilon)`.

    Zhang and Sennrich 2019, https://arxiv.org/abs/1910.07467
    """

    def weights(input_shape: Shape) -> Iterator[Weight]:
        yield Weight("scale", _feature_shape(input_shape, axis), "ones")

    def apply(params: Params, x: Shaped[Array, "batch *n"]) -> Shaped[Array, "batch *n"]:
        axes = _axes(axis, x.ndim)
        wide = _widened(x)
        power = jnp.mean(jnp.square(wide), axes, keepdims=True)
        scale = _spread(params["scale"], axes, wide)
        return (wide * lax.rsqrt(power + epsilon) * scale).astype(x.dtype)

    return stateless(apply, weights)


@layer("UnitNormalization")
def unit_normalization(axis: Axes = -1) -> Pair:
    """Scale each sample to Euclidean length 1 along `axis`: `x / max(norm(x), 1e-12)`."""

    def apply(params: Params, x: Shaped[Array, "batch *n"]) -> Shaped[Array, "batch *n"]:
        wide = _widened(x)
        squares = jnp.sum(jnp.square(wide), _axes(axis, x.ndim), keepdims=True)
        # The bound is inside the root, whose derivative at zero would be infinite.
        return (wide * lax.rsqrt(jnp.maximum(squares, 1e-24))).astype(x.dtype)

    return stateless(apply)


def _axes(axis: Axes, ndim: int) -> tuple[int, ...]:
    """Axes counted from the front, in order."""
    given = (axis,) if isinstance(axis, int) else tuple(axis)
    if not all(-ndim <= i < ndim and i % ndim for i in given):
        raise ValueError(f"axis must name axes of an input of rank {ndim}, not the batch: {axis}")
    return tuple(sorted({i % ndim for i in given}))


def _feature_shape(input_shape: Shape, axis: Axes) -> tuple[int, ...]:
    return tuple(known(f"axis {i}", input_shape, i) for i in _axes(axis, len(input_shape)))


def _affine_weights(
    shape: tuple[int, ...], center: bool, scale: bool, beta: Identifier, gamma: Identifier
) -> Iterator[Weight]:
    if scale:
        yield Weight("gamma", shape, gamma)
    if center:
        yield Weight("beta", shape, beta)


def _widened(x: Array) -> Array:
    """At least float32: sums over a batch lose too much in the half precisions."""
    return x.astype(at_least_single(x.dtype))


def _spread(weight: Array, axes: tuple[int, ...], like: Array) -> Array:
    """A weight with size 1 along all axes but its own, in the dtype of `like`."""
    sizes = dict(zip(axes, weight.shape, strict=True))
    return weight.reshape([sizes.get(i, 1) for i in range(like.ndim)]).astype(like.dtype)


def _moments(
    x: Array, axes: tuple[int, ...], mask: Mask = None
) -> tuple[Array, Array, Array | float]:
    """Mean and variance, and the number of entries that each is of.

    The variance is the mean of squared differences: the difference of mean squares, one pass
    less, cancels where the mean is large.
    """
    if mask is None:
        mean = jnp.mean(x, axes, keepdims=True)
        variance = jnp.mean(jnp.square(x - mean), axes, keepdims=True)
        return mean, variance, float(math.prod(x.shape[i] for i in axes))
    kept = mask.astype(x.dtype).reshape(mask.shape + (1,) * (x.ndim - mask.ndim))
    kept = jnp.broadcast_to(kept, x.shape)
    count = jnp.maximum(jnp.sum(kept, axes, keepdims=True), 1)
    mean = jnp.sum(x * kept, axes, keepdims=True) / count
    variance = jnp.sum(jnp.square(x - mean) * kept, axes, keepdims=True) / count
    return mean, variance, count


def _normalized(
    x: Array, mean: Array, variance: Array, epsilon: float, params: Params, axes: tuple[int, ...]
) -> Array:
    return _affine((x - mean) * lax.rsqrt(variance + epsilon), params, axes)


def _affine(x: Array, params: Params, axes: tuple[int, ...]) -> Array:
    """`gamma * x + beta`, of those that the layer has."""
    if "gamma" in params:
        x = x * _spread(params["gamma"], axes, x)
    if "beta" in params:
        x = x + _spread(params["beta"], axes, x)
    return x
