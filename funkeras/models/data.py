"""What `fit`, `evaluate` and `predict` are given, checked and brought into one form.

Data is resident (on the device as a whole, batches gathered there) or streamed (a few batches at a
time, for what does not fit). Both feed the same compiled program.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from funkeras import config
from funkeras.functional.training import Batch
from funkeras.typing import Shape

__all__ = ["Feed", "arrays", "as_batch", "check_inputs", "class_weights", "rows_of", "split"]

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


def _are_arrays(data: Sequence[Any]) -> bool:
    """Whether this list holds arrays of samples, rather than being the samples itself."""
    return bool(data) and all(hasattr(part, "shape") for part in data)


def _as_array(data: Any, what: str) -> Any:
    """One array in a dtype that training takes; arrays on disk stay there."""
    if hasattr(data, "to_numpy"):  # pandas
        data = data.to_numpy()
    if not hasattr(data, "shape") or not hasattr(data, "dtype"):
        try:
            data = np.asarray(data)
        except ValueError as error:
            raise ValueError(f"{what} is no rectangular array: {error}") from error
    kind = np.dtype(data.dtype).kind if data.dtype != jnp.bfloat16 else "f"
    if kind not in "biuf":
        raise TypeError(f"{what} must hold numbers, got dtype {data.dtype}")
    if data.ndim == 0:
        raise ValueError(f"{what} must have a batch axis, got a single number")
    if isinstance(data, np.ndarray) and not isinstance(data, np.memmap):
        narrow = {np.dtype("float64"): config.floatx(), np.dtype("int64"): "int32"}
        data = data.astype(narrow.get(data.dtype, data.dtype), copy=False)
    return data


def rows_of(parts: Mapping[str, tuple[Any, ...]]) -> int:
    """The number of samples that all arrays agree on.

    Raises:
        ValueError: if they don't agree, or there are none.
    """
    counts = {
        f"{what}[{index}]" if len(group) > 1 else what: part.shape[0]
        for what, group in parts.items()
        for index, part in enumerate(group)
        if part is not None
    }
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{what} has {count}" for what, count in counts.items())
        raise ValueError(f"all arrays must have the same number of samples: {listed}")
    count = next(iter(counts.values()))
    if count == 0:
        raise ValueError(f"{next(iter(counts))} is empty: it has no samples")
    return count


def check_inputs(parts: Sequence[Any], shapes: Sequence[Shape], names: Sequence[str]) -> None:
    """Refuse arrays of another shape than the model's inputs."""
    for part, shape, name in zip(parts, shapes, names, strict=True):
        fits = part.ndim == len(shape) and all(
            size in (None, own) for size, own in zip(shape[1:], part.shape[1:], strict=True)
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
        if isinstance(a, np.ndarray | jax.Array) or isinstance(rows, slice):
            return a[rows]
        # h5py reads increasing rows only
        unique, inverse = np.unique(rows, return_inverse=True)
        return np.asarray(a[unique])[inverse]

    return jax.tree.map(pick, data, is_leaf=lambda a: hasattr(a, "shape"))


def split(data: Batch, share: float) -> tuple[Batch, Batch]:
    """The first rows and the last `share` of them, as Keras splits: before any shuffling."""
    if not 0 < share < 1:
        raise ValueError(f"validation_split must be in (0, 1), got {share}")
    count = data.x[0].shape[0]
    at = int(count * (1 - share))
    if at in (0, count):
        raise ValueError(f"validation_split={share} leaves no samples on one side of {count}")
    return take(data, slice(0, at)), take(data, slice(at, count))


@dataclass
class Feed:
    """Data on its way to the device; `place` gives the program's view of some batches."""

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
        self._order: tuple[Any, Any] = (None, None)
        if self.resident:
            self.data = jax.tree.map(jnp.asarray, self.data)

    def place(
        self, order: np.ndarray, start: int, stop: int
    ) -> Iterator[tuple[Any, Any, int, int]]:
        """Data, order and bounds that together are the batches `order[start:stop]`."""
        if self.resident:
            if self._order[0] is not order:
                self._order = (order, jnp.asarray(order, jnp.int32))
            yield self.data, self._order[1], start, stop
            return
        size = order.shape[1]
        capacity = min(len(order), max(1, CHUNK_BYTES // (self.row_bytes * size)))
        local = jnp.arange(capacity * size, dtype=jnp.int32).reshape(capacity, size)
        for begin in range(start, stop, capacity):
            end = min(stop, begin + capacity)
            rows = np.resize(order[begin:end].reshape(-1), capacity * size)
            yield jax.tree.map(jnp.asarray, take(self.data, rows)), local, 0, end - begin
