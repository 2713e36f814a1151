"""`op`: a function of arrays becomes one of symbolic tensors and variables too."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from funkeras.symbolic import apply

__all__ = ["op"]

P = ParamSpec("P")
T = TypeVar("T")


def op(function: Callable[P, T]) -> Callable[P, T]:
    """A function of arrays: run on arrays and tracers, recorded where a tensor is symbolic."""

    @wraps(function)
    def either(*args: P.args, **kwargs: P.kwargs) -> T:
        return apply(function, *args, name=function.__name__, **kwargs)

    return either
