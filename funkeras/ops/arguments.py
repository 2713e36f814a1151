"""Arguments of operations as arrays, of the types that Keras 3 computes in."""

from typing import Any

import jax
import jax.numpy as jnp

from funkeras import config

__all__ = ["array", "arrays", "axes_of", "bcoo", "float_type", "floats", "single"]


def array(x: Any) -> jax.Array:
    """It as an array; `jnp.asarray` takes 5 µs to give one back."""
    return x if isinstance(x, jax.Array) else jnp.asarray(x)


def arrays(*xs: Any) -> list[Any]:
    """Each as an array; a Python number leaves the dtype to what it meets."""
    return [array(x) for x in xs]


def bcoo() -> Any:
    """JAX's class of sparse arrays, imported when one is asked for: 16 MB and 80 ms."""
    from jax.experimental.sparse import BCOO

    return BCOO


def float_type(*xs: Any) -> Any:
    """The float or complex type of arrays together; of integers `floatx`."""
    dtype = jnp.result_type(*(x.dtype for x in xs))
    return dtype if jnp.issubdtype(dtype, jnp.inexact) else jnp.dtype(config.floatx())


def floats(*xs: Any) -> list[Any]:
    """Each as an array, all of the float or complex type that they have together.

    >>> [str(x.dtype) for x in floats(jnp.asarray([1, 2]), jnp.ones(2, "bfloat16"))]
    ['bfloat16', 'bfloat16']
    """
    found = arrays(*xs)
    dtype = float_type(*found)
    return [x if x.dtype == dtype else x.astype(dtype) for x in found]


def axes_of(axis: Any) -> Any:
    """One axis, or several as JAX takes them."""
    return tuple(axis) if isinstance(axis, list | tuple) else axis


def single(x: Any) -> Any:
    """An array of at least single precision."""
    x = array(x)
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))
