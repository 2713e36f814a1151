"""Products of arrays of any rank with a kernel, as products of two matrices."""

import math

import jax
import jax.numpy as jnp
from jax import lax

from funkeras.typing import Array

__all__ = ["times"]

NARROW = 24
"""Columns of a kernel up to which XLA's CPU backend multiplies by it turned over: the gradient of
an upright one takes it up to five times as long, and a step of a classifier for ten classes a tenth
longer (`python -m benchmarks first_model`). A single column is the same either way."""


def times(x: Array, kernel: Array, axes: int = 1) -> Array:
    """Contract the last `axes` axes of `x` with the first ones of `kernel`.

    It is `jnp.tensordot(x, kernel, axes)`, but by matrices: of a contraction over several axes,
    as the kernel's gradient would be, XLA's CPU backend first writes a transposed copy. An epoch
    of a character LSTM takes 0.40 s instead of 0.54 so (`python -m benchmarks char_lstm`).

    >>> times(jnp.ones((2, 5, 3)), jnp.ones((3, 4))).shape
    (2, 5, 4)
    """
    outer, inner, ends = x.shape[: x.ndim - axes], x.shape[x.ndim - axes :], kernel.shape[axes:]
    if inner != kernel.shape[:axes]:
        raise ValueError(f"an input of shape {x.shape} does not fit a kernel of {kernel.shape}")
    if not outer:
        return jnp.tensordot(x, kernel, axes)
    rows = x.reshape(math.prod(outer), math.prod(inner))
    matrix = kernel.reshape(math.prod(inner), math.prod(ends))
    narrow = 1 < matrix.shape[1] <= NARROW and jax.default_backend() == "cpu"
    product = _by_turned(rows, matrix) if narrow else jnp.dot(rows, matrix)
    return product.reshape(*outer, *ends)


def _by_turned(rows: Array, matrix: Array) -> Array:
    """`rows @ matrix`; the barrier keeps XLA from turning the matrix back."""
    turned = lax.optimization_barrier(matrix.T)
    return lax.dot_general(rows, turned, (((1,), (1,)), ((), ())))
