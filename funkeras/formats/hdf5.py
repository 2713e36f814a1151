"""HDF5 files as untrusted data: the one accessor that opens a node, and atomic writing.

Nothing outside the file is reached (no external or soft links, external storage or virtual
datasets), no plug-in is loaded, and no array is allocated before its size is checked.
"""

import io
import math
import mmap
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import h5py.h5o
import numpy as np

from funkeras.formats.errors import FileFormatError
from funkeras.formats.heaps import Data, check_heaps, check_text
from funkeras.utils.h5dict import HDF5_OBJECT_HEADER_LIMIT, attribute_parts
from funkeras.utils.io import atomic_write

__all__ = ["Group", "create_hdf5", "open_hdf5", "write_array", "write_attribute", "write_names"]

SMALL = 1 << 20
"""Bytes that may be allocated in any case."""

FILTERS = {1: "gzip", 2: "shuffle", 3: "fletcher32", 32000: "lzf"}
"""The filters that h5py brings itself; any other would load a plug-in."""

ATTRIBUTE_CLASSES = (h5py.h5t.STRING, h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.ENUM)
"""Types that are safe to read; HDF5 can crash on a damaged sequence of variable length."""

KINDS = (
    (b"PK\x03\x04", "a zip archive (a Keras 3 .keras file is one)"),
    (b"\x1f\x8b", "compressed with gzip"),
    (b"\x93NUMPY", "a NumPy .npy file"),
    (b"version https://git-lfs", "a Git LFS pointer, not the file that it stands for"),
    (b"<", "a web page or XML, perhaps a failed download"),
    (b"{", "JSON text"),
    (b"\x80", "a pickle"),
)
SIGNATURE = b"\x89HDF\r\n\x1a\n"

ERRORS = (OSError, KeyError, ValueError, TypeError, RuntimeError, AttributeError, OverflowError)
"""What h5py raises for malformed files."""


@contextmanager
def reported(path: Path, node: str = "") -> Iterator[None]:
    """Turn any error of h5py into a FileFormatError that names the file and the node."""
    try:
        yield
    except (FileFormatError, FileNotFoundError, PermissionError, IsADirectoryError):
        raise
    except ERRORS as error:
        where = f" at {node!r}" if node else ""
        raise FileFormatError(f"{path} is not a readable HDF5 file{where}: {error}") from error


@dataclass
class Source:
    """What all groups of an open file share.

    Fields:
        data: its bytes, which HDF5's addresses count from `base`, behind a user block.
        budget: how many bytes of arrays may still be read.
        texts: names of attributes whose texts were found sound.
    """

    data: Data
    base: int
    budget: int
    texts: set[str] = field(default_factory=set)


class Group:
    """A group of an HDF5 file; its methods are the only way to attributes, groups and arrays."""

    def __init__(self, path: Path, group: h5py.Group, source: Source) -> None:
        self.path = path
        self.name = str(group.name)
        self._group = group
        self._source = source

    def refuse(self, node: str, reason: str) -> FileFormatError:
        """The error to raise for a node below this group."""
        return FileFormatError(f"{self.path}, {self._place(node)}: {reason}")

    def _place(self, node: str) -> str:
        return f"{self.name.rstrip('/')}/{node}" if node else self.name

    def __contains__(self, name: str) -> bool:
        with reported(self.path, self._place(name)):
            return self._group.get(name, getlink=True) is not None

    def _open(self, name: str) -> Any:
        """The node at a relative path, each step of which is a hard link."""
        node: Any = self._group
        with reported(self.path, self._place(name)):
            for step in name.split("/"):
                if step in ("", ".", ".."):
                    raise self.refuse(name, "the path leaves its group")
                if not isinstance(node, h5py.Group):
                    raise self.refuse(name, "the path goes through an array")
                link = node.get(step, getlink=True)
                if link is None:
                    raise self.refuse(name, "missing")
                if not isinstance(link, h5py.HardLink):
                    raise self.refuse(name, f"refused, it is a link ({type(link).__name__})")
                node = node[step]
        return node

    def group(self, name: str) -> "Group":
        """The group of that name."""
        node = self._open(name)
        if not isinstance(node, h5py.Group):
            raise self.refuse(name, "a group is expected here, not an array")
        return Group(self.path, node, self._source)

    def _dataset(self, name: str) -> h5py.Dataset:
        node = self._open(name)
        if not isinstance(node, h5py.Dataset):
            raise self.refuse(name, "an array is expected here, not a group")
        with reported(self.path, self._place(name)):
            plist = node.id.get_create_plist()
            if node.is_virtual or plist.get_external_count():
                raise self.refuse(name, "refused, its data lie in another file")
            if node.dtype.kind not in "biuf":
                raise self.refuse(name, f"numbers are expected, not {node.dtype}")
            if node.shape is None:
                raise self.refuse(name, "an array is expected, not an empty dataspace")
            for index in range(plist.get_nfilters()):
                if (code := plist.get_filter(index)[0]) not in FILTERS:
                    raise self.refuse(name, f"refused, it needs the filter plug-in {code}")
        return node

    def shape(self, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """Shape and type of an array, which is not read."""
        node = self._dataset(name)
        return tuple(node.shape), node.dtype

    def array(self, name: str, limit: int | None = None) -> np.ndarray:
        """An array of numbers of at most `limit` bytes."""
        node = self._dataset(name)
        with reported(self.path, self._place(name)):
            size = math.prod(node.shape) * node.dtype.itemsize
            left = self._source.budget
            allowed = left if limit is None else min(limit, left)
            if size > allowed:
                raise self.refuse(name, f"{size} bytes, but at most {allowed} are expected")
            if math.prod(node.chunks or ()) * node.dtype.itemsize > max(allowed, SMALL):
                raise self.refuse(name, "refused, its chunks are larger than the array may be")
            self._source.budget -= size
            return np.asarray(node[()])

    @property
    def address(self) -> int:
        """Where the group lies in the file: groups with one address are one group."""
        with reported(self.path, self.name):
            return int(h5py.h5o.get_info(self._group.id).addr)

    def children(self) -> list[str]:
        """The names of all nodes in the group."""
        with reported(self.path, self.name):
            names = list(self._group)
            if not all(isinstance(name, str) for name in names):
                raise self.refuse("", "the name of a node is not UTF-8")
            return names

    def is_group(self, name: str) -> bool:
        """Whether the node of that name is a group, not an array."""
        return isinstance(self._open(name), h5py.Group)

    def attributes(self) -> list[str]:
        """The names of the group's attributes."""
        with reported(self.path, self.name):
            names = list(self._group.attrs)
            if not all(isinstance(name, str) for name in names):  # h5py leaves bad UTF-8 as bytes
                raise self.refuse("", "the name of an attribute is not UTF-8")
            return names

    def attribute(self, name: str) -> Any:
        """An attribute as str, number or array, whichever way the file spells it.

        A missing one is None; an array of strings is a list.
        """
        with reported(self.path, f"{self.name}@{name}"):
            if name not in self._group.attrs:
                return None
            kind = self._group.attrs.get_id(name).get_type()
            if kind.get_class() not in ATTRIBUTE_CLASSES:
                raise self.refuse("", f"the attribute {name!r} is neither text nor number")
            varies = isinstance(kind, h5py.h5t.TypeStringID) and kind.is_variable_str()
            if varies and name not in self._source.texts:
                check_text(self.path, self._source.data, name, self._source.base)
                self._source.texts.add(name)
            return _plain(self._group.attrs[name])

    def names(self, name: str) -> list[str]:
        """A list of strings, put together from `name0`, `name1`, … where Keras has split it."""
        whole = self.attribute(name)
        if whole is None:
            parts: list[Any] = []
            while (part := self.attribute(f"{name}{len(parts)}")) is not None:
                parts.append(part)
            if not parts:
                raise self.refuse("", f"the attribute {name!r} is missing")
        else:
            parts = [whole]
        return [entry for part in parts for entry in self._strings(name, part)]

    def _strings(self, name: str, value: Any) -> list[str]:
        if isinstance(value, np.ndarray) and not value.size:  # what Keras writes for no names
            return []
        if not isinstance(value, list):
            raise self.refuse("", f"the attribute {name!r} is not a list of names")
        return value


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, str):
        return value.encode("utf-8").decode("utf-8")  # refuses what h5py could not decode
    if isinstance(value, np.ndarray) and value.dtype.kind in "SUO" and value.size:
        return [_plain(entry) for entry in value.reshape(-1).tolist()]
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biufSUO":
        return value.item() if isinstance(value, np.generic) else value
    raise ValueError(f"an attribute of the type {type(value).__name__}")


@contextmanager
def open_hdf5(
    path: str | os.PathLike[str], limit: int | None = None, contents: bytes | None = None
) -> Iterator[Group]:
    """The root group of a file to read.

    Args:
        limit: bytes that all arrays together may have; by default as many as the file, which
            refuses only arrays that are compressed or not stored.
        contents: the file itself, when it is a member of an archive at `path`.

    Raises:
        FileFormatError: for a file that is not HDF5; it says what the file looks like.
    """
    path = Path(path)
    with _bytes_of(path) if contents is None else nullcontext(contents) as data:
        check_kind(path, data)
        check_heaps(path, data)
        with reported(path):
            file = h5py.File(path if contents is None else io.BytesIO(contents), "r")
        with file:
            budget = len(data) if limit is None else limit
            yield Group(path, file, Source(data, file.userblock_size, budget))


@contextmanager
def _bytes_of(path: Path) -> Iterator[Data]:
    """A file as bytes that are read when they are looked at."""
    with path.open("rb") as file:
        if not path.stat().st_size:  # nothing cannot be mapped
            yield b""
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data


def check_kind(path: Path, data: Data) -> None:
    """Refuse a file that is not HDF5, and say what it looks like."""
    start = data[:512]
    found = start.startswith(SIGNATURE)
    offset = 512
    while not found and offset < len(data):  # a user block may come before the signature
        found = data[offset : offset + len(SIGNATURE)] == SIGNATURE
        offset *= 2
    if not found:
        raise FileFormatError(f"{path} is not an HDF5 file: it is {_looks_like(start)}")


def _looks_like(start: bytes) -> str:
    if not start:
        return "empty"
    for prefix, kind in KINDS:
        if start.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(prefix):
            return kind
    text = start.decode("utf-8", errors="ignore")
    if "\0" in text or len(text.encode()) < len(start) - 3:  # the last letter may be cut
        return f"something else, beginning with {start[:8]!r}"
    return f"text, beginning with {text[:30]!r}"


@contextmanager
def create_hdf5(path: str | os.PathLike[str]) -> Iterator[h5py.File]:
    """A new file to write, which takes its name when it is complete and on the disk."""
    with atomic_write(path) as temporary:
        try:
            with h5py.File(temporary, "w") as file:
                yield file
        except RuntimeError as error:  # HDF5 fails again when it closes what it could not write
            first = error.__context__
            raise first if isinstance(first, OSError) else OSError(str(error)) from error


def write_array(group: h5py.Group, name: str, array: np.ndarray) -> None:
    """Write an array of numbers.

    Raises:
        TypeError: for other arrays; HDF5 has no bfloat16, for example.
    """
    array = np.asarray(array)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name}: HDF5 takes numbers, got an array of {array.dtype}; cast it first")
    group.create_dataset(name, data=array)


def write_attribute(group: h5py.Group, name: str, value: Any) -> None:
    """Write text, a number or an array; text as bytes, as Keras does, of any length."""
    group.attrs[name] = value.encode("utf-8") if isinstance(value, str) else value


def write_names(group: h5py.Group, name: str, values: Sequence[str]) -> None:
    """Write a list of names, split like Keras into `name0`, `name1`, … when HDF5 requires it."""
    encoded = [value.encode("utf-8") for value in values]
    if any(value.endswith(b"\0") for value in encoded):
        raise ValueError(f"{name}: a name cannot end with a zero byte")
    longest = max(map(len, encoded), default=0)
    if longest > HDF5_OBJECT_HEADER_LIMIT:
        raise ValueError(
            f"{name}: a name has {longest} bytes, more than {HDF5_OBJECT_HEADER_LIMIT}"
        )
    for part_name, part in attribute_parts(name, np.asarray(encoded)):
        group.attrs[part_name] = part
