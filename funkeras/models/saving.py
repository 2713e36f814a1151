"""Between a model's layers and the files in `formats`."""

from pathlib import Path
from typing import Any

import numpy as np

# `formats` brings h5py, which a script that saves nothing need not wait for: imported where used.

__all__ = ["load_weights", "plain", "save_weights"]


def plain(value: Any) -> Any:
    """A value as JSON takes it: NumPy numbers and arrays, functions by name."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if callable(value):
        return getattr(value, "__name__", repr(value))
    raise TypeError(f"a config can't hold a {type(value).__name__}: {value!r}")


def save_weights(model: Any, filepath: Any, overwrite: bool) -> None:
    """Write the weights of all layers, in the layout of Keras 2."""
    from funkeras import formats

    path = Path(filepath)
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} exists; pass overwrite=True to replace it")
    layers = [
        (layer.name, [(f"{variable.name}:0", variable.numpy()) for variable in layer.weights])
        for layer in model.layers
    ]
    formats.save_weights(path, layers)


def load_weights(model: Any, filepath: Any, by_name: bool) -> None:
    """Read weights in order, or by layer name, and swap them in when every array fits."""
    from funkeras import formats
    from funkeras.formats import FileFormatError

    # In float64 at most; another megabyte, so that a slightly larger model is told of by shape.
    limit = sum(8 * layer.count_params() for layer in model.layers) + (1 << 20)
    stored, _ = formats.load_weights(Path(filepath), limit=limit)
    found = [(name, arrays) for name, arrays in stored if arrays]
    layers = [layer for layer in model.layers if layer.weights]
    if by_name:
        own = {layer.name: layer for layer in layers}
        matched = [(own[name], arrays) for name, arrays in found if name in own]
    elif len(found) != len(layers):
        raise FileFormatError(
            f"{filepath} holds {len(found)} layers with weights "
            f"({', '.join(name for name, _ in found)}), the model has {len(layers)} "
            f"({', '.join(layer.name for layer in layers)})"
        )
    else:
        matched = list(zip(layers, (arrays for _, arrays in found), strict=True))
    for layer, arrays in matched:
        expected = [variable.shape for variable in layer.weights]
        shapes = [array.shape for _, array in arrays]
        if shapes != expected:
            raise FileFormatError(
                f"{filepath}: layer {layer.name!r} has weights of shapes {expected}, "
                f"the file has {shapes}"
            )
    for layer, arrays in matched:
        layer.set_weights([array for _, array in arrays])
