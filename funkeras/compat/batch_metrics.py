"""`keras.metrics` of Keras 1: a function gives one number, its mean over the batch."""

from collections.abc import Callable
from functools import cache, wraps
from typing import Any

import jax.numpy as jnp

from funkeras.metrics import functions
from funkeras.variables import overridable


@cache
def _of_batch(name: str) -> Callable[..., Any]:
    function = getattr(functions, name)

    @overridable
    @wraps(function)
    def mean(*args: Any, **kwargs: Any) -> Any:
        return jnp.mean(function(*args, **kwargs))

    return mean


def __getattr__(name: str) -> Any:
    """A metric of the batch; anything else is left to the modules after this one."""
    if name in functions.__all__ and name != "registry":
        return _of_batch(name)
    raise AttributeError(name)
