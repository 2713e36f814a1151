"""Complex numbers and their parts."""

from typing import Any

import jax
import jax.numpy as jnp

from funkeras.ops.arguments import array, floats
from funkeras.ops.lifting import op

__all__ = [
    "angle",
    "conj",
    "conjugate",
    "imag",
    "isreal",
    "polar",
    "real",
    "view_as_complex",
    "view_as_real",
]


@op
def angle(x: Any) -> Any:
    """The angle in [-π, π] of a complex number in the plane."""
    return jnp.angle(*floats(x))


@op
def conjugate(x: Any) -> Any:
    """The complex conjugate: the imaginary part negated."""
    return jnp.conjugate(array(x))


conj = conjugate


@op
def imag(x: Any) -> Any:
    """The imaginary part, 0 of real numbers."""
    return jnp.imag(array(x))


@op
def isreal(x: Any) -> Any:
    """Whether the imaginary part is 0."""
    return jnp.isreal(array(x))


@op
def polar(abs_: Any, angle: Any) -> Any:
    """The complex numbers with modulus `abs_` at `angle`, in radians."""
    abs_, angle = array(abs_), *floats(angle)
    return _complex(abs_ * jnp.cos(angle), abs_ * jnp.sin(angle))


@op
def real(x: Any) -> Any:
    """The real part."""
    return jnp.real(array(x))


@op
def view_as_complex(x: Any) -> Any:
    """Pairs along the last axis, real and imaginary part, as complex numbers: (..., 2) → (...)."""
    x = array(x)
    if x.shape[-1:] != (2,):
        raise ValueError(f"view_as_complex takes pairs along the last axis; got shape {x.shape}")
    return _complex(x[..., 0], x[..., 1])


@op
def view_as_real(x: Any) -> Any:
    """Complex numbers as real and imaginary part along a new last axis: (...) → (..., 2)."""
    x = array(x)
    return jnp.stack([jnp.real(x), jnp.imag(x)], axis=-1)


def _complex(real: Any, imag: Any) -> Any:
    dtype = jnp.promote_types(jnp.result_type(real, imag), "float32")
    return jax.lax.complex(real.astype(dtype), imag.astype(dtype))
