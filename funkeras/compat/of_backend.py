"""The backend's functions, with the numbers that they had on Theano or on TensorFlow."""

import inspect
from collections.abc import Callable
from functools import cache, wraps
from typing import Any

from funkeras import backend, config
from funkeras.backend.lifting import op

__all__ = ["of_backend"]

DIFFERENT = {*backend.images.__all__, "batch_dot", "ctc_batch_cost"}
"""Functions whose numbers depend on the backend: Theano turned the kernels of convolutions."""


@cache
def of_backend(chosen: str, name: str) -> Callable[..., Any]:
    """A function of the backend, which always computes as on `theano` or `tensorflow`."""
    function = getattr(backend, name)
    if name not in DIFFERENT:
        return function
    function = inspect.unwrap(function)

    @wraps(function)
    def scoped(*args: Any, **kwargs: Any) -> Any:
        with config.using_backend(chosen):
            return function(*args, **kwargs)

    return op(scoped)
