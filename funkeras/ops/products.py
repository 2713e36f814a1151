"""Products of arrays, and diagonals."""

from typing import Any

import jax.numpy as jnp

from funkeras.ops.arguments import array
from funkeras.ops.lifting import op

__all__ = [
    "cdist",
    "cross",
    "diag",
    "diagflat",
    "diagonal",
    "dot",
    "einsum",
    "inner",
    "matmul",
    "outer",
    "tensordot",
    "trace",
    "tril",
    "triu",
    "vdot",
]


def _sum_dtype(*factors: Any) -> Any:
    """The dtype to add products in: int32 where all are of 8 bits, else JAX's own choice."""
    return jnp.int32 if all(x.dtype == jnp.int8 for x in factors) else None


@op
def cdist(x: Any, y: Any) -> Any:
    """Euclidean distances of the rows of `x` (..., n, d) from those of `y` (..., m, d)."""
    x, y = array(x), array(y)
    if x.ndim < 2 or y.ndim < 2 or x.shape[-1] != y.shape[-1]:
        raise ValueError(
            f"x and y must have rows of one length, got arrays of shapes {x.shape} and {y.shape}"
        )
    return jnp.sqrt(jnp.sum(jnp.square(x[..., :, None, :] - y[..., None, :, :]), axis=-1))


@op
def cross(
    x1: Any, x2: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    """The vector product of vectors of 3 entries, or of 2 in a plane, along an axis of each.

    Of two vectors in a plane it is the one entry that is upright on it.
    """
    axisa, axisb, axisc = (own if axis is None else axis for own in (axisa, axisb, axisc))
    a, b = jnp.moveaxis(array(x1), axisa, -1), jnp.moveaxis(array(x2), axisb, -1)
    sizes = a.shape[-1], b.shape[-1]
    if not {*sizes} <= {2, 3}:
        raise ValueError(f"vectors must have 2 or 3 entries, got {sizes[0]} and {sizes[1]}")
    y = jnp.cross(*(_in_space(own) for own in (a, b)))
    return y[..., 2] if sizes == (2, 2) else jnp.moveaxis(y, -1, axisc)


def _in_space(x: Any) -> Any:
    """Vectors of 2 entries with a third one, 0, which later versions of JAX ask for."""
    return jnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, 3 - x.shape[-1])])


@op
def diag(x: Any, k: int = 0) -> Any:
    """The matrix with a vector on its `k`-th diagonal, or that diagonal of a matrix."""
    return jnp.diag(array(x), k)


@op
def diagflat(x: Any, k: int = 0) -> Any:
    """The matrix with all entries of `x` on its `k`-th diagonal."""
    return jnp.diagflat(array(x), k)


@op
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The diagonals of the matrices along two axes, as the last axis."""
    return jnp.diagonal(array(x), offset, axis1, axis2)


@op
def dot(x1: Any, x2: Any) -> Any:
    """Sums of products over the last axis of `x1` and the last but one of `x2`, or its only one."""
    return jnp.dot(array(x1), array(x2))


@op
def einsum(subscripts: str, *operands: Any, **kwargs: Any) -> Any:
    """Einstein's sum: products over letters that are equal, added over those left out."""
    factors = [*map(array, operands)]
    options = {"preferred_element_type": _sum_dtype(*factors), **kwargs}
    return jnp.einsum(subscripts, *factors, **options)


@op
def inner(x1: Any, x2: Any) -> Any:
    """Sums of products over the last axes of both."""
    return jnp.inner(array(x1), array(x2))


@op
def matmul(x1: Any, x2: Any) -> Any:
    """Products of the matrices in the last two axes; int8 gives int32."""
    x1, x2 = array(x1), array(x2)
    return jnp.matmul(x1, x2, preferred_element_type=_sum_dtype(x1, x2))


@op
def outer(x1: Any, x2: Any) -> Any:
    """Products of each entry of `x1`, as rows, with each of `x2`."""
    return jnp.outer(array(x1), array(x2))


@op
def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Any:
    """Sums of products over the last `axes` axes of `x1` and the first of `x2`, or over pairs."""
    return jnp.tensordot(array(x1), array(x2), axes)


@op
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Sums of the diagonals of the matrices along two axes."""
    return jnp.trace(array(x), offset, axis1, axis2)


@op
def tril(x: Any, k: int = 0) -> Any:
    """Matrices with zeros above the `k`-th diagonal."""
    return jnp.tril(array(x), k)


@op
def triu(x: Any, k: int = 0) -> Any:
    """Matrices with zeros below the `k`-th diagonal."""
    return jnp.triu(array(x), k)


@op
def vdot(x1: Any, x2: Any) -> Any:
    """The sum of all products of an entry of `x1`, conjugated, with that of `x2` at its place."""
    return jnp.vdot(array(x1), array(x2))
