"""Sources of randomness, of NumPy's arrays or of JAX's."""

from typing import Any, Protocol, TypeAlias, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jax import random

from funkeras.typing import Key

__all__ = ["KeySource", "NumpySource", "Sizes", "Source"]

Sizes: TypeAlias = tuple[int, ...]
"""A weight's shape: every size is known."""


@runtime_checkable
class Source(Protocol):
    """Randomness, and the array library (`numpy` or `jax.numpy`) that its draws belong to."""

    xp: Any

    def uniform(self, shape: Sizes, low: float = 0.0, high: float = 1.0) -> Any:
        """Values spread evenly over `[low, high)`."""
        ...

    def normal(self, shape: Sizes, mean: float = 0.0, stddev: float = 1.0) -> Any:
        """Values with the Gaussian density."""
        ...

    def truncated_normal(self, shape: Sizes, mean: float = 0.0, stddev: float = 1.0) -> Any:
        """Gaussian values of which none is more than two `stddev` from the mean."""
        ...

    def seeded(self, seed: int) -> "Source":
        """A source of the same kind that starts from `seed`."""
        ...

    def key(self) -> Key:
        """A JAX key, for draws that JAX alone can make."""
        ...


class KeySource:
    """Draws from a JAX key, split once for each draw; works inside `jax.jit` and `jax.vmap`."""

    xp: Any = jnp

    def __init__(self, key: Key) -> None:
        self._key = key

    def key(self) -> Key:
        """A key of its own for each draw."""
        self._key, key = random.split(self._key)
        return key

    def uniform(self, shape: Sizes, low: float = 0.0, high: float = 1.0) -> jax.Array:
        """Values spread evenly over `[low, high)`."""
        return random.uniform(self.key(), shape, minval=low, maxval=high)

    def normal(self, shape: Sizes, mean: float = 0.0, stddev: float = 1.0) -> jax.Array:
        """Values with the Gaussian density."""
        return mean + stddev * random.normal(self.key(), shape)

    def truncated_normal(self, shape: Sizes, mean: float = 0.0, stddev: float = 1.0) -> jax.Array:
        """Gaussian values of which none is more than two `stddev` from the mean."""
        return mean + stddev * random.truncated_normal(self.key(), -2.0, 2.0, shape)

    def seeded(self, seed: int) -> "KeySource":
        """A source that starts from `seed`."""
        return KeySource(random.key(seed))


class NumpySource:
    """Draws from a NumPy generator, by default the global one; its arrays never touch JAX.

    The draws are those of Keras 1 on Theano: `np.random.seed` makes an old script repeatable.
    """

    xp: Any = np

    def __init__(
        self, generator: np.random.RandomState | np.random.Generator | None = None
    ) -> None:
        self._generator: Any = np.random if generator is None else generator

    def uniform(self, shape: Sizes, low: float = 0.0, high: float = 1.0) -> np.ndarray:
        """Values spread evenly over `[low, high)`."""
        return np.asarray(self._generator.uniform(low, high, shape))

    def normal(self, shape: Sizes, mean: float = 0.0, stddev: float = 1.0) -> np.ndarray:
        """Values with the Gaussian density."""
        return np.asarray(self._generator.normal(mean, stddev, shape))

    def truncated_normal(self, shape: Sizes, mean: float = 0.0, stddev: float = 1.0) -> np.ndarray:
        """Gaussian values of which none is more than two `stddev` from the mean."""
        values = self.normal(shape)
        while (outside := np.abs(values) > 2).any():
            values[outside] = self.normal((int(outside.sum()),))
        return mean + stddev * values

    def seeded(self, seed: int) -> "NumpySource":
        """A source that starts from `seed`."""
        return NumpySource(np.random.RandomState(seed))

    def key(self) -> Key:
        """A JAX key that follows from the next draw."""
        return random.key(int(self.uniform((), 0, 2**32)))
