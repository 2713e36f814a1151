"""A dict that is a group of an HDF5 file, or a plain dict that looks like one."""

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

__all__ = ["HDF5_OBJECT_HEADER_LIMIT", "H5Dict", "attribute_parts", "h5dict"]

HDF5_OBJECT_HEADER_LIMIT = 64512
"""Bytes that Keras puts into one attribute; HDF5 takes a little more."""

GROUP = "_is_group"
"""The key by which a plain dict is known as a group."""


class H5Dict:
    """Arrays, texts, lists of bytes and groups by name, as Keras 2 kept models.

    A name that is not there is a new group. Arrays are datasets of the file, the rest attributes;
    a list too long for one attribute is split over several.

    Args:
        path: of an HDF5 file; or an open group; or a dict, which then holds everything.
        mode: `r` reads only, `w` begins anew, `a` goes on.
    """

    def __init__(self, path: Any, mode: str = "a") -> None:
        import h5py

        self._file: Any = None
        if isinstance(path, str | os.PathLike):
            path = self._file = h5py.File(path, mode)
        elif isinstance(path, dict):
            if mode == "w":
                path.clear()
            path[GROUP] = True
        elif not isinstance(path, h5py.Group):
            raise TypeError(f"path must be a file's name, a group or a dict; got {type(path)}")
        self.data: Any = path
        self.read_only = mode == "r"

    @property
    def _plain(self) -> bool:
        return isinstance(self.data, dict)

    def __setitem__(self, attr: str, val: Any) -> None:
        if self.read_only:
            raise ValueError(f"{attr!r} can't be set: opened with mode='r'")
        if self._plain:
            self.data[attr] = val
        elif attr in self.data:
            raise KeyError(f"there is a group or an array {attr!r} already")
        elif isinstance(val, np.ndarray | np.generic):
            self.data.create_dataset(attr, data=val)
        elif isinstance(val, list):
            for name, part in _parts(attr, val):
                self.data.attrs[name] = part
        else:
            self.data.attrs[attr] = val

    def __getitem__(self, attr: str) -> Any:
        if self._plain:
            if attr not in self.data:
                self.data[attr] = self._new_group(attr, {GROUP: True})
            found = self.data[attr]
            return H5Dict(found) if isinstance(found, dict) and GROUP in found else found
        attributes = self.data.attrs
        if attr in attributes:
            found = attributes[attr]
            return found.tolist() if getattr(found, "dtype", np.dtype(float)).kind == "S" else found
        if f"{attr}0" in attributes:
            parts = [own for own in attributes if own.removeprefix(attr).isdigit()]
            return [item for own in sorted(parts, key=len) for item in attributes[own].tolist()]
        found = self.data[attr] if attr in self.data else self._new_group(attr, None)
        return np.asarray(found) if hasattr(found, "shape") else H5Dict(found)

    def _new_group(self, attr: str, plain: Any) -> Any:
        if self.read_only:
            raise ValueError(f"there is no {attr!r}, and mode='r' makes no group")
        return self.data.create_group(attr) if plain is None else plain

    def __contains__(self, key: str) -> bool:
        return key in self.data or (not self._plain and key in self.data.attrs)

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.data)

    def iter(self) -> Iterator[Any]:
        """The names, as `iter(self)` gives them."""
        return iter(self)

    def update(self, *args: Any) -> None:
        """Set what other dicts, or pairs, hold."""
        for name, value in dict(*args).items():
            self[name] = value

    def get(self, key: str, default: Any = None) -> Any:
        """What is there under a name, or the default."""
        there = key in self
        return self[key] if there else default

    def close(self) -> None:
        """Close the file that it opened."""
        if self._file is not None:
            self._file.close()


h5dict = H5Dict


def _parts(name: str, values: list[Any]) -> Iterator[tuple[str, np.ndarray]]:
    """A list as one attribute, or as several that are numbered, each small enough."""
    encoded = [value.encode() if isinstance(value, str) else value for value in values]
    longest = max((len(value) for value in encoded if isinstance(value, bytes)), default=1)
    if longest > HDF5_OBJECT_HEADER_LIMIT:
        raise RuntimeError(
            f"{name!r} has an entry of {longest} bytes, HDF5 takes {HDF5_OBJECT_HEADER_LIMIT}"
        )
    yield from attribute_parts(name, np.asarray(encoded))


def attribute_parts(name: str, array: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """An array as one attribute, or split over `name0`, `name1`, … that are small enough.

    Its entries must each be small enough.

    >>> [name for name, _ in attribute_parts("names", np.zeros(20000))]
    ['names0', 'names1', 'names2']
    """
    parts = [array]
    while any(part.nbytes > HDF5_OBJECT_HEADER_LIMIT for part in parts):
        parts = np.array_split(array, len(parts) + 1)
    for number, part in enumerate(parts):
        yield (name if len(parts) == 1 else f"{name}{number}"), part
