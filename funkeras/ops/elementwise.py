"""Arithmetic and other functions of one entry of each argument."""

from typing import Any

import jax.numpy as jnp

from funkeras.ops.lifting import op

__all__ = ["abs", "add"]


@op
def abs(x: Any) -> Any:
    """`|x|`, the modulus of complex numbers."""
    return jnp.abs(x)


@op
def add(x1: Any, x2: Any) -> Any:
    """`x1 + x2`."""
    return jnp.add(x1, x2)
