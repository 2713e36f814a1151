"""Arrays on their way into the program.

Data is resident (on the device as a whole, batches gathered there) or streamed (a few batches at a
time, for what does not fit). Both feed the same compiled program.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from funkeras.distribution.placing import everywhere
from funkeras.functional.objective import Batch
from funkeras.models.checking import Elsewhere, on_host
from funkeras.utils.prefetch import ahead

__all__ = ["Ask", "Epochs", "Feed", "Piece", "batches", "every", "shuffled", "split", "take"]

RESIDENT_BYTES = 4 << 30
"""Arrays beyond this are streamed to the device in chunks instead of placed there as a whole."""

CHUNK_BYTES = 64 << 20
"""Size of a streamed chunk."""


def take(data: Batch, rows: Any) -> Batch:
    """The given rows of every array, on the host."""

    def pick(a: Any) -> Any:
        if isinstance(a, jax.Array):
            return a[rows]
        if isinstance(a, np.ndarray):
            return on_host(a[rows])
        unique, inverse = np.unique(rows, return_inverse=True)
        return on_host(_increasing(a, unique)[inverse])

    return jax.tree.map(pick, data, is_leaf=lambda a: hasattr(a, "shape"))


def _increasing(a: Any, rows: np.ndarray) -> np.ndarray:
    """Increasing rows of an array on disk, neighbours in one go: single ones are slow to read."""
    runs = np.split(rows, np.flatnonzero(np.diff(rows) != 1) + 1)
    if 4 * len(runs) > len(rows):
        return np.asarray(a[rows])
    return np.concatenate([np.asarray(a[run[0] : run[-1] + 1]) for run in runs])


@dataclass(frozen=True)
class Part(Elsewhere):
    """The rows `start … stop` of an array on disk, which stay there."""

    start: int
    stop: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of these rows."""
        return (self.stop - self.start, *self.data.shape[1:])

    def __getitem__(self, rows: slice | np.ndarray) -> Any:
        """A range of rows, or those of increasing numbers."""
        if isinstance(rows, slice):
            first, stop, _ = rows.indices(self.shape[0])
            return self.data[self.start + first : self.start + stop]
        return self.data[rows + self.start]


def split(data: Batch, share: float) -> tuple[Batch, Batch]:
    """The first rows and the last `share` of them, as Keras splits: before any shuffling."""
    if not 0 < share < 1:
        raise ValueError(f"validation_split must be in (0, 1), got {share}")
    count = data.x[0].shape[0]
    at = int(count * (1 - share))
    if at in (0, count):
        raise ValueError(f"validation_split={share} leaves no samples on one side of {count}")

    def part(a: Any, start: int, stop: int) -> Any:
        return a[start:stop] if isinstance(a, np.ndarray | jax.Array) else Part(a, start, stop)

    def parts(start: int, stop: int) -> Batch:
        each = partial(part, start=start, stop=stop)
        return jax.tree.map(each, data, is_leaf=lambda a: hasattr(a, "shape"))

    return parts(0, at), parts(at, count)


def batches(rows: np.ndarray, size: int) -> list[np.ndarray]:
    """Row numbers as (steps, size), and what is left over as one smaller batch."""
    full = len(rows) // size * size
    parts = [rows[:full].reshape(-1, size), rows[full:].reshape(1, -1)]
    return [part for part in parts if part.size]


def shuffled(rows: np.ndarray, how: bool | str, size: int) -> np.ndarray:
    """Row numbers in the order of the next epoch; Keras shuffles the same array again each time."""
    if how == "batch":
        full = len(rows) // size * size
        blocks = rows[:full].reshape(-1, size)
        np.random.shuffle(blocks)
        return np.concatenate([blocks.reshape(-1), rows[full:]])
    if how:
        np.random.shuffle(rows)
    return rows


class Piece(NamedTuple):
    """Steps to take in one go: the batches `start … stop` of an order of the rows of `data`.

    `order` has an array (steps, batch size) for each size. Of all its entries the first `rows`
    count; the others fill the last batch up.
    """

    data: Batch
    order: Sequence[Any]
    start: int
    stop: int
    rows: int

    @property
    def steps(self) -> int:
        """Batches in the whole order."""
        return sum(len(part) for part in self.order)

    @property
    def size(self) -> int:
        """Rows in the batches from `start` to `stop`."""
        return sum((stop - start) * part.shape[1] for part, start, stop, _ in self.calls())

    def calls(self) -> Iterator[tuple[Any, int, int, int]]:
        """Orders with one size, their first and last batches, and how many of their rows count.

        A program for one size is smaller than one for several, and needs less memory to compile.
        """
        first, rows = 0, self.rows
        for part in self.order:
            start, stop = max(self.start - first, 0), min(self.stop - first, len(part))
            if start < stop:
                yield part, start, stop, min(rows, part.size)
            first, rows = first + len(part), max(0, rows - part.size)

    def batch(self, index: int) -> Batch:
        """The rows of a batch."""
        rows = [batch for part in self.order for batch in part][index]
        return jax.tree.map(lambda a: a[rows], self.data)


Ask: TypeAlias = Callable[[int], int]
"""From the number of steps that can be taken at once to the number that is wanted."""


def every(left: int) -> int:
    """As many steps as there are."""
    return left


@dataclass
class Feed:
    """Arrays on their way to the device; `pieces` gives the program's view of some batches."""

    data: Batch

    def __post_init__(self) -> None:
        leaves = jax.tree.leaves(self.data, is_leaf=lambda a: hasattr(a, "shape"))
        self.rows = int(leaves[0].shape[0])
        size = sum(int(np.prod(a.shape)) * np.dtype(a.dtype).itemsize for a in leaves)
        in_memory = all(
            isinstance(a, np.ndarray | jax.Array) and not isinstance(a, np.memmap) for a in leaves
        )
        self.resident = in_memory and size <= RESIDENT_BYTES
        self.row_bytes = max(1, size // self.rows)
        if self.resident:
            self.data = everywhere(self.data)

    def pieces(
        self,
        order: Sequence[np.ndarray],
        ask: Ask = every,
        first: int = 0,
        rows: int | None = None,
    ) -> Iterator[Piece]:
        """The batches of an order from number `first` on, of which `rows` entries count."""
        rows = sum(part.size for part in order) if rows is None else rows
        for piece in self._resident(order, rows) if self.resident else self._read(order, rows):
            steps = piece.stop
            start, first = min(first, steps), max(0, first - steps)
            while start < steps:
                count = max(1, min(ask(steps - start), steps - start))
                if count < steps - start:  # several calls read it
                    piece = piece._replace(order=jax.device_put(piece.order))
                yield piece._replace(start=start, stop=start + count)
                start += count

    def _resident(self, order: Sequence[np.ndarray], rows: int) -> Iterator[Piece]:
        yield Piece(self.data, order, 0, sum(map(len, order)), rows)

    def _read(self, order: Sequence[np.ndarray], rows: int) -> Iterator[Piece]:
        """Chunks of the batches; each is read from where the data is while the last one trains."""

        def read(left: int) -> Iterator[Piece]:
            for part in order:
                size = part.shape[1]
                capacity = min(len(part), max(1, CHUNK_BYTES // (self.row_bytes * size)))
                local = jnp.arange(capacity * size, dtype=jnp.int32).reshape(capacity, size)
                for begin in range(0, len(part), capacity):
                    chunk = part[begin : begin + capacity]
                    data = everywhere(take(self.data, np.resize(chunk, capacity * size)))
                    yield Piece(data, [local], 0, len(chunk), min(left, chunk.size))
                    left -= chunk.size

        with closing(ahead(read(rows), 1)) as chunks:  # pyright: ignore[reportArgumentType]: a generator
            yield from chunks


@dataclass
class Epochs:
    """Arrays to learn from, epoch after epoch in a new order."""

    feed: Feed
    size: int
    shuffle: bool | str

    def __post_init__(self) -> None:
        self.order = np.arange(self.feed.rows, dtype=np.int32)
        self.samples: int | None = self.feed.rows
        self.steps: int | None = -(-self.feed.rows // self.size)

    def begin(self) -> None:
        """Put the rows in the order of the next epoch."""
        self.order = shuffled(self.order, self.shuffle, self.size)

    def pieces(self, ask: Ask, first: int = 0) -> Iterator[Piece]:
        """This epoch's batches from number `first` on."""
        yield from self.feed.pieces(batches(self.order, self.size), ask, first)

    def judged(self, paddable: bool, ask: Ask = every) -> Iterator[Piece]:
        """All batches in the given order, the last one filled up if it may be."""
        if not paddable:
            yield from self.pieces(ask)
            return
        padding = -len(self.order) % self.size
        order = np.concatenate([self.order, np.zeros(padding, np.int32)])
        yield from self.feed.pieces([order.reshape(-1, self.size)], ask, rows=len(self.order))

    def example(self) -> Batch:
        """Arrays of the shapes and dtypes of a batch's."""
        return self.feed.data

    def close(self) -> None:
        """Nothing to end."""
