"""Helpers of Keras's training loop that scripts imported from `keras.engine` or `keras.utils`."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from funkeras import initializers, layers, symbolic

__all__ = [
    "batch_shuffle",
    "get_source_inputs",
    "layer_from_config",
    "make_batches",
    "slice_X",
    "slice_arrays",
    "to_list",
]


def to_list(x: Any) -> list[Any]:
    """A list as it is; anything else as its only entry."""
    return x if isinstance(x, list) else [x]


def slice_arrays(arrays: Any, start: Any = None, stop: int | None = None) -> Any:
    """The rows from `start` to `stop`, or those that a list counts up, of one array or several.

    >>> slice_arrays([np.arange(5), np.arange(5) * 2], 1, 3)
    [array([1, 2]), array([2, 4])]
    """
    if arrays is None:
        return [None]
    rows = np.asarray(start) if hasattr(start, "__len__") else slice(start, stop)
    if isinstance(arrays, list):
        return [None if array is None else array[rows] for array in arrays]
    return arrays[rows]


slice_X = slice_arrays  # noqa: N816, its name in Keras 1


def make_batches(size: int, batch_size: int) -> list[tuple[int, int]]:
    """Where each batch begins and ends.

    >>> make_batches(5, 2)
    [(0, 2), (2, 4), (4, 5)]
    """
    count = math.ceil(size / batch_size)
    return [(i * batch_size, min(size, (i + 1) * batch_size)) for i in range(count)]


def batch_shuffle(index_array: np.ndarray, batch_size: int) -> np.ndarray:
    """The indices with whole batches in another order; what fills no batch stays at the end."""
    count = len(index_array) // batch_size
    batches = index_array[: count * batch_size].reshape(count, batch_size)
    np.random.shuffle(batches)
    return np.concatenate([batches.ravel(), index_array[count * batch_size :]])


def layer_from_config(
    config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Any:
    """The layer, or model, that a dict with its class name and config describes."""
    return layers.deserialize(config, custom_objects)


def _compute_fans(shape: Sequence[int], data_format: str = "channels_last") -> tuple[float, float]:
    """`get_fans`, as scripts took it from the inside of Keras 2."""
    return initializers.get_fans(shape, "th" if data_format == "channels_first" else "tf")


def get_source_inputs(
    tensor: Any, layer: Any = None, node_index: int | None = None
) -> Sequence[Any]:
    """The tensors that data enters by on the way to a symbolic tensor."""
    return list(reversed(symbolic.entries(jax.tree.leaves(tensor))))
