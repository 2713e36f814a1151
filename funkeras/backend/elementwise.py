"""Arithmetic, comparisons and activations, entry by entry."""

from typing import Any

import jax.numpy as jnp

from funkeras import activations, ops
from funkeras.backend.lifting import along, binary, op, unary

__all__ = [
    "abs",
    "clip",
    "cos",
    "elu",
    "equal",
    "exp",
    "greater",
    "greater_equal",
    "hard_sigmoid",
    "identity",
    "less",
    "less_equal",
    "lesser",
    "lesser_equal",
    "log",
    "maximum",
    "minimum",
    "not_equal",
    "pow",
    "relu",
    "round",
    "sigmoid",
    "sign",
    "sin",
    "softmax",
    "softplus",
    "softsign",
    "sqrt",
    "square",
    "tanh",
]

abs = unary(ops.abs)
log = unary(ops.log)
sigmoid = unary(ops.sigmoid)
sign = unary(ops.sign)
softplus = unary(ops.softplus)
softsign = unary(ops.softsign)
square = unary(ops.square)

equal = binary(ops.equal)
greater = binary(ops.greater)
greater_equal = binary(ops.greater_equal)
less = binary(ops.less)
less_equal = binary(ops.less_equal)
maximum = binary(ops.maximum)
minimum = binary(ops.minimum)
not_equal = binary(ops.not_equal)
lesser, lesser_equal = less, less_equal

softmax = along(ops.softmax, -1)


def between(x: Any, low: Any, high: Any) -> Any:
    """`x` kept between bounds, with its whole gradient at the bounds themselves."""
    return jnp.where(x < low, low, jnp.where(x > high, high, x))


@op
def sqrt(x: Any) -> Any:
    """The square root of `max(x, 0)`."""
    return jnp.sqrt(between(jnp.asarray(x), 0, jnp.inf))


@op
def exp(x: Any) -> Any:
    """`e` to the power of `x`."""
    return jnp.exp(x)


@op
def sin(x: Any) -> Any:
    """The sine."""
    return jnp.sin(x)


@op
def cos(x: Any) -> Any:
    """The cosine."""
    return jnp.cos(x)


@op
def round(x: Any) -> Any:
    """The nearest whole number, the even one of two."""
    return jnp.round(x)


@op
def pow(x: Any, a: Any) -> Any:
    """`x` to the power of `a`."""
    return jnp.power(x, a)


@op
def clip(x: Any, min_value: Any, max_value: Any) -> Any:
    """`x` kept between two bounds; None is no bound, and one below `min_value` is that."""
    x = jnp.asarray(x)
    low = -jnp.inf if min_value is None else min_value
    high = jnp.inf if max_value is None else jnp.maximum(low, max_value)
    return between(x, low, high).astype(x.dtype)


@op
def identity(x: Any, name: str | None = None) -> Any:
    """`x` itself."""
    return jnp.asarray(x)


@op
def relu(x: Any, alpha: Any = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """`max(x, 0)`, with a slope below the threshold and a ceiling."""
    return activations.relu(x, alpha, max_value, threshold)


@op
def elu(x: Any, alpha: float = 1.0) -> Any:
    """`x` where positive, `alpha·(exp(x) - 1)` elsewhere."""
    return activations.elu(x, alpha)


@op
def hard_sigmoid(x: Any) -> Any:
    """`0.2·x + 0.5` between 0 and 1, as the backends of all generations have it."""
    return between(0.2 * x + 0.5, 0.0, 1.0)


@op
def tanh(x: Any) -> Any:
    """The hyperbolic tangent."""
    return jnp.tanh(x)
