"""The HDF5 weights of Keras 0.3, 1 and 2, also inside whole models; written in Keras 2's layout.

Root attributes `layer_names`, `backend`, `keras_version`; a group per layer with `weight_names`;
datasets `dense_1/dense_1/kernel:0` (Keras 1: `dense_1/dense_1_W`; tf.keras and Keras 3 differ in
the names only). Keras 0.3 numbers its layers and arrays.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from funkeras.formats.errors import FileFormatError
from funkeras.formats.hdf5 import (
    Group,
    create_hdf5,
    open_hdf5,
    write_array,
    write_attribute,
    write_names,
)
from funkeras.formats.text import EXPANSION, parsed

__all__ = [
    "TOP_LEVEL",
    "ModelFile",
    "WeightsFile",
    "load_model",
    "load_weights",
    "read_layers",
    "save_model",
    "save_weights",
    "weight_shapes",
]

Layers: TypeAlias = Sequence[tuple[str, Sequence[tuple[str, np.ndarray]]]]
Limit: TypeAlias = int | Callable[[str, str], int | None] | None

DIGEST = "funkeras_digest"
DIGESTED = "funkeras_digested"
"""Says that a digest belongs to the file, so that one that was lost is noticed."""

TEXTS = ("model_config", "training_config")
TOP_LEVEL = "top_level_model_weights"
"""The group of the weights that belong to no layer, but to the model."""

ATTRIBUTES: dict[str, Any] = {
    # Genuine Keras reverses kernels by this word: `tensorflow` says that ours are correlated,
    # while a reader on Theano would take those of a backend that it does not know as its own.
    "backend": "tensorflow",
    "keras_version": "2.2.4",
}


class WeightsFile(NamedTuple):
    """What a weights file holds, in its order."""

    layers: list[tuple[str, list[tuple[str, np.ndarray]]]]
    """(layer, [(weight, array)]); weights that belong to no layer come last."""
    attributes: dict[str, Any]
    """The rest: `backend`, `keras_version`, in a whole model also `model_config`, …"""


class ModelFile(NamedTuple):
    """What the file of a whole model holds."""

    config: dict[str, Any]
    training: dict[str, Any]
    """Loss, metrics and optimizer; empty for a model that was not compiled."""
    layers: list[tuple[str, list[tuple[str, np.ndarray]]]]
    optimizer: list[tuple[str, np.ndarray]]
    attributes: dict[str, Any]


def save_weights(
    path: str | os.PathLike[str], layers: Layers, attributes: Mapping[str, Any] | None = None
) -> None:
    """Write arrays by layer and name as a weights file that genuine Keras 2 and 3 read.

    The file is wholly old or wholly new. `attributes` are added to, or replace, `ATTRIBUTES`.

    >>> import tempfile
    >>> path = tempfile.mkdtemp() + "/weights.h5"
    >>> save_weights(path, [("dense_1", [("dense_1/bias:0", np.zeros(2, "float32"))])])
    >>> load_weights(path).layers
    [('dense_1', [('dense_1/bias:0', array([0., 0.], dtype=float32))])]
    """
    check_names(layers)
    described = {**ATTRIBUTES, **(attributes or {})}
    with create_hdf5(path) as file:
        write_layers(file, layers)
        _write_attributes(file, described)
        write_attribute(file, DIGEST, digest(layers, described))


def save_model(
    path: str | os.PathLike[str],
    layers: Layers,
    config: str,
    training: str | None = None,
    optimizer: Sequence[tuple[str, np.ndarray]] = (),
    attributes: Mapping[str, Any] | None = None,
) -> None:
    """Write a whole model that genuine Keras 2 and 3 read; the file is wholly old or wholly new.

    `config` and `training` are JSON. `attributes` are added to, or replace, `ATTRIBUTES`.
    """
    check_names(layers)
    described = {**ATTRIBUTES, **(attributes or {}), "model_config": config}
    if training is not None:
        described["training_config"] = training
    with create_hdf5(path) as file:
        _write_attributes(file, described)
        group = file.create_group("model_weights")
        write_layers(group, layers)
        for name in ATTRIBUTES:
            write_attribute(group, name, described[name])
        if optimizer:
            check_names([("optimizer_weights", optimizer)])
            group = file.create_group("optimizer_weights")
            write_names(group, "weight_names", [name for name, _ in optimizer])
            for name, array in optimizer:
                write_array(group, name, array)
        everything = [*layers, ("optimizer_weights", optimizer)]
        write_attribute(file, DIGEST, digest(everything, described))


def _write_attributes(file: Any, attributes: Mapping[str, Any]) -> None:
    for name, value in {**attributes, DIGESTED: 1}.items():
        write_attribute(file, name, value)


def check_names(layers: Layers) -> None:
    """Refuse names that are doubled or that HDF5 would take for another place."""
    lists = [("layers", [name for name, _ in layers])]
    lists += [(f"layer {name!r}", [weight for weight, _ in weights]) for name, weights in layers]
    for place, names in lists:
        doubled = {name for name in names if names.count(name) > 1} if len(names) > 1 else set()
        if doubled:
            raise ValueError(f"{place}: the name {sorted(doubled)[0]!r} occurs twice")
        for name in names:
            if any(step in ("", ".", "..") for step in name.split("/")):
                raise ValueError(f"{place}: {name!r} cannot be a name in an HDF5 file")


def write_layers(group: Any, layers: Layers) -> None:
    """Write a group per layer, as at the root of a weights file, into an open h5py group."""
    write_names(group, "layer_names", [name for name, _ in layers])
    for name, weights in layers:
        folder = group.require_group(name)
        write_names(folder, "weight_names", [weight for weight, _ in weights])
        for weight, array in weights:
            write_array(folder, weight, array)


def digest(layers: Layers, attributes: Mapping[str, Any]) -> str:
    """sha256 over the attributes and the names, types, shapes and bytes of all arrays, in order."""
    sha = hashlib.sha256(json.dumps(attributes, sort_keys=True, default=str).encode())
    for layer, weights in layers:
        for weight, array in weights:
            data = np.asarray(array)
            data = np.ascontiguousarray(data.astype(data.dtype.newbyteorder("<"), copy=False))
            shape = np.asarray(array).shape
            sha.update(json.dumps([layer, weight, data.dtype.str, shape]).encode())
            sha.update(data.data if data.size else b"")
    return sha.hexdigest()


def _check_digest(root: Group, layers: Layers, attributes: Mapping[str, Any]) -> None:
    expected = root.attribute(DIGEST)
    if expected is None and root.attribute(DIGESTED) is None:
        return
    if expected != digest(layers, attributes):
        raise FileFormatError(
            f"{root.path} was changed or damaged after it was saved: its contents do not have the "
            f"digest that is written in it"
        )


def load_weights(path: str | os.PathLike[str], limit: Limit = None) -> WeightsFile:
    """Read a weights file, or the weights of a whole model, of any Keras with HDF5.

    Args:
        limit: the greatest size in bytes of all arrays together, or a function of layer and
            weight that gives the greatest size of that array (None: any). By default the arrays
            may have as many bytes as the file, so that a small file cannot fill the memory.

    Raises:
        FileFormatError: for anything that is not such a file, names a node that is missing,
            reaches outside of the file or is larger than expected, or whose contents are not
            those that were saved.
    """
    # With a limit for each array, the file's own size says nothing: it may be compressed.
    total = limit if isinstance(limit, int) or limit is None else 1 << 62
    with open_hdf5(path, total) as root:
        each = limit if callable(limit) else None
        layers, attributes = _weights(root, each)
        if "model_weights" not in root:
            _check_digest(root, layers, attributes)
    return WeightsFile(layers, attributes)


def _weights(root: Group, limit: Callable[[str, str], int | None] | None = None) -> WeightsFile:
    group = weights_group(root)
    layers = read_layers(group, lambda g, layer, weight: _read(g, layer, weight, limit))
    # What the root says is covered by the digest.
    attributes = {**_attributes(group), **_attributes(root)}
    return WeightsFile(layers, attributes)


def _attributes(group: Group) -> dict[str, Any]:
    return {
        name: group.attribute(name)
        for name in group.attributes()
        if not name.startswith(("layer_names", "nb_layers", DIGEST))
    }


def load_model(path: str | os.PathLike[str], limit: int | None = None) -> ModelFile:
    """Read a whole model of Keras 1 or 2, of tf.keras, or of Keras 3 as `.h5`.

    Args:
        limit: the greatest size in bytes of all arrays together; 16 times the file by default.

    Raises:
        FileFormatError: for anything that is not such a file, or not what was saved.
    """
    limit = EXPANSION * Path(path).stat().st_size if limit is None else limit
    with open_hdf5(path, limit) as root:
        texts = {name: root.attribute(name) for name in TEXTS}
        if not isinstance(texts["model_config"], str):
            raise FileFormatError(
                f"{path} holds no model, only weights: build the model and use load_weights"
            )
        layers, attributes = _weights(root)
        optimizer: list[tuple[str, np.ndarray]] = []
        if "optimizer_weights" in root:
            group = root.group("optimizer_weights")
            if any(name.startswith("weight_names") for name in group.attributes()):
                names = _distinct(group, "weight_names")
                optimizer = [(name, group.array(name)) for name in names]
        _check_digest(root, [*layers, ("optimizer_weights", optimizer)], attributes)
    training = texts["training_config"]
    return ModelFile(
        parsed(path, "model_config", texts["model_config"]),
        parsed(path, "training_config", training) if isinstance(training, str) else {},
        layers,
        optimizer,
        attributes,
    )


def weight_shapes(
    path: str | os.PathLike[str],
) -> list[tuple[str, list[tuple[str, tuple[int, ...]]]]]:
    """Names and shapes of all weights, in the file's order; no array is read."""
    with open_hdf5(path) as root:
        return read_layers(weights_group(root), lambda group, _, weight: group.shape(weight)[0])


def weights_group(root: Group) -> Group:
    """The group with the weights: the root, or `model_weights` in the file of a whole model."""
    known = root.attributes()
    if not any(name.startswith(("layer_names", "nb_layers")) for name in known):
        if "model_weights" in root:
            return root.group("model_weights")
        if "layers" in root or "_layer_checkpoint_dependencies" in root:
            raise root.refuse("", "this is a .weights.h5 file of Keras 3, with another layout")
        raise root.refuse("", "no weights of Keras: the attribute 'layer_names' is missing")
    return root


def read_layers(group: Group, read: Callable[[Group, str, str], Any]) -> list[Any]:
    """(layer, [(weight, what `read` gives for it)]) for each layer, in the file's order."""
    if (count := group.attribute("nb_layers")) is not None:
        return _numbered_layers(group, count, read)
    names = _distinct(group, "layer_names")
    if TOP_LEVEL in group and TOP_LEVEL not in names:
        names = [*names, TOP_LEVEL]
    layers: list[Any] = []
    for name in names:
        layer = group.group(name)
        weights = [
            (weight, read(layer, name, weight)) for weight in _distinct(layer, "weight_names")
        ]
        if weights or name != TOP_LEVEL:
            layers.append((name, weights))
    return layers


def _distinct(group: Group, attribute: str) -> list[str]:
    names = group.names(attribute)
    if len(set(names)) < len(names):  # no Keras writes this, and it would multiply the arrays
        raise group.refuse("", f"the attribute {attribute!r} has a name twice")
    return names


def _numbered_layers(group: Group, count: Any, read: Callable[[Group, str, str], Any]) -> list[Any]:
    """The layers of Keras 0.3: `layer_0/param_0`, …"""
    layers: list[Any] = []
    for index in range(_count(group, "nb_layers", count)):
        name = f"layer_{index}"
        layer = group.group(name)
        params = _count(layer, "nb_params", layer.attribute("nb_params"))
        weights = [(f"param_{i}", read(layer, name, f"param_{i}")) for i in range(params)]
        layers.append((name, weights))
    return layers


def _count(group: Group, name: str, value: Any) -> int:
    if not isinstance(value, int) or value < 0:
        raise group.refuse("", f"the attribute {name!r} must be a number of nodes, not {value!r}")
    return value


def _read(
    group: Group, layer: str, weight: str, limit: Callable[[str, str], int | None] | None
) -> np.ndarray:
    return group.array(weight, limit(layer, weight) if limit else None)
