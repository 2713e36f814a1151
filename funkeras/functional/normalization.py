"""Normalisation: by the batch, by the features of a sample, by groups, by size."""

import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

import jax.numpy as jnp
from jax import lax
from jaxtyping import Shaped

from funkeras import config, initializers
from funkeras.functional.checks import known, no_mask, one_of, positive
from funkeras.functional.pair import Pair, Weight, layer, stateless
from funkeras.functional.precision import at_least_single, at_unit_length, real
from funkeras.typing import Array, Identifier, Key, Params, PyTree, Shape, State

__all__ = [
    "batch_normalization",
    "group_normalization",
    "layer_normalization",
    "rms_normalization",
    "unit_normalization",
]

Axes: TypeAlias = int | Sequence[int]

Learned: TypeAlias = Callable[[Array, float | Array, float], Array]

LEARNED: dict[tuple[str, str], Learned] = {
    ("classic", "tensorflow"): lambda variance, count, epsilon: variance,
    ("classic", "theano"): lambda variance, count, epsilon: variance + epsilon,
    ("keras2", "tensorflow"): lambda variance, count, epsilon: (
        variance * (count / (count - 1.0 - epsilon))
    ),
    ("keras2", "theano"): lambda variance, count, epsilon: (
        (variance + epsilon) * (count / (count - 1.0 - epsilon))
    ),
}
"""Dialect and backend → what the moving variance learns from a batch's, if not that itself."""

UPDATES = "updates"
"""Number of batches that the moving averages have seen, where that matters."""


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
    renorm: bool = False,
    renorm_clipping: Mapping[str, float] | None = None,
    renorm_momentum: float = 0.99,
    synchronized: bool = False,
    mode: int = 0,
) -> Pair:
    """Normalise each feature: `gamma * (x - mean) / sqrt(variance + epsilon) + beta`.

    In training by the mean and variance of the batch, which moving averages follow:
    `moving = momentum * moving + (1 - momentum) * batch`; at inference by those. Masked steps
    count for neither, except in Keras 1 and 2.2.4, where they do.
    Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167

    Args:
        renorm: bring training nearer to inference: multiply by `r = deviation / renorm_stddev` and
            add `d = (mean - renorm_mean) / renorm_stddev`, moving averages of their own, before
            `gamma` and `beta`. Ioffe 2017, https://arxiv.org/abs/1702.03275
        renorm_clipping: bounds `rmin`, `rmax` of `r` and `dmax` of `d`.
        synchronized: changes nothing: the batch is the whole one on however many devices.
        mode: Keras 1's: 0 is the above, 1 normalises each sample's last axis by itself, 2 each
            feature by the present batch at inference too.

    >>> from funkeras.functional import output_shape
    >>> output_shape(batch_normalization(), (None, 28, 28, 3))
    (None, 28, 28, 3)
    """
    for name, value in (("momentum", momentum), ("renorm_momentum", renorm_momentum)):
        if not 0 <= value <= 1:
            raise ValueError(f"{name} must be in [0, 1], got {value}")
    one_of("mode", mode, (0, 1, 2))
    bounds = _renorm_bounds(renorm_clipping)
    origin = config.dialect(), config.backend()
    learned = LEARNED.get(origin)
    # Keras 2.2.4 on TensorFlow forgets where its moving averages started.
    forgets = origin == ("keras2", "tensorflow")
    heeds_mask = config.dialect() == "modern"
    deviation = _Root(moving_variance_initializer)
    batched = mode != 1  # which takes a sample by itself too

    def weights(input_shape: Shape) -> Iterator[Weight]:
        shape = _feature_shape(input_shape, axis, batched)
        yield from _affine_weights(shape, center, scale, beta_initializer, gamma_initializer)
        yield Weight("moving_mean", shape, moving_mean_initializer, trainable=False)
        yield Weight("moving_variance", shape, moving_variance_initializer, trainable=False)
        if renorm:
            yield Weight("moving_stddev", shape, deviation, trainable=False)
            yield Weight("renorm_mean", shape, moving_mean_initializer, trainable=False)
            yield Weight("renorm_stddev", shape, deviation, trainable=False)
        if forgets:
            yield Weight(UPDATES, (), "zeros", trainable=False, saved=False, dtype="int32")

    def apply(
        params: Params,
        state: State,
        x: Shaped[Array, "batch *n"],
        *,
        training: bool = False,
        key: Key | None = None,
        mask: PyTree = None,
    ) -> tuple[Shaped[Array, "batch *n"], State]:
        x = real(x)
        axes = _axes(axis, x.ndim, batched)
        wide = _widened(x)
        if mode == 0 and not training:
            mean, variance = (
                _spread(state[name], axes, wide) for name in ("moving_mean", "moving_variance")
            )
            return _normalized(wide, mean, variance, epsilon, params, axes).astype(x.dtype), state
        if mode == 1:
            return _by_sample(wide, epsilon, params, axes).astype(x.dtype), state
        reduced = tuple(i for i in range(x.ndim) if i not in axes)
        mean, variance, count = _moments(wide, reduced, mask if heeds_mask else None)
        if mode == 2:
            return _normalized(wide, mean, variance, epsilon, params, axes).astype(x.dtype), state
        y = (wide - mean) * lax.rsqrt(variance + epsilon)
        if renorm:
            y = _renormalized(y, mean, variance, epsilon, state, axes, bounds)
        y = _affine(y, params, axes).astype(x.dtype)
        seen = state[UPDATES] + 1 if forgets else None
        rate = _rate(momentum, seen)
        if renorm:
            return y, _renorm_statistics(state, mean, variance, epsilon, rate, 1 - renorm_momentum)
        if learned is not None:
            variance = learned(variance, count, epsilon)
        # There images with their channels last took a kernel that has its own correction.
        if forgets and x.ndim == 4 and axes == (3,):
            variance = variance * (count / (count - 1))
        after = {
            "moving_mean": _moved(state["moving_mean"], mean, rate),
            "moving_variance": _moved(state["moving_variance"], variance, rate),
        }
        return y, after if seen is None else {**after, UPDATES: seen}

    return Pair(apply, weights)


def _root(initializer: Identifier) -> Callable[..., PyTree]:
    def draw(source: PyTree, shape: tuple[int, ...]) -> PyTree:
        return source.xp.sqrt(initializers.draw(initializer, source, shape))

    return draw


class _Root(initializers.Initializer):
    """Square roots of what another initializer gives."""

    build = staticmethod(_root)
    signature = inspect.signature(_root)


def _rate(momentum: float, seen: Array | None) -> float | Array:
    """The batch's part in a moving average, or in one of the `seen` batches alone."""
    if seen is None or momentum in (0, 1):
        return 1 - momentum
    # 1 - momentum ** seen, without the cancellation.
    total = -jnp.expm1(seen.astype(config.floatx()) * math.log(momentum))
    return jnp.minimum((1 - momentum) / total, 1)


def _moved(moving: Array, batch: Array, rate: float | Array) -> Array:
    """A moving average after one more batch."""
    target = lax.stop_gradient(batch).reshape(moving.shape).astype(moving.dtype)
    rate = rate if isinstance(rate, float | int) else rate.astype(moving.dtype)
    return moving * (1 - rate) + target * rate


def _by_sample(x: Array, epsilon: float, params: Params, axes: tuple[int, ...]) -> Array:
    """Keras 1's mode 1: the last axis normalised, with epsilon beside the deviation as well."""
    if axes != (x.ndim - 1,):
        raise ValueError(f"mode 1 normalises the last axis, got axis {axes} of rank {x.ndim}")
    mean, variance, _ = _moments(x, axes)
    return _affine((x - mean) / (jnp.sqrt(variance + epsilon) + epsilon), params, axes)


def _renorm_bounds(clipping: Mapping[str, float] | None) -> dict[str, float]:
    bounds = {name: float(value) for name, value in (clipping or {}).items() if value is not None}
    for name in bounds:
        one_of("a key of renorm_clipping", name, ("rmin", "rmax", "dmax"))
    if bounds.get("rmin", 0) > bounds.get("rmax", math.inf) or bounds.get("dmax", 0) < 0:
        raise ValueError(f"renorm_clipping must have rmin <= rmax and 0 <= dmax, got {clipping}")
    return bounds


def _renormalized(
    y: Array,
    mean: Array,
    variance: Array,
    epsilon: float,
    state: State,
    axes: tuple[int, ...],
    bounds: Mapping[str, float],
) -> Array:
    """`y * r + d`, what the moving averages would have made of the batch, but for the bounds."""
    floor = math.sqrt(epsilon)  # a deviation that was never updated may be 0
    usual = jnp.maximum(_spread(state["renorm_stddev"], axes, y), floor)
    r = jnp.sqrt(variance + epsilon) / usual
    d = (mean - _spread(state["renorm_mean"], axes, y)) / usual
    r = jnp.clip(r, bounds.get("rmin"), bounds.get("rmax"))
    if "dmax" in bounds:
        d = jnp.clip(d, -bounds["dmax"], bounds["dmax"])
    return y * lax.stop_gradient(r) + lax.stop_gradient(d)


def _renorm_statistics(
    state: State,
    mean: Array,
    variance: Array,
    epsilon: float,
    rate: float | Array,
    renorm_rate: float,
) -> State:
    """The moving averages that follow: deviations move, and the variance follows from one."""
    deviation = jnp.sqrt(variance + epsilon)
    moving = _moved(state["moving_stddev"], deviation, rate)
    after = {
        "moving_mean": _moved(state["moving_mean"], mean, rate),
        "moving_variance": jnp.maximum(jnp.square(moving) - epsilon, 0),
        "moving_stddev": moving,
        "renorm_mean": _moved(state["renorm_mean"], mean, renorm_rate),
        "renorm_stddev": _moved(state["renorm_stddev"], deviation, renorm_rate),
    }
    return {**state, **after}


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
        x = real(x)
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
        x = real(x)
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

    return stateless(apply, weights, no_mask)


@layer("UnitNormalization")
def unit_normalization(axis: Axes = -1) -> Pair:
    """Scale each sample to Euclidean length 1 along `axis`: `x / max(norm(x), 1e-12)`."""

    def apply(params: Params, x: Shaped[Array, "batch *n"]) -> Shaped[Array, "batch *n"]:
        return at_unit_length(x, _axes(axis, x.ndim), 1e-24)

    return stateless(apply)


def _axes(axis: Axes, ndim: int, batched: bool = True) -> tuple[int, ...]:
    """Axes counted from the front, in order; where inputs are `batched`, none is the first."""
    given = (axis,) if isinstance(axis, int) else tuple(axis)
    if not all(-ndim <= i < ndim and i % ndim >= batched for i in given):
        raise ValueError(f"axis must name axes of an input of rank {ndim}, not the batch: {axis}")
    return tuple(sorted({i % ndim for i in given}))


def _feature_shape(input_shape: Shape, axis: Axes, batched: bool = True) -> tuple[int, ...]:
    axes = _axes(axis, len(input_shape), batched)
    return tuple(known(f"axis {i}", input_shape, i) for i in axes)


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
    x: Array, axes: tuple[int, ...], mask: PyTree = None
) -> tuple[Array, Array, Array | float]:
    """Mean and variance, and the number of entries that each is of.

    The variance is the mean of squared differences: the difference of mean squares, one pass
    less, cancels where the mean is large.
    """
    if mask is None:
        mean = jnp.mean(x, axes, keepdims=True)
        variance = jnp.mean(jnp.square(x - mean), axes, keepdims=True)
        return mean, variance, float(math.prod(x.shape[i] for i in axes))
    kept = jnp.asarray(mask, bool).reshape(mask.shape + (1,) * (x.ndim - mask.ndim))
    kept = jnp.broadcast_to(kept, x.shape)
    zero = jnp.zeros((), x.dtype)
    count = jnp.maximum(jnp.sum(kept.astype(x.dtype), axes, keepdims=True), 1)
    mean = jnp.sum(jnp.where(kept, x, zero), axes, keepdims=True) / count
    difference = jnp.where(kept, x - mean, zero)
    return mean, jnp.sum(jnp.square(difference), axes, keepdims=True) / count, count


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
