"""Tracebacks that show where in a script an error is, rather than where in this library."""

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from funkeras import config

__all__ = ["filtered", "shown"]

T = TypeVar("T")

HERE = str(Path(__file__).parents[1])


def filtered(traceback: TracebackType | None) -> TracebackType | None:
    """The traceback without the frames of functions of this library."""
    entries = []
    while traceback is not None:
        entries.append(traceback)
        traceback = traceback.tb_next
    kept = None
    for entry in reversed(entries):
        if not entry.tb_frame.f_code.co_filename.startswith(HERE):
            kept = TracebackType(kept, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return kept


def shown(method: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """What a method gives; an error leaves it without the frames of this library."""
    try:
        return method(*args, **kwargs)
    except Exception as error:
        if not config.is_traceback_filtering_enabled():
            raise
        raise error.with_traceback(filtered(error.__traceback__))  # noqa: B904  it is the same
