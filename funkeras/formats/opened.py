"""HDF5 groups that a caller holds open, read and written by way of a file."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py

__all__ = ["copied", "filled", "is_open"]


def is_open(filepath: Any) -> bool:
    """Whether it is no path but a file or a group that h5py has open."""
    return isinstance(filepath, h5py.Group)


@contextmanager
def _beside(group: h5py.Group) -> Iterator[Path]:
    """A path of its own, named as the file of a group."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / f"{Path(str(group.file.filename)).stem}.h5"


@contextmanager
def filled(group: h5py.Group) -> Iterator[Path]:
    """A path to write; the group has in the end what was written there.

    Raises:
        FileExistsError: if the group holds something already.
    """
    if len(group) or len(group.attrs):
        raise FileExistsError(
            f"{group.name!r} of {group.file.filename} is not empty: it holds "
            f"{', '.join(map(str, [*group, *group.attrs]))[:200]}"
        )
    with _beside(group) as path:
        yield path
        with h5py.File(path, "r") as file:
            _copy(file, group)


@contextmanager
def copied(group: h5py.Group) -> Iterator[Path]:
    """The path of a file that holds what the group does."""
    with _beside(group) as path:
        with h5py.File(path, "w") as file:
            _copy(group, file)
        yield path


def _copy(source: h5py.Group, target: h5py.Group) -> None:
    for name in source:
        link = source.get(name, getlink=True)
        if isinstance(link, h5py.HardLink):
            source.copy(name, target)  # links further down stay links
        else:  # following it may open another file
            target[name] = link
    for name in source.attrs:
        target.attrs[name] = source.attrs[name]
