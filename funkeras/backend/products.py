"""Products of tensors, biases, norms, and normalisation by given moments."""

import math
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from jax import lax

from funkeras import config, ops
from funkeras.backend.lifting import binary, op
from funkeras.functional.convolution import channels_at
from funkeras.functional.precision import at_unit_length

__all__ = [
    "batch_dot",
    "batch_normalization",
    "bias_add",
    "dot",
    "l2_normalize",
    "normalize_batch_in_training",
]

dot = binary(ops.dot)


@op
def batch_dot(x: Any, y: Any, axes: int | Sequence[int] | None = None) -> Any:
    """For each sample, the product over one axis of `x` and one of `y`; at least two axes remain.

    The axes left over are those of `x`, then those of `y`: (batch, i, j)·(batch, j, k) is
    (batch, i, k). In Keras 1 and 2 on TensorFlow, tensors of ranks above 3 are stacks of matrices
    instead: their leading axes go together, and the smaller has axes of size 1 at its end.

    Args:
        axes: the axis of each; by default the last one and the last but one, as in a product of
            matrices.

    Raises:
        ValueError: for axes that are not two whole numbers, or a tensor of one axis.
    """
    x, y = jnp.asarray(x), jnp.asarray(y)
    if min(x.ndim, y.ndim) < 2:
        raise ValueError(f"batch_dot needs a batch and more axes; got {x.shape} and {y.shape}")
    chosen = _summed(axes, x.ndim, y.ndim)
    old = config.dialect() != "modern" and config.backend() == "tensorflow"
    if old and max(x.ndim, y.ndim) > 3 and 0 not in chosen:
        rank, short = max(x.ndim, y.ndim), min(x.ndim, y.ndim)
        first = x.ndim if x.ndim <= y.ndim else rank  # of the axes of size 1 in the product
        x, y = (own.reshape(own.shape + (1,) * (rank - own.ndim)) for own in (x, y))
        x = x if chosen[0] == rank - 1 else x.swapaxes(-1, -2)
        y = y.swapaxes(-1, -2) if chosen[1] == rank - 1 else y
        extra = rank - short
        return (x @ y).squeeze(tuple(range(first - 1, first - 1 + extra)))
    if 0 in chosen:  # Keras 2 sums two matrices so: the diagonal of their product
        z = jnp.sum((x if chosen[0] == chosen[1] else x.T) * y, axis=chosen[1])
    else:
        z = lax.dot_general(x, y, (([chosen[0]], [chosen[1]]), ([0], [0])))
    return z[:, None] if z.ndim == 1 else z


def _summed(axes: int | Sequence[int] | None, x_ndim: int, y_ndim: int) -> tuple[int, int]:
    """The axes that are summed over, counted from the left."""
    if axes is None:
        last = y_ndim - 1 if config.dialect() == "modern" and y_ndim == 2 else y_ndim - 2
        return x_ndim - 1, last
    pair = (axes, axes) if isinstance(axes, int) else tuple(axes)
    if len(pair) != 2 or not all(isinstance(axis, int) for axis in pair):
        raise ValueError(f"axes must be one whole number or two, got {axes!r}")
    return pair[0] % x_ndim, pair[1] % y_ndim


@op
def l2_normalize(x: Any, axis: Any = None) -> Any:
    """`x` over its length along the axis; zeros stay zeros."""
    return at_unit_length(jnp.asarray(x), axis)


@op
def bias_add(x: Any, bias: Any, data_format: str | None = None) -> Any:
    """`x` plus a bias for each channel, or one of the shape of a sample.

    Raises:
        ValueError: for a bias with another number of axes.
    """
    if bias.ndim not in (1, x.ndim - 1):
        raise ValueError(f"bias must have 1 or {x.ndim - 1} axes, got shape {bias.shape}")
    if channels_at(data_format) == 1 and x.ndim > 2:
        # Every Keras declares it (*sizes, channels) but reads it as (channels, *sizes).
        sizes = (1,) * (x.ndim - 2) if bias.ndim == 1 else bias.shape[:-1]
        bias = bias.reshape(bias.shape[-1], *sizes)
    return x + bias


@op
def batch_normalization(
    x: Any, mean: Any, var: Any, beta: Any, gamma: Any, axis: int = -1, epsilon: float = 1e-3
) -> Any:
    """`gamma·(x - mean) / sqrt(var + epsilon) + beta`; a vector of them lies along `axis`."""
    shape = [1] * jnp.ndim(x)
    shape[axis] = -1

    def along(moment: Any) -> Any:
        return jnp.reshape(moment, shape) if jnp.ndim(moment) == 1 else moment

    scale = lax.rsqrt(jnp.asarray(along(var) + epsilon))
    scale = scale if gamma is None else scale * along(gamma)
    y = (x - along(mean)) * scale
    return y if beta is None else y + along(beta)


@op
def normalize_batch_in_training(
    x: Any, gamma: Any, beta: Any, reduction_axes: Sequence[int], epsilon: float = 1e-3
) -> Any:
    """`x` normalised by its own mean and variance over those axes, and both: `(y, mean, var)`."""
    axes = tuple(axis % x.ndim for axis in reduction_axes)
    mean, var = jnp.mean(x, axes), jnp.var(x, axes)
    kept = [1 if axis in axes else size for axis, size in enumerate(x.shape)]

    def spread(moment: Any) -> Any:
        return jnp.reshape(moment, kept) if jnp.size(moment) == math.prod(kept) else moment

    scale = lax.rsqrt(spread(var) + epsilon)
    scale = scale if gamma is None else scale * spread(gamma)
    y = (x - spread(mean)) * scale
    return (y if beta is None else y + spread(beta)), mean, var
