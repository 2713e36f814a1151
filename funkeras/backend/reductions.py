"""Sums, means and other reductions; `axis` is one axis, several, or None for all."""

from typing import Any

import jax.numpy as jnp

from funkeras import ops
from funkeras.backend.lifting import along, op, reduction
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

all = reduction(ops.all)
any = reduction(ops.any)
logsumexp = reduction(ops.logsumexp)
max = reduction(ops.amax, "max")
min = reduction(ops.amin, "min")
prod = reduction(ops.prod)
std = reduction(ops.std)
sum = reduction(ops.sum)

cumprod = along(ops.cumprod, 0)
cumsum = along(ops.cumsum, 0)


@op
def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean."""
    return jnp.mean(x, axes_of(axis), keepdims=keepdims)


@op
def var(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The variance: the mean squared distance from the mean."""
    return jnp.var(x, axes_of(axis), keepdims=keepdims)


@op
def argmax(x: Any, axis: int | None = -1) -> Any:
    """Where the largest entry is."""
    return jnp.argmax(x, axis)


@op
def argmin(x: Any, axis: int | None = -1) -> Any:
    """Where the smallest entry is."""
    return jnp.argmin(x, axis)
