"""Bounds of numbers, and the larger and the smaller of two."""

import builtins
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from funkeras.ops.arguments import array, arrays
from funkeras.ops.lifting import op

__all__ = ["clip", "fmax", "fmin", "maximum", "minimum", "nan_to_num", "saturate_cast"]


@op
def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    """`x`, or the bound that it is beyond; None is no bound."""
    x = array(x)
    x = x.astype("int32") if x.dtype == bool else x
    low, high = (None if bound is None else array(bound) for bound in (x_min, x_max))
    return jnp.clip(x, low, high)


@op
def fmax(x1: Any, x2: Any) -> Any:
    """The larger of both; where one is NaN, the other."""
    return jnp.fmax(*arrays(x1, x2))


@op
def fmin(x1: Any, x2: Any) -> Any:
    """The smaller of both; where one is NaN, the other."""
    return jnp.fmin(*arrays(x1, x2))


@op
def maximum(x1: Any, x2: Any) -> Any:
    """The larger of both, NaN where one is NaN."""
    return jnp.maximum(*arrays(x1, x2))


@op
def minimum(x1: Any, x2: Any) -> Any:
    """The smaller of both, NaN where one is NaN."""
    return jnp.minimum(*arrays(x1, x2))


@op
def nan_to_num(x: Any, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """Numbers for NaN and the infinities, for these by default the extremes of the dtype."""
    return jnp.nan_to_num(array(x), nan=nan, posinf=posinf, neginf=neginf)


@op
def saturate_cast(x: Any, dtype: Any) -> Any:
    """As `dtype`; what this can't hold becomes the extreme that it can."""
    x, dtype = array(x), jax.dtypes.canonicalize_dtype(dtype)
    low, high = zip(_extremes(x.dtype), _extremes(dtype), strict=True)
    least, most = builtins.max(low), builtins.min(high)
    below = _held(most, x.dtype)
    within = jnp.clip(x, _held(least, x.dtype), below).astype(dtype)
    return jnp.where(x > below, jnp.asarray(most, dtype), within)


def _extremes(dtype: Any) -> tuple[int | float, int | float]:
    if jnp.issubdtype(dtype, jnp.bool_):
        return 0, 1
    if jnp.issubdtype(dtype, jnp.integer):
        return int(jnp.iinfo(dtype).min), int(jnp.iinfo(dtype).max)
    return float(jnp.finfo(dtype).min), float(jnp.finfo(dtype).max)


def _held(bound: int | float, dtype: Any) -> Any:
    """The number of that dtype closest to the bound that is not beyond it."""
    near = np.asarray(bound).astype(dtype)
    beyond = builtins.abs(near.item()) > builtins.abs(bound)
    return np.nextafter(near, near * 0) if beyond else near
