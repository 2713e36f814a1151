"""Tracebacks that show where in a script an error is, rather than where in this library."""

from pathlib import Path
from types import TracebackType

__all__ = ["filtered"]

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
