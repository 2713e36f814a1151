"""Names that are numbered where one repeats, and scopes that stand before names."""

import itertools
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["makers", "making", "next_number", "numbered", "reset_names", "scope", "scoped"]

_counters: dict[str, Iterator[int]] = defaultdict(itertools.count)
_scope: ContextVar[str] = ContextVar("scope", default="")
_makers: ContextVar[tuple[str, ...]] = ContextVar("makers", default=())


def next_number(word: str) -> int:
    """How many names with that word there were before."""
    return next(_counters[word])


def numbered(word: str) -> str:
    """The word, with a number behind it if it was a name before."""
    number = next_number(word)
    return f"{word}_{number}" if number else word


def reset_names() -> None:
    """Number names from the beginning again, as `clear_session` does."""
    _counters.clear()


@contextmanager
def scope(name: str) -> Iterator[str]:
    """Let names made inside begin with that one and a slash."""
    token = _scope.set(scoped(name) + "/")
    try:
        yield _scope.get()
    finally:
        _scope.reset(token)


def scoped(name: str) -> str:
    """The name with the scopes around it in front.

    >>> with scope("outer"), scope("inner"):
    ...     scoped("x")
    'outer/inner/x'
    """
    return _scope.get() + name


def makers() -> tuple[str, ...]:
    """The names of the layers that are making what is inside them, the outermost first."""
    return _makers.get()


@contextmanager
def making(names: tuple[str, ...]) -> Iterator[None]:
    """Let layers of those names, one in the other, make what is inside the last."""
    token = _makers.set(names)
    try:
        yield
    finally:
        _makers.reset(token)
