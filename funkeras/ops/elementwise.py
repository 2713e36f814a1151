"""Arithmetic, powers and rounding."""

from typing import Any

import jax
import jax.numpy as jnp

from funkeras import config
from funkeras.ops.arguments import array, arrays, floats
from funkeras.ops.lifting import op

__all__ = [
    "abs",
    "absolute",
    "add",
    "cbrt",
    "ceil",
    "divide",
    "divide_no_nan",
    "fabs",
    "floor",
    "floor_divide",
    "fmod",
    "gcd",
    "heaviside",
    "hypot",
    "kron",
    "lcm",
    "ldexp",
    "mod",
    "multiply",
    "negative",
    "nextafter",
    "power",
    "reciprocal",
    "round",
    "rsqrt",
    "sign",
    "signbit",
    "sqrt",
    "square",
    "stop_gradient",
    "subtract",
    "true_divide",
    "trunc",
]


@op
def abs(x: Any) -> Any:
    """`|x|`, the modulus of complex numbers."""
    return jnp.abs(array(x))


absolute = abs


@op
def add(x1: Any, x2: Any) -> Any:
    """`x1 + x2`."""
    return jnp.add(*arrays(x1, x2))


@op
def cbrt(x: Any) -> Any:
    """The real cube root."""
    return jnp.cbrt(array(x))


@op
def ceil(x: Any) -> Any:
    """The least whole number that is not below `x`, as a float."""
    return jnp.ceil(*floats(x))


@op
def divide(x1: Any, x2: Any) -> Any:
    """`x1 / x2`, of integers too a float."""
    return jnp.divide(*arrays(x1, x2))


@op
def divide_no_nan(x1: Any, x2: Any) -> Any:
    """`x1 / x2`, and 0 where `x2` is 0, there also in the gradient."""
    x1, x2 = arrays(x1, x2)
    return jnp.where(x2 == 0, 0, jnp.divide(x1, jnp.where(x2 == 0, 1, x2)))


@op
def fabs(x: Any) -> Any:
    """`|x|` of real numbers, as a float."""
    x = array(x)
    if jnp.iscomplexobj(x):
        raise TypeError(f"fabs takes real numbers, `abs` complex ones too; got {x.dtype}")
    return jnp.fabs(x)


@op
def floor(x: Any) -> Any:
    """The greatest whole number that is not above `x`, as a float."""
    return jnp.floor(*floats(x))


@op
def floor_divide(x1: Any, x2: Any) -> Any:
    """`x1 / x2`, rounded down."""
    return jnp.floor_divide(*arrays(x1, x2))


@op
def fmod(x1: Any, x2: Any) -> Any:
    """What is left of `x1` after division by `x2`, with the sign of `x1`."""
    return jnp.fmod(*arrays(x1, x2))


@op
def gcd(x1: Any, x2: Any) -> Any:
    """The greatest common divisor of integers."""
    return jnp.gcd(*arrays(x1, x2))


@op
def heaviside(x1: Any, x2: Any) -> Any:
    """The step: 0 where `x1 < 0`, 1 where `x1 > 0`, and `x2` where it is 0."""
    return jnp.heaviside(*arrays(x1, x2))


@op
def hypot(x1: Any, x2: Any) -> Any:
    """`sqrt(x1² + x2²)`, without overflow."""
    return jnp.hypot(*arrays(x1, x2))


@op
def kron(x1: Any, x2: Any) -> Any:
    """The Kronecker product: each entry of `x1` times all of `x2`, side by side."""
    return jnp.kron(*arrays(x1, x2))


@op
def lcm(x1: Any, x2: Any) -> Any:
    """The least common multiple of integers."""
    return jnp.lcm(*arrays(x1, x2))


@op
def ldexp(x1: Any, x2: Any) -> Any:
    """`x1 * 2^x2` with whole exponents `x2`."""
    x1, x2 = arrays(x1, x2)
    if not jnp.issubdtype(x2.dtype, jnp.integer):
        raise TypeError(f"ldexp takes integers as exponents; got x2 of dtype {x2.dtype}")
    return jnp.ldexp(x1, x2)


@op
def mod(x1: Any, x2: Any) -> Any:
    """What is left of `x1` after division by `x2`, with the sign of `x2`."""
    return jnp.mod(*arrays(x1, x2))


@op
def multiply(x1: Any, x2: Any) -> Any:
    """`x1 * x2`, entry by entry."""
    return jnp.multiply(*arrays(x1, x2))


@op
def negative(x: Any) -> Any:
    """`-x`."""
    return jnp.negative(array(x))


@op
def nextafter(x1: Any, x2: Any) -> Any:
    """The number next to `x1` in its float type, towards `x2`."""
    return jnp.nextafter(*arrays(x1, x2))


@op
def power(x1: Any, x2: Any) -> Any:
    """`x1` to the power `x2`."""
    return jnp.power(*arrays(x1, x2))


@op
def reciprocal(x: Any) -> Any:
    """`1 / x`."""
    return jnp.reciprocal(array(x))


@op
def round(x: Any, decimals: int = 0) -> Any:
    """To so many decimals, halves to the even neighbor; below 0 to tens, hundreds ..."""
    x = array(x)
    if jnp.issubdtype(x.dtype, jnp.integer) and decimals < 0:
        step = jnp.asarray(10.0**decimals, config.floatx())
        return (jnp.round(x.astype(step.dtype) * step) / step).astype(x.dtype)
    return jnp.round(x, decimals)


@op
def rsqrt(x: Any) -> Any:
    """`1 / sqrt(x)`."""
    return jax.lax.rsqrt(*floats(x))


@op
def sign(x: Any) -> Any:
    """-1, 0 or 1; of a complex number `x / |x|`."""
    return jnp.sign(array(x))


@op
def signbit(x: Any) -> Any:
    """Whether the sign is negative, of -0.0 too."""
    return jnp.signbit(array(x))


@op
def sqrt(x: Any) -> Any:
    """The square root."""
    return jnp.sqrt(array(x))


@op
def square(x: Any) -> Any:
    """`x²`."""
    return jnp.square(array(x))


@op
def stop_gradient(variable: Any) -> Any:
    """The same, held constant in derivatives."""
    return jax.lax.stop_gradient(variable)


@op
def subtract(x1: Any, x2: Any) -> Any:
    """`x1 - x2`."""
    return jnp.subtract(*arrays(x1, x2))


true_divide = divide


@op
def trunc(x: Any) -> Any:
    """Without the digits after the point: rounded towards 0."""
    x = array(x)
    return jnp.trunc(x) if jnp.issubdtype(x.dtype, jnp.inexact) else x
