"""How functions of arrays and operations of Keras 3 become functions of the backend.

`op` lets a function take symbolic tensors and old spellings. `unary`, `binary`, `reduction` and
`along` take an operation over, with the arguments that Keras 1 and 2 have. What the backend writes
out itself has other numbers, dtypes or defaults than the operation of its name.
"""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import jax
import numpy as np

from funkeras import spellings
from funkeras.ops.lifting import op as lifted
from funkeras.symbolic import apply, graphs_are_built, operation
from funkeras.variables import current_flow

__all__ = ["along", "binary", "drawing", "op", "reduction", "spelled", "unary"]

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
    return spelled(lifted(of_sizes(function) if function.__name__ in OF_SIZES else function))


OF_SIZES = ("cast", "concatenate", "expand_dims", "maximum", "minimum", "prod", "stack", "sum")
"""What scripts compute shapes by."""


def of_sizes(function: Callable[P, T]) -> Callable[P, T]:
    """The function; of whole numbers on the host it gives such, while a program is traced too.

    So a shape that is computed from sizes is known there.
    """

    @wraps(function)
    def either(*args: P.args, **kwargs: P.kwargs) -> Any:
        given = [own for own in jax.tree.leaves((args, kwargs)) if hasattr(own, "dtype")]
        sizes = given and all(isinstance(own, HOST) and own.dtype.kind in "iu" for own in given)
        if not sizes or current_flow() is None:
            return function(*args, **kwargs)
        with jax.ensure_compile_time_eval():
            return np.asarray(function(*args, **kwargs))

    return either


HOST = (np.ndarray, np.generic)


def drawing(function: Callable[P, T]) -> Callable[P, T]:
    """A function that draws random numbers: an `op` that graphs record whatever it is given."""

    @wraps(function)
    def either(*args: P.args, **kwargs: P.kwargs) -> Any:
        if graphs_are_built():
            leaves, form = jax.tree.flatten((args, kwargs))
            return operation(function.__name__, function, leaves, form)
        return apply(function, *args, name=function.__name__, **kwargs)

    return spelled(either)


def _known(own: Any, function: Callable[P, T], name: str | None = None) -> Callable[P, T]:
    """The function of the backend that does what the operation does, and says so."""
    function.__name__ = function.__qualname__ = name or own.__name__
    function.__module__ = "funkeras.backend"  # where it is, for pickle and for files of models
    function.__doc__ = own.__doc__.replace("x1", "x").replace("x2", "y")
    return op(function)


# What these four return is inferred, so that editors and type checkers know names and defaults.


def unary(own: Any, name: str | None = None):
    """The operation on one tensor, by the name that the backend has for it."""

    def function(x: Any) -> Any:
        return own.__wrapped__(x)

    return _known(own, function, name)


def binary(own: Any):
    """The operation on two tensors."""

    def function(x: Any, y: Any) -> Any:
        return own.__wrapped__(x, y)

    return _known(own, function)


def reduction(own: Any, name: str | None = None):
    """The operation over one axis, several, or None for all."""

    def function(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return own.__wrapped__(x, axis, keepdims)

    return _known(own, function, name)


def along(own: Any, usual: int):
    """The operation along one axis, by default the usual one."""

    def function(x: Any, axis: int = usual) -> Any:
        return own.__wrapped__(x, axis)

    return _known(own, function)
