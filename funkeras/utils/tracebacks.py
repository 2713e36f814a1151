"""Tracebacks that show where in a script an error is, rather than where in this library."""

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from funkeras import config

__all__ = ["filtered", "shorten", "shown"]

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


def shorten(error: BaseException) -> None:
    """Take the frames of this library off an error that is about to be raised again, if wanted."""
    if config.is_traceback_filtering_enabled():
        error.__traceback__ = filtered(error.__traceback__)


def shown(method: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """What a method gives; an error leaves it without the frames of this library."""
    try:
        return method(*args, **kwargs)
    except Exception as error:
        shorten(error)
        raise
