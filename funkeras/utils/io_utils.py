"""Data in HDF5 files, used in place of NumPy arrays."""

import os
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["HDF5Matrix", "ask_to_proceed_with_overwrite", "load_array", "save_array"]


class HDF5Matrix:
    """Rows `start … end` of a dataset in an HDF5 file, read when they are needed.

    `model.fit(HDF5Matrix("data.h5", "x"), HDF5Matrix("data.h5", "y"), shuffle="batch")` trains on
    data larger than memory; `"batch"` shuffles blocks of rows, which a file can read quickly.

    Args:
        normalizer: applied to everything that is read.
    """

    def __init__(
        self,
        datapath: str | os.PathLike[str],
        dataset: str,
        start: int = 0,
        end: int | None = None,
        normalizer: Callable[[Any], Any] | None = None,
    ) -> None:
        import h5py

        self._file = h5py.File(datapath, "r")
        if dataset not in self._file:
            names = ", ".join(self._file)
            self._file.close()
            raise ValueError(f"{os.fspath(datapath)} has no dataset {dataset!r}; it has {names}")
        self.data: Any = self._file[dataset]
        rows = self.data.shape[0]
        self.start, self.end, _ = slice(start, end).indices(rows)
        if self.end <= self.start:
            raise ValueError(f"start={start}, end={end} leave no rows of the {rows}")
        self.normalizer = normalizer

    def __len__(self) -> int:
        return self.end - self.start

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of these rows, as they are stored."""
        return (len(self), *self.data.shape[1:])

    @property
    def dtype(self) -> np.dtype:
        """The stored dtype."""
        return self.data.dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.data.ndim

    @property
    def size(self) -> int:
        """Number of entries."""
        return int(np.prod(self.shape))

    def __getitem__(self, key: Any) -> Any:
        """A row, a slice of rows, or the rows of a list or array of numbers in any order."""
        rest: tuple[Any, ...] = ()
        if isinstance(key, tuple):
            key, rest = key[0], key[1:]
        rows = len(self)
        if isinstance(key, slice):
            first, stop, step = key.indices(rows)
            if step < 1:
                key = np.arange(first, stop, step)
            else:
                read = self.data[(slice(self.start + first, self.start + stop, step), *rest)]
                return self._normalized(read)
        if isinstance(key, int | np.integer):
            return self._normalized(self.data[(self._row(int(key)), *rest)])
        wanted = np.asarray(key)
        if wanted.dtype == bool:
            wanted = np.flatnonzero(wanted)
        wanted = wanted.astype(np.int64)
        for extreme in (wanted.min(initial=0), wanted.max(initial=0)):
            self._row(int(extreme))
        # The file reads increasing rows only.
        unique, inverse = np.unique(
            np.where(wanted < 0, wanted + rows, wanted), return_inverse=True
        )
        read = self.data[(unique + self.start, *rest)]
        return self._normalized(read[inverse])

    def _row(self, index: int) -> int:
        if not -len(self) <= index < len(self):
            raise IndexError(f"row {index} of {len(self)}")
        return self.start + index % len(self)

    def _normalized(self, read: Any) -> Any:
        return read if self.normalizer is None else self.normalizer(read)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:], dtype)


def ask_to_proceed_with_overwrite(filepath: str | os.PathLike[str]) -> bool:
    """Ask on the terminal whether a file that is there may be replaced."""
    question = f"[WARNING] {os.fspath(filepath)} already exists - overwrite? [y/n] "
    while (answer := input(question).strip().lower()) not in ("y", "n"):
        question = "Enter y (overwrite) or n (cancel). "
    return answer == "y"


def save_array(array: Any, name: str | os.PathLike[str]) -> None:
    """Write an array to an HDF5 file, as its dataset `data` (Keras 1)."""
    import h5py

    with h5py.File(name, "w") as file:
        file.create_dataset("data", data=np.asarray(array))


def load_array(name: str | os.PathLike[str]) -> np.ndarray:
    """The array that `save_array` wrote (Keras 1)."""
    import h5py

    with h5py.File(name, "r") as file:
        return np.asarray(file["data"])
