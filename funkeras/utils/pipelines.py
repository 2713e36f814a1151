"""`Dataset`: elements made one after another by functions, gone through again each epoch."""

import itertools
import math
import os
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import jax
import numpy as np

from funkeras.utils.prefetch import ahead, mapped

__all__ = ["Dataset", "Elements"]

D = TypeVar("D", bound="Dataset")


class Elements(np.ndarray):
    """An array out of a `Dataset`, with the method by which scripts ask a tensor for it."""

    def numpy(self) -> Any:
        """This as a plain NumPy array."""
        return np.asarray(self)[()]


class Dataset:
    """Batches or single elements: what `fit`, `evaluate` and `predict` take, and a loop too.

    Its methods are those of a `tf.data.Dataset` that scripts call, with NumPy arrays for tensors.
    Each gives a new dataset and leaves this one as it is.

    Args:
        begin: gives a new iterator over the elements: arrays, or tuples and dicts of them.
        length: how many elements there are; None if that is unknown, `math.inf` without an end.
        batch_size: of elements that are batches.
        class_names: of a dataset with labels, by number.

    >>> rows = Dataset.from_tensor_slices(np.arange(5))
    >>> [batch.tolist() for batch in rows.map(lambda x: 10 * x).batch(2)]
    [[0, 10], [20, 30], [40]]
    """

    file_paths: list[str]
    """Of a dataset from a folder: its files, in the order before any shuffling anew."""

    def __init__(
        self,
        begin: Callable[[], Iterator[Any]],
        length: float | None = None,
        batch_size: int | None = None,
        class_names: list[str] | None = None,
    ) -> None:
        self._begin = begin
        self._count = length
        self.batch_size = batch_size
        self.class_names = class_names

    @classmethod
    def from_tensor_slices(cls: type[D], tensors: Any) -> D:
        """The rows of an array, or of all arrays in a tuple or dict; a list is an array."""
        arrays = jax.tree.map(np.asarray, tensors, is_leaf=lambda own: isinstance(own, list))
        counts = {len(a) for a in jax.tree.leaves(arrays)}
        if len(counts) != 1:
            raise ValueError(f"the arrays must be equally long; got lengths {sorted(counts)}")
        (count,) = counts
        return cls(lambda: (_row(arrays, i) for i in range(count)), count)

    def __iter__(self) -> Iterator[Any]:
        return (jax.tree.map(_shown, element) for element in self._begin())

    def __len__(self) -> int:
        if self._count is None or self._count == math.inf:
            raise TypeError(f"the length of this dataset is {self._count or 'unknown'}")
        return int(self._count)

    def cardinality(self) -> int:
        """Number of elements; -1 if there is no end, -2 if it is unknown."""
        special = {None: -2, math.inf: -1}
        return special[self._count] if self._count in special else len(self)

    def as_numpy_iterator(self) -> Iterator[Any]:
        """The elements as plain NumPy arrays and numbers."""
        return (jax.tree.map(lambda a: np.asarray(a)[()], element) for element in self._begin())

    def _then(self, begin: Callable[[], Iterator[Any]], length: float | None, **other: Any) -> Any:
        """A dataset that comes out of this one."""
        kept = {"batch_size": self.batch_size, "class_names": self.class_names}
        return type(self)(begin, length, **{**kept, **other})

    def map(
        self,
        map_func: Callable[..., Any],
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> "Dataset":
        """`map_func(element)`, or `map_func(x, y)` of elements that are tuples, in their order.

        Args:
            num_parallel_calls: threads that call it; -1 for one on each core.
            deterministic, name: accepted for scripts; the order always stays.
        """
        workers = num_parallel_calls or 1
        workers = (os.cpu_count() or 1) if workers < 0 else workers

        def call(element: Any) -> Any:
            return map_func(*element) if isinstance(element, tuple) else map_func(element)

        def begin() -> Iterator[Any]:
            return mapped(call, iter(self), workers, 2 * workers)

        return self._then(begin, self._count)

    def filter(self, predicate: Callable[..., Any], name: str | None = None) -> "Dataset":
        """The elements for which `predicate` is true."""
        called = self.map(lambda *parts: (parts, predicate(*parts)))

        def begin() -> Iterator[Any]:
            for parts, kept in called._begin():
                if kept:
                    yield parts if len(parts) > 1 else parts[0]

        return self._then(begin, None)

    def batch(
        self,
        batch_size: int,
        drop_remainder: bool = False,
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> "Dataset":
        """Each `batch_size` elements as one, along a new first axis; the last may have fewer."""
        return self._grouped(batch_size, drop_remainder, np.stack)

    def padded_batch(self, batch_size: int, drop_remainder: bool = False) -> "Dataset":
        """Like `batch`, of arrays that differ in shape: zeros fill them up to the largest."""
        return self._grouped(batch_size, drop_remainder, _padded)

    def _grouped(
        self, size: int, drop_remainder: bool, join: Callable[[list[np.ndarray]], np.ndarray]
    ) -> "Dataset":
        if size < 1:
            raise ValueError(f"batch_size must be positive, got {size}")

        def begin() -> Iterator[Any]:
            elements = self._begin()
            while group := list(itertools.islice(elements, size)):
                if len(group) == size or not drop_remainder:
                    yield jax.tree.map(lambda *rows: join([np.asarray(r) for r in rows]), *group)

        rounded = math.floor if drop_remainder else math.ceil
        finite = self._count not in (None, math.inf)
        count = rounded(len(self) / size) if finite else self._count
        return self._then(begin, count, batch_size=size)

    def unbatch(self, name: str | None = None) -> "Dataset":
        """The rows of each element, one by one."""

        def begin() -> Iterator[Any]:
            for batch in self._begin():
                for i in range(len(jax.tree.leaves(batch)[0])):
                    yield _row(batch, i)

        return self._then(begin, None, batch_size=None)

    def shuffle(
        self,
        buffer_size: int | None,
        seed: int | None = None,
        reshuffle_each_iteration: bool = True,
        name: str | None = None,
    ) -> "Dataset":
        """Each element drawn at random from the `buffer_size` that come next; from all, if None.

        Args:
            seed: of the order; NumPy's global generator gives one when left out.
            reshuffle_each_iteration: in another order each time, which the seed decides too.
        """
        if buffer_size is not None and buffer_size < 1:
            raise ValueError(f"buffer_size must be positive or None, got {buffer_size}")
        chosen = np.random.randint(1 << 31) if seed is None else seed
        passes = itertools.count()

        def begin() -> Iterator[Any]:
            number = next(passes) if reshuffle_each_iteration else 0
            rng = np.random.default_rng((chosen, number))
            elements = self._begin()
            waiting = list(itertools.islice(elements, buffer_size))
            for following in elements:
                place = rng.integers(len(waiting))
                yield waiting[place]
                waiting[place] = following
            rng.shuffle(waiting)
            yield from waiting

        return self._then(begin, self._count)

    def take(self, count: int, name: str | None = None) -> "Dataset":
        """The first `count` elements; all of them for -1."""
        if count < 0:
            return self
        length = None if self._count is None else min(self._count, count)
        return self._then(lambda: itertools.islice(self._begin(), count), length)

    def skip(self, count: int, name: str | None = None) -> "Dataset":
        """What comes after the first `count` elements; nothing for -1."""
        if count < 0:
            return self.take(0)
        length = None if self._count is None else max(self._count - count, 0)
        return self._then(lambda: itertools.islice(self._begin(), count, None), length)

    def repeat(self, count: int | None = None, name: str | None = None) -> "Dataset":
        """All elements `count` times; again and again for None or -1."""
        times = math.inf if count is None or count < 0 else count

        def begin() -> Iterator[Any]:
            done = 0
            while done < times:
                yield from self._begin()
                done += 1

        return self._then(begin, None if self._count is None else self._count * times)

    def cache(self, filename: str = "", name: str | None = None) -> "Dataset":
        """The elements of the first whole pass, kept in memory for those that follow."""
        if filename:
            raise ValueError(f"a dataset is cached in memory, not in a file; got {filename!r}")
        kept: list[Any] | None = None

        def begin() -> Iterator[Any]:
            nonlocal kept
            if kept is not None:
                yield from kept
                return
            seen = []
            for element in self._begin():
                seen.append(element)
                yield element
            kept = seen

        return self._then(begin, self._count)

    def prefetch(self, buffer_size: int | None, name: str | None = None) -> "Dataset":
        """The same elements, made by another thread up to `buffer_size` of them early."""
        size = buffer_size if buffer_size is not None and buffer_size >= 0 else AUTOMATIC
        if size == 0:
            return self
        return self._then(lambda: ahead(self._begin(), size), self._count)


AUTOMATIC = 2
"""Elements that are made early where a script leaves the number to the library."""


def _row(arrays: Any, index: int) -> Any:
    return jax.tree.map(lambda a: a[index], arrays)


def _shown(leaf: Any) -> np.ndarray:
    return np.asarray(leaf).view(Elements)


def _padded(arrays: list[np.ndarray]) -> np.ndarray:
    """Arrays stacked, each with zeros up to the largest size along each axis.

    >>> _padded([np.array([1, 2, 3]), np.array([4])])
    array([[1, 2, 3],
           [4, 0, 0]])
    """
    largest = np.array([a.shape for a in arrays], int).max(0)
    stacked = np.zeros((len(arrays), *largest), arrays[0].dtype)
    for i, a in enumerate(arrays):
        stacked[(i, *map(slice, a.shape))] = a
    return stacked
