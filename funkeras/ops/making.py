"""Arrays from nothing but sizes and ends: constants, grids, tapers, matrices of ones and zeros."""

from typing import Any

import jax.numpy as jnp

from funkeras import config
from funkeras.ops.arguments import array
from funkeras.ops.converting import standard, standard_or_floatx
from funkeras.ops.lifting import op

__all__ = [
    "arange",
    "bartlett",
    "blackman",
    "empty",
    "empty_like",
    "eye",
    "full",
    "full_like",
    "geomspace",
    "hamming",
    "hanning",
    "identity",
    "kaiser",
    "linspace",
    "logspace",
    "meshgrid",
    "ones",
    "ones_like",
    "tri",
    "vander",
    "zeros",
    "zeros_like",
]


@op
def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Any:
    """`start, start + step, …` before `stop`; of one number, the integers from 0 before it."""
    if dtype is None:
        ends = [end for end in (start, stop, step) if end is not None]
        given = [end.dtype for end in ends if hasattr(end, "dtype")]
        dtype = jnp.result_type(*ends)
        if jnp.issubdtype(dtype, jnp.floating) and not any(
            jnp.issubdtype(own, jnp.floating) for own in given
        ):
            dtype = config.floatx()
    return jnp.arange(start, stop, step, dtype=standard(dtype))


def bartlett(x: Any) -> Any:
    """Bartlett's window of `x` entries: a triangle with zeros at both ends."""
    return jnp.bartlett(int(x)).astype(config.floatx())


def blackman(x: Any) -> Any:
    """Blackman's window of `x` entries: `0.42 - 0.5 cos t + 0.08 cos 2t`, `t` from 0 to 2π."""
    return jnp.blackman(int(x)).astype(config.floatx())


def hamming(x: Any) -> Any:
    """Hamming's window of `x` entries: `0.54 - 0.46 cos t`, `t` from 0 to 2π."""
    return jnp.hamming(int(x)).astype(config.floatx())


def hanning(x: Any) -> Any:
    """Hann's window of `x` entries: `0.5 - 0.5 cos t`, `t` from 0 to 2π."""
    return jnp.hanning(int(x)).astype(config.floatx())


def kaiser(x: Any, beta: float) -> Any:
    """Kaiser's window of `x` entries: `I₀(β √(1 - t²)) / I₀(β)`, `t` from -1 to 1."""
    return jnp.kaiser(int(x), beta).astype(config.floatx())


@op
def empty(shape: Any, dtype: Any = None) -> Any:
    """An array to be filled; JAX fills it with zeros."""
    return jnp.empty(shape, standard_or_floatx(dtype))


@op
def empty_like(x: Any, dtype: Any = None) -> Any:
    """An array to be filled, of the shape and dtype of `x`; JAX fills it with zeros."""
    return jnp.empty_like(array(x), standard(dtype))


@op
def eye(N: Any, M: Any = None, k: int = 0, dtype: Any = None) -> Any:
    """A matrix of `N` rows and `M` columns with ones on its `k`-th diagonal."""
    return jnp.eye(N, M, k, standard_or_floatx(dtype))


@op
def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """An array of that shape with `fill_value` everywhere."""
    return jnp.full(shape, _filling(fill_value), standard_or_floatx(dtype))


@op
def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Any:
    """An array of the shape and dtype of `x` with `fill_value` everywhere."""
    return jnp.full_like(array(x), _filling(fill_value), standard(dtype))


def _filling(value: Any) -> Any:
    return array(value) if isinstance(value, list | tuple) else value


@op
def geomspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """`num` numbers from `start` to `stop` of one constant ratio."""
    return jnp.geomspace(*_ends(start, stop), num, endpoint, standard(dtype), axis)


@op
def identity(n: int, dtype: Any = None) -> Any:
    """The identity matrix of `n` rows."""
    return jnp.identity(n, standard_or_floatx(dtype))


@op
def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """`num` numbers from `start` to `stop` at one distance, which `retstep` gives too."""
    return jnp.linspace(*_ends(start, stop), num, endpoint, retstep, standard(dtype), axis)


@op
def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """`num` powers of `base`, whose exponents go from `start` to `stop` at one distance."""
    return jnp.logspace(*_ends(start, stop), num, endpoint, base, standard(dtype), axis)


def _ends(start: Any, stop: Any) -> tuple[Any, Any]:
    return _filling(start), _filling(stop)


@op
def meshgrid(*x: Any, indexing: str = "xy") -> Any:
    """Coordinates of the points of a grid, one array per axis; `xy` has the second axis first."""
    return jnp.meshgrid(*map(array, x), indexing=indexing)


@op
def ones(shape: Any, dtype: Any = None) -> Any:
    """An array of that shape with 1 everywhere."""
    return jnp.ones(shape, standard_or_floatx(dtype))


@op
def ones_like(x: Any, dtype: Any = None) -> Any:
    """An array of the shape and dtype of `x` with 1 everywhere."""
    return jnp.ones_like(array(x), standard(dtype))


@op
def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """A matrix of `N` rows and `M` columns with ones on and below its `k`-th diagonal."""
    return jnp.tri(N, M, k, standard_or_floatx(dtype))


@op
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """Vandermonde's matrix: `N` powers of each entry, the highest first unless `increasing`."""
    return jnp.vander(array(x), N, increasing)


@op
def zeros(shape: Any, dtype: Any = None) -> Any:
    """An array of that shape with 0 everywhere."""
    return jnp.zeros(shape, standard_or_floatx(dtype))


@op
def zeros_like(x: Any, dtype: Any = None) -> Any:
    """An array of the shape and dtype of `x` with 0 everywhere."""
    return jnp.zeros_like(array(x), standard(dtype))
