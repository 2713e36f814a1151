"""Adaptive pooling: as many windows as outputs are asked for, whatever the input's size."""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jaxtyping import Shaped

from funkeras.functional.checks import no_mask, rank, tuple_of
from funkeras.functional.convolution import Sizes, channels_at
from funkeras.functional.pair import Pair, layer, stateless
from funkeras.functional.precision import at_least_single
from funkeras.typing import Array, Params

__all__ = [
    "adaptive_average_pooling1d",
    "adaptive_average_pooling2d",
    "adaptive_average_pooling3d",
    "adaptive_max_pooling1d",
    "adaptive_max_pooling2d",
    "adaptive_max_pooling3d",
]


@layer("AdaptiveAveragePooling1D")
def adaptive_average_pooling1d(output_size: Sizes, data_format: str | None = None) -> Pair:
    """Mean of `output_size` windows that cover all steps.

    Of n entries, window i of m has those from floor(i n / m) up to ceil((i + 1) n / m).

    >>> from funkeras.functional import output_shape
    >>> output_shape(adaptive_average_pooling1d(3), (None, 10, 4))
    (None, 3, 4)
    """
    return adaptive(1, mean, output_size, data_format)


@layer("AdaptiveAveragePooling2D")
def adaptive_average_pooling2d(output_size: Sizes, data_format: str | None = None) -> Pair:
    """Mean of windows that cover all pixels, `output_size` of them along each axis.

    >>> from funkeras.functional import output_shape
    >>> output_shape(adaptive_average_pooling2d((2, 3)), (None, None, None, 4))
    (None, 2, 3, 4)
    """
    return adaptive(2, mean, output_size, data_format)


@layer("AdaptiveAveragePooling3D")
def adaptive_average_pooling3d(output_size: Sizes, data_format: str | None = None) -> Pair:
    """Mean of windows that cover all voxels, `output_size` of them along each axis."""
    return adaptive(3, mean, output_size, data_format)


@layer("AdaptiveMaxPooling1D")
def adaptive_max_pooling1d(output_size: Sizes, data_format: str | None = None) -> Pair:
    """Largest value of each of `output_size` windows that cover all steps."""
    return adaptive(1, largest, output_size, data_format)


@layer("AdaptiveMaxPooling2D")
def adaptive_max_pooling2d(output_size: Sizes, data_format: str | None = None) -> Pair:
    """Largest value of windows that cover all pixels, `output_size` of them along each axis."""
    return adaptive(2, largest, output_size, data_format)


@layer("AdaptiveMaxPooling3D")
def adaptive_max_pooling3d(output_size: Sizes, data_format: str | None = None) -> Pair:
    """Largest value of windows that cover all voxels, `output_size` of them along each axis."""
    return adaptive(3, largest, output_size, data_format)


def adaptive(
    space: int,
    reduce: Callable[[Array, int, np.ndarray], Array],
    output_size: Sizes,
    data_format: str | None,
) -> Pair:
    """`reduce` of each of `output_size` windows that cover each of `space` axes."""
    wanted = tuple_of("output_size", output_size, space)
    first = 2 if channels_at(data_format) == 1 else 1

    def apply(params: Params, x: Shaped[Array, "batch *n"]) -> Shaped[Array, "batch *m"]:
        rank(x.shape, space + 2)
        dtype = x.dtype if jnp.issubdtype(x.dtype, jnp.floating) else at_least_single(x.dtype)
        y = x.astype(at_least_single(dtype))
        for axis, count in enumerate(wanted, start=first):
            starts, lengths = _windows(x.shape[axis], count)
            places = starts[:, None] + np.minimum(np.arange(lengths.max()), lengths[:, None] - 1)
            seen = jnp.take(y, places.ravel(), axis)
            seen = seen.reshape(*y.shape[:axis], *places.shape, *y.shape[axis + 1 :])
            y = reduce(seen, axis + 1, lengths)
        return y.astype(dtype)

    return stateless(apply, mask=no_mask)


def _windows(n: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """First entry and length of each window.

    >>> [a.tolist() for a in _windows(5, 3)]
    [[0, 1, 3], [2, 3, 2]]
    """
    index = np.arange(count)
    starts = index * n // count
    return starts, -(-(index + 1) * n // count) - starts


def largest(seen: Array, axis: int, lengths: np.ndarray) -> Array:
    """Largest value of each window."""
    return jnp.max(seen, axis)


def mean(seen: Array, axis: int, lengths: np.ndarray) -> Array:
    """Mean of each window."""
    shares = (np.arange(lengths.max()) < lengths[:, None]) / lengths[:, None]
    shape = (*shares.shape, *(1,) * (seen.ndim - axis - 1))
    return jnp.sum(seen * jnp.asarray(shares, seen.dtype).reshape(shape), axis)
