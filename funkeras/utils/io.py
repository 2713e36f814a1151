"""Files that are wholly old or wholly new, whatever happens while they are written."""

import itertools
import os
import re
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["atomic_write"]

STALE_AFTER = 24 * 3600
"""Seconds after which a temporary file of another machine counts as left behind."""

_HOST = re.sub(r"[^A-Za-z0-9]", "", socket.gethostname())[:40] or "host"
_TEMPORARY = re.compile(r"\.(?P<name>.+)\.(?P<host>\w+)-(?P<pid>\d+)-\d+\.funkeras")
_count = itertools.count()
_in_use: set[Path] = set()


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary file beside `path` to write; it takes the name when the block ends well.

    The data are flushed to the disk before the file is renamed, and the folder after it. If the
    block raises, the old file stays. Temporaries that crashed processes left there are removed.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "notes.txt"
    >>> with atomic_write(path) as temporary:
    ...     _ = temporary.write_text("new")
    >>> path.read_text()
    'new'
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(f"{target} is a folder, not a file to write")
    _remove_stale(target.parent)
    temporary = target.parent / (
        f".{target.name[:80]}.{_HOST}-{os.getpid()}-{next(_count)}.funkeras"
    )
    _in_use.add(temporary)
    try:
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        yield temporary
        if target.exists():
            temporary.chmod(stat.S_IMODE(target.stat().st_mode))
        _sync(temporary, os.O_RDWR)
        os.replace(temporary, target)
        if os.name == "posix":  # elsewhere a folder cannot be opened
            _sync(target.parent, os.O_RDONLY)
    finally:
        temporary.unlink(missing_ok=True)
        _in_use.discard(temporary)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_stale(folder: Path) -> None:
    for path in folder.glob(".*.funkeras"):
        if (found := _TEMPORARY.fullmatch(path.name)) and path not in _in_use:
            with suppress(OSError):
                if _left_behind(path, found["host"], int(found["pid"])):
                    path.unlink()


def _left_behind(path: Path, host: str, pid: int) -> bool:
    """Whether nobody writes `path` any more: its process has ended, or is this one."""
    if host != _HOST or os.name != "posix":
        return time.time() - path.stat().st_mtime > STALE_AFTER
    if pid == os.getpid():
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
