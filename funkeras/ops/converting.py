"""From one kind of number or holder of numbers to another, and what an array tells of itself."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from funkeras import config
from funkeras.ops.lifting import op
from funkeras.symbolic import SymbolicTensor
from funkeras.variables import value_of

__all__ = [
    "array",
    "cast",
    "convert_to_numpy",
    "convert_to_tensor",
    "copy",
    "dtype",
    "is_tensor",
    "ndim",
    "shape",
    "size",
    "view",
]


def standard(dtype: Any) -> Any:
    """A dtype by name or type as JAX computes with it, `int` as int32; None stays None.

    >>> str(standard("int")), str(standard(float))
    ('int32', 'float32')
    """
    return None if dtype is None else jax.dtypes.canonicalize_dtype(dtype)


def standard_or_floatx(dtype: Any) -> Any:
    """A dtype as JAX computes with it, by default that of `config.floatx()`."""
    return standard(config.floatx() if dtype is None else dtype)


@op
def array(x: Any, dtype: Any = None) -> Any:
    """A new array of these numbers, lists of lists included."""
    return jnp.array(x, standard(dtype))


@op
def cast(x: Any, dtype: Any) -> Any:
    """`x` in another dtype; to integers it cuts off fractions."""
    return jnp.asarray(x, standard_or_floatx(dtype))


def convert_to_numpy(x: Any) -> np.ndarray:
    """A NumPy array of its own with the numbers of `x`."""
    return np.array(value_of(x))


@op
def convert_to_tensor(
    x: Any, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None
) -> Any:
    """`x` as an array of JAX, whose arrays are dense: a sparse matrix is filled with its zeros."""
    if ragged:
        raise ValueError("ragged must be False or None, got True: JAX's arrays have even rows")
    return jnp.asarray(x.todense() if hasattr(x, "todense") else x, standard(dtype))


@op
def copy(x: Any) -> Any:
    """An array of its own with the numbers of `x`."""
    return jnp.array(x, copy=True)


def dtype(x: Any) -> str:
    """The name of the dtype that `x` has, or would have as an array."""
    x = value_of(x)
    return str(standard(x.dtype)) if hasattr(x, "dtype") else str(jnp.asarray(x).dtype)


def is_tensor(x: Any) -> bool:
    """Whether `x` is an array of JAX, or stands for one while a function is traced."""
    return isinstance(x, jax.Array)


def ndim(x: Any) -> int:
    """Number of axes."""
    return len(shape(x))


def shape(x: Any) -> tuple[int | None, ...]:
    """The size of each axis, None where a symbolic tensor leaves it open."""
    return tuple(x.shape) if isinstance(x, SymbolicTensor) else jnp.shape(value_of(x))


@op
def size(x: Any) -> Any:
    """Number of entries."""
    return jnp.size(x)


@op
def view(x: Any, dtype: Any = None) -> Any:
    """The bits of `x` read as numbers of another dtype; the last axis keeps its number of bytes."""
    return jnp.asarray(x).view(standard(dtype))
