"""Functions of all entries along axes: of every entry where `axis` is None."""

from typing import Any

import jax
import jax.numpy as jnp

from funkeras.ops.arguments import array, arrays, axes_of, float_type, floats
from funkeras.ops.lifting import op

__all__ = [
    "all",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "count_nonzero",
    "cumprod",
    "cumsum",
    "logsumexp",
    "max",
    "mean",
    "median",
    "min",
    "nanargmax",
    "nanargmin",
    "nancumprod",
    "nancumsum",
    "nanmax",
    "nanmean",
    "nanmedian",
    "nanmin",
    "nanpercentile",
    "nanprod",
    "nanquantile",
    "nanstd",
    "nansum",
    "nanvar",
    "norm",
    "percentile",
    "prod",
    "ptp",
    "quantile",
    "std",
    "sum",
    "var",
]


@op
def all(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether every entry is true, or not 0."""
    return jnp.all(array(x), axes_of(axis), keepdims=keepdims)


@op
def amax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest entry."""
    return jnp.amax(array(x), axes_of(axis), keepdims=keepdims)


@op
def amin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest entry."""
    return jnp.amin(array(x), axes_of(axis), keepdims=keepdims)


@op
def any(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether one entry at least is true, or not 0."""
    return jnp.any(array(x), axes_of(axis), keepdims=keepdims)


@op
def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Where the largest entry is, at its first place; -0.0 is below 0.0."""
    return jnp.argmax(_signed(x), axis, keepdims=keepdims)


@op
def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Where the smallest entry is, at its first place; -0.0 is below 0.0."""
    return jnp.argmin(_signed(x), axis, keepdims=keepdims)


@op
def count_nonzero(x: Any, axis: Any = None) -> Any:
    """How many entries are not 0, as int32."""
    return jnp.count_nonzero(array(x), axes_of(axis)).astype("int32")


@op
def cumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """The product of all entries so far; of the flat array where `axis` is None."""
    return jnp.cumprod(array(x), axis, dtype)


@op
def cumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """The sum of all entries so far; of the flat array where `axis` is None."""
    return jnp.cumsum(array(x), axis, dtype)


@op
def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`log(sum(exp(x)))`, without overflow."""
    return jax.nn.logsumexp(array(x), axes_of(axis), keepdims=keepdims)


@op
def max(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """The largest entry, `initial` among them."""
    return jnp.max(array(x), axes_of(axis), keepdims=keepdims, initial=initial)


@op
def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean, summed in float32 at least; of integers a float."""
    x = array(x)
    wide = jnp.promote_types(x.dtype, "float32")
    dtype = x.dtype if jnp.issubdtype(x.dtype, jnp.inexact) else wide
    return jnp.mean(x, axes_of(axis), wide, keepdims=keepdims).astype(dtype)


@op
def median(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The middle entry in order of size, or the mean of the two in the middle."""
    return jnp.median(array(x), axes_of(axis), keepdims=keepdims)


@op
def min(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """The smallest entry, `initial` among them."""
    return jnp.min(array(x), axes_of(axis), keepdims=keepdims, initial=initial)


@op
def nanargmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Where the largest entry is, NaN left out; -1 where all are NaN."""
    return jnp.nanargmax(array(x), axis, keepdims=keepdims)


@op
def nanargmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Where the smallest entry is, NaN left out; -1 where all are NaN."""
    return jnp.nanargmin(array(x), axis, keepdims=keepdims)


@op
def nancumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """The product of all entries so far, NaN as 1."""
    return jnp.nancumprod(array(x), axis, dtype)


@op
def nancumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """The sum of all entries so far, NaN as 0."""
    return jnp.nancumsum(array(x), axis, dtype)


@op
def nanmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest entry, NaN left out."""
    return jnp.nanmax(array(x), axes_of(axis), keepdims=keepdims)


@op
def nanmean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean, NaN left out."""
    return jnp.nanmean(array(x), axes_of(axis), keepdims=keepdims)


@op
def nanmedian(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The median, NaN left out."""
    return jnp.nanmedian(array(x), axes_of(axis), keepdims=keepdims)


@op
def nanmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest entry, NaN left out."""
    return jnp.nanmin(array(x), axes_of(axis), keepdims=keepdims)


@op
def nanpercentile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """The percentiles, NaN left out."""
    return jnp.nanpercentile(*arrays(x, q), axis=axes_of(axis), method=method, keepdims=keepdims)


@op
def nanprod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The product, NaN left out."""
    return jnp.nanprod(array(x), axes_of(axis), keepdims=keepdims)


@op
def nanquantile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """The quantiles, NaN left out."""
    return jnp.nanquantile(
        array(x), *floats(q), axis=axes_of(axis), method=method, keepdims=keepdims
    )


@op
def nanstd(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The standard deviation, NaN left out."""
    return jnp.nanstd(array(x), axes_of(axis), keepdims=keepdims)


@op
def nansum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum, NaN left out."""
    return jnp.nansum(array(x), axes_of(axis), keepdims=keepdims)


@op
def nanvar(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The variance, NaN left out."""
    return jnp.nanvar(array(x), axes_of(axis), keepdims=keepdims)


@op
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """The norm of vectors (one axis) or matrices (two); by default that of the squares' sum."""
    return jnp.linalg.norm(*floats(x), ord=ord, axis=axes_of(axis), keepdims=keepdims)


@op
def percentile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """The values that `q` percent of the entries are below."""
    return jnp.percentile(*arrays(x, q), axis=axes_of(axis), method=method, keepdims=keepdims)


@op
def prod(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
    """The product."""
    return jnp.prod(array(x), axes_of(axis), dtype, keepdims=keepdims)


@op
def ptp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest entry minus the smallest."""
    return jnp.ptp(array(x), axes_of(axis), keepdims=keepdims)


@op
def quantile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """The values that the share `q`, in [0, 1], of the entries is below."""
    return jnp.quantile(array(x), *floats(q), axis=axes_of(axis), method=method, keepdims=keepdims)


@op
def std(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The standard deviation: the root of the variance."""
    return jnp.std(array(x), axes_of(axis), keepdims=keepdims)


@op
def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum."""
    return jnp.sum(array(x), axes_of(axis), keepdims=keepdims)


@op
def var(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The variance, the mean squared distance from the mean, summed in float32 at least."""
    x = array(x)
    wide = jnp.promote_types(x.dtype, "float32")
    return jnp.var(x, axes_of(axis), wide, keepdims=keepdims).astype(float_type(x))


def _signed(x: Any) -> Any:
    """Negative zeros below zero: as such compare negative subnormals where these are flushed."""
    x = array(x)
    if not jnp.issubdtype(x.dtype, jnp.floating):
        return x
    x = x.astype(jnp.promote_types(x.dtype, "float32"))
    return jnp.where((x == 0) & jnp.signbit(x), -jnp.finfo(x.dtype).tiny, x)
