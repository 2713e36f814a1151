"""Keras 3's random numbers: each function draws from a seed, the same ones for the same seed.

A `seed` is a whole number, a `SeedGenerator`, a key of JAX, or None. Within a layer's `call`
None and generators draw from the key of the run: other numbers in each step, the same in each run
from the same key. The numbers of whole seeds and generators are those of Keras 3 on JAX.
"""

from typing import Any, Self, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import random

from funkeras import config
from funkeras.functional.noise import fill
from funkeras.ops.lifting import op
from funkeras.typing import Key
from funkeras.variables import Variable, current_flow

__all__ = [
    "SeedGenerator",
    "beta",
    "binomial",
    "categorical",
    "dropout",
    "gamma",
    "normal",
    "randint",
    "shuffle",
    "truncated_normal",
    "uniform",
]


class SeedGenerator:
    """Seeds one after another: the first of two numbers stays, the second one counts.

    Args:
        seed: the first number; drawn by NumPy's generator when left out.
        name: of the generator.

    Raises:
        ValueError: for a seed that is no whole number.
    """

    def __init__(self, seed: int | None = None, name: str | None = None) -> None:
        if seed is not None and not isinstance(seed, int | np.integer):
            raise ValueError(f"seed must be a whole number or None, got {seed!r}")
        self.name = name or "seed_generator"
        self.seed = seed
        start = np.random.randint(1, 10**9) if seed is None else seed
        self.state = Variable(_pair(start), dtype="uint32", name=self.name, trainable=False)

    def next(self, ordered: bool = True) -> Key:
        """The present seed; what follows is the next one, or, not `ordered`, one far from it.

        Within a run it is a key of that run.
        """
        flow = current_flow()
        if flow is not None:
            return random.fold_in(flow.next_key(), self.seed or 0)
        seed = self.state.value
        self.state.assign(seed + _pair(0, 1) if ordered else (seed + 1) * 5387 % 933199)
        return seed

    def get_config(self) -> dict[str, Any]:
        """Its arguments."""
        return {"seed": self.seed, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """A generator at the start of what that configuration gives."""
        return cls(**config)


Seed: TypeAlias = int | SeedGenerator | Key | None


def _pair(first: int, second: int = 0) -> jax.Array:
    return jnp.asarray(np.asarray([first, second]).astype(np.uint32))


def key_of(seed: Seed) -> Key:
    """The key that a seed stands for.

    Raises:
        ValueError: for anything that is no seed.
    """
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if isinstance(seed, jax.Array):
        return seed
    if seed is None:
        flow = current_flow()
        return random.key(np.random.randint(1 << 31)) if flow is None else flow.next_key()
    if not isinstance(seed, int | np.integer):
        raise ValueError(f"seed must be a whole number, a SeedGenerator or None, got {seed!r}")
    return _pair(int(seed))


def _float(dtype: Any) -> Any:
    dtype = jnp.dtype(dtype or config.floatx())
    if not jnp.issubdtype(dtype, jnp.floating):
        raise ValueError(f"dtype must be one of floats, got {dtype.name!r}")
    return dtype


def normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Seed = None
) -> jax.Array:
    """Normal numbers of that mean and standard deviation."""
    return random.normal(key_of(seed), tuple(shape), _float(dtype)) * stddev + mean


def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Seed = None
) -> jax.Array:
    """Normal numbers, drawn again where further from the mean than two standard deviations."""
    draws = random.truncated_normal(key_of(seed), -2.0, 2.0, tuple(shape), _float(dtype))
    return draws * stddev + mean


def uniform(
    shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Seed = None
) -> jax.Array:
    """Floats spread evenly from `minval` up to, but without, `maxval`."""
    return random.uniform(key_of(seed), tuple(shape), _float(dtype), minval, maxval)


def randint(
    shape: Any, minval: Any, maxval: Any, dtype: Any = "int32", seed: Seed = None
) -> jax.Array:
    """Whole numbers from `minval` up to, but without, `maxval`."""
    if not jnp.issubdtype(jnp.dtype(dtype), jnp.integer):
        raise ValueError(f"dtype must be one of whole numbers, got {dtype!r}")
    return random.randint(key_of(seed), tuple(shape), minval, maxval, dtype)


def gamma(shape: Any, alpha: Any, dtype: Any = None, seed: Seed = None) -> jax.Array:
    """Numbers of the gamma distribution of shape `alpha` and scale 1."""
    return random.gamma(key_of(seed), alpha, tuple(shape), _float(dtype))


def beta(shape: Any, alpha: Any, beta: Any, dtype: Any = None, seed: Seed = None) -> jax.Array:
    """Numbers of the beta distribution with these two exponents, in [0, 1]."""
    a, b = jnp.asarray(alpha), jnp.asarray(beta)
    return random.beta(key_of(seed), a, b, tuple(shape), _float(dtype))


def binomial(
    shape: Any, counts: Any, probabilities: Any, dtype: Any = None, seed: Seed = None
) -> jax.Array:
    """How many of `counts` trials succeed, each with that probability."""
    n, p = jnp.asarray(counts), jnp.asarray(probabilities)
    return random.binomial(key_of(seed), n, p, tuple(shape), _float(dtype))


@op
def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Seed = None) -> Any:
    """For each row of (batch, classes) so many classes, by the softmax of the logits."""
    logits = jnp.asarray(logits)
    if logits.ndim != 2:
        raise ValueError(f"logits must be (batch, classes), got shape {logits.shape}")
    shape = (logits.shape[0], num_samples)
    return random.categorical(key_of(seed), logits[..., None], axis=1, shape=shape).astype(dtype)


@op
def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Seed = None) -> Any:
    """A share `rate` of the entries zeroed and the others scaled up by `1 / (1 - rate)`.

    Axes of size 1 in `noise_shape` are dropped as a whole; None there stands for the size.

    Raises:
        ValueError: for a rate outside [0, 1].
    """
    if not 0 <= rate <= 1:
        raise ValueError(f"rate must be in [0, 1], got {rate}")
    inputs = jnp.asarray(inputs)
    if rate in (0, 1):
        return inputs if rate == 0 else jnp.zeros_like(inputs)
    shape = inputs.shape if noise_shape is None else fill(tuple(noise_shape), inputs.shape)
    stay = random.bernoulli(key_of(seed), 1 - rate, shape)
    return jnp.where(stay, inputs / (1 - rate), 0)


@op
def shuffle(x: Any, axis: int = 0, seed: Seed = None) -> Any:
    """The entries in another order along an axis, each row in an order of its own."""
    return random.permutation(key_of(seed), jnp.asarray(x), axis, independent=True)
