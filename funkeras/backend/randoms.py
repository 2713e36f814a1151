"""Random tensors: drawn anew in each run, from the key of the run or NumPy's generator."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import random

from funkeras.backend.arranging import dtype_of, whole
from funkeras.backend.lifting import drawing
from funkeras.functional.noise import drop, fill
from funkeras.variables import current_flow

__all__ = [
    "dropout",
    "random_bernoulli",
    "random_binomial",
    "random_normal",
    "random_uniform",
    "truncated_normal",
]


def next_key(seed: int | None) -> jax.Array:
    """A key of the present run; a seed sets an operation's draws apart from those of others.

    Outside of any run it follows from the seed, or from NumPy's generator.
    """
    flow = current_flow()
    if flow is None:
        return random.key(np.random.randint(1 << 31) if seed is None else seed)
    return flow.next_key() if seed is None else random.fold_in(flow.next_key(), seed)


@drawing
def random_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: int | None = None
) -> Any:
    """Normal numbers of that mean and standard deviation."""
    return random.normal(next_key(seed), whole(shape), dtype_of(dtype)) * stddev + mean


@drawing
def random_uniform(
    shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: int | None = None
) -> Any:
    """Numbers spread evenly from `minval` up to, but without, `maxval`."""
    key, kind = next_key(seed), dtype_of(dtype)
    draw = random.randint if jnp.issubdtype(kind, jnp.integer) else random.uniform
    return draw(key, whole(shape), minval=minval, maxval=maxval, dtype=kind)


@drawing
def random_binomial(shape: Any, p: Any = 0.0, dtype: Any = None, seed: int | None = None) -> Any:
    """1 with probability `p`, else 0."""
    return random.bernoulli(next_key(seed), p, whole(shape)).astype(dtype_of(dtype))


random_bernoulli = random_binomial


@drawing
def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: int | None = None
) -> Any:
    """Normal numbers, drawn again where further from the mean than two standard deviations."""
    draws = random.truncated_normal(next_key(seed), -2.0, 2.0, whole(shape), dtype_of(dtype))
    return draws * stddev + mean


@drawing
def dropout(x: Any, level: float, noise_shape: Any = None, seed: int | None = None) -> Any:
    """`x` with a share `level` of its entries zeroed and the rest scaled up, in either phase.

    Raises:
        ValueError: for a share outside [0, 1).
    """
    if not 0 <= level < 1:
        raise ValueError(f"level must be in [0, 1), got {level}")
    x = jnp.asarray(x)
    shape = x.shape if noise_shape is None else fill(tuple(noise_shape), x.shape)
    return drop(next_key(seed), x, level, shape)
