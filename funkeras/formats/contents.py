"""What a file of any kind holds, for people and programs that look at it without its model."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from funkeras.formats import keras2, keras3
from funkeras.formats.hdf5 import open_hdf5
from funkeras.formats.text import EXPANSION

__all__ = [
    "Contents",
    "class_of",
    "contents",
    "is_archive",
    "layer_entries",
    "name_of",
    "sha256",
]


class Contents(NamedTuple):
    """The parts of a file; what it does not have is empty."""

    kind: str
    """`model.h5`, `weights.h5` (both of the layout of Keras 1 and 2), `.weights.h5`, `.keras`."""
    attributes: dict[str, Any]
    """What it says about itself: `keras_version`, `backend`, …"""
    config: dict[str, Any]
    training: dict[str, Any]
    weights: list[tuple[str, list[tuple[str, np.ndarray]]]]
    """(layer or place, [(weight, array)]) in the file's order."""
    optimizer: list[tuple[str, np.ndarray]]
    digest: str | None
    """Of the contents, as it is written in the file; it has been checked."""


def is_archive(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a zip archive, by its first bytes."""
    with Path(path).open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def sha256(path: str | os.PathLike[str]) -> str:
    """The digest of a file's bytes."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def layer_entries(config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The entries of a model's layers; Sequential was a bare list before Keras 2.2.3."""
    inner = config.get("config")
    entries = inner.get("layers") if isinstance(inner, Mapping) else inner
    return [entry for entry in entries or () if isinstance(entry, Mapping)]


def class_of(entry: Mapping[str, Any]) -> str:
    """The class of a layer's entry, without the package before it."""
    return str(entry.get("class_name", "")).rpartition(">")[2].rpartition(".")[2]


def name_of(entry: Mapping[str, Any]) -> str:
    """The name of a layer's entry."""
    arguments = entry.get("config")
    inner = arguments.get("name") if isinstance(arguments, Mapping) else None
    return str(entry.get("name") or inner or "")


def contents(path: str | os.PathLike[str]) -> Contents:
    """Everything that a weights or model file of any Keras holds.

    Raises:
        FileFormatError: for other files, damaged ones, and ones that were changed.
    """
    path = Path(path)
    if is_archive(path):
        return _of_archive(path)
    if keras3.is_holders_file(path):
        return _of_holders(path)
    with open_hdf5(path) as root:
        whole = root.attribute("model_config") is not None
        digest = root.attribute(keras2.DIGEST)
    if whole:
        model = keras2.load_model(path)
        known = {k: v for k, v in model.attributes.items() if k not in keras2.TEXTS}
        parts = (model.config, model.training, model.layers, model.optimizer)
        return Contents("model.h5", known, *parts, digest)
    stored = keras2.load_weights(path, EXPANSION * path.stat().st_size)
    return Contents("weights.h5", stored.attributes, {}, {}, stored.layers, [], digest)


def _of_archive(path: Path) -> Contents:
    archive = keras3.load_archive(path)
    holders = keras3.load_holders(path, EXPANSION * path.stat().st_size, archive.weights)
    metadata = {k: v for k, v in archive.metadata.items() if k != keras3.DIGEST}
    training = archive.config.get("compile_config") or {}
    digest = archive.metadata.get(keras3.DIGEST)
    entries = [entry for entry in layer_entries(archive.config) if class_of(entry) != "InputLayer"]
    places = keras3.layer_places(map(class_of, entries))
    names = dict(zip(places, map(name_of, entries), strict=True))
    return Contents(".keras", metadata, archive.config, training, *_split(holders, names), digest)


def _of_holders(path: Path) -> Contents:
    holders = keras3.load_holders(path, EXPANSION * path.stat().st_size)
    with open_hdf5(path) as root:
        known = root.attributes()
        attributes = {name: root.attribute(name) for name in known if keras3.DIGEST not in name}
        digest = root.attribute(keras3.DIGEST)
    return Contents(".weights.h5", attributes, {}, {}, *_split(holders), digest)


def _split(
    holders: keras3.Holders, names: Mapping[str, str] | None = None
) -> tuple[list[tuple[str, list[tuple[str, np.ndarray]]]], list[tuple[str, np.ndarray]]]:
    """Arrays by layer, under its name where that is told, and those of the optimizer.

    `names` are of layers by place: some files have them in the config only.
    """
    layers: dict[str, list[tuple[str, np.ndarray]]] = {}
    optimizer: list[tuple[str, np.ndarray]] = []
    for place, (_, arrays) in holders.items():
        steps = place.split("/")
        root = "/".join(steps[:2])
        name = (names or {}).get(root) or holders.get(root, ("", []))[0] or root
        numbered = [
            ("/".join([*steps[2:], own]), array) for own, array in keras3.named(arrays).items()
        ]
        if steps[0] == "optimizer":
            optimizer += numbered
        elif numbered:
            layers.setdefault(name, []).extend(numbered)
    return list(layers.items()), optimizer
