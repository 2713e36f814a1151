"""Exponentials, logarithms, angles (in radians) and special functions, entry by entry."""

from typing import Any

import jax
import jax.numpy as jnp

from funkeras.ops.arguments import array, floats
from funkeras.ops.lifting import op

__all__ = [
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "cos",
    "cosh",
    "deg2rad",
    "erf",
    "erfc",
    "erfinv",
    "exp",
    "exp2",
    "expm1",
    "i0",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logaddexp2",
    "rad2deg",
    "sin",
    "sinc",
    "sinh",
    "tan",
    "tanh",
]


@op
def arccos(x: Any) -> Any:
    """The angle in [0, π] whose cosine is `x`."""
    return jnp.arccos(*floats(x))


@op
def arccosh(x: Any) -> Any:
    """The number ≥ 0 whose hyperbolic cosine is `x`."""
    return jnp.arccosh(*floats(x))


@op
def arcsin(x: Any) -> Any:
    """The angle in [-π/2, π/2] whose sine is `x`."""
    return jnp.arcsin(*floats(x))


@op
def arcsinh(x: Any) -> Any:
    """The number whose hyperbolic sine is `x`."""
    return jnp.arcsinh(*floats(x))


@op
def arctan(x: Any) -> Any:
    """The angle in (-π/2, π/2) whose tangent is `x`."""
    return jnp.arctan(*floats(x))


@op
def arctan2(x1: Any, x2: Any) -> Any:
    """The angle in [-π, π] of the point with height `x1` and abscissa `x2`."""
    return jnp.arctan2(*floats(x1, x2))


@op
def arctanh(x: Any) -> Any:
    """The number whose hyperbolic tangent is `x`."""
    return jnp.arctanh(*floats(x))


@op
def cos(x: Any) -> Any:
    """The cosine."""
    return jnp.cos(*floats(x))


@op
def cosh(x: Any) -> Any:
    """The hyperbolic cosine."""
    return jnp.cosh(*floats(x))


@op
def deg2rad(x: Any) -> Any:
    """Degrees as radians."""
    return jnp.deg2rad(array(x))


@op
def erf(x: Any) -> Any:
    """The error function: `2/sqrt(π)` times the integral of `exp(-t²)` from 0 to `x`."""
    return jax.scipy.special.erf(array(x))


@op
def erfc(x: Any) -> Any:
    """`1 - erf(x)`, precise where this is small."""
    return jax.scipy.special.erfc(array(x))


@op
def erfinv(x: Any) -> Any:
    """The number whose error function is `x`."""
    return jax.scipy.special.erfinv(array(x))


@op
def exp(x: Any) -> Any:
    """`e^x`."""
    return jnp.exp(*floats(x))


@op
def exp2(x: Any) -> Any:
    """`2^x`."""
    return jnp.exp2(*floats(x))


@op
def expm1(x: Any) -> Any:
    """`e^x - 1`, precise near 0."""
    return jnp.expm1(*floats(x))


@op
def i0(x: Any) -> Any:
    """The modified Bessel function of the first kind and order 0."""
    return jnp.i0(*floats(x))


@op
def log(x: Any) -> Any:
    """The natural logarithm."""
    return jnp.log(array(x))


@op
def log10(x: Any) -> Any:
    """The logarithm to base 10."""
    return jnp.log10(array(x))


@op
def log1p(x: Any) -> Any:
    """`log(1 + x)`, precise near 0."""
    return jnp.log1p(array(x))


@op
def log2(x: Any) -> Any:
    """The logarithm to base 2."""
    return jnp.log2(array(x))


@op
def logaddexp(x1: Any, x2: Any) -> Any:
    """`log(e^x1 + e^x2)`, without overflow."""
    return jnp.logaddexp(*floats(x1, x2))


@op
def logaddexp2(x1: Any, x2: Any) -> Any:
    """`log2(2^x1 + 2^x2)`, without overflow."""
    return jnp.logaddexp2(*floats(x1, x2))


@op
def rad2deg(x: Any) -> Any:
    """Radians as degrees."""
    return jnp.rad2deg(array(x))


@op
def sin(x: Any) -> Any:
    """The sine."""
    return jnp.sin(*floats(x))


@op
def sinc(x: Any) -> Any:
    """`sin(πx) / (πx)`, 1 at 0."""
    return jnp.sinc(*floats(x))


@op
def sinh(x: Any) -> Any:
    """The hyperbolic sine."""
    return jnp.sinh(*floats(x))


@op
def tan(x: Any) -> Any:
    """The tangent."""
    return jnp.tan(*floats(x))


@op
def tanh(x: Any) -> Any:
    """The hyperbolic tangent."""
    return jnp.tanh(*floats(x))
