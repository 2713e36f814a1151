"""Tables on their way to the layers of their columns: dicts of arrays, whole or in parts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

__all__ = ["as_column", "batches", "given_back"]

ROWS = 32
"""How many single samples are looked at together, as in Keras 3."""


def batches(dataset: Any, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The columns of those names, each as arrays of shape (rows, 1) or more axes."""
    if isinstance(dataset, Mapping):
        whole = _of_names(dataset, names)
        counts = {len(values) for values in whole.values()}
        if len(counts) > 1:
            raise ValueError(f"all columns must be equally long, got lengths {sorted(counts)}")
        for start in range(0, max(counts, default=0), ROWS):
            yield {key: _rows(own[start : start + ROWS]) for key, own in whole.items()}
        return
    if isinstance(dataset, str | bytes | np.ndarray) or not isinstance(dataset, Iterable):
        raise ValueError(
            f"adapt takes a dict of columns or what gives dicts, got {type(dataset).__name__}"
        )
    elements = iter(dataset)
    first = next(elements, None)
    if first is None:
        return
    found = (_of_names(element, names) for element in chain([first], elements))
    if any(np.ndim(own) == 0 for own in _of_names(first, names).values()):
        while rows := list(islice(found, ROWS)):
            yield {key: _rows(np.stack([row[key] for row in rows])) for key in names}
        return
    for element in found:
        yield {key: _rows(own) for key, own in element.items()}


def _of_names(element: Any, names: Sequence[str]) -> dict[str, np.ndarray]:
    if not isinstance(element, Mapping):
        raise ValueError(f"adapt takes dicts of columns, got {type(element).__name__}")
    if missing := [key for key in names if key not in element]:
        raise ValueError(f"the columns {missing} are missing, the data have {list(element)}")
    return {key: np.asarray(element[key]) for key in names}


def _rows(values: np.ndarray) -> np.ndarray:
    return values[:, None] if values.ndim == 1 else values


def as_column(given: Any, dtype: str) -> Any:
    """Values of one column in rows; a single one as a row of its own."""
    x = given if isinstance(given, jax.Array) else np.asarray(given)
    if dtype.startswith("float"):
        x = x.astype(dtype)
    return x.reshape(-1, 1) if x.ndim < 2 else x


def given_back(x: Any, single: bool) -> Any:
    """An encoded column as an array of the device; the only row of a single sample by itself."""
    words = isinstance(x, np.ndarray) and x.dtype.kind in "US"
    x = x if words else jnp.asarray(x)
    return x[0] if single and x.ndim == 2 and len(x) == 1 else x
