"""Layers whose state comes from data that was looked at before training."""

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import partial, reduce
from typing import NamedTuple, TypeAlias

import jax.numpy as jnp
import numpy as np

from funkeras import config
from funkeras.functional.checks import known
from funkeras.functional.pair import Pair, Weight, layer
from funkeras.typing import Array, Key, Params, PyTree, Shape, State

__all__ = ["mean_and_variance", "normalization"]

Axes: TypeAlias = int | Sequence[int] | None


@layer("Normalization")
def normalization(
    axis: Axes = -1, mean: PyTree = None, variance: PyTree = None, invert: bool = False
) -> Pair:
    """Shift and scale by fixed statistics: `(x - mean) / sqrt(variance)`, or that undone.

    They are given, or state that `mean_and_variance` of the training data fills, and no gradient
    changes; there is one of each for each position along `axis`, a single one for None. Given ones
    may have fewer axes than that: they are those along the last of `axis`.

    >>> from funkeras.functional import output_shape
    >>> output_shape(normalization(), (None, 3))
    (None, 3)
    """
    given = None if mean is None else (np.asarray(mean), np.asarray(variance))
    if (mean is None) != (variance is None) or (given and given[0].shape != given[1].shape):
        raise ValueError(
            f"mean and variance must be given together, in one shape; got {mean!r}, {variance!r}"
        )
    if given and given[0].ndim > len(_listed(axis)):
        raise ValueError(
            f"mean may have an axis for each of axis {axis}, got the shape {given[0].shape}"
        )

    def weights(input_shape: Shape) -> Iterator[Weight]:
        kept = kept_axes(axis, len(input_shape))
        shape = tuple(known(f"axis {i}", input_shape, i) for i in kept)
        if given is None:
            yield Weight("mean", shape, "zeros", trainable=False)
            yield Weight("variance", shape, "ones", trainable=False)
            # Nothing reads it: files of Keras 3 have it.
            yield Weight("count", (), "zeros", trainable=False, dtype="int32")

    def apply(
        params: Params,
        state: State,
        x: Array,
        *,
        training: bool = False,
        key: Key | None = None,
        mask: PyTree = None,
    ) -> tuple[Array, State]:
        dtype = x.dtype if jnp.issubdtype(x.dtype, jnp.floating) else jnp.dtype(config.floatx())
        kept = kept_axes(axis, x.ndim)

        def spread(values: PyTree) -> Array:
            sizes = dict(zip(reversed(kept), reversed(values.shape), strict=False))
            shape = [sizes.get(i, 1) for i in range(x.ndim)]
            return jnp.asarray(values).astype(dtype).reshape(shape)

        center, power = map(spread, given or (state["mean"], state["variance"]))
        deviation = jnp.maximum(jnp.sqrt(power), jnp.asarray(config.epsilon(), dtype))
        x = x.astype(dtype)
        return (x * deviation + center if invert else (x - center) / deviation), state

    return Pair(apply, weights)


def mean_and_variance(batches: Iterable[PyTree], axis: Axes = -1) -> tuple[PyTree, PyTree]:
    """Statistics of data in batches, one of each for each position along `axis`, in float64.

    >>> mean, variance = mean_and_variance([np.ones((2, 3)), np.zeros((2, 3))])
    >>> mean.tolist(), variance.tolist()
    ([0.5, 0.5, 0.5], [0.25, 0.25, 0.25])
    """
    found = reduce(partial(merged, axis=axis), batches, NOTHING)
    if not found.number:
        raise ValueError("expected at least one batch of data, got none")
    return found.mean, found.variance


class Moments(NamedTuple):
    """How many values were seen at each place, their mean and their variance."""

    number: int
    mean: np.ndarray
    variance: np.ndarray


NOTHING = Moments(0, np.zeros(()), np.zeros(()))


def merged(seen: Moments, batch: PyTree, axis: Axes = -1) -> Moments:
    """The moments of what was seen and of a batch, merged by their sizes.

    A batch may be a tuple that starts with the inputs. Chan, Golub and LeVeque 1979.
    """
    x = np.asarray(batch[0] if isinstance(batch, tuple) else batch, np.float64)
    kept = kept_axes(axis, x.ndim)
    reduced = tuple(i for i in range(x.ndim) if i not in kept)
    mean, variance = x.mean(reduced), x.var(reduced)
    if seen.number and mean.shape != seen.mean.shape:
        raise ValueError(
            f"batches must agree along axis {axis}, got sizes {seen.mean.shape} and {mean.shape}"
        )
    number = seen.number + (own := math.prod(x.shape[i] for i in reduced))
    share = own / number
    difference = mean - seen.mean
    spread = (1 - share) * (seen.variance + share * difference**2) + share * variance
    return Moments(number, seen.mean + share * difference, spread)


def kept_axes(axis: Axes, ndim: int) -> tuple[int, ...]:
    """The axes that statistics have, counted from the front, in order."""
    axes = _listed(axis)
    if not all(-ndim <= i < ndim for i in axes):
        raise ValueError(f"axis must name axes of an input of rank {ndim}, got {axis}")
    return tuple(sorted({i % ndim for i in axes}))


def _listed(axis: Axes) -> tuple[int, ...]:
    if axis is None:
        return ()
    return (axis,) if isinstance(axis, int) else tuple(axis)
