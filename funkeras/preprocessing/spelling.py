"""Lets functions and classes of this package be called in every generation's spelling."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from funkeras import config, spellings

__all__ = ["any_spelling"]

P = ParamSpec("P")
R = TypeVar("R")


def any_spelling(*keras_1_order: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Translate the arguments of a function, a method or an `__init__`.

    Args:
        keras_1_order: what positional arguments mean in the classic dialect, where that is not
            the order of the signature.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)
        parameters = list(signature.parameters.values())
        bound = int(bool(parameters) and parameters[0].name == "self")
        options = [p.name for p in parameters if p.kind is inspect.Parameter.VAR_KEYWORD]
        named = [p for p in parameters[bound:] if p.name not in options]
        inner = signature.replace(parameters=named)
        owner = function.__qualname__.removesuffix(".__init__").rpartition(".")[2]

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            given, positional = dict(kwargs), args[bound:]
            passed = {}
            if options:  # further keywords are for somebody else, as they are
                known = {p.name for p in named} | set(spellings.RENAMED)
                passed = {name: given.pop(name) for name in set(given) - known}
            if keras_1_order and config.dialect() == "classic":
                if len(positional) > len(keras_1_order):
                    raise TypeError(
                        f"{owner}() takes at most {len(keras_1_order)} positional arguments: "
                        f"{', '.join(keras_1_order)}"
                    )
                twice = set(keras_1_order[: len(positional)]) & set(given)
                if twice:
                    raise TypeError(f"{owner}() got argument {min(twice)!r} twice")
                given.update(zip(keras_1_order, positional, strict=False))
                positional = ()
            arguments: dict[str, Any] = spellings.bind(owner, inner, positional, given)
            run: Callable[..., R] = function
            return run(*args[:bound], **arguments, **passed)

        return call

    return decorate
