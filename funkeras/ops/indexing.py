"""Entries by their places: read, written, added up by segment, and searched for."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.core import Tracer

from funkeras.functional.checks import one_of
from funkeras.ops.arguments import array
from funkeras.ops.lifting import op

__all__ = [
    "get_item",
    "in_top_k",
    "nonzero",
    "scatter",
    "scatter_update",
    "segment_max",
    "segment_min",
    "segment_prod",
    "segment_sum",
    "select",
    "slice",
    "slice_update",
    "take",
    "take_along_axis",
    "top_k",
    "unique",
    "unravel_index",
]

UPDATES = {None: "set", "add": "add", "max": "max", "min": "min", "mul": "multiply"}
"""How updates meet what is there → the method of JAX's indexed updates."""


@op
def get_item(x: Any, key: Any) -> Any:
    """`x[key]`, with all that NumPy takes as a key."""
    return array(x)[array(key) if isinstance(key, list) else key]


@op
def in_top_k(targets: Any, predictions: Any, k: int) -> Any:
    """Whether fewer than `k` entries of a row of predictions are above that of its target."""
    targets, predictions = array(targets), array(predictions)
    own = jnp.take_along_axis(predictions, targets[..., None], axis=-1)
    own = jnp.where(jnp.isnan(own), -jnp.inf, own)
    return jnp.sum(predictions > own, axis=-1) < k


@op
def nonzero(x: Any) -> Any:
    """The places of the entries that are not 0, one array of indices per axis."""
    _with_values("nonzero", x)
    return jnp.nonzero(array(x))


def _with_values(name: str, x: Any) -> None:
    if isinstance(x, Tracer):
        raise ValueError(
            f"the size of what {name} gives depends on the values of x, and JAX traces functions "
            "by shapes alone: call it on arrays, outside of models and jax.jit"
        )


@op
def scatter(indices: Any, values: Any, shape: Any) -> Any:
    """Zeros of that shape, with each of `values` added at the place that its indices say."""
    values = array(values)
    return jnp.zeros(shape, values.dtype).at[_places(indices)].add(values)


@op
def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> Any:
    """`inputs` with entries replaced, or added to (`add`, `max`, `min`, `mul`), by `updates`."""
    reduction = reduction and reduction.lower()
    method = UPDATES[one_of("reduction", reduction, tuple(UPDATES))]
    return getattr(array(inputs).at[_places(indices)], method)(array(updates))


def _places(indices: Any) -> tuple[Any, ...]:
    """Indices in the last axis as an array for each axis that they index."""
    return tuple(jnp.moveaxis(array(indices), -1, 0))


@op
def segment_max(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Any:
    """The largest of the rows with each segment's number; that of no rows is the dtype's least."""
    return _by_segment(jax.ops.segment_max, data, segment_ids, num_segments, sorted)


@op
def segment_min(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Any:
    """The least of the rows with each segment's number; that of no rows is the dtype's largest."""
    return _by_segment(jax.ops.segment_min, data, segment_ids, num_segments, sorted)


@op
def segment_prod(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Any:
    """The product of the rows with each segment's number, 1 where there are none."""
    return _by_segment(jax.ops.segment_prod, data, segment_ids, num_segments, sorted)


@op
def segment_sum(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Any:
    """The sum of the rows with each segment's number, 0 where there are none."""
    return _by_segment(jax.ops.segment_sum, data, segment_ids, num_segments, sorted)


def _by_segment(
    reduce: Callable[..., Any], data: Any, segment_ids: Any, num_segments: Any, sorted: bool
) -> Any:
    data, segment_ids = array(data), array(segment_ids)
    if num_segments is None:
        raise ValueError("num_segments must be a number, got None: JAX needs the result's shape")
    if segment_ids.shape != data.shape[:1]:
        raise ValueError(
            "segment_ids must have one number for each row of data; got shapes "
            f"{segment_ids.shape} and {data.shape}"
        )
    return reduce(data, segment_ids, num_segments, indices_are_sorted=sorted)


@op
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """From each place the entry of the first choice whose condition holds there."""
    for name, given in (("condlist", condlist), ("choicelist", choicelist)):
        if not isinstance(given, list | tuple) or not given:
            raise ValueError(f"{name} must be a list of arrays, got {given!r}")
    conditions, choices = ([*map(array, own)] for own in (condlist, choicelist))
    return jnp.select(conditions, choices, default)


@op
def slice(inputs: Any, start_indices: Any, shape: Sequence[int]) -> Any:
    """The block of that shape from `start_indices` on; a size of -1 reaches to the end."""
    inputs = array(inputs)
    sizes = [
        inputs.shape[axis] - int(start_indices[axis]) if size == -1 else size
        for axis, size in enumerate(shape)
    ]
    return lax.dynamic_slice(inputs, start_indices, sizes)


@op
def slice_update(inputs: Any, start_indices: Any, updates: Any) -> Any:
    """`inputs` with the block from `start_indices` on replaced by `updates`."""
    return lax.dynamic_update_slice(array(inputs), array(updates), start_indices)


@op
def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """The entries along an axis at `indices`, NaN where there are none; of all if it is None."""
    return jnp.take(array(x), array(indices), axis)


@op
def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Along an axis the entries at `indices`, which are others at each place of the other axes."""
    return jnp.take_along_axis(array(x), array(indices), axis)


@op
def top_k(x: Any, k: int, sorted: bool = True) -> Any:
    """The `k` largest entries along the last axis, largest first, and their indices."""
    return tuple(lax.top_k(array(x), k))


@op
def unique(
    x: Any,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The different entries, or slices along an axis, and on request where and how often they are.

    `size` cuts off or fills up (with `fill_value`, the first one by default) to a known number.
    """
    if size is None:
        _with_values("unique without a size", x)
    return jnp.unique(
        array(x),
        return_index=return_index,
        return_inverse=return_inverse,
        return_counts=return_counts,
        axis=axis,
        equal_nan=False,
        size=size,
        fill_value=fill_value,
        sorted=sorted,
    )


@op
def unravel_index(indices: Any, shape: Any) -> Any:
    """The places, one array per axis, of entries that are numbered with the last axis fastest."""
    return jnp.unravel_index(array(indices), shape)
