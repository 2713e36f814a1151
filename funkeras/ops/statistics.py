"""Counts, order and dependence of samples, and differences along an axis."""

import builtins
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.core import Tracer

from funkeras import config
from funkeras.ops.arguments import array, arrays, axes_of, bcoo, floats
from funkeras.ops.lifting import op

__all__ = [
    "argpartition",
    "argsort",
    "average",
    "bincount",
    "corrcoef",
    "correlate",
    "diff",
    "digitize",
    "histogram",
    "searchsorted",
    "sort",
    "trapezoid",
]


@op
def argpartition(x: Any, kth: int, axis: int | None = -1) -> Any:
    """Indices of an order with the `kth` smallest at its place, smaller ones before it."""
    x = array(x)
    return jnp.argpartition(x.ravel() if axis is None else x, kth, 0 if axis is None else axis)


@op
def argsort(x: Any, axis: int | None = -1) -> Any:
    """The indices that sort `x`, equal entries in their order."""
    x = array(x)
    return jnp.argsort(x, axis if x.ndim else None)


@op
def average(x: Any, axis: Any = None, weights: Any = None) -> Any:
    """The mean with weights, each for one entry of `x`, or for one place on the axis."""
    if weights is None:
        return jnp.average(*floats(x), axis=axes_of(axis))
    x, weights = floats(x, weights)
    return jnp.average(x, axes_of(axis), weights)


@op
def bincount(x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> Any:
    """How often each of 0, 1 ... is in an array, or the sum of its weights; two axes by rows.

    There are as many counts as the largest entry asks for, so that it must hold numbers: it can't
    be traced. `sparse` gives a `jax.experimental.sparse.BCOO` of float counts.
    """
    x = array(x)
    if isinstance(x, Tracer):
        raise ValueError(
            "bincount has as many counts as its largest entry asks for, so that it can't run in a "
            "graph or in jax.jit; sum `one_hot(x, num_classes)` over the entries instead"
        )
    length = builtins.max(minlength, int(jnp.max(x)) + 1 if x.size else 0)
    count = partial(jnp.bincount, length=length)
    count = jax.vmap(count) if x.ndim == 2 else count
    counts = count(x) if weights is None else count(x, array(weights))
    if not sparse:
        return counts
    return bcoo().fromdense(counts.astype(config.floatx()))


@op
def corrcoef(x: Any) -> Any:
    """Pearson's correlation of variables, the rows: (variables, samples) → a square matrix."""
    return jnp.corrcoef(array(x))


@op
def correlate(x1: Any, x2: Any, mode: str = "valid") -> Any:
    """The cross-correlation of sequences: `sum_n x1[n + k] * conj(x2[n])` for each shift `k`."""
    return jnp.correlate(*arrays(x1, x2), mode=mode)


@op
def diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    """Each entry minus the one before it, `n` times."""
    return jnp.diff(array(a), n, axis)


@op
def digitize(x: Any, bins: Any) -> Any:
    """The number of the bin that each entry is in; bin `i` is `[bins[i-1], bins[i])`."""
    return jnp.digitize(*arrays(x, bins))


@op
def histogram(x: Any, bins: int = 10, range: tuple[float, float] | None = None) -> Any:
    """How many entries are in each of the equal bins, and the edges: (bins,) and (bins + 1,).

    The bins share `range`, by default from the smallest to the largest entry; each but the last is
    open at its upper edge. What is beyond is not counted.
    """
    x = array(x)
    if isinstance(bins, bool) or not isinstance(bins, int):
        raise TypeError(f"bins must be a number of bins; got {bins!r}")
    if bins < 0:
        raise ValueError(f"bins must not be negative; got {bins}")
    if range and (not isinstance(range, tuple) or len(range) != 2 or range[1] < range[0]):
        raise ValueError(f"range must be a tuple of two ends, (low, high); got {range!r}")
    if x.ndim > 1:
        raise ValueError(f"histogram takes one axis; got shape {x.shape}")
    return jnp.histogram(x, bins, range or None)


@op
def searchsorted(sorted_sequence: Any, values: Any, side: str = "left") -> Any:
    """Where each value would be put in to keep the order, before equal ones or ("right") after."""
    sorted_sequence, values = arrays(sorted_sequence, values)
    if sorted_sequence.ndim != 1:
        raise ValueError(f"searchsorted takes one sorted axis; got shape {sorted_sequence.shape}")
    return jnp.searchsorted(sorted_sequence, values, side)


@op
def sort(x: Any, axis: int | None = -1) -> Any:
    """From the smallest to the largest along the axis; the flat array where it is None."""
    return jnp.sort(array(x), axis)


@op
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """The integral of `y` by the trapezoidal rule, at the places `x` or `dx` apart."""
    y, dx = arrays(y, dx)
    return jnp.trapezoid(y, None if x is None else array(x), dx, axis)
