"""What `fit`, `evaluate` and `predict` are given, checked and brought into one form."""

from collections.abc import Container, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from funkeras import config
from funkeras.functional.objective import Batch
from funkeras.typing import Shape

__all__ = [
    "Elsewhere",
    "Entrance",
    "arrays",
    "as_batch",
    "as_column",
    "checked_inputs",
    "class_weights",
    "holds_strings",
    "on_host",
    "rows_of",
    "weight_arrays",
]


def arrays(
    data: Any, names: Sequence[str], what: str, strings: Container[str] = ()
) -> tuple[Any, ...]:
    """Data as one array per name: an array, a list of them, or a dict by name.

    Those named in `strings` hold such.
    """
    if len(names) == 1 and _is_ready(data):
        return (data,)
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
        (_as_strings if name in strings else _as_array)(part, f"{what} {name!r}")
        for part, name in zip(data, names, strict=True)
    )


def _as_strings(data: Any, what: str) -> np.ndarray:
    """One array of strings or bytes."""
    found = np.asarray(data)
    if found.dtype.kind not in "USO" or not found.ndim:
        raise TypeError(f"{what} must hold rows of strings, got {data!r:.100}")
    return found


def holds_strings(data: Any) -> bool:
    """Whether data are strings, going by the first of them."""
    first = next(iter(jax.tree.leaves(data)), None)
    if isinstance(first, np.ndarray) and first.dtype.kind in "OUS" and first.size:
        first = first.flat[0]
    return isinstance(first, str | bytes)


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

    `kept_rows` is the size that each batch must have where states go on from row to row; `strings`
    are the names of inputs that are such.
    """

    names: Sequence[str]
    shapes: Sequence[Shape]
    kept_rows: int | None
    strings: Container[str]


def checked_inputs(
    parts: tuple[Any, ...], shapes: Sequence[Shape], names: Sequence[str]
) -> tuple[Any, ...]:
    """Arrays in the shapes of the model's inputs; a row of numbers becomes a column.

    Raises:
        ValueError: for arrays of another shape.
    """
    for place, (part, shape, name) in enumerate(zip(parts, shapes, names, strict=True)):
        fits = part.shape[1:] == shape[1:] or (
            part.ndim == len(shape)
            and all(
                size in (None, own) for size, own in zip(shape[1:], part.shape[1:], strict=True)
            )
        )
        if not fits and (column := as_column(part, shape)) is not part:
            parts = (*parts[:place], column, *parts[place + 1 :])
        elif not fits:
            raise ValueError(
                f"input of layer {name!r} must have shape {shape}, got {tuple(part.shape)}"
            )
    return parts


def as_column(part: Any, shape: Shape) -> Any:
    """An array as it is, but one number for each row as a column where a column is wanted."""
    if np.ndim(part) != 1 or len(shape) != 2 or shape[1] != 1:
        return part
    return (part if hasattr(part, "ndim") else np.asarray(part))[:, None]


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
