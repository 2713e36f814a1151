"""Sums that the half precisions would spoil, in single precision."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from jax import lax

from funkeras import config
from funkeras.typing import Array

__all__ = ["at_least_single", "at_unit_length", "real"]


def at_least_single(dtype: Any) -> Any:
    """The float type to sum in: the half precisions lose too much."""
    wide = jnp.issubdtype(dtype, jnp.floating) and jnp.finfo(dtype).bits > 32
    return dtype if wide else jnp.dtype(jnp.float32)


def real(x: Array) -> Array:
    """Real numbers as they are, whole ones as real ones."""
    return x if jnp.issubdtype(x.dtype, jnp.floating) else x.astype(config.floatx())


def at_unit_length(
    x: Array, axis: int | Sequence[int] | None = None, least: float = 1e-12
) -> Array:
    """`x` over its Euclidean length along the axes, whose square is at least `least`.

    Zeros stay zeros. The bound is inside the root, whose derivative at zero would be infinite.

    >>> bool(jnp.allclose(at_unit_length(jnp.array([3.0, 4.0, 0.0]), 0), jnp.array([0.6, 0.8, 0])))
    True
    """
    wide = x.astype(at_least_single(x.dtype))
    axes = axis if isinstance(axis, int | None) else tuple(axis)
    squares = jnp.sum(jnp.square(wide), axes, keepdims=True)
    scaled = wide * lax.rsqrt(jnp.maximum(squares, least))
    return scaled.astype(x.dtype) if jnp.issubdtype(x.dtype, jnp.floating) else scaled
