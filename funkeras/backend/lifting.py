"""`op`: a function of arrays becomes one of the backend, for symbolic tensors and old spellings."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import jax

from funkeras import spellings
from funkeras.symbolic import apply, graphs_are_built, operation

__all__ = ["drawing", "op", "spelled"]

P = ParamSpec("P")
T = TypeVar("T")


def spelled(function: Callable[P, T]) -> Callable[P, T]:
    """Let a function of the backend be called in every generation's spelling of its arguments."""
    signature = inspect.signature(function)
    names = set(signature.parameters)
    owner = f"K.{function.__name__}"
    always = "data_format" in names or owner in spellings.KERAS_1

    @wraps(function)
    def translated(*args: P.args, **kwargs: P.kwargs) -> T:
        if not always and names.issuperset(kwargs):
            return function(*args, **kwargs)
        call: Callable[..., T] = function
        return call(**spellings.bind(owner, signature, args, kwargs))

    return translated


def op(function: Callable[P, T]) -> Callable[P, T]:
    """A function of arrays: run on arrays and tracers, recorded where a tensor is symbolic."""

    @wraps(function)
    def either(*args: P.args, **kwargs: P.kwargs) -> T:
        return apply(function, *args, name=function.__name__, **kwargs)

    return spelled(either)


def drawing(function: Callable[P, T]) -> Callable[P, T]:
    """A function that draws random numbers: an `op` that graphs record whatever it is given."""

    @wraps(function)
    def either(*args: P.args, **kwargs: P.kwargs) -> Any:
        if graphs_are_built():
            leaves, form = jax.tree.flatten((args, kwargs))
            return operation(function.__name__, function, leaves, form)
        return apply(function, *args, name=function.__name__, **kwargs)

    return spelled(either)
