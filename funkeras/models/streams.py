"""Batches that come one after another: generators, `Sequence`s, loaders of other libraries."""

import itertools
import random
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from funkeras import config
from funkeras.functional.objective import Batch
from funkeras.models.data import Ask, Piece, every, take
from funkeras.typing import PyTree
from funkeras.utils.prefetch import ahead, mapped

__all__ = ["Stream", "gives_batches", "in_batches", "inputs_of", "unpacked"]


def gives_batches(data: Any) -> bool:
    """Whether this is a source of batches rather than an array, or a collection of arrays."""
    if hasattr(data, "shape") or hasattr(data, "to_numpy"):  # the question of a small prediction
        return False
    if data is None or isinstance(data, list | tuple | Mapping | str | bytes):
        return False
    return hasattr(data, "__next__") or hasattr(data, "__iter__") or _is_numbered(data)


def _is_numbered(data: Any) -> bool:
    """Whether batches are asked for by number, as of a `Sequence`."""
    return hasattr(data, "__getitem__") and hasattr(data, "on_epoch_end")


def _length(source: Any) -> int | None:
    """How many batches a source gives before it ends; None where it does not know, or never ends.

    A `PyDataset` says it with `num_batches`; loaders without an end have a `__len__` that raises.
    """
    try:
        return source.num_batches if hasattr(source, "num_batches") else len(source)
    except (TypeError, NotImplementedError):
        return None


def unpacked(item: Any) -> tuple[Any, Any, Any]:
    """Inputs, targets and weights of what a source gave.

    Raises:
        ValueError: unless it is two or three things.
    """
    if not isinstance(item, list | tuple) or len(item) not in (2, 3):
        came = f"{type(item).__name__}"
        if isinstance(item, list | tuple):
            came += f" of {len(item)}"
        raise ValueError(f"a batch must be (x, y) or (x, y, sample_weight), got a {came}")
    return (*item, None) if len(item) == 2 else tuple(item)  # pyright: ignore[reportReturnType]: three


def inputs_of(item: Any, count: int) -> Any:
    """The `count` inputs of what a source gave to `predict`; targets and weights are dropped.

    Loaders give lists, which are also what a model with several inputs takes.
    """
    if isinstance(item, list) and (len(item) == count or not hasattr(item[0], "shape")):
        return item
    if not isinstance(item, list | tuple):
        return item
    if not 1 <= len(item) <= 3:
        came = f"a {type(item).__name__} of {len(item)}"
        raise ValueError(f"a batch must be x, (x, y) or (x, y, sample_weight), got {came}")
    return item[0]


def in_batches(data: Batch, order: Callable[[], np.ndarray], size: int) -> "_Batches":
    """Arrays as a source of batches that can be gone through again and again."""
    return _Batches(data, order, size)


@dataclass
class _Batches:
    data: Batch
    order: Callable[[], np.ndarray]
    size: int

    def __len__(self) -> int:
        return -(-self.data.x[0].shape[0] // self.size)

    def __iter__(self) -> Iterator[Batch]:
        rows = self.order()
        for start in range(0, len(rows), self.size):
            yield take(self.data, rows[start : start + self.size])


class _Mark:
    """What is no batch; the thread that fetches waits there until it is asked to go on."""


END = _Mark()
"""After the last batch of an epoch."""

BEGUN = _Mark()
"""After the first batch, from which a model may learn its shapes.

Until then nobody else draws from the generators of random numbers, so that a run is repeatable.
"""


@dataclass
class Stream:
    """A source of batches, cut into epochs, fetched ahead by a thread.

    Fields:
        source: an iterator, which is used up; an iterable, gone through again each epoch; or a
            `Sequence`, asked batch by batch.
        read: from what the source gives to a checked `Batch`.
        steps: batches in an epoch; all that the source gives when None.
        samples: rows after which an epoch ends, as Keras 1 counts.
        workers: threads that fetch; 0 fetches in the calling thread.
        shuffle: take the batches of a `Sequence` in a random order.
    """

    source: Any
    read: Callable[[Any], Any]
    steps: int | None = None
    samples: int | None = None
    workers: int = 1
    queue: int = 10
    shuffle: bool = False
    what: str = "the generator"
    _items: Iterator[Any] | None = field(default=None, repr=False)
    _waiting: list[Any] = field(default_factory=list, repr=False)
    _largest: int = 0

    def __post_init__(self) -> None:
        for name, value in (("steps", self.steps), ("samples", self.samples)):
            if value is not None and (int(value) != value or value < 1):
                raise ValueError(f"the number of {name} must be a positive integer, got {value!r}")
        if self.steps is not None and self.samples is not None:
            raise ValueError(
                f"an epoch has so many batches or so many samples: got {self.steps} steps and "
                f"{self.samples} samples"
            )
        self.numbered = _is_numbered(self.source)
        self.again = self.numbered or not hasattr(self.source, "__next__")
        if self.numbered and self.workers == 1:  # a Sequence may know better
            self.workers = max(1, getattr(self.source, "workers", 1))
            self.queue = getattr(self.source, "max_queue_size", self.queue)
        self.length = length = _length(self.source)
        if length == 0:
            raise ValueError(f"{self.what} is empty: its len() is 0")
        if self.numbered and length is None and self.steps is None and self.samples is None:
            raise ValueError(f"{self.what} has no end: give the number of steps of an epoch")
        wanted = length if self.steps is None and self.samples is None else self.steps
        limit = config.max_steps_per_epoch()
        if limit is not None and (wanted is None or limit < wanted):
            warnings.warn(f"limiting the steps of an epoch to {limit}", stacklevel=4)
            self.steps = limit
        self.partial = not (self.again and self.samples is None and self.steps in (None, length))
        self._limit = self.steps if self.partial else None
        if self.steps is None and self.samples is None:
            self.steps = length

    # In the thread that fetches

    def _pass(self) -> Iterator[Any]:
        """The source once from its beginning to its end."""
        if not self.numbered:
            # Not from the source itself: a script's generator goes on when this ends.
            yield from (batch for batch in self.source)
            return
        order: Iterable[int] = itertools.count()
        if self.length is not None:
            order = list(range(self.length))
            if self.shuffle:
                random.shuffle(order)  # the generator that Keras shuffles these with
        getattr(self.source, "on_epoch_begin", lambda: None)()
        yield from mapped(self.source.__getitem__, order, self.workers, self.queue)
        self.source.on_epoch_end()

    def _raw(self) -> Iterator[Any]:
        """What the source gives, again and again if that is possible, with END after each pass."""
        while True:
            empty = True
            for item in self._pass():
                empty = False
                yield item
            if empty or not self.again:
                return
            yield END

    def _epochs(self) -> Iterator[Any]:
        """Batches, and END after those of each epoch."""
        raw, begun = self._raw(), False
        for epoch in itertools.count():
            count = rows = 0
            while not self._full(count, rows):
                where = f"in batch {count} (from 0) of {self.what}, epoch {epoch + 1}"
                try:
                    item = next(raw, None)
                    while item is END and self._goes_on(count):
                        item = next(raw, None)
                    if item is None and self._goes_on(count):
                        raise ValueError(self._early(count, rows))
                    if item is None or item is END:
                        break
                    batch = self.read(item)
                except BaseException as error:
                    error.add_note(where)
                    raise
                rows += _rows(batch)
                if _rows(batch):  # an empty one teaches nothing
                    yield jax.tree.map(np.array, batch)  # the source may use its memory again
                    if not begun:
                        yield BEGUN
                        begun = True
                count += 1
            yield END

    def _full(self, count: int, rows: int) -> bool:
        enough = self._limit is not None and count >= self._limit
        return enough or (self.samples is not None and rows >= self.samples)

    def _goes_on(self, count: int) -> bool:
        """Whether an epoch that has so many batches lasts beyond the end of the source."""
        return count == 0 or self._limit is not None or self.samples is not None

    def _early(self, count: int, rows: int) -> str:
        wanted = "some data"
        if self._limit or self.samples:
            wanted = f"{self._limit} batches" if self._limit else f"{self.samples} samples"
        return (
            f"{self.what} ended before batch {count} (from 0) of an epoch, which needs {wanted} "
            f"and got {count} batches with {rows} samples: let it go on, or lower the number of "
            "steps or epochs"
        )

    # In the thread that trains

    def _start(self) -> Iterator[Any]:
        if self._items is None:
            made = self._epochs()
            pauses = lambda item: isinstance(item, _Mark)  # noqa: E731
            self._items = ahead(made, self.queue, pauses) if self.workers else made
        return self._items

    def example(self) -> Any:
        """The first batch, which will come again."""
        if not self._waiting:
            self._waiting.append(next(self._start()))
        return self._waiting[0]

    def begin(self) -> None:
        """Nothing to prepare."""

    def batches(self) -> Iterator[Any]:
        """The batches of the next epoch."""
        items = self._start()
        while (batch := self._waiting.pop() if self._waiting else next(items)) is not END:
            if batch is not BEGUN:
                yield batch

    def pieces(self, ask: Ask, first: int = 0) -> Iterator[Piece]:
        """The batches of the next epoch from number `first` on, each alone."""
        for batch in itertools.islice(self.batches(), first, None):
            yield _piece(batch, _rows(batch))

    def judged(self, paddable: bool, ask: Ask = every) -> Iterator[Piece]:
        """The batches of the next epoch, each filled up to the largest one so far if it may be."""
        for batch in self.batches():
            rows = _rows(batch)
            self._largest = max(self._largest, rows)
            missing = self._largest - rows if paddable else 0
            if missing:
                batch = jax.tree.map(lambda a: np.concatenate([a, _last(a, missing)]), batch)  # noqa: B023
            yield _piece(batch, rows)

    def skip(self, epochs: int) -> None:
        """Pass over so many epochs, of a run that goes on."""
        for _ in range(epochs):
            for _ in self.batches():
                pass

    def close(self) -> None:
        """End the thread."""
        items, self._items = self._items, None
        self._waiting.clear()
        if items is not None:
            items.close()  # pyright: ignore[reportAttributeAccessIssue]: a generator


def _rows(batch: PyTree) -> int:
    return int(jax.tree.leaves(batch)[0].shape[0])


def _last(a: np.ndarray, count: int) -> np.ndarray:
    return np.repeat(a[-1:], count, 0)


def _piece(batch: Batch, rows: int) -> Piece:
    data = jax.tree.map(jnp.asarray, batch)
    order = jnp.arange(_rows(batch), dtype=jnp.int32).reshape(1, -1)
    return Piece(data, [order], 0, 1, rows)
