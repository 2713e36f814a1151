"""What `fit`, `evaluate` and `predict` are given, checked and brought into one form.

Data is resident (on the device as a whole, batches gathered there) or streamed (a few batches at a
time, for what does not fit). Both feed the same compiled program.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from funkeras import config
from funkeras.functional.training import Batch
from funkeras.typing import Shape
from funkeras.utils.prefetch import ahead

__all__ = [
    "Ask",
    "Entrance",
    "Epochs",
    "Feed",
    "Piece",
    "arrays",
    "as_batch",
    "batches",
    "check_inputs",
    "class_weights",
    "every",
    "on_host",
    "rows_of",
    "shuffled",
    "split",
    "weight_arrays",
]

RESIDENT_BYTES = 4 << 30
"""Arrays beyond this are streamed to the device in chunks instead of placed there as a whole."""

CHUNK_BYTES = 64 << 20
"""Size of a streamed chunk."""


def arrays(data: Any, names: Sequence[str], what: str) -> tuple[Any, ...]:
    """Data as one array per name: an array, a list of them, or a dict by name."""
    if isinstance(data, Mapping):
        missing = [name for name in names if name not in data]
        if missing:
            raise ValueError(f"{what} has no array for {missing}; its keys are {list(data)}")
        data = [data[name] for name in names]
    elif not isinstance(data, list | tuple) or (len(names) == 1 and not _are_arrays(data)):
        data = [data]
    if len(data) != len(names):
        raise ValueError(
            f"expected {len(names)} arrays as {what} ({', '.join(names)}), got {len(data)}"
        )
    return tuple(
        _as_array(part, f"{what} {name!r}") for part, name in zip(data, names, strict=True)
    )


def weight_arrays(data: Any, names: Sequence[str]) -> tuple[Any, ...]:
    """Weights of samples for each output: one array for all, or a list or dict that may lack some.

    Raises:
        ValueError: for names of no output, or another number of arrays.
    """
    if isinstance(data, Mapping):
        if unknown := [name for name in data if name not in names]:
            raise ValueError(f"sample_weight names the outputs {unknown}, the model has {[*names]}")
        data = [data.get(name) for name in names]
    elif not isinstance(data, list | tuple) or not any(
        part is None or hasattr(part, "shape") for part in data
    ):
        several = isinstance(data, list | tuple) and len(names) > 1 and np.ndim(data[0]) > 0
        data = data if several else [data] * len(names)
    if len(data) != len(names):
        raise ValueError(
            f"expected {len(names)} arrays as sample_weight ({', '.join(names)}), got {len(data)}"
        )
    return tuple(
        None if part is None else _as_array(part, f"sample_weight {name!r}")
        for part, name in zip(data, names, strict=True)
    )


def _are_arrays(data: Sequence[Any]) -> bool:
    """Whether this list holds arrays of samples, rather than being the samples itself."""
    return bool(data) and all(hasattr(part, "shape") for part in data)


READY = frozenset(map(np.dtype, ("f4", "f2", "?", "i1", "u1", "i2", "u2", "i4")))
"""Dtypes of arrays that are taken as they are."""


def _is_ready(data: Any) -> bool:
    """Whether this is an array as training takes it: to look closer costs a small prediction."""
    return type(data) is np.ndarray and data.dtype in READY and data.ndim > 0


def _as_array(data: Any, what: str) -> Any:
    """One array in a dtype that training takes; arrays on disk stay there."""
    if _is_ready(data):
        return data
    if hasattr(data, "tocsr"):  # scipy.sparse
        data = Sparse(data.tocsr())
    if hasattr(data, "detach"):  # torch
        data = data.detach().cpu()
        if str(data.dtype) == "torch.bfloat16":  # NumPy has none
            data = data.float()
    if hasattr(data, "to_numpy"):  # pandas
        table, data = data, data.to_numpy()
        if data.dtype == object:  # its own nullable numbers come so
            with suppress(TypeError, ValueError):
                data = table.to_numpy(dtype=config.floatx(), na_value=np.nan)
    if not hasattr(data, "shape") or not isinstance(getattr(data, "dtype", None), np.dtype):
        try:
            data = np.asarray(data)
        except ValueError as error:
            raise ValueError(f"{what} is no rectangular array: {error}") from error
    kind = np.dtype(data.dtype).kind if data.dtype != jnp.bfloat16 else "f"
    if kind not in "biuf":
        raise TypeError(f"{what} must hold numbers, got dtype {data.dtype}")
    if data.ndim == 0:
        raise ValueError(f"{what} must have a batch axis, got a single number")
    if isinstance(data, np.ma.MaskedArray):
        raise TypeError(f"{what} is a masked array: fill it with numbers, data.filled(...)")
    return (
        on_host(data) if isinstance(data, np.ndarray) and not isinstance(data, np.memmap) else data
    )


def on_host(data: np.ndarray) -> np.ndarray:
    """Numbers in a dtype of the device: large ones become floats rather than wrap around."""
    kind, bits = data.dtype.kind, 8 * data.dtype.itemsize
    target = data.dtype.newbyteorder("=")
    if kind == "f" and bits > 32:
        target = np.dtype(config.floatx())
    elif kind in "iu" and bits > 32:
        limits = np.iinfo("int32")
        fits = not data.size or (limits.min <= data.min() and data.max() <= limits.max)
        target = np.dtype("int32" if fits else config.floatx())
    return np.asarray(data).astype(target, copy=False)


def rows_of(parts: Mapping[str, tuple[Any, ...]]) -> int:
    """The number of samples that all arrays agree on.

    Raises:
        ValueError: if they don't agree, or there are none.
    """
    sizes = {part.shape[0] for group in parts.values() for part in group if part is not None}
    if len(sizes) == 1 and (count := sizes.pop()):
        return count
    counts = {
        f"{what}[{index}]" if len(group) > 1 else what: part.shape[0]
        for what, group in parts.items()
        for index, part in enumerate(group)
        if part is not None
    }
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{what} has {count}" for what, count in counts.items())
        raise ValueError(f"all arrays must have the same number of samples: {listed}")
    raise ValueError(f"{next(iter(counts))} is empty: it has no samples")


class Entrance(NamedTuple):
    """What the inputs of a model must be like: a name and a shape for each.

    `kept_rows` is the size that each batch must have where states go on from row to row.
    """

    names: Sequence[str]
    shapes: Sequence[Shape]
    kept_rows: int | None


def check_inputs(parts: Sequence[Any], shapes: Sequence[Shape], names: Sequence[str]) -> None:
    """Refuse arrays of another shape than the model's inputs."""
    for part, shape, name in zip(parts, shapes, names, strict=True):
        fits = part.shape[1:] == shape[1:] or (
            part.ndim == len(shape)
            and all(
                size in (None, own) for size, own in zip(shape[1:], part.shape[1:], strict=True)
            )
        )
        if not fits:
            raise ValueError(
                f"input of layer {name!r} must have shape {shape}, got {tuple(part.shape)}"
            )


def class_weights(y: Any, weights: Mapping[Any, float]) -> np.ndarray:
    """The weight of each sample's class; `y` holds class numbers or one-hot rows."""
    y = np.asarray(y)
    if y.ndim > 2:
        raise ValueError(f"class_weight needs targets of rank 1 or 2, got shape {y.shape}")
    classes = y.argmax(axis=1) if y.ndim == 2 and y.shape[1] > 1 else y.reshape(-1).astype(int)
    table = {int(name): float(value) for name, value in weights.items()}
    missing = sorted(set(np.unique(classes).tolist()) - set(table))
    if missing:
        raise ValueError(f"class_weight has no entry for the classes {missing} of the targets")
    return np.asarray([table[int(c)] for c in classes], config.floatx())


def as_batch(x: Any, y: Sequence[Any] = (), weights: Sequence[Any] = ()) -> Batch:
    """A `Batch` with one weight array or None for each target."""
    return Batch(tuple(x), tuple(y), tuple(weights) or (None,) * len(y))


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
class Elsewhere:
    """Rows that are no array in memory, but become one a few at a time."""

    data: Any

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of all rows."""
        return self.data.shape

    @property
    def dtype(self) -> np.dtype:
        """The stored dtype."""
        return self.data.dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.data.shape)


class Sparse(Elsewhere):
    """A sparse matrix of SciPy."""

    def __len__(self) -> int:
        return self.data.shape[0]

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        return self.data[rows].toarray()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self.data.toarray().astype(dtype or self.dtype, copy=False)


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
    """Steps for one call of a program: the batches `start … stop` of an order of rows of `data`.

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
        size, first = 0, 0
        for part in self.order:
            count = min(self.stop - first, len(part)) - max(self.start - first, 0)
            size += max(count, 0) * part.shape[1]
            first += len(part)
        return size

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
            self.data = jax.device_put(self.data)

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
                    data = jax.device_put(take(self.data, np.resize(chunk, capacity * size)))
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
