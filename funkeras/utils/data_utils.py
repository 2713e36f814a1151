"""Downloads into the Keras cache folder: resumed, checked, unpacked without leaving it."""

import hashlib
import os
import shutil
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
import zlib
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Any

from funkeras import config
from funkeras.utils.messages import say

__all__ = ["get_file", "validate_file"]

CHUNK = 1 << 16
TIMEOUT = 60.0
HASHES: dict[str, Callable[[], Any]] = {"sha256": hashlib.sha256, "md5": hashlib.md5}


def get_file(
    fname: str | os.PathLike[str] | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | list[str] | None = "auto",
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
) -> str:
    """Path of a file from `origin`, downloaded into the cache if it is not there already.

    The cache is `$KERAS_HOME` or `~/.keras`. A download that was cut off is taken up where it
    stopped; the file gets its name only when it is complete and, with a hash given, right.

    Args:
        fname: its name in the cache, by default the last part of the address.
        untar: `fname` is the folder in an archive `<fname>.tar.gz`; gives the folder's path.
        extract: unpack the archive. Keras 1 and 2 put the contents beside it and return the
            archive's path; in the dialect `modern` they go to a folder of their own, which is
            returned.
        hash_algorithm: `md5`, `sha256` or `auto`, which tells them by their length.
        archive_format: `tar`, `zip`, a list of them, or `auto`.

    Raises:
        ConnectionError: when the download fails; the message says where the file may be put by
            hand.
        ValueError: when the file is not the one that the hash belongs to.
    """
    if origin is None:
        raise TypeError("get_file() needs origin, the address of the file")
    name = os.fspath(fname) if fname else Path(urllib.parse.urlsplit(origin).path).name
    if name in ("", ".", ".."):
        raise ValueError(f"fname must name a file; got {fname!r} and the address {origin!r}")
    algorithm, digest = _expected_hash(md5_hash, file_hash, hash_algorithm)
    folder = _cache_folder(cache_dir, cache_subdir)
    archive, unpacked, result = _places(folder, name, fname is not None, untar, extract)
    archive.parent.mkdir(parents=True, exist_ok=True)
    if force_download or not archive.exists() or not _matches(archive, algorithm, digest):
        _download(origin, archive, algorithm, digest, fresh=force_download)
        fresh = True
    else:
        fresh = False
    if unpacked is not None and (fresh or extract or not result.exists()):
        _extract(archive, unpacked, "tar" if untar else archive_format)
    return str(result)


def validate_file(
    fpath: str | os.PathLike[str],
    file_hash: str | None = None,
    algorithm: str = "auto",
    chunk_size: int = CHUNK,
    *,
    md5_hash: str | None = None,
) -> bool:
    """Whether a file has that md5 or sha256 hash; Keras 1 knows `md5_hash` alone."""
    kind, digest = _expected_hash(md5_hash, file_hash, algorithm)
    return _matches(Path(fpath), kind, digest, chunk_size)


def _expected_hash(md5: str | None, digest: str | None, algorithm: str) -> tuple[str, str | None]:
    if algorithm not in (*HASHES, "auto"):
        raise ValueError(f"hash_algorithm must be md5, sha256 or auto; got {algorithm!r}")
    if digest is None and md5 is not None:
        return "md5", md5
    if algorithm == "auto":
        algorithm = "sha256" if digest is not None and len(digest) == 64 else "md5"
    return algorithm, digest


def _matches(path: Path, algorithm: str, digest: str | None, chunk_size: int = CHUNK) -> bool:
    return digest is None or _hash_file(path, algorithm, chunk_size) == digest.lower()


def _hash_file(
    fpath: str | os.PathLike[str], algorithm: str = "sha256", chunk_size: int = CHUNK
) -> str:
    """The hash of a file as hexadecimal digits, as scripts took it from the inside of Keras 2."""
    hasher = HASHES[algorithm if algorithm in HASHES else "md5"]()
    with Path(fpath).open("rb") as file:
        while chunk := file.read(chunk_size):
            hasher.update(chunk)
    return hasher.hexdigest()


def _cache_folder(cache_dir: str | os.PathLike[str] | None, subdir: str) -> Path:
    home = cache_dir or os.environ.get("KERAS_HOME") or Path.home() / ".keras"
    folder = Path(home).expanduser() / subdir
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if os.access(existing, os.W_OK):
        return folder
    return Path(tempfile.gettempdir()) / ".keras" / subdir  # where Keras goes then


def _places(
    folder: Path, name: str, named: bool, untar: bool, extract: bool
) -> tuple[Path, Path | None, Path]:
    """Where the download goes, where it is unpacked, and the path to return."""
    file = folder / name
    if not (untar or extract):
        return file, None, file
    if config.dialect() != "modern":
        archive = folder / f"{name}.tar.gz" if untar else file
        return archive, folder, file
    if named and "." in name:
        target = folder / f"{name.partition('.')[0]}_extracted"
        return file, target, target
    return folder / f"{name}_archive", file, file


def _download(
    origin: str, path: Path, algorithm: str, digest: str | None, fresh: bool = False
) -> None:
    partial = path.with_name(f"{path.name}.part")
    if fresh:
        partial.unlink(missing_ok=True)
    resumed = partial.exists()
    say(f"Downloading data from {origin}")
    try:
        _fetch(origin, partial)
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise ConnectionError(
            f"cannot download {path.name} from {origin}: {reason}. "
            f"Without a network, put the file {path.name} into the folder {path.parent}"
        ) from error
    if not partial.exists() and path.exists():  # another process was faster
        return None
    if not _matches(partial, algorithm, digest):
        partial.unlink()
        if resumed:  # the beginning may be that of an older version
            return _download(origin, path, algorithm, digest)
        raise ValueError(
            f"{origin} is not the expected file: its {algorithm} hash differs from {digest}"
        )
    os.replace(partial, path)
    return None


def _fetch(origin: str, partial: Path) -> None:
    """Append to `partial` what is missing of `origin`; start again if the server cannot resume."""
    done = partial.stat().st_size if partial.exists() else 0
    request = urllib.request.Request(origin, headers={"User-Agent": "funkeras"})
    if done:
        request.add_header("Range", f"bytes={done}-")
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        if not done or error.code != 416:  # 416: nothing is missing, or the file was another
            raise
        partial.unlink()
        return _fetch(origin, partial)
    with response:
        if response.status != 206:
            done = 0
        length = response.headers.get("Content-Length")
        total = done + int(length) if length else None
        with partial.open("r+b" if done else "wb") as file, _Meter(total) as meter:
            file.seek(done)
            meter.show(done)
            while chunk := response.read(CHUNK):
                file.write(chunk)
                done += len(chunk)
                meter.show(done)
    if total is not None and done < total:
        raise ConnectionError(f"the connection broke after {done} of {total} bytes")
    return None


class _Meter:
    """How much of a download is there, rewritten in place on a terminal, silent elsewhere."""

    def __init__(self, total: int | None) -> None:
        self.total = total
        self.last = 0.0
        self.on = sys.stdout.isatty() and config.is_interactive_logging_enabled()

    def __enter__(self) -> "_Meter":
        return self

    def __exit__(self, *_: object) -> None:
        if self.on:
            sys.stdout.write("\n")

    def show(self, done: int) -> None:
        now = time.monotonic()
        if not self.on or (now - self.last < 0.1 and done != self.total):
            return
        self.last = now
        sys.stdout.write("\r" + _meter_line(done, self.total))
        sys.stdout.flush()


def _meter_line(done: int, total: int | None, width: int = 30) -> str:
    """One line for a download.

    >>> _meter_line(3_000_000, 12_000_000, width=8)
    ' 25% [=>......] 3.0/12.0 MB'
    >>> _meter_line(3_000_000, None)
    '3.0 MB'
    """
    if not total:
        return f"{done / 1e6:.1f} MB"
    filled = width * done // total
    bar = "=" * filled if done >= total else "=" * (filled - 1) + ">" * (filled > 0)
    return f"{100 * done // total:3d}% [{bar:.<{width}}] {done / 1e6:.1f}/{total / 1e6:.1f} MB"


DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    FileExistsError,
    NotADirectoryError,
    IsADirectoryError,
)
"""What a broken or hostile archive raises; a full disk, say, is another matter."""


def _extract(archive: Path, folder: Path, formats: str | list[str] | None) -> None:
    """Unpack a tar or zip into `folder`, all of it or nothing."""
    if formats is None:
        return
    formats = ["tar", "zip"] if formats == "auto" else formats
    kinds = [formats] if isinstance(formats, str) else formats
    if unknown := set(kinds) - set(ARCHIVES):
        raise ValueError(f"archive_format must be among tar, zip, auto; got {sorted(unknown)}")
    unpack = next((ARCHIVES[kind][1] for kind in kinds if ARCHIVES[kind][0](archive)), None)
    if unpack is None:
        raise ValueError(f"{archive} is no archive of the format {' or '.join(kinds)}")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".unpack-") as temporary:
        try:
            unpack(archive, Path(temporary))
        except DAMAGED as error:
            raise ValueError(f"{archive} cannot be unpacked: {error}") from error
        for item in Path(temporary).iterdir():
            _move_over(item, folder / item.name)


def _move_over(source: Path, target: Path) -> None:
    """Move a file or a tree to its place; folders are merged, files replaced."""
    if source.is_dir() and not source.is_symlink() and target.is_dir():
        for item in source.iterdir():
            _move_over(item, target / item.name)
    elif source.is_dir() and not source.is_symlink():
        shutil.move(source, target)
    else:
        os.replace(source, target)


def _untar(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as tar:
        _check_names(tar.getnames(), folder)
        tar.extractall(folder, filter="data")  # refuses links that lead outside


def _unzip(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as file:
        _check_names(file.namelist(), folder)
        file.extractall(folder)


def _check_names(names: list[str], folder: Path) -> None:
    """Refuse absolute names and those that lead outside, of which Python versions differ."""
    root = folder.resolve()
    for name in names:
        if not (root / name).resolve().is_relative_to(root):
            raise tarfile.ExtractError(f"{name!r} leads outside the archive")


ARCHIVES: dict[str, tuple[Callable[[Path], bool], Callable[[Path, Path], None]]] = {
    "tar": (lambda path: tarfile.is_tarfile(path), _untar),
    "zip": (lambda path: zipfile.is_zipfile(path), _unzip),
}
