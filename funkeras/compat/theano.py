"""`keras.backend.theano_backend`: the backend's functions with the numbers that Theano gave."""

import inspect
from collections.abc import Callable
from functools import cache, wraps
from typing import Any

from funkeras import backend, config
from funkeras.backend.lifting import op


@cache
def _on_theano(name: str) -> Callable[..., Any]:
    function = inspect.unwrap(getattr(backend, name))

    @wraps(function)
    def scoped(*args: Any, **kwargs: Any) -> Any:
        with config.using_backend("theano"):
            return function(*args, **kwargs)

    return op(scoped)


def __getattr__(name: str) -> Any:
    """A function of the backend; those that convolve turn their kernels, as Theano did."""
    return _on_theano(name) if name in backend.images.__all__ else getattr(backend, name)
