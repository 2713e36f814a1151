"""Sums, means and other reductions; `axis` is one axis, several, or None for all."""

from typing import Any

import jax
import jax.numpy as jnp

from funkeras.backend.lifting import op
from funkeras.ops.arguments import axes_of

__all__ = [
    "all",
    "any",
    "argmax",
    "argmin",
    "cumprod",
    "cumsum",
    "logsumexp",
    "max",
    "mean",
    "min",
    "prod",
    "std",
    "sum",
    "var",
]


@op
def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum."""
    return jnp.sum(x, axes_of(axis), keepdims=keepdims)


@op
def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean."""
    return jnp.mean(x, axes_of(axis), keepdims=keepdims)


@op
def prod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The product."""
    return jnp.prod(x, axes_of(axis), keepdims=keepdims)


@op
def max(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest entry."""
    return jnp.max(x, axes_of(axis), keepdims=keepdims)


@op
def min(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest entry."""
    return jnp.min(x, axes_of(axis), keepdims=keepdims)


@op
def var(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The variance: the mean squared distance from the mean."""
    return jnp.var(x, axes_of(axis), keepdims=keepdims)


@op
def std(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The standard deviation: the root of the variance."""
    return jnp.std(x, axes_of(axis), keepdims=keepdims)


@op
def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`log(sum(exp(x)))`, without overflow."""
    return jax.nn.logsumexp(x, axes_of(axis), keepdims=keepdims)


@op
def any(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether one entry at least is true."""
    return jnp.any(x, axes_of(axis), keepdims=keepdims)


@op
def all(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether every entry is true."""
    return jnp.all(x, axes_of(axis), keepdims=keepdims)


@op
def argmax(x: Any, axis: int | None = -1) -> Any:
    """Where the largest entry is."""
    return jnp.argmax(x, axis)


@op
def argmin(x: Any, axis: int | None = -1) -> Any:
    """Where the smallest entry is."""
    return jnp.argmin(x, axis)


@op
def cumsum(x: Any, axis: int = 0) -> Any:
    """The sum of all entries so far."""
    return jnp.cumsum(x, axis)


@op
def cumprod(x: Any, axis: int = 0) -> Any:
    """The product of all entries so far."""
    return jnp.cumprod(x, axis)
