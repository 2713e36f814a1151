"""Helpers of Keras's training loop that scripts imported from `keras.engine` or `keras.utils`."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from funkeras import backend as K
from funkeras import initializers, layers, tracing
from funkeras.formats.keras1 import Origin
from funkeras.layers.nodes import Node
from funkeras.models import Model, loading, placement

__all__ = [
    "Container",
    "Network",
    "Node",
    "batch_shuffle",
    "get_source_inputs",
    "layer_from_config",
    "load_weights_from_hdf5_group",
    "load_weights_from_hdf5_group_by_name",
    "make_batches",
    "preprocess_weights_for_loading",
    "slice_X",
    "slice_arrays",
    "to_list",
    "weighted_masked_objective",
    "weighted_objective",
]


Container = Network = Model
"""What Keras 1 and 2 called the graph in a model."""


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
    return list(reversed(tracing.entries(jax.tree.leaves(tensor))))


def weighted_masked_objective(fn: Any) -> Any:
    """A loss as Keras 2 weighs and masks it: `f(y_true, y_pred, weights, mask=None)`.

    With scores per sample `s`: `s mask / mean(mask)`, meaned over the axes that `weights` lack,
    `s weights / mean(weights != 0)`, and the mean of that.
    """
    if fn is None:
        return None

    def weighted(y_true: Any, y_pred: Any, weights: Any, mask: Any = None) -> Any:
        score = fn(y_true, y_pred)
        if mask is not None:
            mask = K.cast(mask, K.floatx())
            score = score * mask / K.mean(mask)
        if weights is not None:
            others = list(range(K.ndim(weights), K.ndim(score)))
            score = K.mean(score, axis=others) if others else score
            score = score * weights / K.mean(K.cast(K.not_equal(weights, 0), K.floatx()))
        return K.mean(score)

    return weighted


weighted_objective = weighted_masked_objective


def load_weights_from_hdf5_group(f: Any, layers: Sequence[Any], reshape: bool = False) -> None:
    """Put the weights of an open file, or of a model's group in it, in the place of layers'."""
    loading.load_layers(layers, _path_of(f), by_name=False, skip_mismatch=False)


def load_weights_from_hdf5_group_by_name(
    f: Any, layers: Sequence[Any], skip_mismatch: bool = False, reshape: bool = False
) -> None:
    """Likewise for those layers that the file has under their names."""
    loading.load_layers(layers, _path_of(f), True, skip_mismatch)


def _path_of(group: Any) -> Path:
    """The path of the file that a group of h5py is in."""
    if group.name not in ("/", "/model_weights"):
        raise ValueError(f"the group must be a file or its 'model_weights', got {group.name!r}")
    return Path(group.file.filename)


def preprocess_weights_for_loading(
    layer: Any,
    weights: Sequence[Any],
    original_keras_version: str | None = None,
    original_backend: str | None = None,
    reshape: bool = False,
) -> list[np.ndarray]:
    """The arrays that another Keras kept for a layer, as `layer.set_weights` takes them.

    Args:
        original_keras_version, original_backend: what kept them; this one if left out.
        reshape: give an array of the right size, but another shape, that of the weight.

    Raises:
        FileFormatError: if they do not fit the layer.
    """
    version = (original_keras_version or "2")[0]
    origin = Origin(int(version), original_backend or "tensorflow")
    arrays = [(f"array {number}", np.asarray(own)) for number, own in enumerate(weights)]
    if reshape and len(arrays) == len(layer.weights):
        sizes = [own.shape for own in layer.weights]
        arrays = [
            (name, own.reshape(size) if own.size == np.prod(size) else own)
            for (name, own), size in zip(arrays, sizes, strict=True)
        ]
    change = placement.from_list(layer, arrays, origin, f"weights for layer {layer.name!r}")
    kept = [change[id(owner)][1][weight.name] for owner, weight in placement.listed(layer)]
    return layer.as_given(kept)
