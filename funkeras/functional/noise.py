"""Layers that act in training only: dropout and its kin."""

import jax.numpy as jnp
from jax import random
from jaxtyping import Float

from funkeras.functional.checks import share
from funkeras.functional.pair import Pair, layer, noise
from funkeras.typing import Array, Key, Shape

__all__ = ["dropout"]


@layer("Dropout")
def dropout(rate: float, noise_shape: Shape | None = None, seed: int | None = None) -> Pair:
    """Zero a random share `rate` of the inputs in training; scale the rest by 1 / (1 - rate).

    `noise_shape` repeats the choice along axes of size 1; None takes the input's size.
    Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html
    """
    share("rate", rate)

    def perturb(key: Key, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        if rate == 0:
            return x
        shape = x.shape if noise_shape is None else fill(noise_shape, x.shape)
        kept = random.bernoulli(key, 1 - rate, shape)
        return jnp.where(kept, x / (1 - rate), jnp.zeros((), x.dtype))

    return noise(perturb, seed)


def fill(shape: Shape, default: tuple[int, ...]) -> tuple[int, ...]:
    """A shape with its unknown sizes taken from `default`."""
    if len(shape) != len(default):
        raise ValueError(f"noise_shape {shape} must have the rank of the input {default}")
    return tuple(own if size is None else size for size, own in zip(shape, default, strict=True))
