"""Helpers about layers that scripts import from `keras.utils.layer_utils`."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

__all__ = [
    "convert_all_kernels_in_model",
    "convert_dense_weights_data_format",
    "count_params",
    "count_total_params",
    "print_summary",
]

CONVOLUTIONS = ("Conv", "Deconv", "Convolution", "Deconvolution", "AtrousConvolution")


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: Any = None,
    print_fn: Callable[[str], Any] | None = None,
) -> None:
    """Print the table of a model's layers; `positions` of columns follow from what they hold."""
    model.summary(line_length=line_length, print_fn=print_fn)


def count_params(weights: Sequence[Any]) -> int:
    """Number of entries in these weights, each counted once.

    >>> count_params([np.zeros((2, 3)), np.zeros(3)])
    9
    """
    return sum(int(np.prod(weight.shape)) for weight in {id(w): w for w in weights}.values())


def count_total_params(layers: Sequence[Any], layer_set: set[Any] | None = None) -> tuple[int, int]:
    """Entries of the weights of layers that are trained, and of the others (Keras 1)."""
    seen = set() if layer_set is None else layer_set
    trained = fixed = 0
    for layer in layers:
        if layer in seen:
            continue
        seen.add(layer)
        trained += count_params(layer.trainable_weights)
        fixed += count_params(layer.non_trainable_weights)
    return trained, fixed


def convert_all_kernels_in_model(model: Any) -> None:
    """Turn the kernels of all convolutions around, from Theano's order or back to it."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            convert_all_kernels_in_model(layer)
        elif type(layer).__name__.startswith(CONVOLUTIONS):
            kernel = layer.weights[0]
            kernel.assign(np.flip(kernel.numpy(), tuple(range(len(kernel.shape) - 2))))


def convert_dense_weights_data_format(
    dense: Any,
    previous_feature_map_shape: tuple[int, ...],
    target_data_format: str = "channels_first",
) -> None:
    """Reorder the rows of a dense layer after `Flatten`, for the other place of the channels.

    Args:
        previous_feature_map_shape: of what `Flatten` gets from now on, without the batch.
        target_data_format: `channels_first` or `channels_last`: where the channels are from now on.
    """
    if target_data_format not in ("channels_first", "channels_last"):
        raise ValueError(
            "target_data_format must be channels_first or channels_last; "
            f"got {target_data_format!r}"
        )
    kernel, *others = dense.get_weights()
    shape = tuple(previous_feature_map_shape)
    if np.prod(shape) != kernel.shape[0]:
        raise ValueError(
            f"layer {dense.name!r} has {kernel.shape[0]} inputs, a map of {shape} has "
            f"{np.prod(shape)}"
        )
    last = len(shape) - 1
    source, target = (last, 0) if target_data_format == "channels_first" else (0, last)
    before = [*shape]
    before.insert(source, before.pop(target))
    maps = np.moveaxis(kernel.reshape(*before, -1), source, target)
    dense.set_weights([maps.reshape(kernel.shape), *others])
