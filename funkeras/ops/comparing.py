"""Comparisons, logic, bits and tests of entries, and the choice between two arrays."""

from typing import Any

import jax.numpy as jnp

from funkeras.ops.arguments import array, arrays
from funkeras.ops.lifting import op

__all__ = [
    "allclose",
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "equal",
    "greater",
    "greater_equal",
    "isclose",
    "isfinite",
    "isin",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "left_shift",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "not_equal",
    "right_shift",
    "where",
]


@op
def allclose(
    x1: Any, x2: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Any:
    """Whether `isclose` is true of every entry."""
    return jnp.allclose(*arrays(x1, x2), rtol=rtol, atol=atol, equal_nan=equal_nan)


@op
def bitwise_and(x: Any, y: Any) -> Any:
    """The bits that both have; `and` of booleans."""
    return jnp.bitwise_and(*arrays(x, y))


@op
def bitwise_invert(x: Any) -> Any:
    """Every bit turned; `not` of booleans."""
    return jnp.invert(array(x))


@op
def bitwise_left_shift(x: Any, y: Any) -> Any:
    """The bits of `x` moved up by `y`: `x * 2^y`."""
    return jnp.left_shift(*arrays(x, y))


bitwise_not = bitwise_invert


@op
def bitwise_or(x: Any, y: Any) -> Any:
    """The bits that one has at least; `or` of booleans."""
    return jnp.bitwise_or(*arrays(x, y))


@op
def bitwise_right_shift(x: Any, y: Any) -> Any:
    """The bits of `x` moved down by `y`, the sign kept: `x // 2^y`."""
    return jnp.right_shift(*arrays(x, y))


@op
def bitwise_xor(x: Any, y: Any) -> Any:
    """The bits that just one has."""
    return jnp.bitwise_xor(*arrays(x, y))


@op
def equal(x1: Any, x2: Any) -> Any:
    """`x1 == x2`."""
    return jnp.equal(*arrays(x1, x2))


@op
def greater(x1: Any, x2: Any) -> Any:
    """`x1 > x2`."""
    return jnp.greater(*arrays(x1, x2))


@op
def greater_equal(x1: Any, x2: Any) -> Any:
    """`x1 >= x2`."""
    return jnp.greater_equal(*arrays(x1, x2))


@op
def isclose(
    x1: Any, x2: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Any:
    """Whether `|x1 - x2| <= atol + rtol * |x2|`; two NaN only where `equal_nan`."""
    return jnp.isclose(*arrays(x1, x2), rtol=rtol, atol=atol, equal_nan=equal_nan)


@op
def isfinite(x: Any) -> Any:
    """Whether it is neither infinite nor NaN."""
    return jnp.isfinite(array(x))


@op
def isin(x1: Any, x2: Any, assume_unique: bool = False, invert: bool = False) -> Any:
    """Whether each entry of `x1` is one of `x2`; none of them where `invert`."""
    return jnp.isin(*arrays(x1, x2), assume_unique=assume_unique, invert=invert)


@op
def isinf(x: Any) -> Any:
    """Whether it is infinite."""
    return jnp.isinf(array(x))


@op
def isnan(x: Any) -> Any:
    """Whether it is not a number."""
    return jnp.isnan(array(x))


@op
def isneginf(x: Any) -> Any:
    """Whether it is -∞."""
    return jnp.isneginf(array(x))


@op
def isposinf(x: Any) -> Any:
    """Whether it is +∞."""
    return jnp.isposinf(array(x))


left_shift = bitwise_left_shift


@op
def less(x1: Any, x2: Any) -> Any:
    """`x1 < x2`."""
    return jnp.less(*arrays(x1, x2))


@op
def less_equal(x1: Any, x2: Any) -> Any:
    """`x1 <= x2`."""
    return jnp.less_equal(*arrays(x1, x2))


@op
def logical_and(x1: Any, x2: Any) -> Any:
    """Whether both are true, or not 0."""
    return jnp.logical_and(*arrays(x1, x2))


@op
def logical_not(x: Any) -> Any:
    """Whether it is false, or 0."""
    return jnp.logical_not(array(x))


@op
def logical_or(x1: Any, x2: Any) -> Any:
    """Whether one is true at least, or not 0."""
    return jnp.logical_or(*arrays(x1, x2))


@op
def logical_xor(x1: Any, x2: Any) -> Any:
    """Whether just one is true, or not 0."""
    return jnp.logical_xor(*arrays(x1, x2))


@op
def not_equal(x1: Any, x2: Any) -> Any:
    """`x1 != x2`."""
    return jnp.not_equal(*arrays(x1, x2))


right_shift = bitwise_right_shift


@op
def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """`x1` where the condition is true, else `x2`; alone, the indices where it is true."""
    if (x1 is None) != (x2 is None):
        missing = "x1" if x1 is None else "x2"
        raise ValueError(f"where takes both of x1 and x2, or none; {missing} is missing")
    if x1 is None:
        return jnp.where(array(condition))
    return jnp.where(*arrays(condition, x1, x2))
